"""The plant's physics against the model's figures; its inputs; its randomness."""

import math
import statistics
from collections.abc import Callable

import pytest

from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import VENTED_KPA, Plant, PlantInputs, Truth
from protocols.language.units import SECOND, Micros, from_ms

T0 = Micros(1_000_000)
LONG = Micros(60 * SECOND)


def plant(seed: int = 1, /, **overrides: float) -> Plant:
    return Plant(Parameters(overrides), seed)


def later(now: int, milliseconds: float) -> Micros:
    return Micros(now + round(milliseconds * 1000))


# -- vacuum --------------------------------------------------------------------------------------------------------


def test_vacuum_falls_exponentially_to_its_setting() -> None:
    p = plant()
    assert p.pressure_kpa(T0) == 0
    p.start_pump(T0)
    assert p.pump_on
    assert p.pressure_kpa(T0) == 0
    assert p.pressure_kpa(later(T0, 800)) == pytest.approx(-55 * (1 - math.exp(-1)))
    assert p.pressure_kpa(LONG) == pytest.approx(-55)


@pytest.mark.parametrize(("leak", "steady"), [(0, -55), (10, -47), (20, -39), (30, -31), (40, -23), (100, 0)])
def test_leak_sets_the_steady_pressure(leak: float, steady: float) -> None:
    p = plant(leak_kpa_s=leak)
    p.start_pump(T0)
    assert p.pressure_kpa(LONG) == pytest.approx(steady)


def test_asking_never_changes_an_answer() -> None:
    asked, quiet = plant(), plant()
    for p in (asked, quiet):
        p.start_pump(T0)
    for step in range(1000):
        asked.pressure_kpa(later(T0, step))
        asked.temperature_c(later(T0, step))
    at = later(T0, 1234.567)
    assert asked.pressure_kpa(at) == quiet.pressure_kpa(at)
    assert asked.temperature_c(at) == quiet.temperature_c(at)


def test_leak_that_is_opened_live_bends_the_pressure_without_a_step() -> None:
    p = plant()
    p.start_pump(T0)
    at = LONG
    p.settle(at)
    p.parameters.leak_kpa_s = 40
    assert p.pressure_kpa(at) == pytest.approx(-55)
    assert p.pressure_kpa(later(at, 800)) == pytest.approx(-23 - 32 * math.exp(-1))


def test_leak_that_was_not_settled_starts_when_the_plant_was_last_asked() -> None:
    p = plant()
    p.start_pump(T0)
    p.pressure_kpa(LONG)
    p.parameters.leak_kpa_s = 40
    assert p.pressure_kpa(later(LONG, 800)) == pytest.approx(-23 - 32 * math.exp(-1))


def test_stalled_pump_lets_the_vacuum_go() -> None:
    p = plant()
    p.start_pump(T0)
    p.settle(LONG)
    p.inputs.pump_stalled = True
    assert p.pressure_kpa(later(LONG, 800)) == pytest.approx(-55 * math.exp(-1))


@pytest.mark.parametrize("setting", [-55, -80])
def test_line_is_vented_within_half_a_second(setting: float) -> None:
    p = plant(vacuum_set_kpa=setting)
    p.start_pump(T0)
    p.vent(LONG)
    assert not p.pump_on
    assert abs(p.pressure_kpa(later(LONG, 500))) < VENTED_KPA
    when = p.when_pressure_crosses(-VENTED_KPA, LONG)
    assert when is not None and LONG < when <= later(LONG, 500)


@pytest.mark.parametrize("threshold", [-1.0, -30.0, -40.0, -54.999])
def test_crossing_is_the_first_microsecond_on_the_far_side(threshold: float) -> None:
    p = plant()
    p.start_pump(T0)
    when = p.when_pressure_crosses(threshold, T0)
    assert when is not None
    assert p.pressure_kpa(when) <= threshold
    assert p.pressure_kpa(Micros(when - 3)) > threshold
    assert p.when_pressure_crosses(threshold, when) is None  # behind it now


def test_threshold_out_of_the_way_is_never_reached() -> None:
    p = plant()
    assert p.when_pressure_crosses(-1, T0) is None  # nothing moves
    p.start_pump(T0)
    assert p.when_pressure_crosses(-55, T0) is None  # the goal takes for ever
    assert p.when_pressure_crosses(-56, T0) is None
    assert p.when_pressure_crosses(5, T0) is None
    assert plant(leak_kpa_s=20).when_pressure_crosses(-40, T0) is None


def test_pressure_sensor_has_defects() -> None:
    p = plant()
    p.start_pump(T0)
    p.inputs.pressure_offset_kpa = -10.0
    assert p.sensed_kpa(LONG) == pytest.approx(-65)
    crossing = p.when_sensed_crosses(-40, T0)
    assert crossing is not None and p.pressure_kpa(crossing) == pytest.approx(-30, abs=1e-3)
    p.inputs.frozen_kpa = 0.0  # a reading like any other, not "off"
    assert p.sensed_kpa(LONG) == 0.0
    assert p.when_sensed_crosses(-40, T0) is None


# -- needle ----------------------------------------------------------------------------------------------------------


def test_stroke_is_a_straight_line_out_and_back() -> None:
    p = plant()
    assert p.home(T0) and p.retracted(T0) and p.depth_um(T0) == 0
    arrival = p.extend(3000, T0)
    assert arrival == later(T0, 30)
    assert [p.depth_um(later(T0, ms)) for ms in (0, 10, 20, 30, 40)] == [0, 1000, 2000, 3000, 3000]
    assert not p.home(T0) and not p.retracted(later(T0, 10))
    start = later(T0, 40)
    home = p.retract(start)
    assert home == later(start, 40)
    assert [p.depth_um(later(start, ms)) for ms in (0, 10, 20, 40)] == [3000, 2250, 1500, 0]
    assert p.depth_um(Micros(home - 1)) > 0  # not home before its time
    assert not p.retracted(Micros(home - 1)) and p.retracted(home)


@pytest.mark.parametrize(("out_ms", "home_ms"), [(0, 1), (0.5, 1), (15, 20), (30, 40)])
def test_retraction_reverses_at_once_from_wherever_it_is(out_ms: float, home_ms: float) -> None:
    p = plant()
    p.extend(3000, T0)
    now = later(T0, out_ms)
    depth = p.depth_um(now)
    assert p.retract(now) == later(now, home_ms)
    assert p.depth_um(now) == depth
    assert p.home(later(now, home_ms))


def test_retracting_a_needle_at_home_leaves_it_there() -> None:
    p = plant()
    assert p.retract(T0) == later(T0, 1)
    assert p.home(T0)


def test_encoder_errs_by_at_most_its_tolerance_and_not_at_home() -> None:
    p = plant()
    errors = []
    for stroke in range(200):
        now = Micros(T0 + stroke * SECOND)
        arrival = p.extend(3000, now)
        assert p.encoder_um(now) == 0
        errors.append(p.encoder_um(arrival) - 3000)
        assert p.encoder_um(arrival) == p.encoder_um(later(arrival, 5))
        p.retract(arrival)
    assert max(map(abs, errors)) <= 150 and statistics.stdev(errors) == pytest.approx(150 / math.sqrt(3), rel=0.15)


def test_encoder_offset_is_seen_and_not_real() -> None:
    p = plant(depth_tolerance_um=0)
    p.inputs.depth_offset_um = 600
    arrival = p.extend(3000, T0)
    assert (p.depth_um(arrival), p.encoder_um(arrival)) == (3000, 3600)
    p.inputs.depth_offset_um = -4000
    assert p.encoder_um(arrival) == 0


def test_stuck_sensor_says_out_although_home() -> None:
    p = plant()
    p.inputs.retract_sensor_stuck = True
    assert p.home(T0) and not p.retracted(T0)


def test_stalled_motor_never_leaves_home() -> None:
    p = plant()
    p.begin_cycle()
    p.inputs.stalls_left = 2
    for _ in range(2):
        arrival = p.extend(3000, T0)
        assert p.depth_um(arrival) == 0 and p.home(T0)
        assert not p.skin_touched
    assert p.inputs.stalls_left == 0 and p.truth.punctures == 0
    assert p.depth_um(p.extend(3000, T0)) == 3000
    assert p.skin_touched and p.truth.punctures == 3


def test_stall_on_the_way_is_a_puncture_and_only_one() -> None:
    p = plant()
    p.begin_cycle()
    p.inputs.stall, p.inputs.stall_at = True, 0.5
    now = T0
    for _ in range(3):
        arrival = p.extend(3000, now)
        assert p.depth_um(arrival) == 1500
        now = p.retract(arrival)
    assert p.skin_touched and p.truth.punctures == 3 and p.cartridge.cycles == 1
    assert p.inputs.stall


def test_jammed_needle_stays_out_until_the_reserve_pulls_it() -> None:
    p = plant()
    arrival = p.extend(3000, T0)
    p.inputs.retract_jammed = True
    home = p.retract(arrival)
    assert p.depth_um(home) == 3000 and not p.home(home)
    p.reboot(home)
    assert p.home(home)


# -- cores ----------------------------------------------------------------------------------------------------------


def cycle(p: Plant, now: Micros) -> tuple[Micros, int]:
    """One whole cycle; when it ended, and what the sensor saw."""
    p.begin_cycle()
    arrival = p.extend(3000, now)
    p.pierce(arrival)
    home = p.retract(later(arrival, 10))
    p.suck(later(home, 100))
    end = later(home, 180)
    seen = p.sense(end)
    p.end_cycle(True)
    return end, seen


def pumped(seed: int = 1, /, **overrides: float) -> Plant:
    p = plant(seed, **overrides)
    p.start_pump(Micros(0))
    p.begin_session(T0)
    return p


SURE = {
    "miss_p": 0,
    "partial_p": 0,
    "clog_hazard": 0,
    "sensor_false_negative_p": 0,
    "sensor_false_positive_p": 0,
    "evacuate_mid_kpa": 1,
    "evacuate_slope_kpa": 0.1,
}


def test_faultless_cycle_brings_every_core_and_its_volume() -> None:
    p = pumped(**SURE)
    now, seen = cycle(p, LONG)
    assert seen == 0b111
    assert p.truth == Truth(1, 1, 3, 3, 3, 0)
    assert p.canister_ul == pytest.approx(3 * (math.pi / 4 * 0.16 * 3.0 + 1.5))
    assert p.canister_fill == pytest.approx(p.canister_ul / 100_000)
    p.inputs.canister_ul_added = 90_000
    assert p.canister_fill == pytest.approx(0.9 + p.canister_ul / 100_000)
    p.sense(now)
    assert p.truth.cores_counted == 6  # the sensor counts what it sees, whoever asks


def test_each_core_costs_vacuum() -> None:
    p = pumped(**SURE)
    p.begin_cycle()
    p.pierce(p.extend(3000, LONG))
    p.suck(LONG)
    assert p.pressure_kpa(LONG) == pytest.approx(-55 + 3 * 0.45)
    p.suck(LONG)  # the cores have come already
    assert p.truth.cores_evacuated == 3


def test_partial_core_counts_and_has_half_the_tissue() -> None:
    p = pumped(**(SURE | {"partial_p": 1}))
    _, seen = cycle(p, LONG)
    assert seen == 0b111
    assert p.canister_ul == pytest.approx(3 * (math.pi / 4 * 0.16 * 3.0 / 2 + 1.5))


def test_missed_and_unsucked_cores_stay() -> None:
    p = pumped(**(SURE | {"miss_p": 1}))
    assert cycle(p, LONG)[1] == 0
    assert p.truth == Truth(1, 1, 3, 0, 0, 0)
    without_vacuum = plant(**SURE)
    assert cycle(without_vacuum, LONG)[1] == 0
    assert without_vacuum.truth.cores_evacuated == 0


@pytest.mark.parametrize("suction", [17.0, 25.0, 33.0])
def test_share_of_cores_follows_the_suction(suction: float) -> None:
    overrides = SURE | {"evacuate_mid_kpa": 25, "evacuate_slope_kpa": 4, "vacuum_set_kpa": -55, "core_cost_kpa": 0}
    p = pumped(**(overrides | {"leak_kpa_s": (55 - suction) / 0.8}))
    now = LONG
    for _ in range(1000):
        now, _ = cycle(p, now)
    expected = 1 / (1 + math.exp(-(suction - 25) / 4))
    assert p.truth.cores_evacuated / p.truth.punctures == pytest.approx(expected, abs=0.03)


def test_clogged_needle_brings_nothing_until_purged() -> None:
    p = pumped(**SURE)
    p.inputs.clog_now = {1, 7}  # there is no needle 7
    now, seen = cycle(p, LONG)
    assert seen == 0b101 and p.clogged == 0b010 and p.truth.clogs == 1
    assert p.inputs.clog_now == set()
    p.inputs.clog_now = {1}  # clogged already: no second clog
    now, seen = cycle(p, now)
    assert seen == 0b101 and p.truth.clogs == 1
    assert p.purge(0b001) == 0b001  # free already
    assert p.clogged == 0b010
    while not p.purge(0b010):
        assert p.clogged == 0b010
    assert p.clogged == 0 and cycle(p, now)[1] == 0b111


def test_purge_works_as_often_as_it_should() -> None:
    p = plant()
    worked = 0
    for _ in range(2000):
        p.clogged = 0b001
        worked += p.purge(0b001)
    assert worked / 2000 == pytest.approx(0.9, abs=0.02)


def test_hazard_grows_with_lost_vacuum_and_wear() -> None:
    def clogs(leak: float, wear_factor: float) -> int:
        p = pumped(clog_hazard=0.01, leak_kpa_s=leak, core_cost_kpa=0)
        p.cartridge.cycles, p.inputs.wear_factor = 5000, wear_factor
        now = LONG
        for _ in range(2000):
            p.clogged = 0
            now, _ = cycle(p, now)
        return p.truth.clogs

    base, worn, leaking = clogs(0, 0), clogs(0, 1), clogs(55 / 0.8 / 2, 0)
    assert base == pytest.approx(60, abs=20)
    assert worn == pytest.approx(2.2 * base, rel=0.35)  # wear goes from 1.0 to 1.4 on the way
    assert leaking == pytest.approx(3 * base, rel=0.35)


def test_wear_is_strokes_over_life_and_goes_with_the_cartridge() -> None:
    p = plant()
    p.cartridge.cycles = 2500
    assert p.wear == pytest.approx(0.5)
    p.inputs.wear_factor = 3.0
    assert p.wear == pytest.approx(1.5)
    p.clogged, p.canister_ul, p.inputs.canister_ul_added = 0b11, 500.0, 70.0
    p.fit_fresh_consumables(77, T0)
    assert (p.cartridge.serial, p.cartridge.cycles, p.wear) == (77, 0, 0)
    assert p.cartridge.sterile and not p.cartridge.expired
    assert (p.clogged, p.canister_ul, p.canister_fill) == (0, 0.0, 0.0)


def test_sensor_errs_both_ways_and_worse_when_told_to() -> None:
    p = pumped(**(SURE | {"sensor_false_negative_p": 0.2}))
    now = LONG
    for _ in range(1000):
        now, _ = cycle(p, now)
    assert p.truth.cores_counted / p.truth.cores_evacuated == pytest.approx(0.8, abs=0.03)
    p.begin_session(now)
    p.inputs.sensor_drop_p = 0.5
    for _ in range(1000):
        now, _ = cycle(p, now)
    assert p.truth.cores_counted / p.truth.cores_evacuated == pytest.approx(0.4, abs=0.03)
    empty = pumped(**(SURE | {"miss_p": 1}))
    empty.inputs.sensor_extra_p = 1.0
    assert cycle(empty, LONG)[1] == 0b111


# -- heat, session, power -------------------------------------------------------------------------------------------


def test_handle_warms_while_the_pump_runs_and_cools_after() -> None:
    p = plant()
    assert p.temperature_c(T0) == 22.0
    p.start_pump(T0)
    assert p.temperature_c(Micros(T0 + 600 * SECOND)) == pytest.approx(22 + 16 * (1 - math.exp(-1)))
    hour = Micros(T0 + 3600 * SECOND)
    assert p.temperature_c(hour) == pytest.approx(38, abs=0.1)
    p.settle(hour)
    p.inputs.vent_blocked = True
    warm, hot = Micros(hour + 126 * SECOND), Micros(hour + 227 * SECOND)
    assert p.temperature_c(warm) == pytest.approx(41, abs=0.05)
    assert p.temperature_c(hot) == pytest.approx(43, abs=0.05)
    p.vent(hot)
    assert p.temperature_c(Micros(hot + 3600 * SECOND)) == pytest.approx(22, abs=0.1)


def test_session_starts_the_truth_anew_and_leaves_the_consumables() -> None:
    p = pumped()
    now, _ = cycle(p, LONG)
    ul = p.canister_ul
    p.begin_session(now)
    assert p.truth == Truth() and p.canister_ul == ul and p.cartridge.cycles == 1


def test_power_loss_takes_what_is_volatile_and_leaves_the_rest() -> None:
    p = pumped()
    p.begin_cycle()
    p.clogged = 0b100
    p.extend(3000, LONG)
    cut = later(LONG, 15)
    p.reboot(cut)
    assert not p.pump_on and p.home(cut) and p.retracted(cut)
    assert p.pressure_kpa(cut) == pytest.approx(-55)
    assert abs(p.pressure_kpa(later(cut, 500))) < VENTED_KPA
    assert p.skin_touched and p.truth.punctures == 3  # the latch remembers, and so does the skin
    assert p.clogged == 0b100 and p.cartridge.cycles == 1
    p.suck(later(cut, 600))
    assert p.truth.cores_evacuated == 0
    p.end_cycle(False)
    assert (p.truth.cycles_commanded, p.truth.cycles_completed) == (1, 0)


def test_inputs_are_off_by_default() -> None:
    inputs = PlantInputs()
    assert inputs.frozen_kpa is None and inputs.wear_factor == 1.0
    off = {name: getattr(inputs, name) for name in PlantInputs.__slots__ if name not in ("frozen_kpa", "wear_factor")}
    assert not any(off.values())


# -- randomness -----------------------------------------------------------------------------------------------------


def trace(seed: int, change: Callable[[Plant], object] = lambda p: None) -> list[tuple[int, int]]:
    p = pumped(seed)
    change(p)
    now = LONG
    seen: list[tuple[int, int]] = []
    for _ in range(300):
        now, mask = cycle(p, now)
        seen.append((mask, p.reposition_us()))
    return seen


def test_seed_is_the_run() -> None:
    assert trace(7) == trace(7) != trace(8)


def test_draw_in_one_subsystem_shifts_no_other() -> None:
    plain = trace(7)
    hands = [hand for _, hand in plain]
    assert [hand for _, hand in trace(7, lambda p: p.purge(0b111))] == hands
    assert trace(7, lambda p: p.purge(0b111)) == plain


def test_clog_in_one_needle_shifts_no_other() -> None:
    def clog(p: Plant) -> None:
        p.clogged = 0b001

    others = [(mask & 0b110, hand) for mask, hand in trace(7)]
    assert [(mask & 0b110, hand) for mask, hand in trace(7, clog)] == others


def test_hand_takes_the_mean_of_its_constant() -> None:
    p = plant()
    times = [p.reposition_us() / 1e6 for _ in range(20_000)]
    assert statistics.mean(times) == pytest.approx(4.0, rel=0.02)
    assert statistics.stdev(map(math.log, times)) == pytest.approx(0.35, rel=0.02)


# -- the model's reference bands ---------------------------------------------------------------------------------------


def session(seed: int, target: int = 10_000) -> tuple[float, int, float, int]:
    """Seconds, cycles, yield and clogs of a session that works as the default plan does: 16 cycles a cell at 6 %."""
    p = plant(seed)
    p.start_pump(Micros(0))
    start = now = Micros(10 * SECOND)
    p.begin_session(now)
    empty = [0] * p.needles
    counted = cycles = 0
    while True:
        now, seen = cycle(p, now)
        cycles += 1
        counted += seen.bit_count()
        empty = [0 if seen >> needle & 1 else count + 1 for needle, count in enumerate(empty)]
        while flagged := sum(1 << needle for needle, count in enumerate(empty) if count >= 8):
            now = Micros(now + 8 * SECOND)
            cleared = p.purge(flagged)
            empty = [0 if cleared >> needle & 1 else count for needle, count in enumerate(empty)]
        if counted >= target:
            return (now - start) / 1e6, cycles, counted / p.truth.punctures, p.truth.clogs
        if cycles % 16 == 0:
            now = Micros(now + p.reposition_us())


def test_cycle_takes_260_ms() -> None:
    assert cycle(pumped(), LONG)[0] == Micros(LONG + from_ms(260))


def test_sessions_lie_in_the_reference_bands() -> None:
    sessions = [session(seed) for seed in range(20)]
    seconds, cycles, yields, clogs = (statistics.mean(column) for column in zip(*sessions, strict=True))
    assert seconds == pytest.approx(1811, abs=20)
    assert cycles == pytest.approx(3408, abs=10)
    assert yields == pytest.approx(0.978, abs=0.003)
    assert clogs == pytest.approx(8.3, abs=2.9)
    assert all(1650 <= duration <= 1960 for duration, *_ in sessions)
