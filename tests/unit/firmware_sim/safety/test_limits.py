"""Interlocks that are a limit on a reading: 12, 17 and 18 of docs/model.md."""

import pytest

from firmware_sim.model.interlocks import LIMITS
from firmware_sim.safety.limits import READINGS, refuse_beyond
from protocols.language import alarm_codes as A
from protocols.language.enums import Code
from protocols.language.messages import Refused
from protocols.language.units import SECOND
from tests.unit.firmware_sim.boards import Bench

WEAR, HEAT, CANISTER = 12, 17, 18
ALARMS = {
    WEAR: (A.CARTRIDGE_WORN, A.CARTRIDGE_WORN_OUT),
    HEAT: (A.HOT, A.TOO_HOT),
    CANISTER: (A.CANISTER_NEARLY_FULL, A.CANISTER_FULL),
}
"""Interlock -> the alarm that warns, and the one that stops."""


def reading(number: int, value: float) -> Bench:
    """A device on which this interlock reads `value`."""
    bench = Bench(ambient_c=value) if number == HEAT else Bench()
    if number == WEAR:
        bench.plant.cartridge.cycles = int(value)
    if number == CANISTER:
        bench.plant.inputs.canister_ul_added = value * 100_000
    return bench


def judged(bench: Bench, number: int) -> tuple[Refused | None, list[int]]:
    """Return the refusal by this limit, and the alarms that it left."""
    no = refuse_beyond(bench.board, number, bench.now)
    return no, list(bench.board.alarms.active)


def test_each_limit_has_its_reading() -> None:
    assert set(LIMITS) >= set(ALARMS)
    assert {limit.reading for limit in LIMITS.values()} <= set(READINGS)


@pytest.mark.parametrize(("number", "below"), [(WEAR, 3_999), (HEAT, 40.9), (CANISTER, 0.799)])
def test_below_the_warning_nothing_is_said(number: int, below: float) -> None:
    assert judged(reading(number, below), number) == (None, [])


@pytest.mark.parametrize(
    ("number", "value"), [(WEAR, 4_000), (WEAR, 4_999), (HEAT, 41.0), (HEAT, 42.9), (CANISTER, 0.8), (CANISTER, 0.949)]
)
def test_from_the_warning_on_there_is_an_alarm_and_no_refusal(number: int, value: float) -> None:
    assert judged(reading(number, value), number) == (None, [ALARMS[number][0]])


@pytest.mark.parametrize(
    ("number", "value", "says"),
    [
        (WEAR, 5_000, "the cartridge has made 5000 cycles, its life: fit a new one"),
        (HEAT, 43.0, "the handpiece is at 43.0 C: let it cool below 43 C"),
        (CANISTER, 0.95, "the canister is 95% full: empty it"),
    ],
)
def test_from_the_stop_on_no_cycle_begins(number: int, value: float, says: str) -> None:
    no, alarms = judged(reading(number, value), number)
    assert no is not None and alarms == list(ALARMS[number])
    assert (no.code, no.interlock, no.sentence) == (Code.E_INTERLOCK, number, says)


def test_a_refusal_has_the_two_numbers_where_they_are_whole() -> None:
    worn, _ = judged(reading(WEAR, 5_007), WEAR)
    hot, _ = judged(reading(HEAT, 50.0), HEAT)
    assert worn is not None and (worn.expected, worn.actual) == (5_000, 5_007)
    assert hot is not None and (hot.expected, hot.actual) == (0, 0)


def test_a_limit_set_at_the_start_counts_in_place_of_the_default() -> None:
    bench = Bench(cartridge_warn_cycles=10, cartridge_life_cycles=20)
    bench.plant.cartridge.cycles = 20
    no, alarms = judged(bench, WEAR)
    assert no is not None and (no.expected, alarms) == (20, list(ALARMS[WEAR]))


def test_both_alarms_go_when_the_reading_is_good_again() -> None:
    bench = reading(CANISTER, 0.96)
    judged(bench, CANISTER)
    bench.plant.inputs.canister_ul_added = 85_000
    assert judged(bench, CANISTER) == (None, [A.CANISTER_NEARLY_FULL])
    bench.plant.inputs.canister_ul_added = 0
    assert judged(bench, CANISTER) == (None, [])


def test_the_heat_is_judged_by_the_sensor() -> None:
    bench = Bench(ambient_c=30.0)
    bench.inject(temperature_drift_k_min=60.0)
    bench.wait(12 * SECOND)
    no, active = judged(bench, HEAT)
    assert no is None and active == [A.HOT]
    assert bench.plant.heat.temperature_c(bench.now) == 30.0
