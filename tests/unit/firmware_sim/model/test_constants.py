"""The numbers of the model against lists written by hand: what docs/model.md tells, and what is frozen on the wire."""

import pytest

from firmware_sim.model.constants import ORDERED, PARAMETERS
from protocols.language.enums import ParamScope

TOLD = {
    # Geometry and needles
    "needles": 3,
    "core_diameter_mm": 0.40,
    "punch_ms": 30,
    "dwell_ms": 10,
    "retract_ms": 40,
    "depth_tolerance_um": 150,
    # Vacuum
    "vacuum_set_kpa": -55,
    "vacuum_tau_s": 0.8,
    "vent_tau_s": 0.1,
    "core_cost_kpa": 0.45,
    # Cores and clogs
    "clog_hazard": 1 / 2_000,
    "miss_p": 0.01,
    "partial_p": 0.015,
    "partial_volume": 0.5,
    "evacuate_mid_kpa": 25,
    "evacuate_slope_kpa": 4,
    "purge_p": 0.9,
    # Count sensor
    "sensor_false_negative_p": 2 / 1_000,
    "sensor_false_positive_p": 5 / 10_000,
    # Consumables
    "wear_per_cycle": 1 / 5_000,
    "canister_ml": 100,
    "fluid_ul_per_core": 1.5,
    "consumables_keep": 0,
    # Heat
    "heat_w": 4,
    "heat_k_per_w": 4,
    "heat_tau_s": 600,
    "heat_blocked_k_per_w": 8,
    "ambient_c": 38 - 4 * 4,
    # The hand
    "reposition_mean_s": 4.0,
    # Link, from docs/protocol.md
    "lease_armed_ms": 600,
}
"""Parameter -> its default as "What is modelled" of docs/model.md tells it."""

FROZEN = """
0 needles needles             1 core_diameter_mm mm         2 depth_tolerance_um um     3 depth_over_um um
4 punch_ms ms                 5 dwell_ms ms                 6 retract_ms ms             7 suction_ms ms
8 advance_ms ms               9 count_ms ms                 10 reposition_mean_s s      11 reposition_sigma 1
12 vacuum_set_kpa kPa         13 vacuum_tau_s s             14 vent_tau_s s             15 vacuum_low_kpa kPa
16 vacuum_stop_kpa kPa        17 vacuum_stable_s s          18 arm_timeout_s s          19 core_cost_kpa kPa
20 leak_kpa_s kPa/s           21 evacuate_mid_kpa kPa       22 evacuate_slope_kpa kPa   23 miss_p 1
24 partial_p 1                25 partial_volume 1           26 wear_per_cycle 1         27 clog_hazard 1
28 clog_vacuum_gain 1         29 clog_empties cycles        30 purge_s s                31 purge_p 1
32 sensor_false_negative_p 1  33 sensor_false_positive_p 1  34 canister_ml mL           35 fluid_ul_per_core uL
36 canister_warn 1            37 canister_block 1           38 cartridge_life_cycles cycles
39 cartridge_warn_cycles cycles  40 anesthesia_wait_s s     41 anesthesia_valid_s s     42 count_window strokes
43 count_warn strokes         44 count_stop strokes         45 density_cap_per_cm2 1/cm2  46 density_warn 1
47 heat_tau_s s               48 heat_k_per_w K/W           49 heat_blocked_k_per_w K/W   50 heat_w W
51 ambient_c C                52 heat_warn_c C              53 heat_stop_c C            54 stall_tries tries
55 heartbeat_armed_ms ms      56 lease_armed_ms ms          57 heartbeat_idle_ms ms     58 lease_idle_ms ms
59 trigger_required 0/1       60 consumables_keep 0/1      61 blocked_empties cycles   62 trigger_debounce_ms ms
"""
"""Index, name and unit: they are on the wire and in journal records. New ones may follow."""

RANGES = {
    "core_diameter_mm": (0.2, 0.49),
    "vent_tau_s": (0.01, 0.11),
    "retract_ms": (1, 150),
    "needles": (1, 8),
    "heartbeat_armed_ms": (50, 1_000),
    "lease_armed_ms": (300, 2_000),
    "heartbeat_idle_ms": (200, 20_000),
    "lease_idle_ms": (1_000, 60_000),
    "trigger_required": (0, 1),
    "consumables_keep": (0, 1),
}
"""Ranges that something else relies on: cores below 0.5 mm [S]; a line that is vented and needles that are home in
time; the outcomes of eight needles in 32 bits; the links of docs/protocol.md; two switches."""

BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


@pytest.mark.parametrize(("name", "default"), TOLD.items())
def test_a_default_is_what_the_model_tells(name: str, default: float) -> None:
    assert BY_NAME[name].default == pytest.approx(default)


def test_no_index_name_or_unit_has_changed() -> None:
    words = FROZEN.split()
    rows = list(zip(map(int, words[::3]), words[1::3], words[2::3], strict=True))
    assert [index for index, *_ in rows] == list(range(63))
    assert [(parameter.index, parameter.name, parameter.unit) for parameter in PARAMETERS[: len(rows)]] == rows


@pytest.mark.parametrize(("name", "allowed"), RANGES.items())
def test_a_range_is_what_others_rely_on(name: str, allowed: tuple[float, float]) -> None:
    assert (BY_NAME[name].minimum, BY_NAME[name].maximum) == allowed


def test_a_host_sets_the_times_of_its_link_and_the_trigger_and_nothing_else() -> None:
    settable = {parameter.name for parameter in PARAMETERS if parameter.scope is ParamScope.HOST_SETTABLE}
    times = {"heartbeat_armed_ms", "lease_armed_ms", "heartbeat_idle_ms", "lease_idle_ms"}
    assert settable == times | {"trigger_required"}


def test_only_a_lease_is_switched_off_by_0() -> None:
    assert {parameter.name for parameter in PARAMETERS if parameter.zero_is_off} == {"lease_armed_ms", "lease_idle_ms"}


@pytest.mark.parametrize(
    "pair",
    [
        ("vacuum_set_kpa", "vacuum_low_kpa"),
        ("vacuum_low_kpa", "vacuum_stop_kpa"),
        ("anesthesia_wait_s", "anesthesia_valid_s"),
        ("count_warn", "count_stop"),
        ("count_stop", "count_window"),
        ("heartbeat_armed_ms", "lease_armed_ms"),
        ("heartbeat_idle_ms", "lease_idle_ms"),
        ("cartridge_warn_cycles", "cartridge_life_cycles"),
        ("canister_warn", "canister_block"),
        ("heat_warn_c", "heat_stop_c"),
    ],
)
def test_what_warns_or_comes_first_stays_below_what_stops(pair: tuple[str, str]) -> None:
    assert pair in ORDERED
