"""The vacuum line: pump, vent, leak, and the sensor's defects."""

import math

import pytest

from firmware_sim.model.vacuum import VENTED_KPA
from protocols.language.units import Micros
from tests.unit.firmware_sim.model.plants import LONG, T0, later, plant


def test_vacuum_falls_exponentially_to_its_setting() -> None:
    p = plant()
    assert p.vacuum.pressure_kpa(T0) == 0
    p.start_pump(T0)
    assert p.vacuum.pump_on
    assert p.vacuum.pressure_kpa(T0) == 0
    assert p.vacuum.pressure_kpa(later(T0, 800)) == pytest.approx(-55 * (1 - math.exp(-1)))
    assert p.vacuum.pressure_kpa(LONG) == pytest.approx(-55)


@pytest.mark.parametrize(("leak", "steady"), [(0, -55), (10, -47), (20, -39), (30, -31), (40, -23), (100, 0)])
def test_leak_sets_the_steady_pressure(leak: float, steady: float) -> None:
    p = plant(leak_kpa_s=leak)
    p.start_pump(T0)
    assert p.vacuum.pressure_kpa(LONG) == pytest.approx(steady)


def test_leak_that_is_opened_live_bends_the_pressure_without_a_step() -> None:
    p = plant()
    p.start_pump(T0)
    at = LONG
    p.settle(at)
    p.parameters.leak_kpa_s = 40
    assert p.vacuum.pressure_kpa(at) == pytest.approx(-55)
    assert p.vacuum.pressure_kpa(later(at, 800)) == pytest.approx(-23 - 32 * math.exp(-1))


def test_leak_that_was_not_settled_starts_when_the_plant_was_last_asked() -> None:
    p = plant()
    p.start_pump(T0)
    p.vacuum.pressure_kpa(LONG)
    p.parameters.leak_kpa_s = 40
    assert p.vacuum.pressure_kpa(later(LONG, 800)) == pytest.approx(-23 - 32 * math.exp(-1))


@pytest.mark.parametrize(
    ("leak", "low", "retracts"), [(18.0, False, False), (25.0, True, False), (31.0, True, False), (32.0, True, True)]
)
def test_leak_by_a_fault_adds_to_the_parameter_and_has_the_limits_of_its_row(
    leak: float, low: bool, retracts: bool
) -> None:
    p = plant(leak_kpa_s=leak / 2)
    p.inputs.leak_kpa_s = leak / 2
    p.start_pump(T0)
    steady = p.vacuum.pressure_kpa(LONG)
    assert steady == pytest.approx(-55 + 0.8 * leak)
    assert (steady > p.parameters.vacuum_low_kpa, steady > p.parameters.vacuum_stop_kpa) == (low, retracts)


def test_stalled_pump_lets_the_vacuum_go() -> None:
    p = plant()
    p.start_pump(T0)
    p.settle(LONG)
    p.inputs.pump_stalled = True
    assert p.vacuum.pressure_kpa(later(LONG, 800)) == pytest.approx(-55 * math.exp(-1))


@pytest.mark.parametrize("setting", [-55, -80])
def test_line_is_vented_within_half_a_second(setting: float) -> None:
    p = plant(vacuum_set_kpa=setting)
    p.start_pump(T0)
    p.vent(LONG)
    assert not p.vacuum.pump_on
    assert abs(p.vacuum.pressure_kpa(later(LONG, 500))) < VENTED_KPA
    when = p.vacuum.when_pressure_crosses(-VENTED_KPA, LONG)
    assert when is not None and LONG < when <= later(LONG, 500)


@pytest.mark.parametrize("threshold", [-1.0, -30.0, -40.0, -54.999])
def test_crossing_is_the_first_microsecond_on_the_far_side(threshold: float) -> None:
    p = plant()
    p.start_pump(T0)
    when = p.vacuum.when_pressure_crosses(threshold, T0)
    assert when is not None
    assert p.vacuum.pressure_kpa(when) <= threshold
    assert p.vacuum.pressure_kpa(Micros(when - 3)) > threshold
    assert p.vacuum.when_pressure_crosses(threshold, when) is None  # behind it now


def test_threshold_out_of_the_way_is_never_reached() -> None:
    p = plant()
    assert p.vacuum.when_pressure_crosses(-1, T0) is None  # nothing moves
    p.start_pump(T0)
    assert p.vacuum.when_pressure_crosses(-55, T0) is None  # the goal takes for ever
    assert p.vacuum.when_pressure_crosses(-56, T0) is None
    assert p.vacuum.when_pressure_crosses(5, T0) is None
    assert plant(leak_kpa_s=20).vacuum.when_pressure_crosses(-40, T0) is None


def test_pressure_sensor_has_defects() -> None:
    p = plant()
    p.start_pump(T0)
    p.inputs.pressure_offset_kpa = -10.0
    assert p.vacuum.sensed_kpa(LONG) == pytest.approx(-65)
    crossing = p.vacuum.when_sensed_crosses(-40, T0)
    assert crossing is not None and p.vacuum.pressure_kpa(crossing) == pytest.approx(-30, abs=1e-3)
    p.inputs.frozen_kpa = 0.0  # a reading like any other, not "off"
    assert p.vacuum.sensed_kpa(LONG) == 0.0
    assert p.vacuum.when_sensed_crosses(-40, T0) is None
