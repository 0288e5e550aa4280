"""The asking half by the specification: correlation, answers, adaptive retry, windows, and the lost DONE."""

import pytest

from protocols.language.enums import ByeReason, Code, DeviceState, Ending, Lane, Phase
from protocols.language.errors import LocalError, MessageError
from protocols.language.message import Message
from protocols.language.messages import (
    Aborted,
    Arm,
    ArmDone,
    Bye,
    Echo,
    EchoDone,
    Failed,
    HostHeartbeat,
    Nak,
    Progress,
    Punch,
    PunchDone,
    Received,
    Stop,
    StopDone,
)
from protocols.language.units import SECOND, Micros
from protocols.link.happenings import Abandoned, Answered, LinkLost, Told
from protocols.link.header import REPLAYED, REPLY_WANTED, RETRANSMIT
from protocols.link.requests import (
    BACKOFF,
    FIRST_RTO_US,
    MAX_DOUBTFUL,
    MAX_TRIES,
    MIN_RTO_US,
    Request,
    Requests,
    RoundTrip,
)
from protocols.serial.line import BaudLine
from tests.unit.protocols.language.altered import altered
from tests.unit.protocols.link.exchange_pair import (
    LINK,
    Host,
    frame,
    heartbeat,
    hello,
    linked_pair,
    make_host,
    messages,
    refused,
    seen,
    welcome,
)

T0 = Micros(0)
PUNCH = Punch(cycle_no=1, depth_um=2, deadline_ms=3)
PUNCHED = PunchDone(cycle_no=1, depth_um=2, punctured=1, vacuum_pa=-1)
RECEIVED = Received(expected_ms=300)
PROGRESS = Progress(state=DeviceState.ARMING, elapsed_ms=1000, expected_ms=300)


def make() -> Host:
    """A linked host whose lease never ends and whose heartbeat is far away."""
    host, _ = linked_pair(heartbeat_idle_ms=60_000, lease_idle_ms=0)
    host.take()
    return host


def hear(host: Host, message: Message, correlation_id: int, now: int) -> list[object]:
    return list(host.receive(frame(message, LINK, correlation_id), Micros(now)))


def wake(host: Host) -> tuple[int, list[object]]:
    due = host.next_deadline()
    assert due is not None
    return due, list(host.advance(due))


# --- correlation and answers ---------------------------------------------------------------------------------


def test_commands_have_rising_correlations_and_sequence_numbers() -> None:
    host = make()
    requests = [host.submit(Echo(data=b"%d" % n), T0) for n in range(4)]
    headers = [header for header, _ in seen(host.take())]
    assert [header.correlation_id for header in headers] == [request.correlation_id for request in requests]
    assert [header.correlation_id for header in headers] == [2, 3, 4, 5]
    assert [header.seq for header in headers] == [request.seq for request in requests] == [2, 3, 4, 5]
    assert {(header.link_id, header.flags) for header in headers} == {(LINK, REPLY_WANTED)}


def test_answers_find_their_requests_in_any_order() -> None:
    host = make()
    requests = [host.submit(Echo(data=b"%d" % n), T0) for n in range(4)]
    for request in reversed(requests):
        assert isinstance(request.message, Echo)
        done = EchoDone(data=request.message.data)
        assert hear(host, done, request.correlation_id, 1) == [Answered(request, done, True)]


@pytest.mark.parametrize(
    "ending",
    [
        PUNCHED,
        refused(),
        Failed(code=Code.E_INTERLOCK, interlock=1, alarm_code=2, sentence="no"),
        Aborted(code=Code.E_LINK, ending=Ending.ABORTED, phase=Phase.PUNCH, sentence="no"),
        Nak(code=Code.E_ARGUMENT, seq=1, expected=0, actual=0, sentence="no"),
    ],
    ids=lambda message: type(message).__name__,
)
@pytest.mark.parametrize("received", [False, True])
def test_motion_has_one_ending(ending: Message, received: bool) -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    if received:
        for step in (RECEIVED, PROGRESS, PROGRESS):
            assert hear(host, step, request.correlation_id, 1) == [Answered(request, step, False)]
    assert hear(host, ending, request.correlation_id, 2) == [Answered(request, ending, True)]
    strays = host.statistics.strays
    for late in (ending, PUNCHED, RECEIVED):
        assert hear(host, late, request.correlation_id, 3) == []
    assert host.statistics.strays == strays + 3


def test_reply_to_nobody_is_a_stray() -> None:
    host = make()
    for number, correlation_id in enumerate((0, 1, 77), 1):
        assert hear(host, PUNCHED, correlation_id, 1) == []
        assert host.statistics.strays == number
    assert not host.outbox


def test_done_of_another_command_is_a_stray() -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    assert hear(host, ArmDone(vacuum_pa=0), request.correlation_id, 1) == []
    assert hear(host, PUNCHED, request.correlation_id, 1) == [Answered(request, PUNCHED, True)]


def test_nothing_is_submitted_without_a_link() -> None:
    with pytest.raises(LocalError):
        make_host().submit(Arm(), T0)


@pytest.mark.parametrize("ahead", [0, 4])
def test_what_cannot_be_encoded_fails_where_it_is_submitted_and_costs_no_window(ahead: int) -> None:
    host = make()
    for n in range(ahead):
        host.submit(Echo(data=b"%d" % n), T0)
    for _ in range(5):
        with pytest.raises(MessageError):
            host.submit(Echo(data=b"x" * 225), T0)
    for n in range(ahead, 4):
        host.submit(Echo(data=b"%d" % n), T0)
    assert [header.seq for header, _ in seen(host.take())] == [2, 3, 4, 5]


def test_correlation_ids_and_sequence_numbers_wrap_without_0_and_pass_what_is_in_flight() -> None:
    host = make()
    motion = host.submit(PUNCH, T0)
    assert motion.correlation_id == 2
    hear(host, RECEIVED, 2, 1)
    used, seqs = set(), set()
    for _ in range(0x1_0001):
        request = host.submit(Echo(data=b""), T0)
        used.add(request.correlation_id)
        seqs.add(request.seq)
        assert hear(host, EchoDone(data=b""), request.correlation_id, 0) != []
        host.take()
    assert used == set(range(1, 0x1_0000)) - {2}
    assert seqs == set(range(0x1_0000))
    assert hear(host, PUNCHED, 2, 1) == [Answered(motion, PUNCHED, True)]


# --- retry ---------------------------------------------------------------------------------------------------


def test_retry_keeps_all_but_the_flag_and_waits_longer_each_time() -> None:
    host = make()
    hear(host, EchoDone(data=b""), host.submit(Echo(data=b""), T0).correlation_id, 400_000)
    # HELLO took no time, then 400 ms: srtt 50 ms, rttvar 100 ms.
    host.take()
    request = host.submit(PUNCH, T0)
    first, at, waits = host.take(), 0, []
    for _ in range(MAX_TRIES - 1):
        due, happened = wake(host)
        assert happened == []
        waits.append(due - at)
        at = due
        ((header, message),) = seen(host.take())
        assert header == seen(first)[0][0]._replace(flags=REPLY_WANTED | RETRANSMIT) and message == PUNCH
    due, (lost, abandoned) = wake(host)
    waits.append(due - at)
    assert waits == [450_000, 675_000, 1_012_500, 1_518_750, 2_278_125]
    assert isinstance(lost, LinkLost) and abandoned == Abandoned(request, lost.reason) and "Punch" in lost.reason
    assert not host.linked and not host.outbox and host.statistics.retries == 4


def test_first_timeout_is_200_ms_and_then_follows_the_round_trip() -> None:
    trip = RoundTrip()
    assert trip.rto == FIRST_RTO_US == 200_000
    trip.sample(Micros(100_000))
    assert trip.rto == 300_000  # 100 + 4 * 50 ms
    trip.sample(Micros(100_000))
    assert trip.rto == 250_000  # 100 + 4 * 37.5 ms
    for _ in range(100):
        trip.sample(Micros(1_000))
    assert trip.rto == MIN_RTO_US == 60_000
    assert BACKOFF == 1.5


def test_a_retry_that_is_answered_as_well_was_in_vain_and_measures() -> None:
    """REPLAYED proves that the device had the first copy: its answer's round trip is the first one's."""
    host = make()
    request = host.submit(PUNCH, T0)
    due, _ = wake(host)
    assert due == 60_000
    hear(host, PUNCHED, request.correlation_id, 100_000)
    replay = frame(PUNCHED, LINK, request.correlation_id, flags=REPLAYED)
    for now in (110_000, 120_000):  # the second is of nothing that anybody remembers
        assert host.receive(replay, Micros(now)) == []
    host.submit(PUNCH, Micros(200_000))
    # HELLO took no time: smoothed 100 / 8 ms, variance 100 / 4 ms
    assert host.next_deadline() == 200_000 + 12_500 + 4 * 25_000


def test_a_received_that_is_replayed_measures_once_and_no_more_than_it_took() -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    wake(host)
    hear(host, RECEIVED, request.correlation_id, 100_000)
    replay = frame(RECEIVED, LINK, request.correlation_id, flags=REPLAYED)
    for now in (110_000, 5_000_000):
        host.receive(replay, Micros(now))
    hear(host, PUNCHED, request.correlation_id, 5_000_000)
    host.submit(PUNCH, Micros(6_000_000))
    assert host.next_deadline() == 6_000_000 + 12_500 + 4 * 25_000


def test_a_replayed_first_answer_to_a_retried_command_measures_nothing() -> None:
    """The first answer was lost: nobody knows what this one answers."""
    host = make()
    request = host.submit(PUNCH, T0)
    wake(host)
    replay = frame(PUNCHED, LINK, request.correlation_id, flags=REPLAYED)
    assert host.receive(replay, Micros(100_000)) == [Answered(request, PUNCHED, True)]
    host.receive(replay, Micros(110_000))
    host.submit(PUNCH, Micros(200_000))
    assert host.next_deadline() == 260_000


def test_a_welcome_that_is_replayed_measures() -> None:
    host = make_host()
    host.hello(hello(), T0)
    wake(host)
    host.receive(frame(welcome(heartbeat_idle_ms=60_000, lease_idle_ms=0), LINK, 1), Micros(400_000))
    host.receive(frame(welcome(), LINK, 1, flags=REPLAYED), Micros(500_000))
    host.submit(PUNCH, Micros(600_000))
    assert host.next_deadline() == 600_000 + 400_000 + 4 * 200_000


def test_what_would_prove_a_retry_vain_is_kept_for_a_few_commands() -> None:
    host = make()
    for n in range(50):
        request = host.submit(PUNCH, Micros(n * SECOND))
        wake(host)
        hear(host, PUNCHED, request.correlation_id, n * SECOND + 100_000)
    assert len(host._requests._doubtful) == MAX_DOUBTFUL


def test_answer_to_a_retried_command_measures_nothing() -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    due, _ = wake(host)
    assert due == 60_000  # HELLO took no time: the floor
    hear(host, RECEIVED, request.correlation_id, 5_000_000)
    hear(host, PUNCHED, request.correlation_id, 5_000_001)
    host.submit(PUNCH, Micros(6_000_000))
    assert host.next_deadline() == 6_060_000


def test_only_the_first_answer_measures() -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    hear(host, RECEIVED, request.correlation_id, 0)
    hear(host, PUNCHED, request.correlation_id, 400_000)
    host.submit(PUNCH, Micros(500_000))
    assert host.next_deadline() == 560_000


def test_each_request_has_its_own_time() -> None:
    host = make()
    first = host.submit(Echo(data=b"1"), T0)
    second = host.submit(Echo(data=b"2"), Micros(10_000))
    assert host.next_deadline() == 60_000
    assert host.advance(Micros(59_999)) == []
    assert len(host.take()) == 2
    host.advance(Micros(60_000))
    assert [header.correlation_id for header, _ in seen(host.take())] == [first.correlation_id]
    assert host.next_deadline() == 70_000
    hear(host, EchoDone(data=b"2"), second.correlation_id, 65_000)
    assert host.next_deadline() == 150_000


def test_a_retry_breaks_the_silence() -> None:
    host, _ = linked_pair(lease_idle_ms=0)
    host.take()
    host.submit(PUNCH, T0)
    host.advance(Micros(60_000))
    assert messages(host) == [PUNCH, PUNCH]
    host.advance(Micros(150_000))
    host.take()
    host.advance(Micros(349_999))
    assert HostHeartbeat() not in messages(host)


def test_the_earliest_of_two_is_next_whichever_was_asked_first() -> None:
    host = make()
    motion = host.submit(PUNCH, T0)
    hear(host, RECEIVED, motion.correlation_id, 0)
    assert host.next_deadline() > 60_000  # type: ignore[operator]
    host.submit(Echo(data=b""), T0)
    assert host.next_deadline() == 60_000


# --- windows -------------------------------------------------------------------------------------------------


def test_one_motion_four_queries_and_every_stop() -> None:
    host = make()
    motions = [host.submit(Punch(cycle_no=n, depth_um=1, deadline_ms=1), T0) for n in range(3)]
    queries = [host.submit(Echo(data=b"%d" % n), T0) for n in range(6)]
    stops = [host.submit(Stop(), T0) for _ in range(20)]
    sent = [(type(message), header.correlation_id) for header, message in seen(host.take())]
    assert sent == [(type(request.message), request.correlation_id) for request in [motions[0], *queries[:4], *stops]]
    hear(host, EchoDone(data=b""), queries[2].correlation_id, 1)
    assert messages(host) == [queries[4].message]
    hear(host, RECEIVED, motions[0].correlation_id, 1)
    assert messages(host) == []
    hear(host, refused(), motions[0].correlation_id, 1)
    assert messages(host) == [motions[1].message]
    for stop in stops:
        hear(host, StopDone(state=DeviceState.SAFE), stop.correlation_id, 1)
    hear(host, Nak(code=Code.E_ARGUMENT, seq=1, expected=0, actual=0, sentence=""), queries[0].correlation_id, 1)
    assert messages(host) == [queries[5].message]
    unanswered = [queries[1], queries[3], queries[4], motions[1], queries[5], motions[2]]
    assert [happening.request for happening in host.drop()] == unanswered  # type: ignore[union-attr]


def test_only_commands_are_requests() -> None:
    with pytest.raises(AssertionError):
        Request(PUNCHED)
    assert Request(PUNCH).lane is Lane.MOTION


# --- the lost DONE -------------------------------------------------------------------------------------------


def test_command_that_the_heartbeat_no_longer_lists_is_retried() -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    hear(host, RECEIVED, request.correlation_id, 10_000)
    host.take()
    hear(host, heartbeat(request.correlation_id), 0, 100_000)
    assert not host.outbox
    hear(host, heartbeat(0), 0, 300_000)
    ((header, message),) = seen(host.take())
    assert (header.correlation_id, header.seq) == (request.correlation_id, request.seq)
    assert header.flags == REPLY_WANTED | RETRANSMIT and message == PUNCH
    hear(host, heartbeat(0), 0, 310_000)
    assert not host.outbox  # it is being retried already
    assert host.next_deadline() == 360_000  # 60 ms, as for a new one
    answer = frame(PUNCHED, LINK, request.correlation_id, flags=REPLAYED)
    assert host.receive(answer, Micros(320_000)) == [Answered(request, PUNCHED, True)]


def test_heartbeat_says_nothing_of_what_was_not_received() -> None:
    host = make()
    host.submit(PUNCH, T0)
    host.submit(Echo(data=b""), T0)
    host.take()
    hear(host, heartbeat(0), 0, 1_000)
    assert not host.outbox


def test_lost_done_is_asked_for_even_if_no_heartbeat_comes() -> None:
    host, _ = linked_pair(lease_idle_ms=0)
    host.take()
    request = host.submit(PUNCH, T0)
    hear(host, RECEIVED, request.correlation_id, 0)
    hear(host, PROGRESS, request.correlation_id, 1_000_000)
    host.take()
    patience_us = 2 * 300_000 + 3 * 200_000
    host.advance(Micros(1_000_000 + patience_us - 1))
    assert PUNCH not in messages(host)
    host.advance(Micros(1_000_000 + patience_us))
    assert PUNCH in messages(host)


# --- a command that is never ended ---------------------------------------------------------------------------


def patient_host(lease_ms: int = 1_000) -> Host:
    """A linked host that beats every 200 ms and bears silence for a second."""
    host, _ = linked_pair(heartbeat_idle_ms=200, lease_idle_ms=lease_ms)
    host.take()
    return host


def never_end(host: Host, request: Request, answer: Message, until: int) -> tuple[int, list[object]]:
    """A device that beats, names no command as running, and gives each try the same answer: when that ends, and how."""
    now, happened = 0, hear(host, answer, request.correlation_id, 0)
    while host.linked and now < until:
        due = host.next_deadline()
        assert due is not None and due > now
        now = due
        happened += host.advance(Micros(now))
        happened += hear(host, heartbeat(0), 0, now) if host.linked else []
        for header, message in seen(host.take()):
            if message == request.message:
                assert header.correlation_id == request.correlation_id
                happened += hear(host, answer, request.correlation_id, now)
    return now, [one for one in happened if not isinstance(one, (Answered, Told))]


@pytest.mark.parametrize("command", [PUNCH, Stop()], ids=lambda command: type(command).__name__)
def test_a_command_that_is_received_for_ever_ends_in_its_time(command: Message) -> None:
    host = patient_host()
    request = host.submit(command, T0)
    host.take()
    now, (lost, abandoned) = never_end(host, request, RECEIVED, 100_000_000)
    assert now == 4 * 300_000 + 1_000_000
    name = type(command).__name__
    assert lost == LinkLost(f"the device took {name} and never ended it: it was received 2.2 s ago", command)
    assert abandoned == Abandoned(request, lost.reason) and not host.linked and host.next_deadline() is None


def test_a_device_that_never_ends_a_command_is_left_by_bye() -> None:
    host = patient_host()
    request = host.submit(PUNCH, T0)
    hear(host, RECEIVED, request.correlation_id, 0)
    for at in range(200_000, 2_200_000, 200_000):
        hear(host, heartbeat(request.correlation_id), 0, at)
        host.advance(Micros(at))
    host.take()
    host.advance(Micros(2_200_000))
    ((header, message),) = seen(host.take()[-1:])
    assert header.link_id == LINK and message == Bye(reason=ByeReason.CLOSING)


def test_progress_that_tells_a_longer_time_gives_it_and_a_shorter_one_takes_none() -> None:
    host = patient_host()
    request = host.submit(PUNCH, T0)
    host.take()
    for expected_ms in (2_000, 100):
        hear(host, altered(PROGRESS, expected_ms=expected_ms), request.correlation_id, 0)
    now, (lost, _) = never_end(host, request, RECEIVED, 100_000_000)
    assert now == 4 * 2_000_000 + 1_000_000 and isinstance(lost, LinkLost)


def test_an_expected_time_of_weeks_is_one_of_ten_minutes() -> None:
    host = patient_host()
    request = host.submit(PUNCH, T0)
    host.take()
    now, _ = never_end(host, request, Received(expected_ms=0xFFFF_FFFF), 10**12)
    assert now == 4 * 600_000_000 + 1_000_000


def test_a_command_is_given_up_when_its_time_is_over_and_not_at_the_next_retry() -> None:
    host = patient_host(lease_ms=500)
    request = host.submit(PUNCH, T0)
    hear(host, Received(expected_ms=0), request.correlation_id, 0)
    for at in (200_000, 400_000):
        hear(host, heartbeat(request.correlation_id), 0, at)
        assert host.advance(Micros(at)) == []
    assert host.next_deadline() == 500_000, "and not 600,000: three heartbeats"
    (lost, _) = host.advance(Micros(500_000))
    assert isinstance(lost, LinkLost) and "never ended it" in lost.reason


def test_what_was_received_holds_up_no_query_on_a_slow_line() -> None:
    retries = []
    for ahead in (False, True):
        requests = Requests(BaudLine(9600))
        if ahead:
            motion = Request(PUNCH)
            motion.correlation_id = 1
            requests.sent(motion, T0)
            header = seen([frame(RECEIVED, LINK, 1)])[0][0]
            requests.received(motion, header, Micros(300_000), 60_000, 200_000, 1_000_000)
        query = Request(Echo(data=b""))
        query.correlation_id = 2
        requests.round_trip = RoundTrip()
        requests.sent(query, SECOND)
        retries.append(query.due)
    assert retries[0] == retries[1]


def test_a_command_has_no_time_where_the_lease_is_off() -> None:
    host = patient_host(lease_ms=0)
    request = host.submit(PUNCH, T0)
    host.take()
    now, happened = never_end(host, request, RECEIVED, 60_000_000)
    assert now >= 60_000_000 and happened == [] and host.linked


def test_a_command_that_ends_late_but_in_its_time_has_ended() -> None:
    host = patient_host()
    request = host.submit(PUNCH, T0)
    host.take()
    never_end(host, request, RECEIVED, 1_500_000)
    assert hear(host, PUNCHED, request.correlation_id, 2_199_999) == [Answered(request, PUNCHED, True)]


@pytest.mark.parametrize("answer", [RECEIVED, PROGRESS], ids=lambda answer: type(answer).__name__)
def test_what_does_not_answer_a_query_is_told_to_both_ends(answer: Message) -> None:
    host = make()
    request = host.submit(Echo(data=b""), T0)
    host.take()
    happened: list[object] = []
    naks = []
    while host.linked:
        happened += hear(host, answer, request.correlation_id, int(request.due) - 1)
        naks += [message for message in messages(host) if isinstance(message, Nak)]
        happened += wake(host)[1]
    name = type(answer).__name__
    assert naks[0].code is Code.E_ARGUMENT and naks[0].seq == 900
    assert naks[0].sentence == f"Echo is a query: it is answered at once, and not by {name}"
    reason = f"no answer to Echo after 5 tries: {naks[0].sentence}; --trace FILE shows all that comes"
    assert happened == [LinkLost(reason, request.message), Abandoned(request, reason)]


def test_received_command_has_five_tries_again() -> None:
    host = make()
    request = host.submit(PUNCH, T0)
    for _ in range(MAX_TRIES - 1):
        due, _ = wake(host)
    hear(host, RECEIVED, request.correlation_id, due + 1)
    host.take()
    hear(host, heartbeat(0), 0, due + 2)
    assert host.linked and messages(host) == [PUNCH]
    tries = 1
    while host.linked:
        _, happened = wake(host)
        tries += len(host.take())
    assert tries == MAX_TRIES and isinstance(happened[0], LinkLost)
