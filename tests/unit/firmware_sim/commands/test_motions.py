"""The commands between cycles, one fact at a time: docs/protocol.md and docs/model.md say what each does."""

import pytest

from firmware_sim.board.board import NO_CELL
from firmware_sim.board.states import Event
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import AlarmState, Code, DeviceState, Ending, Phase
from protocols.language.units import MILLISECOND, SECOND
from tests.unit.firmware_sim.boards import Bench, armed, held, in_vacuum, numbed

S = DeviceState


# --- ARM and DISARM -----------------------------------------------------------------------------------------


def test_arm_ends_when_the_vacuum_allows_a_cycle() -> None:
    bench = numbed()
    (begun,) = bench.ask(M.Arm())
    assert isinstance(begun, M.Received)
    assert (bench.wait(begun.expected_ms * MILLISECOND)[1:], bench.board.state) == ([], S.ARMING)
    (done,) = bench.wait(MILLISECOND)
    assert isinstance(done, M.ArmDone) and -40_010 < done.vacuum_pa <= -40_000
    assert bench.board.state is S.ARMED
    assert bench.plant.vacuum.pump_on


def test_arm_of_a_line_that_still_holds_the_vacuum_is_done_at_once() -> None:
    bench = armed()
    bench.said(M.Stop(), M.StopDone)
    bench.wait(MILLISECOND)
    bench.said(M.FaultReset(), M.FaultResetDone)
    bench.numb(0)
    began = bench.now
    bench.done(M.Arm(), M.ArmDone)
    assert bench.now <= began + 1


def test_arm_binds_the_cartridge_to_the_session() -> None:
    bench = numbed()
    bench.plant.cartridge.serial, bench.plant.cartridge.cycles = 55, 9
    bench.ask(M.Arm())
    nvm = bench.nvm
    assert (nvm.cartridge_serial, nvm.cartridge_session, nvm.cartridge_cycles, nvm.cartridges) == (55, 1, 9, {55: 1})


def test_arm_fails_when_its_time_is_over_without_a_vacuum() -> None:
    bench = numbed(leak_kpa_s=40.0)
    (begun,) = bench.ask(M.Arm())
    assert begun == M.Received(expected_ms=10_000)
    assert not [said for said in bench.wait(10 * SECOND - 1) if isinstance(said, M.Failed)]
    (failed,) = bench.wait(1)
    assert isinstance(failed, M.Failed)
    assert (failed.code, failed.interlock, failed.alarm_code) == (Code.E_INTERLOCK, 4, A.SUCTION_LOST)
    assert failed.sentence == "the vacuum only reached -23 kPa; arming needs -40 kPa"
    assert bench.board.state is S.ANESTHESIA_CONFIRMED
    assert not bench.plant.vacuum.pump_on, "the line is vented"
    assert bench.board.alarms.present(A.SUCTION_LOST)


def test_arm_waits_no_longer_than_its_time_for_a_vacuum_that_comes_too_late() -> None:
    assert numbed(arm_timeout_s=1.0).ask(M.Arm()) == [M.Received(expected_ms=1_000)]


def test_the_vacuum_is_watched_from_the_end_of_arm_on() -> None:
    bench = numbed()
    bench.done(M.Arm(), M.ArmDone)
    assert bench.board.suction_due is None, "a pump that runs well is not going to lose it"
    bench.inject(pump_stalled=True)
    assert bench.board.suction_due is not None


def test_disarm_ends_when_the_line_is_vented() -> None:
    bench = armed()
    (begun,) = bench.ask(M.Disarm())
    assert (type(begun), bench.board.state) == (M.Received, S.DISARMING)
    assert isinstance(begun, M.Received)
    (done,) = bench.wait((begun.expected_ms + 1) * MILLISECOND)
    assert done == M.DisarmDone(state=S.ANESTHESIA_CONFIRMED)
    assert bench.board.state is S.ANESTHESIA_CONFIRMED
    assert -1.0 <= bench.plant.vacuum.pressure_kpa(bench.now) < -0.9


def test_disarm_of_a_vented_line_is_done_at_once() -> None:
    bench = armed()
    bench.inject(pump_stalled=True)
    bench.wait(10 * SECOND)
    assert bench.ask(M.Disarm()) == [M.Received(expected_ms=0)]
    assert bench.wait(0) == [M.DisarmDone(state=S.ANESTHESIA_CONFIRMED)]


def test_disarm_leaves_the_hand_and_the_numb_zones_as_they_are() -> None:
    bench = armed()
    bench.done(M.Disarm(), M.DisarmDone)
    assert (bench.board.zone, bench.board.cell, sorted(bench.board.zones)) == (0, 0, [0, 1])


def test_no_alarm_for_a_vacuum_that_disarm_takes_away() -> None:
    bench = armed()
    bench.inject(pressure_offset_kpa=18.0)
    assert bench.board.alarms.present(A.SUCTION_LOST)
    bench.ask(M.Disarm())
    assert not bench.board.alarms.present(A.SUCTION_LOST)
    bench.wait(SECOND)
    assert not bench.board.alarms.present(A.SUCTION_LOST)


# --- REPOSITION ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "cell", "cells"), [(0, 4, 4), (1, 2, 2), (2, 0, 0)], ids=["no such cell", "of zone 1", "no such zone"]
)
def test_the_hand_does_not_leave_the_plan(zone: int, cell: int, cells: int) -> None:
    bench = armed()
    no = bench.refused(M.Reposition(zone=zone, cell=cell))
    assert (no.code, no.interlock, no.expected, no.actual) == (Code.E_INTERLOCK, 9, cells, cell)
    assert (bench.board.state, bench.board.cell) == (S.ARMED, 0)


@pytest.mark.parametrize(("zone", "cell", "place"), [(0, 3, 3), (1, 0, 4), (1, 1, 5)])
def test_a_cell_is_numbered_within_its_zone_on_the_wire_and_through_the_plan_in_the_device(
    zone: int, cell: int, place: int
) -> None:
    bench = in_vacuum()
    done = bench.done(M.Reposition(zone=zone, cell=cell), M.RepositionDone)
    assert (done.zone, done.cell) == (zone, cell)
    assert (bench.board.zone, bench.board.cell) == (zone, place)
    assert bench.board.state is S.ARMED


def test_the_hand_is_nowhere_while_it_is_under_way() -> None:
    bench = armed()
    (begun,) = bench.ask(M.Reposition(zone=0, cell=1))
    assert isinstance(begun, M.Received) and begun.expected_ms > 100
    assert (bench.board.state, bench.board.cell) == (S.REPOSITIONING, NO_CELL)


def test_arriving_tells_what_was_made_in_the_cell_and_what_it_still_takes() -> None:
    bench = armed()
    session = bench.nvm.session
    assert session is not None
    session.cell_punctures[0, 1] = 40
    there = bench.done(M.Reposition(zone=0, cell=1), M.RepositionDone)
    assert (there.cell_punctures, there.cycles_left) == (40, 2), "of 48"
    fresh = bench.done(M.Reposition(zone=0, cell=2), M.RepositionDone)
    assert (fresh.cell_punctures, fresh.cycles_left) == (0, 16)


def test_the_hand_stays_while_the_needles_are_not_seen_at_home() -> None:
    bench = armed()
    bench.plant.inputs.retract_sensor_stuck = True
    no = bench.refused(M.Reposition(zone=0, cell=1))
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 1)
    assert bench.board.state is S.FAULT
    assert bench.board.alarms.present(A.NEEDLE_NOT_RETRACTED)
    assert bench.board.cell == 0, "it has not moved"


# --- PURGE, PAUSE, RESUME -----------------------------------------------------------------------------------


def test_purge_blows_the_flagged_needles_free_in_its_time() -> None:
    bench = armed(purge_p=1.0)
    bench.nvm.flagged = 0b101
    assert (bench.ask(M.Purge()), bench.board.state) == ([M.Received(expected_ms=8_000)], S.PURGING)
    *progress, done = bench.wait(8 * SECOND)
    assert done == M.PurgeDone(cleared=0b101, flagged=0)
    assert [said.elapsed_ms for said in progress if isinstance(said, M.Progress)] == [s * 1_000 for s in range(1, 8)]
    assert bench.board.state is S.ARMED


def test_purge_tells_which_needles_stay_clogged() -> None:
    bench = armed(purge_p=0.0)
    bench.nvm.flagged = bench.plant.clogged = 0b100
    assert bench.done(M.Purge(), M.PurgeDone) == M.PurgeDone(cleared=0, flagged=0b100)


def test_a_pause_holds_the_armed_device_until_it_is_resumed() -> None:
    bench = armed()
    assert (bench.ask(M.Pause()), bench.board.state) == ([M.PauseDone()], S.PAUSED)
    assert (bench.ask(M.Resume()), bench.board.state) == ([M.ResumeDone()], S.ARMED)


# --- STOP ---------------------------------------------------------------------------------------------------


def test_stop_makes_the_device_safe() -> None:
    bench = armed()
    bench.ask(bench.punch())
    bench.wait(20 * MILLISECOND)
    aborted, stopped = bench.ask(M.Stop())
    assert stopped == M.StopDone(state=S.SAFE)
    assert isinstance(aborted, M.Aborted)
    assert (aborted.code, aborted.ending, aborted.phase) == (Code.E_STATE, Ending.ABORTED, Phase.PUNCH)
    assert aborted.sentence == "stopped by STOP"
    assert not bench.plant.vacuum.pump_on
    bench.wait(100 * MILLISECOND)
    assert bench.plant.needle.home(bench.now)


def test_stop_may_come_twice() -> None:
    bench = held()
    head, alarms = bench.nvm.head, len(bench.announced)
    assert bench.said(M.Stop(), M.StopDone).state is S.SAFE
    assert (bench.nvm.head, len(bench.announced)) == (head + 1, alarms), "that it came is in the journal"


@pytest.mark.parametrize("state", [S.FAULT, S.LOCKED])
def test_stop_does_not_lead_out_of_a_hold(state: DeviceState) -> None:
    bench = armed()
    bench.board.enter(Event.FAULTED if state is S.FAULT else Event.LOCKED)
    assert bench.said(M.Stop(), M.StopDone).state is state is bench.board.state


def test_stop_of_a_device_at_rest_leaves_it_at_rest() -> None:
    bench = Bench()
    assert bench.said(M.Stop(), M.StopDone).state is S.IDLE is bench.board.state


def test_stop_leaves_the_hand_where_it_is() -> None:
    assert held().board.cell == 0


def test_stop_of_a_moving_hand_leaves_it_nowhere() -> None:
    bench = armed()
    bench.ask(M.Reposition(zone=0, cell=1))
    bench.ask(M.Stop())
    assert bench.board.cell == NO_CELL


# --- FAULT_RESET --------------------------------------------------------------------------------------------


def test_a_reset_leads_back_into_the_open_session() -> None:
    bench = held()
    assert bench.said(M.FaultReset(), M.FaultResetDone) == M.FaultResetDone(state=S.SESSION_OPEN, alarms=0)
    assert bench.board.zones == {}, "every zone is to be confirmed again"


def test_a_reset_without_a_session_leads_to_rest() -> None:
    bench = held()
    bench.said(bench.close(), M.SessionCloseDone)
    assert bench.board.state is S.SAFE, "closing it is not going on"
    assert bench.said(M.FaultReset(), M.FaultResetDone).state is S.IDLE


def test_a_reset_clears_a_latched_alarm_whose_cause_has_gone() -> None:
    bench = held()
    bench.board.raise_alarm(A.LINK_LOST, bench.now)
    bench.board.clear_alarm(A.LINK_LOST, bench.now)
    bench.announced.clear()
    assert bench.said(M.FaultReset(), M.FaultResetDone).alarms == 0
    assert bench.nvm.latched == set()
    assert [(told.code, told.state) for told in bench.announced if isinstance(told, M.Alarm)] == [
        (A.LINK_LOST, AlarmState.INACTIVE)
    ]


def test_a_reset_tells_how_many_alarms_are_left() -> None:
    bench = held()
    bench.board.raise_alarm(A.HOT, bench.now)
    assert bench.said(M.FaultReset(), M.FaultResetDone).alarms == 1


def test_no_reset_while_a_latched_alarm_has_its_cause() -> None:
    bench = held()
    bench.board.raise_alarm(A.TOO_DEEP, bench.now)
    no = bench.refused(M.FaultReset())
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 10)
    assert no.sentence == "MC-1001 still has its cause: The needles went deeper than set: retracted and locked."
    assert bench.board.state is S.SAFE


def test_no_reset_while_the_emergency_stop_is_open() -> None:
    bench = held()
    bench.inject(estop_open=True)
    no = bench.refused(M.FaultReset())
    assert (no.interlock, no.sentence) == (20, "the emergency stop is still open: close it first")


def test_no_reset_while_the_self_test_fails_and_it_clears_its_alarm_when_it_passes() -> None:
    bench = Bench()
    bench.board.enter(Event.FAULTED)
    bench.board.raise_alarm(A.SELF_TEST_FAILED, bench.now)
    bench.plant.inputs.self_test_failure = "the pressure sensor reads 3 kPa"
    no = bench.refused(M.FaultReset())
    assert no.interlock == 23
    assert bench.board.alarms.present(A.SELF_TEST_FAILED)
    bench.plant.inputs.self_test_failure = ""
    assert bench.said(M.FaultReset(), M.FaultResetDone) == M.FaultResetDone(state=S.IDLE, alarms=0)


def test_no_reset_while_the_needles_are_on_their_way_home() -> None:
    bench = armed()
    bench.ask(bench.punch())
    bench.wait(30 * MILLISECOND)
    bench.ask(M.Stop())
    no = bench.refused(M.FaultReset())
    assert (no.interlock, "on their way home" in no.sentence) == (1, True)
    assert not bench.board.alarms.present(A.NEEDLE_NOT_RETRACTED)
    bench.wait(40 * MILLISECOND - 1)
    bench.refused(M.FaultReset())
    bench.wait(1)
    bench.said(M.FaultReset(), M.FaultResetDone)


def test_needles_that_are_not_home_in_time_are_called_home_again_and_hold_the_device() -> None:
    bench = armed()
    bench.ask(bench.punch())
    bench.wait(30 * MILLISECOND)
    bench.inject(retract_jammed=True)
    bench.ask(M.Stop())
    bench.wait(SECOND)
    no = bench.refused(M.FaultReset())
    assert (no.interlock, no.sentence.startswith("MC-0101 still has its cause")) == (1, True)
    assert bench.board.home_due > bench.now
    bench.inject(retract_jammed=False)
    bench.wait(SECOND)
    bench.refused(M.FaultReset())
    bench.wait(40 * MILLISECOND)
    assert bench.said(M.FaultReset(), M.FaultResetDone).alarms == 0


@pytest.mark.parametrize("drift_kpa_min", [0.0, 60.0])
def test_arm_waits_for_a_good_sample_of_a_sensor_that_goes_wrong(drift_kpa_min: float) -> None:
    """Each sample is another error: what seemed to be the time at which the vacuum is enough may not be it."""
    bench = numbed()
    bench.inject(pressure_noise_kpa=5.0, pressure_drift_kpa_min=drift_kpa_min)
    done = bench.done(M.Arm(), M.ArmDone)
    assert done.vacuum_pa <= -40_000


def test_arm_fails_at_its_limit_where_no_sample_is_good() -> None:
    bench = numbed()
    bench.inject(pressure_offset_kpa=30.0, pressure_noise_kpa=5.0)
    began = bench.now
    bench.done(M.Arm(), M.Failed)
    assert bench.now - began == 10 * SECOND
