"""The dissector on TCP: a stream that it knows by its first frame, or by its port; cut anywhere, and spoiled."""

from typing import Final

from tests.e2e.captures.frames import frame, punch, punch_done
from tests.e2e.captures.shark import Shark, Stream, pcap

KNOWN_PORT: Final = ("-o", "hlp1.tcp_ports:4000")
COLUMNS: Final = ("_ws.col.Protocol", "_ws.col.Info")


def test_a_stream_is_known_by_its_first_frame_and_stays_so(shark: Shark) -> None:
    stream = Stream(server=50_312)
    capture = stream.capture(
        ("client", punch(correlation_id=1)),
        ("server", b"\0rubbish\0" + punch_done(correlation_id=1)),
    )
    first, second = shark.packets(capture)
    assert first.only("hlp1.message") == "Punch" and first.only("hlp1.response_in") == "2"
    assert second.only("hlp1.bad_frame") == "cobs"
    assert second.only("hlp1.request_in") == "1" and second.only("hlp1.punch_done.punctured") == "7"


def test_frames_that_are_cut_anywhere_are_put_together(shark: Shark) -> None:
    """Each split is a connection of its own, which its client's port names."""
    data = punch(correlation_id=1) + punch(correlation_id=2)[1:]
    packets: list[bytes] = []
    for split in range(1, len(data)):
        packets += Stream(server=4000, client=30_000 + split).packets(
            [("client", data[:split]), ("client", data[split:])]
        )
    rows = shark.fields(pcap(packets), "tcp.srcport", "hlp1.correlation_id", options=KNOWN_PORT)
    found: dict[int, list[str]] = {}
    for port, numbers in rows:
        found.setdefault(int(port) - 30_000, []).extend(number for number in numbers.split(";") if number)
    assert found == {split: ["1", "2"] for split in range(1, len(data))}


def test_what_is_too_long_is_said_once_and_the_next_frame_is_found(shark: Shark) -> None:
    segments = (b"U" * 200, b"U" * 200, b"U" * 900, b"UU\0" + punch(correlation_id=3))
    capture = Stream(server=4000).capture(*(("client", data) for data in segments))
    rows = shark.fields(capture, "hlp1.bad_frame", "hlp1.correlation_id", options=KNOWN_PORT)
    assert [value for row in rows for value in row if value] == ["oversize", "3"]


def test_other_peoples_streams_are_left_alone(shark: Shark) -> None:
    wrong = bytearray(punch())
    wrong[-3] ^= 1
    for data in (b"GET / HTTP/1.1\r\n\r\n", bytes(40), bytes(wrong), b"\0\x02a\x02b\0"):
        ((protocol, _),) = shark.fields(Stream(server=50_312).capture(("client", data)), *COLUMNS)
        assert protocol != "HLP/1"


def test_a_frame_that_never_ends_is_no_error(shark: Shark) -> None:
    capture = Stream(server=4000).capture(("client", frame("COMMAND", 0x0304)[:-4]))
    (packet,) = shark.packets(capture, *KNOWN_PORT)
    assert packet.experts() == []
