"""The watch: lines of what comes in pieces of any size, garbage among it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.monitor.selection import Selection
from devicectl.monitor.watch import QUIET_US, Watch
from protocols.language.checksum import crc32c
from protocols.language.messages import Count, Echo, EchoDone
from protocols.language.units import Micros
from protocols.mqtt.bodies import encode_body
from protocols.mqtt.wire import Publication
from protocols.serial.framing import pack_crc, pack_header, stuff
from protocols.serial.payload import encode_message

ECHO = encode_message(Echo(data=b"hi"), 1, 1, 1)
DONE = encode_message(EchoDone(data=b"hi"), 1, 1, 1)
_BODY = pack_header(0x10, 0, 0x7777, 1, 1, 1, 0, 0)
UNKNOWN = b"\0%b\0" % stuff(_BODY + pack_crc(crc32c(_BODY)))
T = Micros(0)


def test_a_command_and_its_answer() -> None:
    watch = Watch(Selection())
    (asked,) = watch.heard("host", ECHO, T)
    (answered,) = watch.heard("device", DONE, Micros(250))
    assert "host>device  COMMAND   Echo  seq=1" in asked and "EchoDone" in answered
    assert watch.statistics.latencies["Echo"].end.greatest == 250


@given(st.integers(1, len(ECHO) - 1))
def test_a_frame_in_two_pieces_is_shown_once_it_is_whole(at: int) -> None:
    watch = Watch(Selection())
    lines = watch.heard("host", ECHO[:at], T) + watch.heard("device", DONE, T) + watch.heard("host", ECHO[at:], T)
    assert sum("Echo  " in line for line in lines) == 1
    assert watch.close() == []


def test_bytes_that_are_no_frame_are_shown_and_counted() -> None:
    watch = Watch(Selection())
    lines = watch.heard("device", b"boot v1.2\r\n\0" + ECHO, T)
    assert "BAD FRAME" in lines[0] and b"boot".hex() in lines[0] and "Echo" in lines[1]
    assert watch.statistics.sent["device"].errors.total() == 1


def test_the_beginning_of_a_frame_is_shown_once_when_nothing_follows() -> None:
    watch = Watch(Selection())
    watch.heard("host", ECHO[:9], Micros(5))
    assert watch.quiet(QUIET_US) == []
    (line,) = watch.quiet(5 + QUIET_US)
    assert f"UNFINISHED 8 bytes  hex {ECHO[1:9].hex()}" in line
    assert watch.quiet(10 * QUIET_US) == []
    assert "Echo" in watch.heard("host", ECHO[9:], Micros(10 * QUIET_US))[0]


def test_a_line_that_ends_shows_what_it_left_and_others_stay() -> None:
    watch = Watch(Selection())
    watch.heard("host", ECHO[:9], T, 2)
    watch.heard("host", ECHO[:9], T, 1)
    (line,) = watch.close(2)
    assert line.startswith("#2 ") and "UNFINISHED" in line
    assert watch.statistics.sent["host"].errors == {"unfinished": 1}
    assert "Echo" in watch.heard("host", ECHO[9:], T, 1)[0]
    assert watch.heard("host", ECHO[9:], T, 2) != []


@pytest.mark.parametrize(
    ("selection", "shown"),
    [
        (Selection(names=frozenset({"EchoDone"})), ["EchoDone"]),
        (Selection(sender="host"), ["Echo", "BAD FRAME", "UNKNOWN"]),
        (Selection(names=frozenset({"BadFrame", "Unknown"})), ["BAD FRAME", "UNKNOWN"]),
    ],
)
def test_what_is_not_selected_is_counted_all_the_same(selection: Selection, shown: list[str]) -> None:
    watch = Watch(selection)
    lines = watch.heard("host", ECHO + b"\0xyz\0" + UNKNOWN, T) + watch.heard("device", DONE, T)
    assert len(lines) == len(shown) and all(name in line for name, line in zip(shown, lines, strict=True))
    assert (watch.statistics.sent["host"].frames, watch.statistics.sent["device"].frames) == (2, 1)


def test_publications_are_watched_too() -> None:
    watch = Watch(Selection())
    said = Publication("handpiece/v1/s/d/command/Count", encode_body(Count(cycle_no=7), 2, 3, 4))
    assert "Count" in watch.heard("host", said, T)[0]
    assert "BAD BODY" in watch.heard("host", said._replace(body=b"{"), T)[0]
    assert watch.statistics.sent["host"].errors.total() == 1


@given(st.lists(st.tuples(st.sampled_from(["host", "device"]), st.binary(max_size=300)), max_size=9))
def test_no_bytes_raise_and_none_are_lost_to_the_count(pieces: list[tuple[str, bytes]]) -> None:
    watch = Watch(Selection())
    for sender, data in pieces:
        watch.heard(sender, data, T)
    watch.quiet(10**9)
    watch.close()
    assert sum(sent.bytes for sent in watch.statistics.sent.values()) == sum(len(data) for _, data in pieces)
