"""The temperature of the handle."""

import math

import pytest

from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.model.plants import T0, plant


def test_handle_warms_while_the_pump_runs_and_cools_after() -> None:
    p = plant()
    assert p.heat.temperature_c(T0) == 22.0
    p.start_pump(T0)
    assert p.heat.temperature_c(Micros(T0 + 600 * SECOND)) == pytest.approx(22 + 16 * (1 - math.exp(-1)))
    hour = Micros(T0 + 3600 * SECOND)
    assert p.heat.temperature_c(hour) == pytest.approx(38, abs=0.1)
    p.settle(hour)
    p.inputs.vent_blocked = True
    warm, hot = Micros(hour + 126 * SECOND), Micros(hour + 227 * SECOND)
    assert p.heat.temperature_c(warm) == pytest.approx(41, abs=0.05)
    assert p.heat.temperature_c(hot) == pytest.approx(43, abs=0.05)
    p.vent(hot)
    assert p.heat.temperature_c(Micros(hot + 3600 * SECOND)) == pytest.approx(22, abs=0.1)


def test_heat_that_is_put_in_warms_the_handle_without_a_pump() -> None:
    p = plant()
    p.settle(T0)
    p.inputs.heat_added_w = 5.0
    assert p.heat.temperature_c(Micros(T0 + 100_000 * SECOND)) == pytest.approx(22 + 5 * 4)
    p.inputs.vent_blocked = True
    assert p.heat.temperature_c(Micros(T0 + 200_000 * SECOND)) == pytest.approx(22 + 5 * 8)
