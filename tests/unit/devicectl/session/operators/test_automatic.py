"""The automatic operator: what it does next, and what it does about each refusal, one at a time."""

from typing import Any

import pytest

from devicectl.errors import CommandFailedError, CommandRefusedError, SessionError
from devicectl.session.machine import State
from devicectl.session.operators.automatic import MAX_PURGES, MAX_REMEDIES
from devicectl.session.steps import MAX_UNLOGGED, CycleResult
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, DeviceState, NeedleOutcome
from protocols.language.records import SessionClosed
from protocols.language.units import MILLISECOND, SECOND
from tests.unit.devicectl.scripted_device import (
    LOST,
    NUMB,
    Answer,
    Desk,
    a_plan,
    aborted,
    counted,
    failed,
    held,
    refusal,
)

CYCLE = ["Punch", "Suction", "Advance", "Count"]


def cycled(cycles: int = 1, **changes: Any) -> Desk:
    """A session in which so many cycles were done; what was asked for them is forgotten."""
    desk = Desk().numbed(a_plan(**changes))
    for _ in range(cycles):
        desk.run(desk.engine.next_cycle())
    desk.forget()
    return desk


# --- arming and cycles


def test_the_first_cycle_arms_goes_to_the_first_cell_and_does_the_four_steps() -> None:
    desk = Desk().numbed(a_plan(depth_mm=2.5))
    result = desk.cycle()
    assert desk.names() == ["Arm", "Reposition", *CYCLE]
    assert desk.asked[1] == M.Reposition(zone=0, cell=0)
    punch = desk.asked[2]
    assert isinstance(punch, M.Punch) and (punch.cycle_no, punch.depth_um) == (1, 2_500)
    assert desk.asked[3:] == [M.Suction(cycle_no=1), M.Advance(cycle_no=1, steps=1), M.Count(cycle_no=1)]
    outcomes = (NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.COUNTED)
    assert result == CycleResult(1, 2, outcomes, total_cores_counted=2, total_punctures=3, zone=0, cell=0)


def test_a_punch_is_void_three_seconds_later_by_the_devices_uptime() -> None:
    desk = Desk()
    desk.shown["uptime_ms"] = 0xFFFF_FFFF - 999
    desk.numbed()
    desk.cycle()
    [punch] = desk.asked_for(M.Punch)
    assert punch.deadline_ms == 2_000, "it wraps as the uptime does"


def test_the_target_ends_the_cycles_without_a_command() -> None:
    desk = cycled(3)
    assert desk.run(desk.engine.next_cycle()) is None
    assert desk.asked == []


def test_a_number_that_was_refused_is_used_again() -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(I.SUCTION))
    assert desk.cycle().cycle_no == 2
    assert [punch.cycle_no for punch in desk.asked_for(M.Punch)] == [2, 2]


def test_a_number_whose_cycle_failed_is_used_up() -> None:
    """The cycle has its ending on the device."""
    for step in (M.Punch, M.Suction, M.Advance, M.Count):
        desk = cycled()
        desk.will(step, failed(I.SUCTION))
        assert desk.cycle().cycle_no == 3
        assert desk.notes[0].kind == "warning" and desk.notes[0].name == step.__name__.lower()


def test_a_cell_that_is_used_up_is_left_for_the_next_through_all_zones() -> None:
    desk = Desk().numbed(a_plan(target_cores=8))
    desk.will(M.Reposition, *[lambda go: M.RepositionDone(zone=go.zone, cell=go.cell, cell_punctures=0, cycles_left=1)])
    desk.will(M.Count, *[counted(cycles_left=0)] * 4)
    results = [desk.cycle() for _ in range(3)]
    assert desk.asked_for(M.Reposition) == [
        M.Reposition(zone=0, cell=0),
        M.Reposition(zone=0, cell=1),
        M.Reposition(zone=1, cell=0),
    ]
    assert [(result.zone, result.cell) for result in results] == [(0, 0), (0, 1), (1, 0)]
    with pytest.raises(SessionError, match="^all 3 cells of the plan are used at 6 of 8 cores$"):
        desk.run(desk.engine.next_cycle())


def test_a_cell_that_takes_no_cycle_is_passed_over() -> None:
    desk = Desk().numbed()
    full = M.RepositionDone(zone=0, cell=0, cell_punctures=48, cycles_left=0)
    desk.will(M.Reposition, full)
    assert (desk.cycle().zone, len(desk.asked_for(M.Punch))) == (0, 1)
    assert [go.cell for go in desk.asked_for(M.Reposition)] == [0, 1]


def test_a_log_that_lags_holds_the_next_punch_back() -> None:
    desk = cycled()
    for _ in range(MAX_UNLOGGED + 1):
        desk.engine.note("action", "much", "to write")
    desk.writes = False
    task = desk.start(desk.engine.next_cycle())
    assert desk.asked == [] and not task.done
    desk.writes = True
    desk.carry()
    desk.end_of(task)
    assert desk.names() == CYCLE


def test_a_log_that_lags_no_more_than_that_holds_nothing_back() -> None:
    desk = cycled()
    desk.writes = False
    for _ in range(MAX_UNLOGGED):
        desk.engine.note("action", "much", "to write")
    assert desk.cycle().cycle_no == 2


def test_a_link_that_is_lost_while_the_log_is_waited_for_is_recovered_before_the_punch() -> None:
    desk = cycled()
    desk.writes = False
    for _ in range(MAX_UNLOGGED + 1):
        desk.engine.note("action", "much", "to write")
    task = desk.start(desk.engine.next_cycle())
    desk.cut()
    desk.writes = True
    desk.mend()
    desk.end_of(task)
    assert desk.names()[0] == "JournalRead" and desk.hellos == 1


def test_a_link_that_is_lost_between_two_cycles_is_recovered_first() -> None:
    desk = cycled()
    desk.cut()
    desk.mend()
    assert desk.cycle().cycle_no == 2
    assert desk.names()[0] == "JournalRead" and desk.hellos == 1


def test_a_link_that_is_lost_while_the_leak_is_looked_for_is_recovered_before_the_next_punch() -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(I.SUCTION))
    task = desk.start(desk.engine.next_cycle())
    desk.cut()
    desk.mend()
    desk.end_of(task)
    assert desk.names()[:2] == ["Punch", "JournalRead"] and desk.noted_as("recover")


@pytest.mark.parametrize(("done", "reads"), [(47, 0), (48, 1)])
def test_the_journal_is_read_while_the_hand_moves_after_48_cycles(done: int, reads: int) -> None:
    desk = cycled(target_cores=600, zones=[{"name": "left", "area_cm2": 9}])
    desk.engine.unread_cycles = done - 1
    desk.will(M.Count, counted(cycles_left=0, total_cores_counted=4))
    desk.cycle()
    desk.cycle()
    assert desk.names().count("JournalRead") == reads


def test_the_journal_is_read_after_64_cycles_in_one_cell() -> None:
    desk = cycled(target_cores=600, zones=[{"name": "left", "area_cm2": 9}])
    desk.engine.unread_cycles = 62
    desk.cycle()
    assert "JournalRead" not in desk.names()
    desk.cycle()
    assert desk.names().count("JournalRead") == 1 and desk.engine.unread_cycles == 0


# --- pausing


def test_a_pause_holds_the_armed_device_and_the_next_cycle_resumes() -> None:
    desk = cycled()
    desk.run(desk.engine.pause())
    assert desk.names() == ["Pause"] and desk.engine.machine.now is State.PAUSED
    desk.cycle()
    assert desk.names() == ["Pause", "Resume", *CYCLE]
    assert desk.noted_as("pause") == desk.noted_as("resume") == [""]


def test_a_device_that_is_not_armed_is_not_paused() -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.pause())
    assert desk.asked == []


@pytest.mark.parametrize("answer", [LOST, held(), aborted()])
def test_a_loss_or_a_stop_under_the_pause_is_recovered_and_holds_unarmed(answer: Answer) -> None:
    desk = cycled()
    desk.will(M.Pause, answer)
    desk.run(desk.engine.pause())
    assert desk.engine.machine.now is State.ANESTHESIA_CONFIRMED and "Arm" not in desk.names()


# --- purging


def test_a_flagged_needle_is_purged_before_the_next_cycle() -> None:
    desk = cycled()
    desk.will(M.Count, counted(flagged=4))
    desk.cycle()
    desk.forget()
    desk.will(M.Purge, M.PurgeDone(cleared=0, flagged=4), M.PurgeDone(cleared=4, flagged=0))
    desk.cycle()
    assert desk.names() == ["Purge", "Purge", *CYCLE]
    assert desk.noted_as("purge") == [
        "try 1: no needle cleared, needle 3 still flagged",
        "try 2: needle 3 cleared, no needle still flagged",
    ]


def test_needles_that_stay_clogged_need_a_person() -> None:
    desk = cycled()
    desk.will(M.Count, counted(flagged=5))
    desk.cycle()
    desk.will(M.Purge, *[M.PurgeDone(cleared=0, flagged=5)] * MAX_PURGES)
    with pytest.raises(SessionError, match="^needles stay clogged after 10 purges: needles 1, 3$"):
        desk.run(desk.engine.next_cycle())


def test_a_refused_purge_or_move_leaves_the_machine_armed() -> None:
    desk = cycled()
    desk.will(M.Count, counted(flagged=1))
    desk.cycle()
    desk.will(M.Purge, refusal(I.WEAR))
    with pytest.raises(CommandRefusedError):
        desk.run(desk.engine.next_cycle())
    assert desk.engine.machine.now is State.ARMED


@pytest.mark.parametrize("command", [M.Purge, M.Reposition])
def test_a_link_that_is_lost_under_a_motion_is_recovered(command: type[M.Purge] | type[M.Reposition]) -> None:
    desk = cycled()
    desk.will(M.Count, counted(flagged=int(command is M.Purge), cycles_left=0))
    desk.cycle()
    desk.will(command, LOST)
    assert desk.cycle() is not None
    assert desk.noted_as("recover")


@pytest.mark.parametrize("command", [M.Purge, M.Reposition])
def test_a_link_that_ends_behind_the_answer_to_a_motion_is_recovered(
    command: type[M.Purge] | type[M.Reposition],
) -> None:
    """The motion is done, and the next command meets the loss."""
    desk = cycled()
    desk.will(M.Count, counted(flagged=int(command is M.Purge), cycles_left=0))
    desk.cycle()
    desk.parting = command
    assert desk.cycle() is not None
    assert desk.hellos == 1


# --- remedies


def test_lost_suction_is_looked_for_twice_a_second_and_then_the_punch_is_tried_again() -> None:
    desk = cycled()
    began = desk.now
    desk.will(M.Punch, *[refusal(I.SUCTION)] * 3)
    desk.cycle()
    assert len(desk.asked_for(M.Punch)) == 4 and desk.now == began + 1_500 * MILLISECOND
    assert desk.noted_as("suction_check") == ["looking for the leak"] * 3
    assert [note.kind for note in desk.notes if note.name == "punch"] == ["refusal"] * 3


def test_suction_that_stays_away_for_thirty_seconds_needs_a_person() -> None:
    desk = cycled()
    began = desk.now
    desk.will(M.Punch, *[refusal(I.SUCTION)] * 99)
    with pytest.raises(SessionError, match="^the vacuum did not come back within 30 s$"):
        desk.run(desk.engine.next_cycle())
    assert desk.now == began + 30_500 * MILLISECOND


def test_the_wait_for_suction_begins_again_after_a_cycle() -> None:
    desk = cycled()
    for _ in range(2):
        desk.will(M.Punch, *[refusal(I.SUCTION)] * 40)
        desk.cycle()


@pytest.mark.parametrize("state", [State.ARMED, State.ANESTHESIA_CONFIRMED])
def test_anesthesia_whose_time_is_over_is_given_again_before_it_is_armed_again(state: State) -> None:
    desk = Desk().numbed() if state is State.ANESTHESIA_CONFIRMED else cycled()
    desk.will(M.Arm if state is State.ANESTHESIA_CONFIRMED else M.Punch, refusal(I.ANESTHESIA_TIME))
    desk.cycle()
    before = ["Arm"] if state is State.ANESTHESIA_CONFIRMED else ["Punch", "Disarm"]
    moves = ["Reposition"] if state is State.ANESTHESIA_CONFIRMED else []
    assert desk.names() == [*before, *NUMB, "Arm", *moves, *CYCLE]
    assert {start.age_s for start in desk.asked_for(M.AnesthesiaStart)} == {0}


def test_a_clog_that_a_refusal_tells_of_is_purged() -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(I.CLOG))
    desk.cycle()
    assert desk.names() == ["Punch", "Purge", *CYCLE]


@pytest.mark.parametrize("interlock", [I.DENSITY, I.ZONE])
def test_a_cell_that_the_device_takes_no_more_in_is_left(interlock: int) -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(interlock))
    desk.cycle()
    assert desk.names() == ["Punch", "Reposition", *CYCLE]
    assert desk.asked_for(M.Reposition) == [M.Reposition(zone=0, cell=1)]


OTHERS = sorted(set(range(1, 24)) - {I.ANESTHESIA_TIME, I.SUCTION, I.CLOG, I.DENSITY, I.ZONE})


@pytest.mark.parametrize("interlock", [0, *OTHERS])
def test_every_other_interlock_needs_a_person(interlock: int) -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(interlock))
    with pytest.raises(CommandRefusedError) as caught:
        desk.run(desk.engine.next_cycle())
    assert caught.value.interlock == interlock and desk.names() == ["Punch"]
    assert desk.engine.machine.now is State.ARMED


def test_a_failure_that_has_no_remedy_is_raised() -> None:
    desk = cycled()
    desk.will(M.Suction, failed(I.STALL))
    with pytest.raises(CommandFailedError, match="stalled"):
        desk.run(desk.engine.next_cycle())
    assert desk.engine.machine.now is State.ARMED


@pytest.mark.parametrize("command", [M.Arm, M.Reposition])
def test_a_failure_of_what_is_no_cycle_uses_up_no_number(command: type[M.Arm] | type[M.Reposition]) -> None:
    desk = Desk().numbed()
    desk.will(command, failed(I.STALL))
    with pytest.raises(CommandFailedError, match="stalled"):
        desk.run(desk.engine.next_cycle())
    assert desk.engine.last_cycle_no == 0


def test_a_full_memory_is_read_empty_and_the_punch_tried_again() -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(code=Code.E_STORAGE))
    desk.cycle()
    assert desk.names()[:3] == ["Punch", "JournalRead", "JournalAck"] and desk.names()[-4:] == CYCLE


def test_a_memory_that_stays_full_needs_a_person() -> None:
    desk = cycled()
    desk.will(M.Punch, *[refusal(code=Code.E_STORAGE)] * 2)
    with pytest.raises(CommandRefusedError) as caught:
        desk.run(desk.engine.next_cycle())
    assert caught.value.code is Code.E_STORAGE and desk.names().count("JournalRead") == 1


def test_a_memory_that_is_full_again_after_a_cycle_is_read_again() -> None:
    desk = cycled()
    for _ in range(2):
        desk.will(M.Punch, refusal(code=Code.E_STORAGE))
        desk.cycle()
    assert len(desk.asked_for(M.Punch)) == 4


def test_a_device_that_refuses_on_and_on_needs_a_person() -> None:
    desk = cycled(target_cores=600, zones=[{"name": "left", "area_cm2": 300}])
    desk.will(M.Punch, *[refusal(I.DENSITY)] * (MAX_REMEDIES + 5))
    with pytest.raises(CommandRefusedError):
        desk.run(desk.engine.next_cycle())
    assert len(desk.asked_for(M.Punch)) == MAX_REMEDIES + 1 == 101


def test_refusals_with_cycles_between_them_are_all_answered() -> None:
    desk = cycled(target_cores=600, zones=[{"name": "left", "area_cm2": 300}])
    for _ in range(2):
        desk.will(M.Punch, *[refusal(I.DENSITY)] * MAX_REMEDIES)
        desk.cycle()


def test_a_refused_arming_gives_the_long_lease_back() -> None:
    desk = Desk()
    desk.shown |= {"lease_idle_ms": 15_000, "lease_armed_ms": 700, "heartbeat_idle_ms": 5_000}
    desk.numbed()
    desk.will(M.Arm, refusal(I.POWER))
    with pytest.raises(CommandRefusedError):
        desk.run(desk.engine.next_cycle())
    assert desk.engine.link.exchange.pace.lease_us == 15 * SECOND
    assert desk.engine.link.exchange.pace.heartbeat_us == 5 * SECOND


# --- after a loss or a stop


@pytest.mark.parametrize("answer", [held(), held(DeviceState.FAULT), aborted(), LOST])
def test_a_stop_or_a_loss_under_a_cycle_is_recovered_and_the_cell_gone_to_again(answer: Answer) -> None:
    desk = cycled()
    desk.shown["state"] = DeviceState.SAFE
    desk.will(M.Suction, answer)
    assert desk.cycle().cycle_no == 2, "the journal has no ending of the number that was sent"
    assert "FaultReset" in desk.names()
    assert desk.asked_for(M.Reposition) == [M.Reposition(zone=0, cell=0)]
    assert desk.names()[-6:] == ["Arm", "Reposition", *CYCLE]


def test_a_device_that_somebody_else_stopped_is_recovered_and_gets_no_remedy() -> None:
    desk = cycled()
    desk.will(M.Punch, refusal(I.SUCTION, actual=DeviceState.SAFE))
    desk.cycle()
    assert desk.noted_as("suction_check") == [] and desk.noted_as("punch") == []
    assert len(desk.noted_as("recover")) == 1


def test_a_session_that_another_host_closed_meanwhile_is_an_error() -> None:
    desk = cycled()
    desk.cut()
    desk.shown["session_no"] = 0
    end = {"session_no": 1, "cycles": 1, "punctures": 3, "cores_counted": 2}
    desk.write(SessionClosed(event_no=1, uptime_ms=0, reason=CloseReason.ABORTED, **end))
    desk.mend()
    with pytest.raises(SessionError, match="^session 1 was closed on the device by another host$"):
        desk.run(desk.engine.next_cycle())


def test_a_loss_before_the_anesthesia_numbs_nobody() -> None:
    desk = Desk().opened()
    desk.cut()
    desk.mend()
    desk.will(M.Pause, LOST)
    desk.run(desk.engine.pause())
    assert "AnesthesiaStart" not in desk.names() and desk.engine.machine.now is State.SESSION_OPEN


def test_anesthesia_whose_time_went_by_while_the_link_was_gone_is_given_again() -> None:
    desk = cycled()
    desk.will(M.AnesthesiaStart, refusal(I.ANESTHESIA_TIME))
    desk.cut()
    desk.mend()
    desk.cycle()
    assert [start.age_s for start in desk.asked_for(M.AnesthesiaStart)] == [0, 0, 0]


@pytest.mark.parametrize("answer", [refusal(I.ZONE), refusal(I.WEAR)])
def test_any_other_refusal_of_the_old_anesthesia_is_raised(answer: M.Refused) -> None:
    desk = cycled()
    desk.will(M.AnesthesiaStart, answer)
    desk.cut()
    desk.mend()
    with pytest.raises(CommandRefusedError):
        desk.run(desk.engine.next_cycle())


def test_a_stop_while_the_old_anesthesia_is_told_is_recovered_and_gives_no_new_one() -> None:
    desk = cycled()
    stopped = refusal(I.ANESTHESIA_TIME, actual=DeviceState.SAFE)
    desk.will(M.AnesthesiaStart, stopped)
    desk.cut()
    desk.mend()
    desk.cycle()
    assert desk.noted_as("recover") == ["try 1 of 5: AnesthesiaStart: not now (interlock 3)"]
    assert all(start.age_s == 0 for start in desk.asked_for(M.AnesthesiaStart))
