from devicectl.monitor.statistics import MAX_REQUESTS, Statistics
from protocols.language.enums import Kind
from protocols.link.header import RETRANSMIT, Header

COMMAND, REPLY, PROGRESS, LINK = Kind.COMMAND, Kind.REPLY, Kind.PROGRESS, Kind.LINK


def header(kind: int, correlation: int = 1, link: int = 1, flags: int = 0) -> Header:
    """Return a header with what statistics look at."""
    return Header(0x10 | kind, flags, 0, 0, link, correlation, 0, 0)


def test_a_command_has_a_first_answer_and_an_end() -> None:
    statistics = Statistics()
    statistics.message(1, "host", "Punch", header(COMMAND), 1_000)
    assert statistics.unanswered == 1
    statistics.message(1, "device", "Received", header(REPLY), 1_040)
    statistics.message(1, "device", "Progress", header(PROGRESS), 1_060)
    statistics.message(1, "device", "PunchDone", header(REPLY), 1_100)
    statistics.message(1, "device", "PunchDone", header(REPLY), 1_900)
    latency = statistics.latencies["Punch"]
    assert (latency.first.count, latency.first.greatest) == (1, 40)
    assert (latency.end.count, latency.end.greatest) == (1, 100)
    assert statistics.unanswered == 0


def test_lines_links_and_numbers_are_told_apart() -> None:
    statistics = Statistics()
    for line, link, correlation in ((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2)):
        statistics.message(line, "host", "Count", header(COMMAND, correlation, link), 0)
    statistics.message(2, "device", "CountDone", header(REPLY), 7)
    assert statistics.latencies["Count"].end.count == 1
    assert statistics.unanswered == 3


def test_a_command_that_is_sent_again_is_measured_from_the_first() -> None:
    statistics = Statistics()
    statistics.message(1, "host", "Count", header(COMMAND), 0)
    statistics.message(1, "host", "Count", header(COMMAND, flags=RETRANSMIT), 200)
    statistics.message(1, "device", "Refused", header(REPLY), 250)
    assert statistics.latencies["Count"].end.greatest == 250
    assert statistics.sent["host"].retransmitted == 1


def test_hello_is_answered_on_the_link_that_welcome_grants() -> None:
    statistics = Statistics()
    statistics.message(1, "host", "Hello", header(LINK, link=0), 0)
    statistics.message(1, "device", "Welcome", header(LINK, link=9), 30)
    assert statistics.latencies["Hello"].end.greatest == 30


def test_requests_that_nobody_answers_are_forgotten_and_counted() -> None:
    statistics = Statistics()
    for number in range(MAX_REQUESTS + 5):
        statistics.message(1, "host", "Echo", header(COMMAND, number & 0xFFFF, 1 + (number >> 16)), number)
    assert (statistics.forgotten, statistics.unanswered) == (5, MAX_REQUESTS + 5)


def test_rates_and_errors_are_counted_by_sender() -> None:
    statistics = Statistics()
    for at_us in (0, 10, 999_999, 1_000_000):
        statistics.heard("device", 20, at_us)
        statistics.message(1, "device", "Heartbeat", header(LINK, 0), at_us)
    statistics.failed("device", "crc")
    said = statistics.as_json()
    assert said["device"] == {
        "bytes": 80,
        "frames": 4,
        "frames_per_s": 4.0,
        "most_in_a_second": 3,
        "errors": {"crc": 1},
        "retransmitted": 0,
        "messages": {"Heartbeat": 4},
    }
    assert said["duration_us"] == 1_000_000 and said["latencies_us"] == {}
