"""Statistics as lines, which a terminal has room for."""

import re

from devicectl.monitor.report import COLUMNS, report
from devicectl.monitor.selection import Selection
from devicectl.monitor.watch import Watch
from protocols.language.messages import AnesthesiaConfirm, Arm, Echo, EchoDone, Received, Stop, TruthGet
from protocols.language.units import Micros
from protocols.link.header import RETRANSMIT
from protocols.serial.payload import encode_message


def test_the_statistics_are_a_table_for_a_person() -> None:
    watch = Watch(Selection())
    watch.heard("host", encode_message(Echo(data=b"hi"), 1, 1, 1), Micros(0))
    watch.heard("device", encode_message(EchoDone(data=b"hi"), 1, 1, 1), Micros(500))
    watch.heard("host", encode_message(Arm(), 1, 1, 2), Micros(1_000))
    watch.heard("host", encode_message(Arm(), 1, 1, 2, RETRANSMIT) + b"\0noise\0", Micros(1_000))
    watch.heard("device", encode_message(Received(expected_ms=9), 1, 1, 2), Micros(1_000_000))
    lines = report(watch.statistics)
    assert lines[0] == "statistics of 1.000 s, from the first byte to the last"
    assert "host: 3 frames, 3.0 a second, at most 3 in one" in lines[1]
    assert "  1 of them were sent again" in lines and any(line.startswith("  no frames: 1 ") for line in lines)
    assert any(line.split() == ["Echo", "1", *["0.500"] * 3, *["0.500"] * 3] for line in lines), lines
    assert any(line.split()[:2] == ["Arm", "1"] and line.split()[-1] == "-" for line in lines)
    assert lines[-1] == "1 requests have no end"


def test_it_fits_a_terminal_of_80_columns() -> None:
    """With the command that has the longest name, and an end that takes a quarter of an hour."""
    watch = Watch(Selection())
    for number, message in enumerate(
        (AnesthesiaConfirm(zone=1, confirmed_by="x"), Arm(), Stop(), TruthGet(), Echo(data=b"")), 1
    ):
        watch.heard("host", encode_message(message, number, 1, number), Micros(number))
        watch.heard("device", encode_message(Received(expected_ms=9), number, 1, number), Micros(900_000_000 - number))
    lines = report(watch.statistics)
    assert max(map(len, lines)) <= COLUMNS
    assert "  AnesthesiaConfirm 1, Arm 1, Stop 1, TruthGet 1, Echo 1" in lines
    (arm,) = (line.split() for line in lines if line.startswith("Arm "))
    assert (arm[0], arm[1], arm[4:]) == ("Arm", "1", ["900000.0", "-", "-", "-"])
    many = Watch(Selection())
    for name in (f"Message{number}" for number in range(40)):
        many.statistics.sent["host"].messages[name] = 7
    told = [line for line in report(many.statistics) if line.startswith("  ")]
    assert len(told) > 5 and max(map(len, told)) <= COLUMNS
    assert all(re.fullmatch(r"  (Message\d+ 7(, |,$|$))+", line) for line in told), (
        "a name and its number stay together"
    )


def test_nothing_is_no_table() -> None:
    assert len(report(Watch(Selection()).statistics)) == 3
