"""What approaches a target exponentially."""

import math

import pytest

from firmware_sim.model.lag import FirstOrderLag
from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.model.plants import T0, later, plant


def test_asking_never_changes_an_answer() -> None:
    asked, quiet = plant(), plant()
    for p in (asked, quiet):
        p.start_pump(T0)
    for step in range(1000):
        asked.vacuum.pressure_kpa(later(T0, step))
        asked.heat.temperature_c(later(T0, step))
    at = later(T0, 1234.567)
    assert asked.vacuum.pressure_kpa(at) == quiet.vacuum.pressure_kpa(at)
    assert asked.heat.temperature_c(at) == quiet.heat.temperature_c(at)


def test_value_is_the_closed_form_and_a_new_target_holds_since_it_was_asked_last() -> None:
    lag = FirstOrderLag(10.0, 2.0)
    assert lag.towards(10.0, T0) == 10.0
    at = Micros(T0 + 2 * SECOND)
    assert lag.towards(0.0, at) == pytest.approx(10 * math.exp(-1))
    lag.step_to(5.0, at)
    assert lag.towards(0.0, Micros(at + 4 * SECOND)) == pytest.approx(5 * math.exp(-2))


def test_settled_value_goes_on_from_there_with_another_time_constant() -> None:
    lag = FirstOrderLag(10.0, 2.0)
    lag.towards(0.0, Micros(0))
    lag.settle(2 * SECOND)
    lag.tau_us = 1e6
    assert lag.towards(0.0, Micros(3 * SECOND)) == pytest.approx(10 * math.exp(-2))


@pytest.mark.parametrize(
    ("threshold", "reached"), [(5.0, True), (10.0, False), (11.0, False), (0.0, False), (-1.0, False)]
)
def test_only_what_lies_on_its_way_is_crossed(threshold: float, reached: bool) -> None:
    lag = FirstOrderLag(10.0, 2.0)
    when = lag.when_crosses(lag.towards(0.0, Micros(0)), threshold, Micros(0))
    assert (when is not None) is reached
    assert when is None or lag.towards(0.0, when) <= threshold < lag.towards(0.0, Micros(when - 3))
    assert FirstOrderLag(10.0, 2.0).when_crosses(10.0, threshold, Micros(0)) is None, "it does not move"
