from collections.abc import Sequence

import pytest

from devicectl.campaign.recording import Recorded
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, Code, DeviceState
from protocols.language.message import Message
from protocols.link.header import RETRANSMIT
from tests.unit.devicectl.campaign.judges.spoiled import MS, alone, said


def punch(number: int, correlation: int, at_ms: int = 0, flags: int = 0) -> Recorded:
    """PUNCH as the host sends it."""
    message = M.Punch(cycle_no=number, depth_um=3_000, deadline_ms=9_000)
    return said("host>", message, at_us=at_ms * MS, correlation=correlation, flags=flags)


def count(at_ms: int, flags: int = 0) -> Recorded:
    """COUNT as the host sends it."""
    return said("host>", M.Count(cycle_no=1), at_us=at_ms * MS, correlation=7, flags=flags)


def heard(message: Message, at_ms: int, correlation: int = 0) -> Recorded:
    """Something that the host has heard."""
    return said(">host", message, at_us=at_ms * MS, correlation=correlation)


def beat(running: int, cycle_no: int = 0) -> M.Heartbeat:
    """A heartbeat of a device that carries out that command."""
    return M.Heartbeat(
        state=DeviceState.ARMED,
        highest_alarm=AlarmPriority.NONE,
        trigger_held=False,
        running_correlation_id=running,
        cycle_no=cycle_no,
        cycles=0,
        punctures=0,
        cores_counted=0,
        journal_head=1,
        params_hash=0,
        uptime_ms=0,
    )


def found(*packets: Recorded) -> Sequence[str]:
    """What the judge finds."""
    return alone(*packets, judge="host")


DONE = M.PunchDone(cycle_no=4, depth_um=3_000, punctured=7, vacuum_pa=-50_000)
RECEIVED = M.Received(expected_ms=9)


@pytest.mark.parametrize("shown", [DONE, beat(0, cycle_no=4)], ids=lambda message: message.__class__.__name__)
def test_a_cycle_number_that_was_shown_to_be_used_is_not_used_again(shown: Message) -> None:
    told = said("device>", shown)
    assert found(punch(4, 1), punch(4, 2), told, punch(4, 2, 200, RETRANSMIT), punch(5, 3)) == []
    assert found(punch(4, 1), told, punch(4, 2)) == ["PUNCH of cycle 4, after 4 was shown to be used"]
    assert found(punch(4, 1), told, punch(3, 2)) == ["PUNCH of cycle 3, after 4 was shown to be used"]


def test_a_command_waits_for_its_answer_before_it_is_sent_again() -> None:
    assert found(count(0), count(60, RETRANSMIT)) == []
    assert found(count(0), count(59, RETRANSMIT)) == [
        "Count was sent again after 59 ms, while no answer can be missing yet"
    ]
    assert found(count(0), count(60, RETRANSMIT), count(61, RETRANSMIT)) != []


def test_a_command_is_asked_for_as_soon_as_a_heartbeat_shows_it_to_be_over() -> None:
    begun = count(0), heard(RECEIVED, 1, 7)
    running, over = heard(beat(7), 200), heard(beat(0), 400)
    assert found(*begun, running, over, count(400, RETRANSMIT)) == []
    assert found(*begun, running, count(700, RETRANSMIT)) == []
    assert found(*begun, running, over, count(700, RETRANSMIT)) == [
        "Count was asked for 300 ms after a heartbeat had shown that it is over"
    ]


def test_nothing_is_asked_of_a_command_that_has_ended_or_is_asked_for_already() -> None:
    refused = M.Refused(code=Code.E_STATE, interlock=0, expected=0, actual=0, sentence="")
    begun = count(0), heard(RECEIVED, 1, 7)
    assert found(*begun, heard(refused, 2, 7), heard(beat(0), 400), count(700, RETRANSMIT)) == []
    asked = count(400, RETRANSMIT)
    assert found(*begun, heard(beat(0), 400), asked, heard(beat(0), 410), count(500, RETRANSMIT)) == []
