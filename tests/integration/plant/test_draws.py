"""Chance in one cycle, whatever is done in another: a fault in one cycle changes what chance brings in no other."""

from collections.abc import Callable, Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.model.plant import Plant
from protocols.language.enums import Ending
from protocols.language.records import Cycle
from protocols.language.units import Micros
from tests.unit.firmware_sim.model.plants import LONG, later, pumped
from tests.world import Lab, at_moment

CYCLES: Final = 6
TOSSED: Final = {
    "miss_p": 0.4,
    "partial_p": 0.3,
    "clog_hazard": 0,
    "sensor_false_negative_p": 0.3,
    "sensor_false_positive_p": 0.3,
    "core_cost_kpa": 0,
    "wear_per_cycle": 0,
}
"""So much chance that a word which changed shows, and nothing that one cycle leaves behind for the next."""

Fault = Callable[[Plant, Micros], object]


def stall(plant: Plant, now: Micros) -> None:
    plant.inputs.stalls_left = 1
    plant.extend(3000, now)
    plant.needle.retract(later(now, 30))


def lose_power(plant: Plant, now: Micros) -> None:
    plant.reboot(now)
    plant.start_pump(now)


FAULTS: Final[Mapping[str, Fault]] = {
    "a stroke that stalls": stall,
    "power lost": lose_power,
    "a purge": lambda plant, now: plant.purge(0b111),
    "a move of the hand": lambda plant, now: plant.reposition_us(),
    "a look of the sensor": lambda plant, now: plant.sense(now),
    "a core that comes early": lambda plant, now: plant.evacuate(now),
}


def cycles_of(seed: int, faults: Mapping[int, list[str]]) -> list[tuple[object, ...]]:
    """What each cycle brought: needles seen, error of the encoder, tissue, and the time of the hand after it."""
    plant, now = pumped(seed, **TOSSED), LONG
    brought: list[tuple[object, ...]] = []
    for number in range(CYCLES):
        plant.begin_cycle()
        for name in faults.get(number, []):
            FAULTS[name](plant, now)
            now = later(now, 20_000)  # needles home, vacuum as it was
        ul = plant.canister.volume_ul
        arrival = plant.extend(3000, now)
        plant.cut(arrival)
        plant.needle.retract(later(arrival, 10))
        plant.evacuate(later(arrival, 150))
        now = later(arrival, 230)
        seen, error_um = plant.sense(now), plant.needle._encoder_error_um
        brought.append((seen, error_um, round(plant.canister.volume_ul - ul, 6), plant.reposition_us()))
    return brought


@given(
    seed=st.integers(0, 2**64 - 1),
    number=st.integers(0, CYCLES - 1),
    names=st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=4),
)
def test_faults_in_one_cycle_leave_what_chance_brings_in_the_others(seed: int, number: int, names: list[str]) -> None:
    faulty, plain = cycles_of(seed, {number: names}), cycles_of(seed, {})
    del faulty[number], plain[number]
    assert faulty == plain


@pytest.mark.parametrize("cause", ["a stall", "a lost link", "a loss of power"])
def test_a_session_goes_on_as_it_would_have_after_a_broken_cycle(cause: str) -> None:
    """Cycle 3 is broken; the same needles miss, and measure as much, in each later one."""
    plain = Lab().begin(2)
    plain.finish()
    broken, task = at_moment("armed" if cause == "a stall" else "suction", done=2)
    if cause == "a stall":
        broken.inject(stalls_left=1, stall_at=0.5)
        task = broken.start(broken.all_cycles())
    elif cause == "a lost link":
        broken.world.cut()
        broken.world.mend()
    else:
        broken.reboot_device()
    assert task is not None
    broken.until(lambda: task.done)
    broken.close()
    found, expected = ({cycle.cycle_no: cycle for cycle in lab.cycles} for lab in (broken, plain))
    assert (found[3].ending is Ending.COMPLETED) == (cause == "a stall")
    common = found.keys() & expected.keys() - {3}
    assert len(common) > 20
    assert {no: chance_of(found[no]) for no in common} == {no: chance_of(expected[no]) for no in common}


def chance_of(cycle: Cycle) -> tuple[int, int]:
    return cycle.outcomes, cycle.depth_um
