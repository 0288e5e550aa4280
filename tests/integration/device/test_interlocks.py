"""The interlocks, one by one: what is put in, what is refused or stopped and why, how it clears, who mends it."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from devicectl.errors import CommandError, CommandFailedError, CommandRefusedError, SessionError
from devicectl.session.machine import State
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session_steps import CloseSession
from firmware_sim.memory.steps import BindCartridge, Put
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from firmware_sim.model.plant import Cartridge
from firmware_sim.model.vacuum import VENTED_KPA
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, CloseReason, Code, DeviceState, Ending, Phase, Role, Stream
from protocols.language.message import REGISTRY
from protocols.language.messages import Aborted, Failed, Nak, Received, Refused
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.world import SHORT, Bystander, Lab, a_plan, assert_counted, at_moment

S = DeviceState
MOVING = ["extending", "dwell", "retract", "suction", "advance", "count"]
SEEN = ("ACTIVE", "ACKNOWLEDGED")  # the operator acknowledges an alarm as soon as it recovers


def punch(lab: Lab, **changes: Any) -> M.Punch:
    values = {
        "cycle_no": lab.device.nvm.last_cycle_no + 1,
        "depth_um": lab.plan.depth_um,
        "deadline_ms": lab.device.board.uptime_ms(lab.now) + 1000,
    }
    return M.Punch(**{**values, **changes})


def refused(lab: Lab, command: Any) -> CommandRefusedError:
    """The refusal of a command, which must have changed nothing that is counted."""
    before = counts_of(lab)
    with pytest.raises(CommandRefusedError) as caught:
        lab.ask(command)
    assert counts_of(lab) == before
    text = caught.value.sentence
    assert 10 < len(text.encode()) <= 120
    return caught.value


def counts_of(lab: Lab) -> tuple[Any, ...]:
    truth, session, nvm = lab.device.plant.truth, lab.device.nvm.session, lab.device.nvm
    totals = (session.cycles, session.punctures, session.cores_counted) if session is not None else ()
    return nvm.last_cycle_no, nvm.register, totals, truth.cycles_commanded, truth.punctures


def alarm_is(lab: Lab, code: int, state: str, priority: AlarmPriority) -> None:
    assert (lab.alarm(code), ALARMS[code].priority) == (state, priority)
    assert len(ALARMS[code].sentence.encode()) <= 120


def numbed(**options: Any) -> Lab:
    """A session in ANESTHESIA_CONFIRMED."""
    lab = Lab(**options)
    lab.open()
    lab.numb()
    return lab


def reset(lab: Lab) -> M.FaultResetDone:
    answer: M.FaultResetDone = lab.ask(M.FaultReset())
    return answer


def failing(lab: Lab, error: type[CommandError]) -> Any:
    """What ends the session's cycles."""
    with pytest.raises(error) as caught:
        lab.run(lab.all_cycles())
    return caught.value


# --- 1: needles out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("defect", ["retract_sensor_stuck", "retract_jammed"])
def test_1_no_advance_unless_the_needles_are_seen_at_home(defect: str) -> None:
    lab = Lab().begin(3)
    lab.inject(**{defect: True})
    error = failing(lab, CommandRefusedError)
    assert (error.interlock, error.command.__class__) == (1, M.Advance)
    assert "no advance" in error.sentence
    assert lab.state is S.FAULT
    alarm_is(lab, A.NEEDLE_NOT_RETRACTED, "ACTIVE", AlarmPriority.HIGH)
    last = lab.device.nvm.last_outcome
    assert last is not None and (last.ending, last.phase) == (Ending.ABORTED, Phase.SUCTION)
    again = refused(lab, M.FaultReset())
    assert again.interlock == 1
    lab.inject(**{defect: False})
    alarm_is(lab, A.NEEDLE_NOT_RETRACTED, "ACTIVE", AlarmPriority.HIGH)  # its end does not clear it
    if defect == "retract_jammed":
        lab.wait(SECOND)
        assert refused(lab, M.FaultReset()).interlock == 1  # called home again, and not there yet
        lab.wait(40 * MILLISECOND)
    assert_counted(lab, lab.finish())
    alarm_is(lab, A.NEEDLE_NOT_RETRACTED, "INACTIVE", AlarmPriority.HIGH)


def test_1_sensor_that_loses_the_needles_while_the_stage_moves_stops_it() -> None:
    lab, task = at_moment("advance")
    assert task is not None
    lab.inject(retract_sensor_stuck=True)
    assert lab.state is S.FAULT
    assert lab.alarm(A.NEEDLE_NOT_RETRACTED) in SEEN
    lab.until(lambda: task.done)
    with pytest.raises(CommandRefusedError, match="MC-0101 still has its cause"):
        task.outcome()
    lab.inject(retract_sensor_stuck=False)
    assert_counted(lab, lab.finish())


def test_1_needles_that_jammed_out_of_turn_keep_the_device_held() -> None:
    lab, task = at_moment("extending")
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    lab.inject(retract_jammed=True)
    lab.ask(M.Stop())
    lab.wait(SECOND)
    error = refused(lab, M.FaultReset())
    assert error.interlock == 1
    alarm_is(lab, A.NEEDLE_NOT_RETRACTED, "ACTIVE", AlarmPriority.HIGH)
    lab.wait(SECOND)
    lab.inject(retract_jammed=False)
    refused(lab, M.FaultReset())
    lab.wait(SECOND)
    assert reset(lab).alarms == 0


MOVING_NEEDLES = ["extending", "dwell", "retract"]


@pytest.mark.parametrize("moment", MOVING_NEEDLES)
def test_1_a_hold_is_not_left_before_the_needles_are_seen_at_home(moment: str) -> None:
    lab, task = at_moment(moment)
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    lab.ask(M.Stop())
    error = refused(lab, M.FaultReset())
    assert (error.interlock, "on their way home" in error.sentence) == (1, True)
    assert not lab.device.plant.needle.home(lab.now)
    lab.wait(150 * MILLISECOND)
    assert reset(lab).alarms == 0


def test_1_the_operator_leaves_no_hold_with_needles_that_jammed() -> None:
    """Also where the stop and its end follow each other at once: a viewer stops, and the session recovers."""
    lab, task = at_moment("dwell")
    assert task is not None
    lab.inject(retract_jammed=True)
    Bystander(lab).ask(M.Stop())
    lab.until(lambda: task.done)
    assert isinstance(task.error, CommandRefusedError) and task.error.interlock == 1
    assert lab.state is S.SAFE and not lab.device.plant.needle.home(lab.now)
    assert lab.alarm(A.NEEDLE_NOT_RETRACTED) in SEEN
    lab.wait(SECOND)
    lab.inject(retract_jammed=False)
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("moment", MOVING_NEEDLES)
def test_1_lost_suction_does_not_leave_needles_out(moment: str) -> None:
    lab, task = at_moment(moment)
    assert task is not None
    lab.inject(retract_jammed=True, pressure_offset_kpa=40.0)
    lab.until(lambda: lab.state is not S.PUNCHING, SECOND)
    assert lab.state is S.FAULT
    assert lab.alarm(A.NEEDLE_NOT_RETRACTED) in SEEN
    lab.until(lambda: task.done)
    assert isinstance(task.error, CommandRefusedError) and task.error.interlock == 1
    assert not lab.device.plant.needle.home(lab.now)
    lab.wait(SECOND)
    lab.inject(retract_jammed=False, pressure_offset_kpa=0.0)
    assert_counted(lab, lab.finish())


def test_1_the_hand_stays_while_the_needles_are_not_seen_at_home() -> None:
    lab = Lab().begin(3)
    lab.inject(retract_sensor_stuck=True)
    error = refused(lab, M.Reposition(zone=0, cell=1))
    assert (error.interlock, "the hand stays" in error.sentence) == (1, True)
    assert lab.state is S.FAULT
    lab.inject(retract_sensor_stuck=False)
    assert_counted(lab, lab.finish())


# --- 2 and 3: anesthesia --------------------------------------------------------------------------------------


def test_2_no_punch_before_the_anesthesia_is_confirmed() -> None:
    lab = Lab()
    lab.open()
    for command in (punch(lab), M.Arm()):
        error = refused(lab, command)
        assert (error.interlock, error.code) == (2, Code.E_INTERLOCK)
        assert "anesthesia is not confirmed" in error.sentence
    alarm_is(lab, A.ANESTHESIA_MISSING, "ACTIVE", AlarmPriority.INFO)
    assert refused(lab, M.AnesthesiaConfirm(zone=0, confirmed_by="nobody")).code is Code.E_STATE
    lab.ask(M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
    assert refused(lab, punch(lab)).interlock == 2
    assert refused(lab, M.AnesthesiaConfirm(zone=1, confirmed_by="nobody")).interlock == 2
    lab.numb()
    alarm_is(lab, A.ANESTHESIA_MISSING, "INACTIVE", AlarmPriority.INFO)
    assert_counted(lab, lab.finish())


def test_2_the_alarm_is_over_where_the_next_zone_is_numb() -> None:
    lab = Lab().begin(2)
    lab.device.board.zones.pop(1)
    lab.ask(M.Reposition(zone=1, cell=0))
    assert refused(lab, punch(lab)).interlock == 2
    alarm_is(lab, A.ANESTHESIA_MISSING, "ACTIVE", AlarmPriority.INFO)
    lab.ask(M.Reposition(zone=0, cell=0))
    assert isinstance(lab.ask(punch(lab)), M.PunchDone)
    alarm_is(lab, A.ANESTHESIA_MISSING, "INACTIVE", AlarmPriority.INFO)


def test_2_zone_that_was_not_numbed_is_not_punched() -> None:
    lab = Lab()
    lab.open()
    lab.ask(M.AnesthesiaStart(zone=0, age_s=10, method="cream"))
    lab.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="trainer"))
    lab.engine.link.hurry(True)
    lab.ask(M.Arm())
    lab.ask(M.Reposition(zone=1, cell=0))
    error = refused(lab, punch(lab))
    assert (error.interlock, "zone 1" in error.sentence) == (2, True)
    assert lab.state is S.ARMED


def stop(lab: Lab) -> None:
    lab.ask(M.Stop())


def lose_link(lab: Lab) -> None:
    lab.replace_host()
    lab.run(lab.engine.connect())


def press_emergency_stop(lab: Lab) -> None:
    lab.inject(estop_open=True)
    lab.inject(estop_open=False)


@pytest.mark.parametrize("hold", [stop, lose_link, press_emergency_stop])
def test_2_a_hold_takes_every_confirmation_back(hold: Callable[[Lab], None]) -> None:
    """Also that of a zone which nobody speaks of when the session goes on."""
    lab = Lab().begin(2)
    hold(lab)
    assert lab.state is S.SAFE
    reset(lab)
    assert refused(lab, M.Arm()).interlock == 2
    lab.ask(M.AnesthesiaStart(zone=0, age_s=60, method="cream"))
    assert refused(lab, M.AnesthesiaConfirm(zone=1, confirmed_by="trainer")).interlock == 2
    lab.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="trainer"))
    lab.engine.link.hurry(True)
    lab.ask(M.Arm())
    lab.ask(M.Reposition(zone=1, cell=0))
    error = refused(lab, punch(lab))
    assert (error.interlock, "zone 1" in error.sentence) == (2, True)
    lab.ask(M.Reposition(zone=0, cell=1))
    assert isinstance(lab.ask(punch(lab)), M.PunchDone)


def test_2_confirmation_that_was_taken_back_stops_the_next_stroke() -> None:
    lab = Lab().begin(2)
    zones = lab.device.board.zones
    zones[0] = zones[0]._replace(confirmed=False)
    assert refused(lab, punch(lab)).interlock == 2


def test_3_confirmation_comes_neither_too_early_nor_too_late() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 60, "anesthesia_valid_s": 100})
    lab.open()
    assert lab.ask(M.AnesthesiaStart(zone=0, age_s=20, method="cream")).wait_s == 40
    early = refused(lab, M.AnesthesiaConfirm(zone=0, confirmed_by="trainer"))
    assert (early.interlock, early.expected, early.actual) == (3, 60, 20)
    lab.wait(40 * SECOND - 1)
    assert refused(lab, M.AnesthesiaConfirm(zone=0, confirmed_by="trainer")).actual == 59
    lab.wait(1)
    assert lab.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="trainer")).valid_s == 40
    lab.ask(M.AnesthesiaStart(zone=0, age_s=100, method="cream"))
    late = refused(lab, M.AnesthesiaConfirm(zone=0, confirmed_by="trainer"))
    assert (late.interlock, late.expected, late.actual) == (3, 100, 100)


def test_3_anesthesia_that_wears_off_is_given_again_by_the_operator() -> None:
    lab = numbed(parameters={"anesthesia_wait_s": 2, "anesthesia_valid_s": 12}, plan=a_plan(150))
    for _ in range(5):
        lab.cycle()
    lab.wait(10 * SECOND)
    error = refused(lab, punch(lab))
    assert (error.interlock, "confirm the zone again" in error.sentence) == (3, True)
    alarm_is(lab, A.ANESTHESIA_EXPIRED, "ACTIVE", AlarmPriority.LOW)
    before = len(lab.states)
    lab.cycle()
    assert State.ANESTHESIA_WAIT in lab.states[before:]
    alarm_is(lab, A.ANESTHESIA_EXPIRED, "INACTIVE", AlarmPriority.LOW)
    assert_counted(lab, lab.finish())


# --- 4 and 5: suction -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOVING)
def test_4_lost_suction_ends_the_cycle_and_not_the_session(moment: str) -> None:
    lab, _ = at_moment(moment)
    lab.inject(pressure_offset_kpa=40.0)
    last = lab.device.nvm.last_outcome
    assert last is not None and last.ending is Ending.ABORTED
    lab.until_state(S.ARMED)  # not before the needles are seen at home
    assert lab.device.plant.needle.home(lab.now)
    alarm_is(lab, A.SUCTION_LOST, "ACTIVE", AlarmPriority.MEDIUM)
    error = refused(lab, punch(lab, cycle_no=lab.device.nvm.last_cycle_no + 1))
    assert error.interlock in (4, 9) and "kPa" in error.sentence


def test_4_operator_waits_for_the_vacuum_and_goes_on_two_seconds_after_it_is_back() -> None:
    lab = Lab().begin(5)
    lab.inject(leak_kpa_s=40.0)
    task = lab.start(lab.all_cycles())
    lab.until(lambda: lab.alarm(A.SUCTION_LOST) == "ACTIVE")
    assert lab.state in (S.ARMED, S.PUNCHING, S.SUCTIONING, S.ADVANCING, S.COUNTING, S.REPOSITIONING)
    lab.wait(4 * SECOND)
    cycles = lab.device.plant.truth.cycles_commanded
    lab.inject(leak_kpa_s=0.0)
    lab.until(lambda: lab.device.plant.vacuum.sensed_kpa(lab.now) <= -40)
    low_at = lab.now
    lab.until(lambda: lab.device.plant.truth.cycles_commanded > cycles)
    assert lab.now - low_at >= 2 * SECOND - 500 * MILLISECOND  # seen at the next event after it came back
    alarm_is(lab, A.SUCTION_LOST, "INACTIVE", AlarmPriority.MEDIUM)
    lab.until(lambda: task.done)
    assert_counted(lab, lab.finish())
    assert any(note.name == "suction_check" for note in lab.notes)


def test_4_vacuum_that_is_only_low_refuses_the_next_cycle_and_lets_the_present_one_end() -> None:
    lab = Lab().begin(5)
    lab.inject(pressure_offset_kpa=18.0)
    error = refused(lab, punch(lab))
    assert (error.interlock, "a cycle needs -40 kPa" in error.sentence) == (4, True)
    lab.inject(pressure_offset_kpa=0.0)
    soon = refused(lab, punch(lab))
    assert (soon.interlock, "must stand for 2 s" in soon.sentence) == (4, True)
    lab.wait(2 * SECOND - 1)
    assert lab.alarm(A.SUCTION_LOST) == "ACTIVE"
    lab.wait(2)
    assert lab.alarm(A.SUCTION_LOST) == "INACTIVE"
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize(("sensed_kpa", "ending"), [(-32.0, Ending.COMPLETED), (-29.9, Ending.ABORTED)])
@pytest.mark.parametrize("moment", MOVING)
def test_4_a_cycle_is_given_up_with_less_than_30_kpa_of_vacuum(moment: str, sensed_kpa: float, ending: Ending) -> None:
    """The three cores of a cycle, sucked in, let in 1.35 kPa of air."""
    lab, _ = at_moment(moment)
    cycle_no = lab.device.nvm.last_cycle_no
    lab.inject(pressure_offset_kpa=sensed_kpa - lab.device.plant.vacuum.sensed_kpa(lab.now))
    lab.until(lambda: lab.device.nvm.register is None)
    last = lab.device.nvm.last_outcome
    assert last is not None and (last.cycle_no, last.ending) == (cycle_no, ending)


def test_4_a_core_whose_air_brings_the_line_above_the_limit_ends_its_cycle() -> None:
    """Each core lets in 0.45 kPa: one that brings the line above the limit ends its cycle."""
    lab, _ = at_moment("suction")
    lab.inject(pressure_offset_kpa=-30.2 - lab.device.plant.vacuum.sensed_kpa(lab.now))
    lab.until(lambda: lab.device.nvm.register is None)
    last = lab.device.nvm.last_outcome
    assert last is not None and (last.ending, last.phase) == (Ending.ABORTED, Phase.SUCTION)


def test_4_leak_that_nobody_finds_ends_with_a_plain_error_and_a_closed_session() -> None:
    lab = Lab().begin(3)
    lab.inject(leak_kpa_s=60.0)
    with pytest.raises(SessionError, match="vacuum did not come back within 30 s"):
        lab.run(lab.all_cycles())
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    alarm_is(lab, A.SUCTION_LOST, "INACTIVE", AlarmPriority.MEDIUM)


def test_4_arming_against_a_leak_fails_and_says_so() -> None:
    lab = numbed()
    lab.inject(leak_kpa_s=40.0)
    lab.engine.link.hurry(True)
    with pytest.raises(CommandFailedError) as caught:
        lab.ask(M.Arm())
    lab.engine.link.hurry(False)
    assert (caught.value.interlock, caught.value.alarm_code) == (4, A.SUCTION_LOST)
    alarm_is(lab, A.SUCTION_LOST, "ACTIVE", AlarmPriority.MEDIUM)
    assert lab.state is S.ANESTHESIA_CONFIRMED
    lab.wait(500 * MILLISECOND)
    assert lab.device.plant.vacuum.pressure_kpa(lab.now) > -VENTED_KPA
    lab.inject(leak_kpa_s=0.0)
    assert_counted(lab, lab.finish())


# --- 6 and 7: clogs and the count -----------------------------------------------------------------------------


def test_6_clogged_needle_is_flagged_after_eight_and_purged() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "clog_hazard": 0.0}).begin(3)
    lab.inject(clog_now={1})
    task = lab.start(lab.all_cycles())
    lab.until_state(S.PURGING)
    assert lab.device.nvm.flagged == 0b010
    assert lab.device.nvm.last_cycle_no == 3 + 8
    alarm_is(lab, A.NEEDLE_CLOGGED, "ACTIVE", AlarmPriority.LOW)
    lab.until_state(S.ARMED)
    lab.until(lambda: task.done)
    alarm_is(lab, A.NEEDLE_CLOGGED, "INACTIVE", AlarmPriority.LOW)
    assert_counted(lab, lab.finish())


def test_6_two_clogged_needles_stop_the_next_cycle() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "clog_hazard": 0.0}).begin(3)
    lab.inject(clog_now={0, 2})
    task = lab.start(lab.all_cycles())
    lab.until_state(S.PURGING)
    alarm_is(lab, A.NEEDLES_CLOGGED, "ACTIVE", AlarmPriority.MEDIUM)
    lab.engine.link.procedures.cancel(task)
    lab.until_state(S.ARMED)
    lab.device.nvm.keep(Put("flagged", 0b101))
    error = refused(lab, punch(lab))
    assert (error.interlock, "2 needles are clogged" in error.sentence) == (6, True)


def test_6_needle_that_no_purge_frees_needs_a_person() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "purge_p": 0.0}).begin(3)
    lab.inject(clog_now={0})
    with pytest.raises(SessionError, match="stay clogged after 10 purges"):
        lab.run(lab.all_cycles())
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    alarm_is(lab, A.NEEDLE_CLOGGED, "INACTIVE", AlarmPriority.LOW)


def test_6_flag_outlives_a_reboot_and_its_alarm_with_it() -> None:
    lab, task = at_moment("purge")
    assert task is not None
    lab.reboot_device()
    alarm_is(lab, A.NEEDLE_CLOGGED, "ACTIVE", AlarmPriority.LOW)
    lab.until(lambda: task.done)
    assert_counted(lab, lab.finish())
    alarm_is(lab, A.NEEDLE_CLOGGED, "INACTIVE", AlarmPriority.LOW)


def test_7_counts_that_clogs_do_not_explain_warn_then_stop_until_a_person_has_looked() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "clog_hazard": 0.0}, plan=a_plan(400)).begin(3)
    lab.inject(sensor_drop_p=0.35)
    error = failing(lab, CommandRefusedError)
    assert error.interlock == 7 and "MC-0702" in error.sentence
    alarm_is(lab, A.COUNT_MISMATCH, "ACTIVE", AlarmPriority.LOW)
    alarm_is(lab, A.COUNT_STOPPED, "ACTIVE", AlarmPriority.MEDIUM)
    lab.inject(sensor_drop_p=0.0)
    assert refused(lab, punch(lab)).interlock == 7  # the cause has gone, and nobody has looked
    lab.ask(M.AlarmAck(code=A.COUNT_STOPPED))
    alarm_is(lab, A.COUNT_STOPPED, "INACTIVE", AlarmPriority.MEDIUM)
    assert_counted(lab, lab.finish())


def test_7_recovery_does_not_acknowledge_a_stopped_count() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "clog_hazard": 0.0}, plan=a_plan(400)).begin(3)
    lab.inject(sensor_drop_p=0.35)
    failing(lab, CommandRefusedError)
    lab.world.cut()
    lab.world.mend()
    assert failing(lab, CommandRefusedError).interlock == 7
    alarm_is(lab, A.COUNT_STOPPED, "ACTIVE", AlarmPriority.MEDIUM)


def test_7_close_with_other_counts_is_refused_with_both_numbers() -> None:
    lab = Lab().begin(4)
    lab.ask(M.Disarm())
    session = lab.device.nvm.session
    assert session is not None
    fold = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    error = refused(lab, M.SessionClose(session_no=1, reason=CloseReason.COMPLETED, **fold))
    assert (error.interlock, error.expected, error.actual) == (7, 4, 0)
    assert "4 here, 0 at the host" in error.sentence


COMPARED = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("by", [1, -1])
def test_7_close_with_one_count_that_differs_is_refused_by_its_name(name: str, by: int) -> None:
    lab, task = at_moment("dwell", done=4)
    assert task is not None
    lab.engine.link.procedures.cancel(task)
    lab.ask(M.Stop())
    session = lab.device.nvm.session
    assert session is not None
    session.ambiguous = 1  # as after a latch that could not be read
    counts = {each: getattr(session, each) for each in COMPARED}
    assert all(count > 0 for count in counts.values()), "one less of it is a count"
    wrong = {**counts, name: counts[name] + by}
    error = refused(lab, M.SessionClose(session_no=1, reason=CloseReason.ABORTED, **wrong))
    assert (error.interlock, error.expected, error.actual) == (7, counts[name], wrong[name])
    assert f"{name} is {counts[name]} here, {wrong[name]} at the host" in error.sentence
    closed = lab.ask(M.SessionClose(session_no=1, reason=CloseReason.ABORTED, **counts))
    assert {each: getattr(closed, each) for each in COMPARED} == counts


# --- 8 to 10: where and how deep ------------------------------------------------------------------------------


def test_8_cell_takes_its_plan_and_no_more() -> None:
    lab = Lab().begin(16)  # 16 cycles fill a cell at 6 %
    session = lab.device.nvm.session
    assert session is not None and session.cell_punctures == {(0, 0): 48}
    error = refused(lab, punch(lab))
    assert (error.interlock, error.expected, error.actual) == (8, 48, 48)
    alarm_is(lab, A.DENSITY_REACHED, "ACTIVE", AlarmPriority.MEDIUM)
    lab.cycle()
    alarm_is(lab, A.DENSITY_REACHED, "INACTIVE", AlarmPriority.MEDIUM)
    assert_counted(lab, lab.finish())


def test_8_coming_back_to_a_cell_that_is_nearly_full_warns() -> None:
    lab = Lab().begin(15)  # 45 of 48
    for cell, state in ((1, "INACTIVE"), (0, "ACTIVE"), (0, "ACTIVE"), (2, "INACTIVE"), (0, "ACTIVE")):
        lab.ask(M.Reposition(zone=0, cell=cell))
        alarm_is(lab, A.DENSITY_NEAR, state, AlarmPriority.MEDIUM)
    lab.cycle()  # it is a warning: the cell takes what its plan has
    session = lab.device.nvm.session
    assert session is not None and session.cell_punctures == {(0, 0): 48}
    alarm_is(lab, A.DENSITY_NEAR, "ACTIVE", AlarmPriority.MEDIUM)
    lab.cycle()
    alarm_is(lab, A.DENSITY_NEAR, "INACTIVE", AlarmPriority.MEDIUM)
    lab.ask(M.Reposition(zone=0, cell=0))  # full: this is for MC-0802 to say
    alarm_is(lab, A.DENSITY_NEAR, "INACTIVE", AlarmPriority.MEDIUM)
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize(("cycles", "warn", "state"), [(14, 0.9, "INACTIVE"), (14, 0.8, "ACTIVE"), (1, 0.0, "ACTIVE")])
def test_8_warning_begins_at_its_share_of_the_plan(cycles: int, warn: float, state: str) -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "density_warn": warn}).begin(cycles)
    for cell in (1, 0):
        lab.ask(M.Reposition(zone=0, cell=cell))
    alarm_is(lab, A.DENSITY_NEAR, state, AlarmPriority.MEDIUM)
    lab.ask(M.Reposition(zone=1, cell=0))  # the first time there
    alarm_is(lab, A.DENSITY_NEAR, "INACTIVE", AlarmPriority.MEDIUM)


@pytest.mark.parametrize("loss", ["cable", "reboot", "stop"])
def test_8_going_on_in_a_cell_after_a_loss_is_no_coming_back(loss: str) -> None:
    lab = Lab().begin(15)
    if loss == "cable":
        lab.world.cut()
        lab.world.mend()
    elif loss == "reboot":
        lab.reboot_device()
    else:
        lab.ask(M.Stop())
    lab.cycle()
    session = lab.device.nvm.session
    assert session is not None and session.cell_punctures == {(0, 0): 48}
    assert_counted(lab, lab.finish())
    assert A.DENSITY_NEAR not in lab.alarms_read


def test_8_warning_ends_with_the_session() -> None:
    lab = Lab().begin(15)
    for cell in (1, 0):
        lab.ask(M.Reposition(zone=0, cell=cell))
    alarm_is(lab, A.DENSITY_NEAR, "ACTIVE", AlarmPriority.MEDIUM)
    lab.close(CloseReason.ABORTED)
    alarm_is(lab, A.DENSITY_NEAR, "INACTIVE", AlarmPriority.MEDIUM)
    assert A.DENSITY_NEAR in lab.alarms_read


def test_8_cell_just_below_the_hard_cap_is_full_and_locks_nothing() -> None:
    """A cap that the needles do not divide: 64 takes 63 punctures, and the plan is full with them."""
    lab = Lab(parameters={**SHORT, "density_cap_per_cm2": 64}).begin(2)
    session = lab.device.nvm.session
    assert session is not None
    session.cell_punctures[0, 0] = 63
    error = refused(lab, punch(lab))
    assert (error.interlock, error.expected, error.actual) == (8, session.punctures_per_cell, 63)
    assert lab.state is S.ARMED
    alarm_is(lab, A.DENSITY_LOCKED, "INACTIVE", AlarmPriority.HIGH)


def test_8_cell_at_the_hard_cap_locks_the_device_for_good() -> None:
    lab = Lab().begin(2)
    session = lab.device.nvm.session
    assert session is not None
    session.cell_punctures[0, 0] = 63
    error = refused(lab, punch(lab))
    assert (error.interlock, error.expected, error.actual) == (8, 63, 63)
    assert lab.state is S.LOCKED
    alarm_is(lab, A.DENSITY_LOCKED, "ACTIVE", AlarmPriority.HIGH)
    again = refused(lab, M.FaultReset())
    assert (again.interlock, "only a restart" in again.sentence) == (8, True)
    lab.device.reboot(lab.now)
    alarm_is(lab, A.DENSITY_LOCKED, "LATCHED", AlarmPriority.HIGH)
    assert_counted(lab, lab.finish())
    alarm_is(lab, A.DENSITY_LOCKED, "INACTIVE", AlarmPriority.HIGH)


def test_8_operator_leaves_a_cell_that_is_full_before_its_time() -> None:
    lab = Lab().begin(3)
    session = lab.device.nvm.session
    assert session is not None
    session.cell_punctures[0, 0] = 48
    assert_counted(lab, lab.finish())
    assert {cycle.cell for cycle in lab.cycles} == {0, 1, 2}


@pytest.mark.timeout(30)
def test_8_stop_while_a_cell_is_full_is_taken_for_a_stop_and_not_for_the_cell() -> None:
    lab = Lab().begin(16)
    assert refused(lab, punch(lab)).interlock == 8
    Bystander(lab).ask(M.Stop())
    assert refused(lab, M.Reposition(zone=0, cell=1)).interlock == 8  # the highest alarm that is shown
    assert_counted(lab, lab.finish())
    assert State.RECOVERING in lab.states


def test_9_nothing_outside_the_planned_zones() -> None:
    lab = Lab().begin(1)
    for zone, cell in ((0, 40), (2, 0), (255, 65_535)):
        error = refused(lab, M.Reposition(zone=zone, cell=cell))
        assert (error.interlock, "outside the planned zones" in error.sentence) == (9, True)
    assert lab.state is S.ARMED


def test_9_no_punch_before_the_hand_is_at_a_cell() -> None:
    lab = numbed()
    lab.engine.link.hurry(True)
    lab.ask(M.Arm())
    assert refused(lab, punch(lab)).interlock == 9
    with pytest.raises(CommandRefusedError, match="zone 7 is not in the plan"):
        numbed().ask(M.AnesthesiaStart(zone=7, age_s=0, method="cream"))


def arm_again(lab: Lab) -> None:
    """After a hold or a restart, but for REPOSITION, as the smallest host may."""
    if lab.state is S.SAFE:
        reset(lab)
    if lab.state is not S.ANESTHESIA_CONFIRMED:
        for zone in (0, 1):
            lab.ask(M.AnesthesiaStart(zone=zone, age_s=60, method="cream"))
            lab.ask(M.AnesthesiaConfirm(zone=zone, confirmed_by="trainer"))
    lab.engine.link.hurry(True)
    lab.ask(M.Arm())


def disarm(lab: Lab) -> None:
    lab.ask(M.Disarm())


def restart(lab: Lab) -> None:
    lab.reboot_device()
    lab.replace_host()
    lab.run(lab.engine.connect())


@pytest.mark.parametrize("event", [disarm, stop, lose_link])
def test_9_the_hand_stays_where_it_was_over_a_hold(event: Callable[[Lab], None]) -> None:
    lab = Lab().begin(2)
    event(lab)
    arm_again(lab)
    assert isinstance(lab.ask(punch(lab)), M.PunchDone)
    session = lab.device.nvm.session
    for command in (M.Suction(cycle_no=3), M.Advance(cycle_no=3, steps=1), M.Count(cycle_no=3)):
        lab.ask(command)
    assert session is not None and session.cell_punctures == {(0, 0): 9}


@pytest.mark.parametrize(("moment", "event"), [("reposition", stop), ("reposition", lose_link), ("armed", restart)])
def test_9_a_place_that_is_lost_is_gone_to_again(moment: str, event: Callable[[Lab], None]) -> None:
    """By a restart, and by whatever stops the hand on its way."""
    lab, task = at_moment(moment)
    if task is not None:
        lab.engine.link.procedures.cancel(task)
    event(lab)
    arm_again(lab)
    error = refused(lab, punch(lab))
    assert (error.interlock, "REPOSITION first" in error.sentence) == (9, True)
    lab.ask(M.Reposition(zone=0, cell=2))
    assert isinstance(lab.ask(punch(lab)), M.PunchDone)


def test_10_stroke_that_goes_too_deep_is_retracted_and_locks() -> None:
    lab = Lab().begin(2)
    lab.inject(depth_offset_um=700)
    error = failing(lab, CommandFailedError)
    assert (error.interlock, error.alarm_code) == (10, A.TOO_DEEP)
    assert lab.state is S.LOCKED and lab.device.plant.needle.home(Micros(lab.now + 40 * MILLISECOND))
    alarm_is(lab, A.TOO_DEEP, "ACTIVE", AlarmPriority.HIGH)
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")  # a locked device closes its session
    assert lab.state is S.LOCKED


# --- 11, 12, 16 to 18: cartridge, motor, heat, canister -------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expired": True}, "past its date"),
        ({"sterile": False}, "not sterile"),
        ({"serial": 99}, "was used in session 7"),
        (None, "no cartridge is fitted"),
    ],
)
def test_11_cartridge_that_may_not_be_used_is_not_armed(change: dict[str, Any] | None, words: str) -> None:
    lab = numbed()
    lab.device.nvm.keep(BindCartridge(99, 7))
    plant = lab.device.plant
    if change is None:
        lab.inject(cartridge_missing=True)
    else:
        for name, value in change.items():
            setattr(plant.cartridge, name, value)
    error = failing(lab, CommandRefusedError)
    assert (error.interlock, error.command.__class__) == (11, M.Arm)
    assert words in error.sentence and "no override" in error.sentence
    alarm_is(lab, A.CARTRIDGE_REFUSED, "ACTIVE", AlarmPriority.MEDIUM)
    plant.cartridge = Cartridge(100)
    lab.inject(cartridge_missing=False)
    assert_counted(lab, lab.finish())
    alarm_is(lab, A.CARTRIDGE_REFUSED, "INACTIVE", AlarmPriority.MEDIUM)


def test_11_cartridge_of_one_session_is_used_in_the_next() -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "consumables_keep": 1}).begin(2)
    lab.close(CloseReason.ABORTED)
    lab.replace_host()
    lab.open()
    lab.numb()
    assert failing(lab, CommandRefusedError).interlock == 11


@pytest.mark.parametrize("keep", [0, 1])
def test_11_a_session_begins_with_fresh_consumables_unless_they_are_kept(keep: int) -> None:
    lab = Lab(parameters={"anesthesia_wait_s": 1, "consumables_keep": keep}).begin(4)
    plant = lab.device.plant
    before = plant.cartridge
    assert before.cycles == 4 and plant.canister.volume_ul > 0
    lab.close(CloseReason.ABORTED)
    lab.replace_host()
    lab.open()
    assert (plant.cartridge is before, plant.canister.volume_ul > 0) == (bool(keep), bool(keep))
    assert (plant.cartridge.cycles, plant.cartridge.serial != before.serial) == ((4, False) if keep else (0, True))


@pytest.mark.parametrize("armed", [False, True])
def test_11_fresh_consumables_are_still_fitted_when_the_simulator_is_started_again(armed: bool) -> None:
    """They are the session's from its opening, though the memory has their number from ARM on."""
    nvm = Nvm(epoch=3)
    lab = Lab(nvm=nvm).begin(4)
    lab.close(CloseReason.ABORTED)
    lab.replace_host()
    lab.open()
    if armed:
        lab.numb()
        lab.cycle()
    again = Lab(nvm=nvm)
    cartridge, canister_ul = again.device.plant.cartridge, again.device.plant.canister.volume_ul
    assert cartridge == lab.device.plant.cartridge
    assert canister_ul == lab.device.plant.canister.volume_ul and (canister_ul > 0) is armed
    host = Bystander(again, Role.CONTROLLER)
    for command in (M.FaultReset(), M.AnesthesiaStart(zone=0, age_s=60, method="cream")):
        host.ask(command)
    host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="trainer"))
    assert isinstance(host.ask(M.Arm()), M.Received)


def test_12_worn_cartridge_warns_and_then_is_refused() -> None:
    lab = Lab().begin(2)
    lab.device.plant.cartridge.cycles = 4_000
    lab.cycle()
    alarm_is(lab, A.CARTRIDGE_WORN, "ACTIVE", AlarmPriority.LOW)
    lab.device.plant.cartridge.cycles = 5_000
    error = refused(lab, punch(lab))
    assert (error.interlock, error.expected, error.actual) == (12, 5_000, 5_000)
    alarm_is(lab, A.CARTRIDGE_WORN_OUT, "ACTIVE", AlarmPriority.MEDIUM)
    lab.device.plant.cartridge = Cartridge(101)
    lab.cycle()
    alarm_is(lab, A.CARTRIDGE_WORN, "INACTIVE", AlarmPriority.LOW)
    alarm_is(lab, A.CARTRIDGE_WORN_OUT, "INACTIVE", AlarmPriority.MEDIUM)


def test_13_trigger_is_needed_where_the_parameter_says_so() -> None:
    lab = Lab().begin(1)
    lab.ask(M.ParamSet(name="trigger_required", value=1.0))
    assert refused(lab, punch(lab)).interlock == 13
    lab.inject(trigger_held=True)
    lab.wait(249 * MILLISECOND)
    error = refused(lab, punch(lab))
    assert (error.interlock, error.expected, error.actual) == (13, 250, 249)
    alarm_is(lab, A.TRIGGER_UNSTEADY, "ACTIVE", AlarmPriority.INFO)
    lab.wait(MILLISECOND)
    assert lab.cycle() is not None
    alarm_is(lab, A.TRIGGER_UNSTEADY, "INACTIVE", AlarmPriority.INFO)


def test_13_a_trigger_that_bounces_is_never_steady() -> None:
    lab = Lab().begin(1)
    lab.ask(M.ParamSet(name="trigger_required", value=1.0))
    lab.inject(trigger_held=True, trigger_bounces=True)
    lab.wait(5 * SECOND)
    assert "0 ms without a bounce" in refused(lab, punch(lab)).sentence
    alarm_is(lab, A.TRIGGER_UNSTEADY, "ACTIVE", AlarmPriority.INFO)
    lab.inject(trigger_held=False)
    alarm_is(lab, A.TRIGGER_UNSTEADY, "INACTIVE", AlarmPriority.INFO)


def test_13_a_trigger_that_sticks_allows_no_arming() -> None:
    lab = Lab().begin(1)
    lab.ask(M.ParamSet(name="trigger_required", value=1.0))
    lab.ask(M.Disarm())
    lab.inject(trigger_stuck=True)
    error = refused(lab, M.Arm())
    assert (error.interlock, "release it" in error.sentence) == (13, True)
    alarm_is(lab, A.TRIGGER_STUCK, "ACTIVE", AlarmPriority.HIGH)
    lab.inject(trigger_stuck=False)
    alarm_is(lab, A.TRIGGER_STUCK, "INACTIVE", AlarmPriority.HIGH)
    lab.ask(M.Arm())


@pytest.mark.parametrize("sensor", ["that reads right", "that is frozen"])
def test_5_a_line_that_is_blocked_stops_by_the_yield_and_not_by_the_pressure(sensor: str) -> None:
    lab = Lab().begin(2)
    lab.inject(line_blocked=True, frozen_kpa=-55.0 if sensor == "that is frozen" else None)
    with pytest.raises(CommandRefusedError) as caught:
        lab.run(lab.all_cycles())
    assert (caught.value.interlock, "acknowledge MC-0501" in caught.value.sentence) == (5, True)
    assert lab.device.nvm.last_cycle_no == 6, "four cycles without a core"
    alarm_is(lab, A.LINE_BLOCKED, "ACTIVE", AlarmPriority.MEDIUM)
    assert not {A.SUCTION_LOST, A.NEEDLE_CLOGGED, A.COUNT_MISMATCH} & lab.device.board.alarms.active.keys()
    lab.inject(line_blocked=False, frozen_kpa=None)
    assert refused(lab, punch(lab)).interlock == 5, "until somebody has looked"
    lab.ask(M.AlarmAck(code=A.LINE_BLOCKED))
    assert_counted(lab, lab.finish())


def test_5_a_lost_link_does_not_say_that_somebody_has_looked() -> None:
    lab = Lab().begin(2)
    lab.inject(line_blocked=True)
    for _ in range(2):
        with pytest.raises(CommandRefusedError) as caught:
            lab.run(lab.all_cycles())
        assert (caught.value.interlock, lab.alarm(A.LINE_BLOCKED)) == (5, "ACTIVE")
        lab.world.cut()
        lab.world.mend()
    assert lab.device.nvm.last_cycle_no == 6


def test_5_a_line_that_is_still_blocked_stops_again() -> None:
    lab = Lab().begin(2)
    lab.inject(line_blocked=True)
    for last in (6, 10):
        with pytest.raises(CommandRefusedError):
            lab.run(lab.all_cycles())
        assert lab.device.nvm.last_cycle_no == last
        lab.ask(M.AlarmAck(code=A.LINE_BLOCKED))
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")


@pytest.mark.parametrize("moment", ["armed", "extending", "suction", "reposition"])
def test_19_fluid_in_the_handpiece_locks(moment: str) -> None:
    lab, _ = at_moment(moment)
    lab.inject(wet=True)
    assert (lab.state, lab.device.board.motion) == (S.LOCKED, None)
    assert lab.alarm(A.FLUID_INSIDE) in ("ACTIVE", "ACKNOWLEDGED")
    lab.wait(SECOND)
    assert lab.device.plant.needle.home(lab.now) and lab.device.plant.vacuum.pressure_kpa(lab.now) > -1
    lab.inject(wet=False)
    assert lab.state is S.LOCKED, "only a restart leads out"
    alarm_is(lab, A.FLUID_INSIDE, "LATCHED", AlarmPriority.HIGH)


def test_19_a_handpiece_that_is_wet_locks_at_each_start_until_it_is_dry() -> None:
    lab = Lab().begin(2)
    lab.inject(wet=True)
    lab.reboot_device()
    assert lab.state.name == "LOCKED"
    lab.inject(wet=False)
    lab.reboot_device()
    assert lab.state.name == "SAFE"
    alarm_is(lab, A.FLUID_INSIDE, "LATCHED", AlarmPriority.HIGH)


def test_16_motor_that_stalls_for_a_moment_is_tried_again_in_the_same_holes() -> None:
    lab = Lab().begin(2)
    lab.inject(stalls_left=2, stall_at=0.4)
    assert lab.cycle() is not None
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("stall_at", [0.0, 0.5])
def test_16_motor_that_stalls_three_times_locks(stall_at: float) -> None:
    lab = Lab().begin(2)
    lab.inject(stall=True, stall_at=stall_at)
    error = failing(lab, CommandFailedError)
    assert (error.interlock, error.alarm_code) == (16, A.MOTOR_STALLED)
    assert "stalled 3 times" in error.sentence
    assert lab.state is S.LOCKED
    alarm_is(lab, A.MOTOR_STALLED, "ACTIVE", AlarmPriority.HIGH)
    assert_counted(lab, lab.close(CloseReason.ABORTED), state="aborted")
    assert lab.cycles[-1].total_punctures == (9 if stall_at else 6)


def test_17_hot_handpiece_warns_and_then_must_cool() -> None:
    lab = Lab().begin(2)
    plant = lab.device.plant
    plant.heat._lag.step_to(42.0, lab.now)
    lab.cycle()
    alarm_is(lab, A.HOT, "ACTIVE", AlarmPriority.LOW)
    plant.heat._lag.step_to(43.5, lab.now)
    error = refused(lab, punch(lab))
    assert (error.interlock, "let it cool below 43 C" in error.sentence) == (17, True)
    alarm_is(lab, A.TOO_HOT, "ACTIVE", AlarmPriority.MEDIUM)
    plant.heat._lag.step_to(42.5, lab.now)
    lab.cycle()
    alarm_is(lab, A.TOO_HOT, "INACTIVE", AlarmPriority.MEDIUM)
    alarm_is(lab, A.HOT, "ACTIVE", AlarmPriority.LOW)


def test_18_full_canister_warns_and_then_blocks_until_it_is_emptied() -> None:
    lab = Lab().begin(2)
    lab.inject(canister_ul_added=85_000.0)
    lab.cycle()
    alarm_is(lab, A.CANISTER_NEARLY_FULL, "ACTIVE", AlarmPriority.LOW)
    lab.inject(canister_ul_added=96_000.0)
    error = failing(lab, CommandRefusedError)
    assert (error.interlock, "96% full: empty it" in error.sentence) == (18, True)
    alarm_is(lab, A.CANISTER_FULL, "ACTIVE", AlarmPriority.MEDIUM)
    lab.inject(canister_ul_added=0.0)
    assert_counted(lab, lab.finish())
    alarm_is(lab, A.CANISTER_NEARLY_FULL, "INACTIVE", AlarmPriority.LOW)
    alarm_is(lab, A.CANISTER_FULL, "INACTIVE", AlarmPriority.MEDIUM)


# --- 20 and 23: emergency stop and self-test ------------------------------------------------------------------


@pytest.mark.parametrize("moment", [*MOVING, "armed", "arming", "reposition", "purge", "paused", "disarming"])
def test_20_emergency_stop_makes_everything_safe(moment: str) -> None:
    lab, _ = at_moment(moment)
    plant, depth = lab.device.plant, lab.device.plant.needle.depth_um(lab.now)
    lab.inject(estop_open=True)
    assert lab.state is S.SAFE
    assert plant.needle.home(Micros(lab.now + 100 * MILLISECOND))
    assert plant.needle.depth_um(Micros(lab.now + MILLISECOND)) <= depth
    assert (lab.alarm(A.EMERGENCY_STOP) in SEEN, ALARMS[A.EMERGENCY_STOP].priority) == (True, AlarmPriority.INFO)
    assert refused(lab, M.FaultReset()).interlock == 20
    lab.wait(500 * MILLISECOND)
    assert plant.vacuum.pressure_kpa(lab.now) > -VENTED_KPA
    lab.inject(estop_open=False)
    alarm_is(lab, A.EMERGENCY_STOP, "INACTIVE", AlarmPriority.INFO)
    assert lab.state is S.SAFE  # closing it is not going on


def test_20_stop_that_is_open_at_boot_or_in_a_hold_is_seen() -> None:
    lab = Lab()
    lab.inject(estop_open=True)
    lab.reboot_device()
    assert lab.state is S.SAFE
    alarm_is(lab, A.EMERGENCY_STOP, "ACTIVE", AlarmPriority.INFO)
    lab.run(lab.engine.connect())
    assert refused(lab, M.FaultReset()).interlock == 20
    lab, _ = at_moment("armed")
    lab.ask(M.Stop())
    lab.inject(estop_open=True)
    alarm_is(lab, A.EMERGENCY_STOP, "ACTIVE", AlarmPriority.INFO)


def test_23_failed_self_test_lets_nothing_else_work() -> None:
    lab = Lab()
    lab.device.plant.inputs.self_test_failure = "the pressure sensor reads 3 kPa at rest, and must read 0"
    lab.reboot_device()
    assert lab.state is S.FAULT
    alarm_is(lab, A.SELF_TEST_FAILED, "ACTIVE", AlarmPriority.MEDIUM)
    lab.run(lab.engine.connect())
    command = M.SessionOpen(target_cores=1, coverage_bp=600, depth_um=3000, zones_cm2=(1,))
    for refusal in (refused(lab, command), refused(lab, M.FaultReset()), refused(lab, M.Arm())):
        assert (refusal.interlock, "pressure sensor" in refusal.sentence) == (23, True)
    lab.device.plant.inputs.self_test_failure = ""
    alarm_is(lab, A.SELF_TEST_FAILED, "ACTIVE", AlarmPriority.MEDIUM)
    lab.replace_host()
    lab.begin(1)
    alarm_is(lab, A.SELF_TEST_FAILED, "INACTIVE", AlarmPriority.MEDIUM)


# --- alarms as such -------------------------------------------------------------------------------------------


def test_latched_alarm_outlives_a_reboot_without_a_session_and_is_cleared_by_the_next_host() -> None:
    lab, _ = at_moment("armed")
    lab.world.cut()
    lab.world.mend()
    lab.device.nvm.keep(CloseSession(CloseReason.ABANDONED, 0))
    lab.device.reboot(lab.now)
    assert lab.state is S.SAFE
    alarm_is(lab, A.LINK_LOST, "LATCHED", AlarmPriority.HIGH)
    lab.replace_host()
    lab.open()
    alarm_is(lab, A.LINK_LOST, "INACTIVE", AlarmPriority.HIGH)


def test_acknowledging_hides_nothing() -> None:
    lab, _ = at_moment("armed")
    lab.inject(estop_open=True)
    assert lab.ask(M.AlarmAck(code=A.EMERGENCY_STOP)).state.name == "ACKNOWLEDGED"
    assert lab.ask(M.AlarmList(index=0)).code == A.EMERGENCY_STOP
    assert refused(lab, M.AlarmAck(code=4)).code is Code.E_ARGUMENT


# --- whatever is sent -----------------------------------------------------------------------------------------

COMMANDS = sorted((model for model in REGISTRY.values() if model.LANE is not None), key=lambda model: model.ID)


def a_command(rng: random.Random, lab: Lab) -> Any:
    """A command with values that are often right and often not."""
    last = lab.device.nvm.last_cycle_no
    likely: dict[str, Any] = {
        "cycle_no": rng.choice([last, last + 1, last + 1, last + 2, 0]),
        "depth_um": rng.choice([3000, 3000, 3000, 2500, 3001]),
        "deadline_ms": lab.device.board.uptime_ms(lab.now) + rng.choice([-5, 500, 500, 500]) & 0xFFFF_FFFF,
        "zone": rng.choice([0, 0, 1, 2, 255]),
        "cell": rng.choice([0, 1, 2, 39, 40, 65_535]),
        "age_s": rng.choice([0, 2, 3_599, 3_600, 86_400]),
        "steps": 1,
        "target_cores": rng.choice([1, 300, 1_000_000]),
        "coverage_bp": rng.choice([400, 600, 800]),
        "zones_cm2": rng.choice([(), (0,), (40, 40), (2000, 1), (1,) * 80]),
        "method": "cream",
        "confirmed_by": "ä" * rng.choice([0, 16]),
        "name": rng.choice(["leak_kpa_s", "trigger_required", "lease_armed_ms", "ö" * 16, ""]),
        "value": rng.choice([0.0, 1.0, 400.0, -1e300, 0.5]),
        "code": rng.choice([702, 1501, 2001, 3]),
        "index": rng.choice([0, 1, 200]),
        "data": b"echo",
        "epoch": rng.choice([lab.device.nvm.epoch, 1]),
        "first": rng.choice([0, 1, lab.device.nvm.head, 0xFFFF_FFFF]),
        "max_records": rng.choice([1, 6, 255]),
        "upto": rng.choice([0, lab.device.nvm.head, lab.device.nvm.head + 1]),
        "interval_ms": rng.choice([0, 1, 1_000]),
        "session_no": rng.choice([0, 1, 1, 2]),
        "reason": rng.choice(list(CloseReason)),
        "fault": rng.choice(["drop", "emergency_stop", "no such kind"]),
        "when": rng.choice(['at("1 s")', "cycle = 3", ""]),
        "for_ms": rng.choice([1, 500]),
    }
    model = rng.choice([model for model in COMMANDS if model is not M.Hello])
    values = {name: likely.get(name, 0) for name in model.FIELDS}
    if "stream" in values:
        values["stream"] = rng.choice(list(Stream))
    return model(**values)


@pytest.mark.parametrize("seed", range(40))
def test_device_answers_any_command_lawfully_and_never_raises(seed: int) -> None:
    rng = random.Random(seed)
    lab = Lab(seed) if seed % 4 else Lab(seed).begin(2)
    rogue = Bystander(lab, Role.CONTROLLER if seed % 4 else Role.VIEWER)
    for _ in range(150):
        command = a_command(rng, lab)
        answer = rogue.ask(command)
        assert isinstance(answer, (Refused, Received, Failed, Aborted, Nak)) or answer.ID == command.ID
        if isinstance(answer, Refused):
            assert answer.code not in (Code.OK, Code.E_INTERNAL, Code.UNKNOWN)
            assert (answer.code is Code.E_INTERLOCK) == (answer.interlock != 0)
            assert answer.interlock == 0 or answer.interlock in INTERLOCKS
            assert 10 < len(answer.sentence.encode()) <= 120 and "\n" not in answer.sentence
        rogue.beat()
        lab.wait(rng.choice([0, 1_000, 35_000, 120_000]))
        rogue.beat()
        if rng.random() < 0.05:
            stuck, leak = rng.random() < 0.3, rng.choice([0, 0, 50])
            lab.inject(estop_open=rng.random() < 0.5, retract_sensor_stuck=stuck, leak_kpa_s=leak)
        lab.invariants.check()
