"""A line whose speed is not known takes no time."""

from protocols.language.messages import Echo, JournalRead
from protocols.language.units import SECOND, Micros
from protocols.link.header import Header
from protocols.link.line import NO_LINE, Line


def test_every_time_of_it_is_0() -> None:
    line = Line()
    line.sent(243, Micros(0))
    assert line.out_us(Micros(0)) == line.out_us(SECOND) == 0
    assert line.in_us(Header(0x10, 0, 1, 1, 7, 3, 0, 224)) == 0
    for command in (Echo(data=bytes(200)), JournalRead(epoch=1, first=1, max_records=6)):
        assert line.answer_us(command) == 0


def test_it_keeps_nothing_so_that_all_can_share_one() -> None:
    assert not hasattr(NO_LINE, "__dict__") or vars(NO_LINE) == {}
