"""Errors of a sensor by its samples, and of a clock."""

from statistics import fmean

import pytest

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.instruments import SAMPLE_US, DeviceClock, SensorError, next_sample
from firmware_sim.model.streams import Streams
from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.model.plants import LONG, later, pumped

MINUTE = 60 * SECOND
HOUR = 3600 * SECOND


def an_error(seed: int = 7) -> SensorError:
    return SensorError("pressure noise", Streams(seed, 0, 3))


def test_a_drift_grows_from_the_time_at_which_it_was_asked_last() -> None:
    error = an_error()
    assert error.at(0.0, 0.0, LONG) == 0.0
    assert error.at(6.0, 0.0, later(LONG, 30_000)) == pytest.approx(3.0)
    assert error.at(6.0, 0.0, later(LONG, 60_000)) == pytest.approx(6.0)
    assert error.at(0.0, 0.0, later(LONG, 60_000)) == 0.0, "a sensor that is mended reads right"
    assert error.at(-6.0, 0.0, later(LONG, 90_000)) == pytest.approx(-3.0), "and the next drift begins there"


def test_an_error_is_constant_between_two_samples() -> None:
    error = an_error()
    at = Micros(LONG + 1)
    assert next_sample(at) == LONG + SAMPLE_US == next_sample(LONG)
    assert (
        error.at(60.0, 2.0, at)
        == error.at(60.0, 2.0, Micros(next_sample(at) - 1))
        != error.at(60.0, 2.0, next_sample(at))
    )


def test_noise_is_even_within_its_amplitude_and_asking_does_not_change_it() -> None:
    error, asked_twice = an_error(), an_error()
    samples = [Micros(number * SAMPLE_US) for number in range(1_000)]
    drawn = [error.at(0.0, 2.0, at) for at in samples]
    assert [[asked_twice.at(0.0, 2.0, at) for _ in range(3)][2] for at in samples] == drawn
    assert -2 <= min(drawn) < -1.95 and 1.95 < max(drawn) < 2
    assert fmean(drawn) == pytest.approx(0, abs=0.15)
    assert drawn != [an_error(8).at(0.0, 2.0, at) for at in samples]


def test_the_pressure_sensor_drifts_and_is_noisy_while_the_line_is_not() -> None:
    p = pumped()
    p.settle(LONG)
    p.inputs.pressure_drift_kpa_min, p.inputs.pressure_noise_kpa = 2.0, 0.5
    at = Micros(LONG + 5 * MINUTE)
    assert p.vacuum.sensed_kpa(at) == pytest.approx(-45, abs=0.5) and p.vacuum.sensed_kpa(at) != pytest.approx(-45)
    assert p.vacuum.pressure_kpa(at) == pytest.approx(-55)


def test_a_reading_with_an_error_is_looked_at_again_at_the_next_sample() -> None:
    p = pumped()
    assert p.vacuum.when_sensed_crosses(-40.0, LONG) is None
    p.inputs.pressure_noise_kpa = 0.5
    assert p.vacuum.when_sensed_crosses(-40.0, LONG) == next_sample(LONG)
    rising = later(0, 900)
    crossing = p.vacuum.when_pressure_crosses(-40.0 - p.vacuum.error_kpa(rising), rising)
    assert crossing is not None and p.vacuum.when_sensed_crosses(-40.0, rising) == min(crossing, next_sample(rising))
    p.inputs.frozen_kpa = -55.0
    assert p.vacuum.when_sensed_crosses(-40.0, LONG) is None


def test_the_temperature_sensor_drifts_and_is_noisy_while_the_handle_is_not() -> None:
    p = pumped()
    p.settle(LONG)
    true_c = p.heat.temperature_c(LONG)
    assert p.heat.sensed_c(LONG) == true_c
    p.inputs.temperature_drift_k_min = 3.0
    later_c = p.heat.temperature_c(Micros(LONG + MINUTE))
    assert p.heat.sensed_c(Micros(LONG + MINUTE)) == pytest.approx(later_c + 3.0)
    p.inputs.temperature_drift_k_min, p.inputs.temperature_noise_k = 0.0, 1.0
    assert 0 < abs(p.heat.sensed_c(Micros(LONG + MINUTE)) - later_c) <= 1.0


def test_a_right_clock_tells_the_time() -> None:
    assert DeviceClock(PlantInputs()).at(Micros(HOUR)) == HOUR


@pytest.mark.parametrize("ppm", [500.0, -500.0])
def test_a_drift_holds_from_its_change_on_and_what_it_gained_stays(ppm: float) -> None:
    inputs = PlantInputs()
    clock = DeviceClock(inputs)
    clock.at(Micros(HOUR))
    inputs.clock_drift_ppm = ppm
    gained = round(ppm * HOUR / 1e6)
    assert clock.at(Micros(2 * HOUR)) == 2 * HOUR + gained
    inputs.clock_drift_ppm = 0.0
    assert clock.at(Micros(2 * HOUR)) == 2 * HOUR + gained, "it neither jumps nor goes back"
    assert clock.at(Micros(3 * HOUR)) == 3 * HOUR + gained
    inputs.clock_drift_ppm = -ppm
    assert clock.at(Micros(4 * HOUR)) == 4 * HOUR


def test_a_plant_that_is_settled_takes_a_new_rate_from_that_moment() -> None:
    p = pumped()
    p.settle(Micros(HOUR))
    p.inputs.clock_drift_ppm = 100.0
    p.settle(Micros(HOUR))
    assert p.clock.at(Micros(2 * HOUR)) == 2 * HOUR + 360_000
