"""Interlock 4 of docs/model.md: a vacuum that is low, lost, or back for too short a time, and when it is looked at."""

import pytest

from firmware_sim.board.states import Event
from firmware_sim.safety import suction
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState, Ending, Phase
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.firmware_sim.boards import Bench, armed, numbed

S = DeviceState


def look(bench: Bench, kpa: float) -> None:
    """Look at a sensor that reads `kpa`."""
    bench.plant.inputs.frozen_kpa = kpa
    suction.look(bench.board, bench.now)


def watched(bench: Bench) -> tuple[Micros | None, Micros | None]:
    """Return since when the vacuum is good again, and when it is looked at next."""
    return bench.board.suction_good_since, bench.board.suction_due


def lost(bench: Bench) -> bool:
    return bench.board.alarms.present(A.SUCTION_LOST)


@pytest.mark.parametrize(("kpa", "low"), [(-40.0, False), (-39.9, True)])
def test_a_vacuum_above_minus_40_kpa_is_low(kpa: float, low: bool) -> None:
    bench = armed()
    look(bench, kpa)
    assert lost(bench) is low


@pytest.mark.parametrize(("kpa", "aborts"), [(-39.0, False), (-30.0, False), (-29.9, True)])
def test_a_cycle_ends_where_the_vacuum_is_above_minus_30_kpa(kpa: float, aborts: bool) -> None:
    bench = armed()
    bench.ask(bench.punch())
    bench.wait(30 * MILLISECOND)
    look(bench, kpa)
    assert (bench.nvm.register is None) is aborts
    if not aborts:
        return
    last = bench.nvm.last_outcome
    assert last is not None and (last.ending, last.phase) == (Ending.ABORTED, Phase.PUNCH)
    said = bench.wait(40 * MILLISECOND)
    (failed,) = said
    assert isinstance(failed, M.Failed)
    assert (failed.code, failed.interlock, failed.alarm_code) == (Code.E_INTERLOCK, 4, A.SUCTION_LOST)
    assert failed.sentence == "the vacuum fell to -30 kPa in a cycle: the needles were retracted"
    assert bench.board.state is S.ARMED


def test_outside_a_cycle_a_lost_vacuum_stops_nothing() -> None:
    bench = armed()
    bench.ask(M.Reposition(zone=0, cell=1))
    look(bench, -5.0)
    assert lost(bench) and bench.board.state is S.REPOSITIONING


@pytest.mark.parametrize("event", [Event.DISARM_BEGUN, Event.MADE_SAFE])
def test_a_vacuum_that_nobody_needs_is_not_watched(event: Event) -> None:
    bench = armed()
    bench.board.enter(event)
    bench.board.suction_due = bench.now
    look(bench, -5.0)
    assert not lost(bench)
    assert bench.board.suction_due is None


def test_a_vacuum_that_is_being_made_is_not_watched() -> None:
    bench = numbed()
    bench.ask(M.Arm())
    look(bench, -5.0)
    assert not lost(bench)


def test_a_vacuum_is_good_again_after_two_seconds_without_a_break() -> None:
    bench = armed()
    look(bench, -35.0)
    look(bench, -45.0)
    assert bench.board.suction_due == bench.now + 2 * SECOND
    bench.now = Micros(bench.now + SECOND)
    look(bench, -35.0)  # the break
    look(bench, -45.0)
    bench.wait(2 * SECOND - 1)
    assert lost(bench)
    bench.wait(1)
    assert not lost(bench)
    assert watched(bench) == (None, None)


def test_looking_on_the_way_does_not_begin_the_two_seconds_again() -> None:
    bench = armed()
    look(bench, -35.0)
    look(bench, -45.0)
    bench.wait(SECOND)
    look(bench, -45.0)
    bench.wait(SECOND)
    assert not lost(bench)


def test_a_good_vacuum_without_an_alarm_waits_for_nothing() -> None:
    bench = armed()
    look(bench, -45.0)
    assert watched(bench) == (None, None)


def test_the_vacuum_is_looked_at_just_after_it_has_passed_each_limit() -> None:
    bench = armed()
    bench.inject(pump_stalled=True)
    vacuum = bench.plant.vacuum
    for limit in (-40.0, -30.0):
        due = bench.board.suction_due
        assert due is not None
        assert vacuum.sensed_kpa(Micros(due - 10)) <= limit < vacuum.sensed_kpa(due)
        bench.step()
    assert bench.board.suction_due is None


def test_a_frozen_sensor_passes_no_limit() -> None:
    bench = armed()
    bench.plant.inputs.pump_stalled = True
    look(bench, -45.0)
    assert bench.board.suction_due is None
