"""The interlocks: what can go wrong, what the device does about it, and the alarms and numbers that go with it.

One row is all that the device has to know of an interlock with a limit: its alarms, its parameters, its check of PUNCH,
its rows in the documents and its lines in the C header follow. An interlock that is not a limit on a reading has its
rule in `firmware_sim.safety` or `firmware_sim.commands`.

Law: rows are in the order in which PUNCH checks their limits; a new one goes to the end. A number is never reused.
Alarms' codes are shown as MC-1501: the first two digits are the interlock's number.
"""

from typing import Final

from firmware_sim.model.interlock import AlarmRule, Interlock, Limit
from firmware_sim.model.parameter import Parameter
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language.enums import AlarmPriority, ParamScope

_INFO, _LOW, _MEDIUM, _HIGH = AlarmPriority.INFO, AlarmPriority.LOW, AlarmPriority.MEDIUM, AlarmPriority.HIGH
_HOST: Final = ParamScope.HOST_SETTABLE
_P = Parameter

ROWS: Final = (
    Interlock(
        I.NEEDLE_OUT,
        "needle out",
        "the stage or the hand moves while needles are in the skin",
        "no advance, no reposition and no reset of a hold unless the retracted sensor says home; retracts and stops",
        (AlarmRule(A.NEEDLE_NOT_RETRACTED, _HIGH, "The needles are not home: the stage must not move.", latched=True),),
    ),
    Interlock(
        I.ANESTHESIA_NEEDED,
        "anesthesia needed",
        "a punch into skin that is not numb",
        "refuses, naming the zone",
        (AlarmRule(A.ANESTHESIA_MISSING, _INFO, "The anesthesia of this zone is not confirmed.", of_session=True),),
    ),
    Interlock(
        I.ANESTHESIA_TIME,
        "anesthesia time",
        "the zone is not numb yet, or not any more",
        "refuses until the zone is confirmed again",
        (
            AlarmRule(
                A.ANESTHESIA_EXPIRED,
                _LOW,
                "The time of the anesthesia is over: confirm the zone again.",
                of_session=True,
            ),
        ),
        (
            _P(
                40,
                "anesthesia_wait_s",
                "s",
                300,
                0,
                86_400,
                "assumption",
                "near a fact: onset mean 2.1 min, 0.4 to 9.0 [B]",
            ),
            _P(41, "anesthesia_valid_s", "s", 3600, 1, 86_400, "assumption", "how long a confirmed zone stays numb"),
        ),
    ),
    Interlock(
        I.SUCTION,
        "suction",
        "cores stay in the skin or fall back",
        "no new cycle above {vacuum_low_kpa:g} kPa; above {vacuum_stop_kpa:g} kPa retracts, and is armed again when "
        "the needles are home; goes on after {vacuum_stable_s:g} s of good vacuum",
        (
            AlarmRule(
                A.SUCTION_LOST,
                _MEDIUM,
                "The vacuum is low: no new cycle until it is stable again. Look for a leak.",
                of_session=True,
            ),
        ),
        (
            _P(15, "vacuum_low_kpa", "kPa", -40.0, -80.0, -5.0, "assumption", "no new cycle above"),
            _P(16, "vacuum_stop_kpa", "kPa", -30.0, -80.0, -1.0, "assumption", "retract above"),
            _P(17, "vacuum_stable_s", "s", 2.0, 0.0, 60.0, "assumption", "low pressure must hold this long to go on"),
            _P(
                18,
                "arm_timeout_s",
                "s",
                10.0,
                1.0,
                120.0,
                "assumption",
                "twelve time constants; no vacuum by then is a fault",
            ),
        ),
    ),
    Interlock(
        I.BLOCKED_LINE,
        "blocked line",
        "the vacuum reads well and nothing flows",
        "no new cycle after {blocked_empties} in a row in which no needle brought a core, until somebody has looked",
        (AlarmRule(A.LINE_BLOCKED, _MEDIUM, "The vacuum is good and no core comes: clear the line.", of_session=True),),
        (_P(61, "blocked_empties", "cycles", 4, 2, 100, "assumption", "in a row without any core stop"),),
    ),
    Interlock(
        I.CLOG,
        "clogged needle",
        "a needle punctures and brings nothing",
        "flags it after {clog_empties} empty strokes in a row and asks for a purge; two stop",
        (
            AlarmRule(A.NEEDLE_CLOGGED, _LOW, "A needle brings no cores: purge it.", of_session=True),
            AlarmRule(
                A.NEEDLES_CLOGGED,
                _MEDIUM,
                "Two or more needles bring no cores: purge before going on.",
                of_session=True,
            ),
        ),
        (_P(29, "clog_empties", "cycles", 8, 1, 100, "assumption", "empty in a row before a needle is flagged"),),
    ),
    Interlock(
        I.COUNT_MISMATCH,
        "count mismatch",
        "the count is not what was done",
        "misses of a flagged clog set apart, then {count_warn} of {count_window} warn and {count_stop} stop",
        (
            AlarmRule(
                A.COUNT_MISMATCH,
                _LOW,
                "More cores are missing than clogs explain: watch the count.",
                of_session=True,
            ),
            AlarmRule(
                A.COUNT_STOPPED, _MEDIUM, "Too many cores are missing: stopped until looked into.", of_session=True
            ),
        ),
        (
            _P(
                42,
                "count_window",
                "strokes",
                200,
                8,
                10_000,
                "assumption",
                "needle strokes that the count monitor looks back on",
            ),
            _P(
                43,
                "count_warn",
                "strokes",
                12,
                1,
                10_000,
                "assumption",
                "missing, clogs set apart: 0.06 false alarms a session",
            ),
            _P(44, "count_stop", "strokes", 24, 1, 10_000, "assumption", "twice the warning"),
        ),
    ),
    Interlock(
        I.DENSITY,
        "density",
        "more skin is removed in one place than planned",
        "warns where the hand comes back to a cell at {density_warn:.0%} of its plan, stops at the plan, locks at "
        "{density_cap_per_cm2} punctures per cm2",
        (
            AlarmRule(
                A.DENSITY_NEAR,
                _MEDIUM,
                "This cell is near its limit although the plan did not bring it there.",
                of_session=True,
            ),
            AlarmRule(
                A.DENSITY_REACHED, _MEDIUM, "This cell has reached its planned punctures: move on.", of_session=True
            ),
            AlarmRule(A.DENSITY_LOCKED, _HIGH, "This cell is at the cap of punctures: locked.", latched=True),
        ),
        (
            _P(
                45,
                "density_cap_per_cm2",
                "1/cm2",
                63,
                1,
                200,
                "derived",
                "8 % [S] of 1 cm2 over a core's area, rounded down",
            ),
            _P(
                46,
                "density_warn",
                "1",
                0.9,
                0.0,
                1.0,
                "assumption",
                "share of a cell's plan limit, above which coming back to it warns",
            ),
        ),
    ),
    Interlock(I.ZONE, "zone", "a stroke outside the planned zones", "refuses a cell that is not in the plan"),
    Interlock(
        I.DEPTH,
        "depth",
        "a stroke goes deeper than set",
        "more than {depth_over_um} um beyond: retracts and locks",
        (AlarmRule(A.TOO_DEEP, _HIGH, "The needles went deeper than set: retracted and locked.", latched=True),),
        (_P(3, "depth_over_um", "um", 500, 100, 2000, "assumption", "hard stop: deeper than set by this much locks"),),
    ),
    Interlock(
        I.CARTRIDGE,
        "cartridge",
        "needles that were used before, are expired, not sterile or missing",
        "refuses to arm, without an override",
        (
            AlarmRule(
                A.CARTRIDGE_REFUSED, _MEDIUM, "The cartridge is missing, used, expired or not sterile: fit a new one."
            ),
        ),
    ),
    Interlock(
        I.WEAR,
        "worn cartridge",
        "blunt needles",
        "warns at {cartridge_warn_cycles:,} cycles, refuses at {cartridge_life_cycles:,}",
        (
            AlarmRule(A.CARTRIDGE_WORN, _LOW, "The cartridge nears the end of its life."),
            AlarmRule(A.CARTRIDGE_WORN_OUT, _MEDIUM, "The cartridge is at the end of its life: fit a new one."),
        ),
        (
            _P(
                39,
                "cartridge_warn_cycles",
                "cycles",
                4000,
                0,
                1_000_000,
                "assumption",
                "above a normal session of 3,408",
            ),
            _P(38, "cartridge_life_cycles", "cycles", 5000, 1, 1_000_000, "assumption", "one session and a reserve"),
        ),
        Limit(
            "cartridge_cycles",
            "cartridge_warn_cycles",
            "cartridge_life_cycles",
            "the cartridge has made {value} cycles, its life: fit a new one",
        ),
    ),
    Interlock(
        I.TRIGGER,
        "trigger",
        "a stroke that no hand asked for",
        "with `trigger_required`, no arming unless the trigger is released, and no punch unless it has then been held "
        "for {trigger_debounce_ms} ms without a bounce",
        (
            AlarmRule(A.TRIGGER_UNSTEADY, _INFO, "The trigger is not steady yet, or it bounces."),
            AlarmRule(A.TRIGGER_STUCK, _HIGH, "The trigger is held or stuck: release it before arming."),
        ),
        (
            _P(59, "trigger_required", "0/1", 0, 0, 1, "assumption", "1: PUNCH needs the trigger held", _HOST),
            _P(62, "trigger_debounce_ms", "ms", 250, 0, 5000, "assumption", "closed for so long it counts as held"),
        ),
    ),
    Interlock(
        I.POWER,
        "power in a stroke",
        "power is lost with needles out",
        "the reserve retracts; safe at the restart; the open cycle is resolved",
        (
            AlarmRule(
                A.POWER_LOST_IN_STROKE,
                _HIGH,
                "Power was lost in a cycle: the reserve retracted the needles.",
                latched=True,
            ),
        ),
    ),
    Interlock(
        I.LINK,
        "link lost",
        "nobody watches what the device does",
        "the lease: retracts, vents, disarms, safe; a command that a broker kept is refused",
        (
            AlarmRule(
                A.LINK_LOST, _HIGH, "The link to the controller was lost: retracted, vented, disarmed.", latched=True
            ),
            AlarmRule(
                A.RETAINED_COMMAND, _LOW, "A retained command lies at the broker: refused. Clear it from its topic."
            ),
        ),
    ),
    Interlock(
        I.STALL,
        "motor stall",
        "the needle motor does not turn",
        "retracts and tries again, {stall_tries} times in all, then locks",
        (AlarmRule(A.MOTOR_STALLED, _HIGH, "The needle motor stalls: retracted and locked."),),
        (_P(54, "stall_tries", "tries", 3, 1, 10, "assumption", "stalled strokes in a row before the device locks"),),
    ),
    Interlock(
        I.CANISTER,
        "canister",
        "the canister runs over",
        "warns at {canister_warn:.0%}, no new cycle at {canister_block:.0%}",
        (
            AlarmRule(A.CANISTER_NEARLY_FULL, _LOW, "The canister is nearly full."),
            AlarmRule(A.CANISTER_FULL, _MEDIUM, "The canister is full: change it before going on."),
        ),
        (
            _P(36, "canister_warn", "1", 0.80, 0.0, 1.0, "assumption", "share of fill"),
            _P(
                37,
                "canister_block",
                "1",
                0.95,
                0.0,
                1.0,
                "assumption",
                "share of fill; the rest is for a cycle under way",
            ),
        ),
        Limit("canister_fill", "canister_warn", "canister_block", "the canister is {value:.0%} full: empty it"),
    ),
    Interlock(
        I.HEAT,
        "heat",
        "a handle too hot to hold",
        "warns at {heat_warn_c:g} C, no new cycle at {heat_stop_c:g} C",
        (
            AlarmRule(A.HOT, _LOW, "The handle is warm: look at its vent."),
            AlarmRule(A.TOO_HOT, _MEDIUM, "The handle is too hot: no new cycle until it has cooled."),
        ),
        (
            _P(52, "heat_warn_c", "C", 41.0, 20.0, 100.0, "assumption", "warm in the hand"),
            _P(53, "heat_stop_c", "C", 43.0, 20.0, 100.0, "assumption", "no new cycle from here on"),
        ),
        Limit(
            "temperature_c",
            "heat_warn_c",
            "heat_stop_c",
            "the handpiece is at {value:.1f} C: let it cool below {stop:g} C",
        ),
    ),
    Interlock(
        I.FLUID,
        "fluid",
        "fluid gets into the handpiece",
        "retracts, vents and locks",
        (AlarmRule(A.FLUID_INSIDE, _HIGH, "Fluid has got into the handpiece: locked.", latched=True),),
    ),
    Interlock(
        I.EMERGENCY_STOP,
        "emergency stop",
        "someone must stop it now",
        "retracts, vents, safe within 100 ms",
        (AlarmRule(A.EMERGENCY_STOP, _INFO, "The emergency stop is open."),),
    ),
    Interlock(
        I.SESSION_GAP,
        "session gap",
        "two sessions too close together",
        "the host's matter: it warns; going on is logged",
        built=False,
    ),
    Interlock(
        I.LOG,
        "log",
        "what is done is not written down",
        "the host's matter: it holds and says so; no close",
        built=False,
    ),
    Interlock(
        I.SELF_TEST,
        "self-test",
        "a sensor that cannot be believed",
        "a failed self-test: nothing else works",
        (AlarmRule(A.SELF_TEST_FAILED, _MEDIUM, "The self-test failed: the device does nothing else."),),
    ),
)
"""All interlocks, with a row for every number."""

INTERLOCKS: Final = {row.number: row for row in sorted(ROWS, key=lambda row: row.number)}
"""Number -> interlock, in the order of numbers."""

ALARMS: Final = {rule.code: rule for row in INTERLOCKS.values() for rule in row.alarms}
"""Code -> alarm, in the order of codes."""

LIMITS: Final = {row.number: row.limit for row in ROWS if row.limit is not None}
"""Number -> limit of each interlock that is one on a reading, in the order in which PUNCH checks them."""
