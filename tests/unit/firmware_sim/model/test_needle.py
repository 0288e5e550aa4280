"""The needle drive: strokes, the encoder, the retracted sensor, and their defects."""

import math
import statistics

import pytest

from protocols.language.units import SECOND, Micros
from tests.unit.firmware_sim.model.plants import T0, later, plant


def test_stroke_is_a_straight_line_out_and_back() -> None:
    p = plant()
    assert p.needle.home(T0) and p.needle.retracted(T0) and p.needle.depth_um(T0) == 0
    arrival = p.extend(3000, T0)
    assert arrival == later(T0, 30)
    assert [p.needle.depth_um(later(T0, ms)) for ms in (0, 10, 20, 30, 40)] == [0, 1000, 2000, 3000, 3000]
    assert not p.needle.home(T0) and not p.needle.retracted(later(T0, 10))
    start = later(T0, 40)
    home = p.needle.retract(start)
    assert home == later(start, 40)
    assert [p.needle.depth_um(later(start, ms)) for ms in (0, 10, 20, 40)] == [3000, 2250, 1500, 0]
    assert p.needle.depth_um(Micros(home - 1)) > 0  # not home before its time
    assert not p.needle.retracted(Micros(home - 1)) and p.needle.retracted(home)


def test_needles_on_their_way_have_not_arrived_before_their_time() -> None:
    p = plant()
    arrival = p.extend(3000, T0)
    assert p.needle.depth_um(Micros(T0 + 1)) == 0
    assert p.needle.depth_um(Micros(arrival - 1)) == 2999


@pytest.mark.parametrize(("out_ms", "home_ms"), [(0, 1), (0.5, 1), (15, 20), (30, 40)])
def test_retraction_reverses_at_once_from_wherever_it_is(out_ms: float, home_ms: float) -> None:
    p = plant()
    p.extend(3000, T0)
    now = later(T0, out_ms)
    depth = p.needle.depth_um(now)
    assert p.needle.retract(now) == later(now, home_ms)
    assert p.needle.depth_um(now) == depth
    assert p.needle.home(later(now, home_ms))


def test_retracting_a_needle_at_home_leaves_it_there() -> None:
    p = plant()
    assert p.needle.retract(T0) == later(T0, 1)
    assert p.needle.home(T0)


def test_encoder_errs_by_at_most_its_tolerance_and_not_at_home() -> None:
    p = plant()
    errors = []
    for stroke in range(200):
        now = Micros(T0 + stroke * SECOND)
        arrival = p.extend(3000, now)
        assert p.needle.encoder_um(now) == 0
        errors.append(p.needle.encoder_um(arrival) - 3000)
        assert p.needle.encoder_um(arrival) == p.needle.encoder_um(later(arrival, 5))
        p.needle.retract(arrival)
    assert max(map(abs, errors)) <= 150 and statistics.stdev(errors) == pytest.approx(150 / math.sqrt(3), rel=0.15)


def test_encoder_offset_is_seen_and_not_real() -> None:
    p = plant(depth_tolerance_um=0)
    p.inputs.depth_offset_um = 600
    arrival = p.extend(3000, T0)
    assert (p.needle.depth_um(arrival), p.needle.encoder_um(arrival)) == (3000, 3600)
    p.inputs.depth_offset_um = -4000
    assert p.needle.encoder_um(arrival) == 0


def test_stuck_sensor_says_out_although_home() -> None:
    p = plant()
    p.inputs.retract_sensor_stuck = True
    assert p.needle.home(T0) and not p.needle.retracted(T0)


def test_stalled_motor_never_leaves_home() -> None:
    p = plant()
    p.begin_cycle()
    p.inputs.stalls_left = 2
    for _ in range(2):
        arrival = p.extend(3000, T0)
        assert p.needle.depth_um(arrival) == 0 and p.needle.home(T0)
        assert not p.skin_touched
    assert p.inputs.stalls_left == 0 and p.truth.punctures == 0
    assert p.needle.depth_um(p.extend(3000, T0)) == 3000
    assert p.skin_touched and p.truth.punctures == 3


def test_stall_on_the_way_is_a_puncture_and_only_one() -> None:
    p = plant()
    p.begin_cycle()
    p.inputs.stall, p.inputs.stall_at = True, 0.5
    now = T0
    for _ in range(3):
        arrival = p.extend(3000, now)
        assert p.needle.depth_um(arrival) == 1500
        now = p.needle.retract(arrival)
    assert p.skin_touched and p.truth.punctures == 3 and p.cartridge.cycles == 1
    assert p.inputs.stall


def test_jammed_needle_stays_out_until_the_reserve_pulls_it() -> None:
    p = plant()
    arrival = p.extend(3000, T0)
    p.inputs.retract_jammed = True
    home = p.needle.retract(arrival)
    assert p.needle.depth_um(home) == 3000 and not p.needle.home(home)
    p.reboot(home)
    assert p.needle.home(home)


def test_a_slow_motor_takes_longer_than_the_device_expects() -> None:
    p = plant()
    p.inputs.motor_slow = 2.0
    arrival = p.extend(3000, T0)
    assert arrival == later(T0, 30) and p.needle.depth_um(arrival) == 1500
    assert p.needle.depth_um(later(T0, 60)) == 3000
    home = p.needle.retract(later(T0, 60))
    assert home == later(T0, 100) and not p.needle.retracted(home)
    assert p.needle.depth_um(home) == 1500
    assert p.needle.retracted(later(T0, 140))
