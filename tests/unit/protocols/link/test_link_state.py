"""State of one end's link: numbers, times and the next deadline."""

import pytest

from protocols.language.messages import Arm, Echo, HostHeartbeat
from protocols.language.units import Micros
from protocols.link.link_state import NOBODY, LinkState
from protocols.link.pace import IDLE_PACE, Pace
from protocols.serial.wire import SerialWire
from tests.unit.protocols.link.exchange_pair import seen

NOW = Micros(1_000)


def linked(pace: Pace = IDLE_PACE) -> LinkState[bytes]:
    state = LinkState(SerialWire())
    state.begin(7, NOW)
    state.pace = pace
    return state


def test_before_a_link_it_has_id_0_listens_to_nobody_and_waits_for_nothing() -> None:
    state = LinkState(SerialWire())
    assert (state.link_id, state.listens_to, state.pace, state.next_deadline()) == (0, NOBODY, IDLE_PACE, None)
    assert state.take() == []


def test_no_frame_can_name_nobody() -> None:
    """Link ids are 16 bits, and 0 is that of HELLO."""
    assert not 0 <= NOBODY <= 0xFFFF


def test_a_new_frame_has_the_next_number_of_this_link() -> None:
    state = linked()
    state.send(HostHeartbeat(), NOW)
    state.send(Arm(), NOW, 3, 2)
    headers = [header for header, _ in seen(state.take())]
    assert [(header.seq, header.link_id, header.correlation_id, header.flags) for header in headers] == [
        (1, 7, 0, 0),
        (2, 7, 3, 2),
    ]
    assert state.statistics.frames_sent == 2 and state.take() == []


def test_numbers_wrap_after_65535() -> None:
    state = linked()
    state.seq = 0xFFFF
    state.send(HostHeartbeat(), NOW)
    assert seen(state.take())[0][0].seq == 0 == state.seq


def test_what_cannot_be_encoded_uses_up_no_number_and_breaks_no_silence() -> None:
    state = linked()
    before = (state.seq, state.last_sent)
    with pytest.raises(ValueError, match="Echo"):
        state.send(Echo(data=bytes(225)), Micros(5_000))
    assert (state.seq, state.last_sent, state.outbox, state.statistics.frames_sent) == (*before, [], 0)


def test_an_old_frame_keeps_its_number_and_takes_none() -> None:
    state = linked()
    state.send(Arm(), NOW, 3)
    state.post(Arm(), Micros(5_000), 1, 7, 3, 4)
    (_, (header, message)) = seen(state.take())
    assert (header.seq, header.correlation_id, header.flags, message) == (1, 3, 4, Arm())
    assert (state.seq, state.last_sent, state.statistics.frames_sent) == (1, 5_000, 2)


def test_a_frame_of_another_link_does_not_break_the_silence_of_this_one() -> None:
    state = linked()
    state.send(Arm(), NOW, 3)
    state.post(Arm(), Micros(5_000), 9, 8, 3, 0)
    assert state.last_sent == NOW


def test_the_end_of_a_link_forgets_id_and_pace_and_keeps_the_numbers() -> None:
    state = linked(Pace.of_ms(200, 600))
    state.send(Arm(), NOW, 3)
    state.end()
    assert (state.link_id, state.listens_to, state.pace, state.next_deadline()) == (0, NOBODY, IDLE_PACE, None)
    assert state.seq == 1


@pytest.mark.parametrize(
    ("heartbeat_ms", "lease_ms", "sent", "heard", "due"),
    [
        (200, 600, 1_000, 1_000, 201_000),
        (200, 600, 500_000, 1_000, 601_000),
        (200, 600, 401_000, 1_000, 601_000),
        (200, 600, 401_001, 1_000, 601_000),
        (200, 0, 900_000, 1_000, 1_100_000),
    ],
    ids=["heartbeat", "lease", "both", "lease by a microsecond", "no lease"],
)
def test_the_next_deadline_is_the_heartbeat_or_the_end_of_the_lease(
    heartbeat_ms: int, lease_ms: int, sent: int, heard: int, due: int
) -> None:
    state = linked(Pace.of_ms(heartbeat_ms, lease_ms))
    state.last_sent, state.last_heard = Micros(sent), Micros(heard)
    assert state.next_deadline() == due


def test_a_link_begins_as_heard() -> None:
    state = LinkState(SerialWire())
    state.begin(7, Micros(9_000))
    assert (state.link_id, state.listens_to, state.last_heard) == (7, 7, 9_000)


def test_a_line_with_a_speed_hears_of_every_frame_and_its_size() -> None:
    wire = SerialWire(9_600)
    state = LinkState(wire)
    state.send(Arm(), NOW, 3)
    state.post(Arm(), NOW, 1, 0, 3, 0)
    size = sum(len(data) for data in state.outbox)
    assert wire.line.out_us(NOW) == pytest.approx(size * 10 * 1_000_000 / 9_600, abs=2)
