"""What a line's speed adds to a round trip, by the sizes of protocol.md."""

import pytest

from protocols.language.messages import Echo, EchoDone, Hello, JournalRead, Punch
from protocols.language.units import Micros
from protocols.link.header import Header
from protocols.link.host_end import HostEnd
from protocols.link.line import Line
from protocols.serial.line import BaudLine
from protocols.serial.wire import SerialWire
from tests.unit.protocols.link.exchange_pair import LINK, Host, frame, hello, welcome

T0 = Micros(0)
US_PER_BYTE = 10 * 1_000_000 / 4_800
UNASKED = (19 + 129) + (19 + 32) + (19 + 33)
"""An alarm, a record, a heartbeat: what a device may say before it answers."""


def size(us: int) -> int:
    return round(us / US_PER_BYTE)


def test_frames_go_out_one_behind_the_other() -> None:
    line = BaudLine(4_800)
    assert line.out_us(T0) == 0
    line.sent(48, T0)
    assert line.out_us(T0) == 100_000
    line.sent(48, Micros(50_000))
    assert line.out_us(Micros(50_000)) == 150_000
    assert line.out_us(Micros(300_000)) == 0
    line.sent(48, Micros(300_000))
    assert line.out_us(Micros(300_000)) == 100_000


@pytest.mark.parametrize(
    ("command", "longest"),
    [(Echo(data=b""), 19 + 224), (JournalRead(epoch=1, first=1, max_records=1), 19 + 224)],
)
def test_the_longest_answer_and_what_may_come_before_it(command: Echo | JournalRead, longest: int) -> None:
    assert size(BaudLine(4_800).answer_us(command)) == longest + UNASKED


def test_a_refusal_is_longer_than_most_answers() -> None:
    assert size(BaudLine(4_800).answer_us(Punch(cycle_no=1, depth_um=1, deadline_ms=1))) == 19 + 130 + UNASKED


def test_nothing_comes_before_welcome() -> None:
    assert size(BaudLine(4_800).answer_us(hello())) == 19 + 90


def test_a_line_of_no_speed_takes_no_time() -> None:
    line = Line()
    line.sent(1_000, T0)
    header = Header(0x11, 0, 1, 1, 1, 1, 0, 200)
    assert (line.out_us(T0), line.answer_us(Echo(data=b"")), line.in_us(header)) == (0, 0, 0)


def host_at(baud: int) -> Host:
    """A linked host on a line of that speed whose WELCOME came as soon as the line let it."""
    host: Host = HostEnd(SerialWire(baud))
    host.hello(hello(), T0)
    (data,) = host.take()
    answer = frame(welcome(heartbeat_idle_ms=60_000, lease_idle_ms=0), LINK, 1)
    host.receive(answer, Micros(round((len(data) + len(answer)) * US_PER_BYTE)))
    assert host.linked
    return host


def test_hello_waits_for_the_line_and_then_as_long_as_on_any() -> None:
    host: Host = HostEnd(SerialWire(4_800))
    host.hello(hello(), T0)
    assert host.next_deadline() == pytest.approx(200_000 + (19 + 25 + 19 + 90) * US_PER_BYTE, abs=2)
    assert Hello.LANE is not None


def test_the_lines_own_time_is_no_part_of_what_is_measured() -> None:
    """A device that answers at once is given the least time, and the line's, however slow that is."""
    host = host_at(4_800)
    now = Micros(1_000_000)
    request = host.submit(Echo(data=b"1234"), now)
    out = 19 + 4
    expected = now + 60_000 + (out + 243 + UNASKED) * US_PER_BYTE
    assert host.next_deadline() == pytest.approx(expected, abs=10)
    another = host.submit(Echo(data=b"1234"), now)
    expected = now + 60_000 + (2 * out + 2 * (243 + UNASKED)) * US_PER_BYTE
    assert another.due == pytest.approx(expected, abs=10), "behind the first, and behind its answer"
    for one, at in ((request, 2 * out), (another, 3 * out)):
        host.receive(frame(EchoDone(data=b"1234"), LINK, one.correlation_id), Micros(now + round(at * US_PER_BYTE)))
    later = Micros(5_000_000)
    assert host.submit(Echo(data=b""), later).due == pytest.approx(
        later + 60_000 + (19 + 243 + UNASKED) * US_PER_BYTE, abs=10
    )


def test_a_retry_waits_for_the_line_as_well() -> None:
    host = host_at(4_800)
    request = host.submit(Echo(data=b""), Micros(1_000_000))
    due = request.due
    host.advance(due)
    assert request.due == pytest.approx(due + 90_000 + (19 + 243 + UNASKED) * US_PER_BYTE, abs=10)
