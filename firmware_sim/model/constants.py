"""The numbers of the model, each with unit, range, basis and the reason for it. This table is the parameter table.

Law: a number of the model is here, or in the row of the interlock that goes by it, and nowhere else. An index is
frozen, since it is on the wire and in journal records; a test holds that there is no gap.

Sources: [S] "Micro-coring Skin Treatments Cleared by FDA"; [T] trialx.com listing 327795; [P] Practical
Dermatology 2024; [A] AAD Meeting News; [B] BJS Open zrad089.
"""

from typing import Final

from firmware_sim.model.interlocks import LIMITS, ROWS
from firmware_sim.model.parameter import Parameter
from protocols.language.enums import ParamScope

_P = Parameter
_HOST: Final = ParamScope.HOST_SETTABLE

_OF_THE_MODEL: Final = (
    # Needles and skin.
    _P(0, "needles", "needles", 3, 1, 8, "assumption", "an array is a fact [A], its size is not public"),
    _P(1, "core_diameter_mm", "mm", 0.4, 0.2, 0.49, "fact", "about 0.4 mm [T], below 0.5 mm [S]"),
    _P(2, "depth_tolerance_um", "um", 150, 0, 500, "assumption", "spread of what the encoder measures, either way"),
    # Times of a cycle: 260 ms, calibrated so that 10,000 cores take about 30 minutes.
    _P(4, "punch_ms", "ms", 30, 1, 500, "assumption", "needles out; calibrated"),
    _P(5, "dwell_ms", "ms", 10, 0, 500, "assumption", "at depth; calibrated"),
    _P(6, "retract_ms", "ms", 40, 1, 150, "assumption", "needles home; a lost link allows 150 ms"),
    _P(7, "suction_ms", "ms", 100, 1, 5000, "assumption", "calibrated"),
    _P(8, "advance_ms", "ms", 60, 1, 5000, "assumption", "calibrated"),
    _P(9, "count_ms", "ms", 20, 1, 5000, "assumption", "calibrated"),
    _P(
        10,
        "reposition_mean_s",
        "s",
        4.0,
        0.01,
        600.0,
        "assumption",
        "mean time of the hand from cell to cell; calibrated",
    ),
    _P(11, "reposition_sigma", "1", 0.35, 0.0, 1.5, "assumption", "spread of the logarithm of that time"),
    # Vacuum. Pressures are against ambient, hence negative.
    _P(12, "vacuum_set_kpa", "kPa", -55.0, -80.0, -35.0, "assumption", "steady pressure without a leak"),
    _P(13, "vacuum_tau_s", "s", 0.8, 0.05, 10.0, "assumption", "so slow that the pump runs from ARM to DISARM"),
    _P(14, "vent_tau_s", "s", 0.1, 0.01, 0.11, "derived", "80 kPa falls below 1 kPa within 500 ms"),
    _P(19, "core_cost_kpa", "kPa", 0.45, 0.0, 5.0, "assumption", "air let in by each core"),
    _P(20, "leak_kpa_s", "kPa/s", 0.0, 0.0, 200.0, "assumption", "the instructor's knob: steady P = set + leak * tau"),
    _P(21, "evacuate_mid_kpa", "kPa", 25.0, 1.0, 80.0, "assumption", "suction at which half of the cores come"),
    _P(22, "evacuate_slope_kpa", "kPa", 4.0, 0.1, 40.0, "assumption", "steepness of that logistic curve"),
    # Needles, wear, clogs.
    _P(23, "miss_p", "1", 0.010, 0.0, 1.0, "assumption", "no core cut, per needle, times (1 + wear^2)"),
    _P(24, "partial_p", "1", 0.015, 0.0, 1.0, "assumption", "a shorter core, per needle; it comes out and counts"),
    _P(25, "partial_volume", "1", 0.5, 0.0, 1.0, "assumption", "volume of a shorter core against a whole one"),
    _P(26, "wear_per_cycle", "1", 1 / 5000, 0.0, 0.1, "assumption", "wear reaches 1 at the end of a cartridge's life"),
    _P(27, "clog_hazard", "1", 1 / 2000, 0.0, 1.0, "assumption", "per needle and cycle, times (1 + wear)"),
    _P(
        28,
        "clog_vacuum_gain",
        "1",
        4.0,
        0.0,
        100.0,
        "assumption",
        "hazard times 1 + this * missing share of the vacuum",
    ),
    _P(30, "purge_s", "s", 8.0, 0.1, 120.0, "assumption", "blowing a needle free"),
    _P(31, "purge_p", "1", 0.9, 0.0, 1.0, "assumption", "chance that a purge works"),
    # Count sensor.
    _P(32, "sensor_false_negative_p", "1", 0.002, 0.0, 1.0, "assumption", "a core came and was not seen"),
    _P(33, "sensor_false_positive_p", "1", 0.0005, 0.0, 1.0, "assumption", "no core came and one was seen"),
    # Consumables.
    _P(34, "canister_ml", "mL", 100.0, 1.0, 5000.0, "assumption", "a session brings about 19 mL"),
    _P(35, "fluid_ul_per_core", "uL", 1.5, 0.0, 100.0, "assumption", "blood and fluid beside the tissue"),
    # Procedure and monitors.
    # Heat of the handle.
    _P(47, "heat_tau_s", "s", 600.0, 1.0, 10_000.0, "assumption", "a handle of some 100 g"),
    _P(48, "heat_k_per_w", "K/W", 4.0, 0.1, 100.0, "assumption", "vent open"),
    _P(49, "heat_blocked_k_per_w", "K/W", 8.0, 0.1, 100.0, "assumption", "vent blocked"),
    _P(50, "heat_w", "W", 4.0, 0.0, 100.0, "assumption", "while the pump runs"),
    _P(51, "ambient_c", "C", 22.0, -20.0, 60.0, "assumption", "a treatment room"),
    # Link.
    _P(55, "heartbeat_armed_ms", "ms", 200, 50, 1000, "assumption", "a third of the lease: two may be lost", _HOST),
    _P(56, "lease_armed_ms", "ms", 600, 300, 2000, "assumption", "0 switches it off, for a debugger", _HOST, True),
    _P(57, "heartbeat_idle_ms", "ms", 5000, 200, 20_000, "assumption", "a third of the lease", _HOST),
    _P(58, "lease_idle_ms", "ms", 15_000, 1000, 60_000, "assumption", "nothing moves: no hurry; 0: off", _HOST, True),
    _P(60, "consumables_keep", "0/1", 0, 0, 1, "assumption", "0: a fresh cartridge and canister at SESSION_OPEN"),
)

_OF_INTERLOCKS: Final = tuple(parameter for row in ROWS for parameter in row.parameters)

PARAMETERS: Final = tuple(sorted((*_OF_THE_MODEL, *_OF_INTERLOCKS), key=lambda parameter: parameter.index))
"""All parameters, each at its index."""

ORDERED: Final = (
    ("vacuum_set_kpa", "vacuum_low_kpa"),
    ("vacuum_low_kpa", "vacuum_stop_kpa"),
    ("anesthesia_wait_s", "anesthesia_valid_s"),
    ("count_warn", "count_stop"),
    ("count_stop", "count_window"),
    ("heartbeat_armed_ms", "lease_armed_ms"),
    ("heartbeat_idle_ms", "lease_idle_ms"),
    *((limit.warn, limit.stop) for limit in LIMITS.values()),
)
"""Pairs whose first must stay below its second; a second that is switched off (0) binds nothing."""
