"""The numbers of the model, each with unit, range, basis and the reason for it. This table is the parameter table.

Law: a number of the model stands here and nowhere else. `basis` is 'fact' (a source says so), 'derived'
(arithmetic from facts) or 'assumption' (ours, because no source says). The order is frozen: a parameter's index
is on the wire and in journal records, so new ones are appended.

Sources: [S] "Micro-coring Skin Treatments Cleared by FDA"; [T] trialx.com listing 327795; [P] Practical
Dermatology 2024; [A] AAD Meeting News; [B] BJS Open zrad089.
"""

from dataclasses import dataclass
from typing import Final, Literal

from protocols.language.enums import ParamScope

Basis = Literal["fact", "derived", "assumption"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number: inclusive range `minimum` to `maximum`; an `int` default makes it a whole number.

    `zero_is_off`: 0 is allowed although it is below `minimum`, and switches the thing off.
    """

    name: str
    unit: str
    default: float
    minimum: float
    maximum: float
    basis: Basis
    why: str
    scope: ParamScope = ParamScope.START_ONLY
    zero_is_off: bool = False

    @property
    def whole(self) -> bool:
        """Whether the value is an `int`."""
        return isinstance(self.default, int)


_P = Parameter
_HOST: Final = ParamScope.HOST_SETTABLE

PARAMETERS: Final = (
    # Needles and skin.
    _P("needles", "needles", 3, 1, 8, "assumption", "an array is a fact [A], its size is not public"),
    _P("core_diameter_mm", "mm", 0.4, 0.2, 0.49, "fact", "about 0.4 mm [T], below 0.5 mm [S]"),
    _P("depth_tolerance_um", "um", 150, 0, 500, "assumption", "spread of what the encoder measures, either way"),
    _P("depth_over_um", "um", 500, 100, 2000, "assumption", "hard stop: deeper than set by this much locks"),
    # Times of a cycle: 260 ms, calibrated so that 10,000 cores take about 30 minutes.
    _P("punch_ms", "ms", 30, 1, 500, "assumption", "needles out; calibrated"),
    _P("dwell_ms", "ms", 10, 0, 500, "assumption", "at depth; calibrated"),
    _P("retract_ms", "ms", 40, 1, 150, "assumption", "needles home; a lost link allows 150 ms"),
    _P("suction_ms", "ms", 100, 1, 5000, "assumption", "calibrated"),
    _P("advance_ms", "ms", 60, 1, 5000, "assumption", "calibrated"),
    _P("count_ms", "ms", 20, 1, 5000, "assumption", "calibrated"),
    _P("reposition_mean_s", "s", 4.0, 0.01, 600.0, "assumption", "mean time of the hand from cell to cell; calibrated"),
    _P("reposition_sigma", "1", 0.35, 0.0, 1.5, "assumption", "spread of the logarithm of that time"),
    # Vacuum. Pressures are against ambient, hence negative.
    _P("vacuum_set_kpa", "kPa", -55.0, -80.0, -35.0, "assumption", "steady pressure without a leak"),
    _P("vacuum_tau_s", "s", 0.8, 0.05, 10.0, "assumption", "so slow that the pump runs from ARM to DISARM"),
    _P("vent_tau_s", "s", 0.1, 0.01, 0.11, "derived", "80 kPa falls below 1 kPa within 500 ms"),
    _P("vacuum_low_kpa", "kPa", -40.0, -80.0, -5.0, "assumption", "no new cycle above"),
    _P("vacuum_stop_kpa", "kPa", -30.0, -80.0, -1.0, "assumption", "retract above"),
    _P("vacuum_stable_s", "s", 2.0, 0.0, 60.0, "assumption", "low pressure must hold this long to go on"),
    _P("arm_timeout_s", "s", 10.0, 1.0, 120.0, "assumption", "twelve time constants; no vacuum by then is a fault"),
    _P("core_cost_kpa", "kPa", 0.45, 0.0, 5.0, "assumption", "air let in by each core"),
    _P("leak_kpa_s", "kPa/s", 0.0, 0.0, 200.0, "assumption", "the instructor's knob: steady P = set + leak * tau"),
    _P("evacuate_mid_kpa", "kPa", 25.0, 1.0, 80.0, "assumption", "suction at which half of the cores come"),
    _P("evacuate_slope_kpa", "kPa", 4.0, 0.1, 40.0, "assumption", "steepness of that logistic curve"),
    # Needles, wear, clogs.
    _P("miss_p", "1", 0.010, 0.0, 1.0, "assumption", "no core cut, per needle, times (1 + wear^2)"),
    _P("partial_p", "1", 0.015, 0.0, 1.0, "assumption", "a shorter core, per needle; it comes out and counts"),
    _P("partial_volume", "1", 0.5, 0.0, 1.0, "assumption", "volume of a shorter core against a whole one"),
    _P("wear_per_cycle", "1", 1 / 5000, 0.0, 0.1, "assumption", "wear reaches 1 at the end of a cartridge's life"),
    _P("clog_hazard", "1", 1 / 2000, 0.0, 1.0, "assumption", "per needle and cycle, times (1 + wear)"),
    _P("clog_vacuum_gain", "1", 4.0, 0.0, 100.0, "assumption", "hazard times 1 + this * missing share of the vacuum"),
    _P("clog_empties", "cycles", 8, 1, 100, "assumption", "empty in a row before a needle is flagged"),
    _P("purge_s", "s", 8.0, 0.1, 120.0, "assumption", "blowing a needle free"),
    _P("purge_p", "1", 0.9, 0.0, 1.0, "assumption", "chance that a purge works"),
    # Count sensor.
    _P("sensor_false_negative_p", "1", 0.002, 0.0, 1.0, "assumption", "a core came and was not seen"),
    _P("sensor_false_positive_p", "1", 0.0005, 0.0, 1.0, "assumption", "no core came and one was seen"),
    # Consumables.
    _P("canister_ml", "mL", 100.0, 1.0, 5000.0, "assumption", "a session brings about 19 mL"),
    _P("fluid_ul_per_core", "uL", 1.5, 0.0, 100.0, "assumption", "blood and fluid beside the tissue"),
    _P("canister_warn", "1", 0.80, 0.0, 1.0, "assumption", "share of fill"),
    _P("canister_block", "1", 0.95, 0.0, 1.0, "assumption", "share of fill; the rest is for a cycle under way"),
    _P("cartridge_life_cycles", "cycles", 5000, 1, 1_000_000, "assumption", "one session and a reserve"),
    _P("cartridge_warn_cycles", "cycles", 4000, 0, 1_000_000, "assumption", "above a normal session of 3,408"),
    # Procedure and monitors.
    _P("anesthesia_wait_s", "s", 300, 0, 86_400, "assumption", "near a fact: onset mean 2.1 min, 0.4 to 9.0 [B]"),
    _P("anesthesia_valid_s", "s", 3600, 1, 86_400, "assumption", "how long a confirmed zone stays numb"),
    _P("count_window", "strokes", 200, 8, 10_000, "assumption", "needle strokes that the count monitor looks back on"),
    _P("count_warn", "strokes", 12, 1, 10_000, "assumption", "missing, clogs set apart: 0.06 false alarms a session"),
    _P("count_stop", "strokes", 24, 1, 10_000, "assumption", "twice the warning"),
    _P("density_cap_per_cm2", "1/cm2", 63, 1, 200, "derived", "8 % [S] of 1 cm2 over a core's area, rounded down"),
    _P(
        "density_warn",
        "1",
        0.9,
        0.0,
        1.0,
        "assumption",
        "share of a cell's plan limit, above which coming back to it warns",
    ),
    # Heat of the handle.
    _P("heat_tau_s", "s", 600.0, 1.0, 10_000.0, "assumption", "a handle of some 100 g"),
    _P("heat_k_per_w", "K/W", 4.0, 0.1, 100.0, "assumption", "vent open"),
    _P("heat_blocked_k_per_w", "K/W", 8.0, 0.1, 100.0, "assumption", "vent blocked"),
    _P("heat_w", "W", 4.0, 0.0, 100.0, "assumption", "while the pump runs"),
    _P("ambient_c", "C", 22.0, -20.0, 60.0, "assumption", "a treatment room"),
    _P("heat_warn_c", "C", 41.0, 20.0, 100.0, "assumption", "warm in the hand"),
    _P("heat_stop_c", "C", 43.0, 20.0, 100.0, "assumption", "no new cycle above"),
    _P("stall_tries", "tries", 3, 1, 10, "assumption", "stalled strokes in a row before the device locks"),
    # Link.
    _P("heartbeat_armed_ms", "ms", 200, 50, 1000, "assumption", "a third of the lease: two may be lost", _HOST),
    _P("lease_armed_ms", "ms", 600, 300, 2000, "assumption", "0 switches it off, for a debugger", _HOST, True),
    _P("heartbeat_idle_ms", "ms", 5000, 200, 20_000, "assumption", "a third of the lease", _HOST),
    _P("lease_idle_ms", "ms", 15_000, 1000, 60_000, "assumption", "nothing moves: no hurry; 0: off", _HOST, True),
    _P("trigger_required", "0/1", 0, 0, 1, "assumption", "1: PUNCH needs the trigger held", _HOST),
    _P("consumables_keep", "0/1", 0, 0, 1, "assumption", "0: a fresh cartridge and canister at SESSION_OPEN"),
)

ORDERED: Final = (
    ("vacuum_set_kpa", "vacuum_low_kpa"),
    ("vacuum_low_kpa", "vacuum_stop_kpa"),
    ("canister_warn", "canister_block"),
    ("cartridge_warn_cycles", "cartridge_life_cycles"),
    ("anesthesia_wait_s", "anesthesia_valid_s"),
    ("count_warn", "count_stop"),
    ("count_stop", "count_window"),
    ("heat_warn_c", "heat_stop_c"),
    ("heartbeat_armed_ms", "lease_armed_ms"),
    ("heartbeat_idle_ms", "lease_idle_ms"),
)
"""Pairs whose first must stay below its second; a second that is switched off (0) binds nothing."""
