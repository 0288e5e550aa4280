"""The interlocks against a list written by hand from docs/model.md: numbers, alarms, and the values that they go by.

A number is never used again and an alarm's code is shown to people, so a row of this list stays. A new one may come.
"""

import pytest

from firmware_sim.model.interlocks import ALARMS, INTERLOCKS, LIMITS
from firmware_sim.model.parameters import Parameters
from protocols.language.enums import AlarmPriority

WRITTEN = """
1   MC-0101 high latched
2   MC-0201 info
3   MC-0301 low
4   MC-0401 medium
5   MC-0501 medium
6   MC-0601 low, MC-0602 medium
7   MC-0701 low, MC-0702 medium
8   MC-0801 medium, MC-0802 medium, MC-0803 high latched
9
10  MC-1001 high latched
11  MC-1101 medium
12  MC-1201 low, MC-1202 medium
13  MC-1301 info, MC-1302 high
14  MC-1401 high latched
15  MC-1501 high latched, MC-1502 low
16  MC-1601 high
17  MC-1701 low, MC-1702 medium
18  MC-1801 low, MC-1802 medium
19  MC-1901 high latched
20  MC-2001 info
21  not built
22  not built
23  MC-2301 medium
"""
"""Number, and its alarms: code, priority, and whether it stays after its cause has gone until it is reset."""

VALUES = {
    4: {"vacuum_low_kpa": -40, "vacuum_stop_kpa": -30, "vacuum_stable_s": 2},
    5: {"blocked_empties": 4},
    6: {"clog_empties": 8},
    7: {"count_window": 200, "count_warn": 12, "count_stop": 24},
    8: {"density_warn": 0.9, "density_cap_per_cm2": 63},
    10: {"depth_over_um": 500},
    12: {"cartridge_warn_cycles": 4_000, "cartridge_life_cycles": 5_000},
    13: {"trigger_required": 0, "trigger_debounce_ms": 250},
    16: {"stall_tries": 3},
    17: {"heat_warn_c": 41, "heat_stop_c": 43},
    18: {"canister_warn": 0.80, "canister_block": 0.95},
}
"""Interlock -> the parameters in its row, with the values that the table of docs/model.md tells."""

OF_A_SESSION = {201, 301, 401, 501, 601, 602, 701, 702, 801, 802}
"""Alarms whose cause is one session's skin, line or count: they go with it. What is of the machine stays."""

Row = tuple[int, bool, list[tuple[str, str, bool]]]


def written() -> list[Row]:
    rows: list[Row] = []
    for line in WRITTEN.strip().splitlines():
        number, _, rest = line.partition(" ")
        rest = rest.strip()
        alarms = [alarm.split() for alarm in rest.split(", ")] if rest.startswith("MC-") else []
        rows.append((int(number), rest != "not built", [(code, name, bool(more)) for code, name, *more in alarms]))
    return rows


@pytest.mark.parametrize(("number", "built", "alarms"), written(), ids=lambda value: str(value)[:12])
def test_an_interlock_has_the_alarms_that_are_written(
    number: int, built: bool, alarms: list[tuple[str, str, bool]]
) -> None:
    row = INTERLOCKS[number]
    assert (row.number, row.built) == (number, built)
    assert [(rule.label, rule.priority, rule.latched) for rule in row.alarms] == [
        (code, AlarmPriority[name.upper()], latched) for code, name, latched in alarms
    ]


@pytest.mark.parametrize(("number", "values"), VALUES.items())
def test_an_interlock_goes_by_the_values_that_are_written(number: int, values: dict[str, float]) -> None:
    defaults = {parameter.name: parameter.default for parameter in INTERLOCKS[number].parameters}
    assert {name: defaults.get(name) for name in values} == values


def test_the_alarms_of_a_session_are_those_that_are_written() -> None:
    assert {code for code in ALARMS if ALARMS[code].of_session} >= OF_A_SESSION
    of_the_machine = {rule.code for row in INTERLOCKS.values() if row.number >= 10 for rule in row.alarms} | {101, 803}
    assert not [code for code in of_the_machine & set(ALARMS) if ALARMS[code].of_session]


def test_three_interlocks_are_limits_on_a_reading_checked_in_this_order() -> None:
    assert list(LIMITS)[:3] == [12, 18, 17]
    assert [LIMITS[number].reading for number in (12, 18, 17)] == ["cartridge_cycles", "canister_fill", "temperature_c"]


@pytest.mark.parametrize("number", LIMITS)
def test_a_limit_warns_before_it_stops(number: int) -> None:
    limits = Parameters().limits
    assert limits[LIMITS[number].warn] < limits[LIMITS[number].stop]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (18, "warns at 80%, no new cycle at 95%"),
        (12, "warns at 4,000 cycles, refuses at 5,000"),
        (17, "warns at 41 C, no new cycle at 43 C"),
        (16, "retracts and tries again, 3 times in all, then locks"),
    ],
)
def test_a_reaction_is_told_with_the_numbers_that_it_goes_by(number: int, told: str) -> None:
    assert INTERLOCKS[number].told == told
