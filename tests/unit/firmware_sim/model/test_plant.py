"""The plant against the model's figures: cores, consumables, power, and its randomness."""

import math
import statistics
from collections.abc import Callable

import pytest

from firmware_sim.model.plant import Plant, Truth
from firmware_sim.model.vacuum import VENTED_KPA
from protocols.language.units import SECOND, Micros, from_ms
from tests.unit.firmware_sim.model.plants import LONG, SURE, T0, cycle, later, plant, pumped


def test_faultless_cycle_brings_every_core_and_its_volume() -> None:
    p = pumped(**SURE)
    now, seen = cycle(p, LONG)
    assert seen == 0b111
    assert p.truth == Truth(1, 1, 3, 3, 3, 0)
    assert p.canister.volume_ul == pytest.approx(3 * (math.pi / 4 * 0.16 * 3.0 + 1.5))
    assert p.canister.fill == pytest.approx(p.canister.volume_ul / 100_000)
    p.inputs.canister_ul_added = 90_000
    assert p.canister.fill == pytest.approx(0.9 + p.canister.volume_ul / 100_000)
    p.sense(now)
    assert p.truth.cores_counted == 6  # the sensor counts what it sees, whoever asks


def test_each_core_costs_vacuum() -> None:
    p = pumped(**SURE)
    p.begin_cycle()
    p.cut(p.extend(3000, LONG))
    p.evacuate(LONG)
    assert p.vacuum.pressure_kpa(LONG) == pytest.approx(-55 + 3 * 0.45)
    p.evacuate(LONG)  # the cores have come already
    assert p.truth.cores_evacuated == 3


def test_partial_core_counts_and_has_half_the_tissue() -> None:
    p = pumped(**(SURE | {"partial_p": 1}))
    _, seen = cycle(p, LONG)
    assert seen == 0b111
    assert p.canister.volume_ul == pytest.approx(3 * (math.pi / 4 * 0.16 * 3.0 / 2 + 1.5))


def test_missed_and_unsucked_cores_stay() -> None:
    p = pumped(**(SURE | {"miss_p": 1}))
    assert cycle(p, LONG)[1] == 0
    assert p.truth == Truth(1, 1, 3, 0, 0, 0)
    without_vacuum = plant(**SURE)
    assert cycle(without_vacuum, LONG)[1] == 0
    assert without_vacuum.truth.cores_evacuated == 0


def test_a_blocked_line_brings_nothing_and_reads_well() -> None:
    p = pumped(**SURE)
    p.inputs.line_blocked = True
    assert cycle(p, LONG)[1] == 0
    assert p.vacuum.sensed_kpa(later(LONG, 200)) == pytest.approx(-55)
    p.inputs.line_blocked = False
    assert cycle(p, later(LONG, 1_000))[1] == 0b111


def test_a_clone_says_the_serial_number_of_another_cartridge() -> None:
    p = plant()
    assert p.serial_read == p.cartridge.serial == 1
    p.inputs.cloned_serial = 77
    assert (p.serial_read, p.cartridge.serial) == (77, 1)


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


def test_a_purge_that_does_not_work_leaves_the_clogged_needles_alone_clogged() -> None:
    p = plant(purge_p=0)
    p.clogged = 0b001
    assert p.purge(0b011) == 0b010
    assert p.clogged == 0b001


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
    p.clogged, p.canister.volume_ul, p.inputs.canister_ul_added = 0b11, 500.0, 70.0
    p.fit_fresh_consumables(77, T0)
    assert (p.cartridge.serial, p.cartridge.cycles, p.wear) == (77, 0, 0)
    assert p.cartridge.sterile and not p.cartridge.expired
    assert (p.clogged, p.canister.volume_ul, p.canister.fill) == (0, 0.0, 0.0)


@pytest.mark.parametrize("told", [0b000, 0b101, 0b111])
def test_a_plant_that_is_told_what_a_cycle_brought_leaves_nothing_to_chance_and_shifts_no_other(
    told: int,
) -> None:
    p, free = pumped(miss_p=0.5), pumped(miss_p=0.5)
    now, _ = cycle(free, T0)
    p.begin_cycle()
    p.extend(3_000, T0)
    p.cut(T0)
    p.told_cores = told
    p.evacuate(later(T0, 100))
    assert p.sense(later(T0, 200)) == told
    assert p.truth.cores_evacuated == p.truth.cores_counted == told.bit_count()
    assert cycle(p, now) == cycle(free, now)


def test_a_purge_that_is_told_what_it_frees_frees_that_once() -> None:
    p = plant(purge_p=1)
    p.clogged = 0b111
    p.told_cleared = 0b010
    assert p.purge(0b110) == 0b010 and p.clogged == 0b101
    assert p.purge(0b001) == 0b001 and p.clogged == 0b100


def test_a_hand_that_is_told_its_time_takes_that_once_and_shifts_no_other() -> None:
    p, free = plant(), plant()
    p.told_hand_us = 7
    free.reposition_us()
    assert p.reposition_us() == 7
    assert p.reposition_us() == free.reposition_us() > 7


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


def test_a_session_starts_a_new_truth_and_leaves_the_consumables() -> None:
    p = pumped()
    now, _ = cycle(p, LONG)
    ul = p.canister.volume_ul
    p.begin_session(now)
    assert p.truth == Truth() and p.canister.volume_ul == ul and p.cartridge.cycles == 1


def test_power_loss_takes_what_is_volatile_and_leaves_the_rest() -> None:
    p = pumped()
    p.begin_cycle()
    p.clogged = 0b100
    p.extend(3000, LONG)
    cut = later(LONG, 15)
    p.reboot(cut)
    assert not p.vacuum.pump_on and p.needle.home(cut) and p.needle.retracted(cut)
    assert p.vacuum.pressure_kpa(cut) == pytest.approx(-55)
    assert abs(p.vacuum.pressure_kpa(later(cut, 500))) < VENTED_KPA
    assert p.skin_touched and p.truth.punctures == 3  # the latch remembers, and so does the skin
    assert p.clogged == 0b100 and p.cartridge.cycles == 1
    p.evacuate(later(cut, 600))
    assert p.truth.cores_evacuated == 0
    p.end_cycle(False)
    assert (p.truth.cycles_commanded, p.truth.cycles_completed) == (1, 0)


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


# -- the model's reference bands --------------------------------------------------------------------------------------


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
