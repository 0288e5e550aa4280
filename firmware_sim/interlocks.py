"""The table of interlocks: what can go wrong, and what the device does about it.

Law: a number is never reused; it is on the wire in refusals, alarms and journal records. The table says what each
rule is for; the rules themselves are the firmware's handlers. `built` marks those that it has; the numbers of the
others are kept for them.
"""

from dataclasses import dataclass
from typing import Final

NEEDLE_OUT: Final = 1
ANESTHESIA_NEEDED: Final = 2
ANESTHESIA_TIME: Final = 3
SUCTION: Final = 4
BLOCKED_LINE: Final = 5
CLOG: Final = 6
COUNT_MISMATCH: Final = 7
DENSITY: Final = 8
ZONE: Final = 9
DEPTH: Final = 10
CARTRIDGE: Final = 11
WEAR: Final = 12
TRIGGER: Final = 13
POWER: Final = 14
LINK: Final = 15
STALL: Final = 16
HEAT: Final = 17
CANISTER: Final = 18
FLUID: Final = 19
EMERGENCY_STOP: Final = 20
SESSION_GAP: Final = 21
LOG: Final = 22
SELF_TEST: Final = 23


@dataclass(frozen=True, slots=True)
class Interlock:
    """One rule: the hazard it stands against, and the device's reaction."""

    number: int
    name: str
    hazard: str
    reaction: str
    built: bool = True


INTERLOCKS: Final[dict[int, Interlock]] = {
    row.number: row
    for row in (
        Interlock(
            NEEDLE_OUT,
            "needle out",
            "the stage moves while needles are in the skin",
            "no advance unless the retracted sensor says home; retract and stop",
        ),
        Interlock(
            ANESTHESIA_NEEDED, "anesthesia needed", "a punch into skin that is not numb", "refuse, and name the zone"
        ),
        Interlock(
            ANESTHESIA_TIME,
            "anesthesia time",
            "the zone is not numb yet, or not any more",
            "refuse until the zone is confirmed again",
        ),
        Interlock(
            SUCTION,
            "suction",
            "cores stay in the skin or fall back",
            "no new cycle on low vacuum; retract when it is lost; go on once it is stable",
        ),
        Interlock(
            BLOCKED_LINE,
            "blocked line",
            "the vacuum reads well and nothing flows",
            "watch the yield, apart from the pressure",
            built=False,
        ),
        Interlock(CLOG, "clogged needle", "a needle punctures and brings nothing", "flag it and ask for a purge"),
        Interlock(
            COUNT_MISMATCH,
            "count mismatch",
            "the count is not what was done",
            "attribute misses to flagged clogs, warn, then stop",
        ),
        Interlock(
            DENSITY,
            "density",
            "more skin is removed in one place than planned",
            "warn of coming back to a cell near its limit; stop at the cell's plan; lock at the cap per cm2",
        ),
        Interlock(ZONE, "zone", "a stroke outside the planned zones", "refuse a cell that is not in the plan"),
        Interlock(DEPTH, "depth", "a stroke goes deeper than set", "retract and lock beyond the hard stop"),
        Interlock(
            CARTRIDGE,
            "cartridge",
            "needles that were used before, are expired or are missing",
            "refuse to arm, without an override",
        ),
        Interlock(WEAR, "worn cartridge", "blunt needles", "warn, then refuse at the end of life"),
        Interlock(
            TRIGGER, "trigger", "a stroke that no hand asked for", "where it is required, no punch unless it is held"
        ),
        Interlock(
            POWER,
            "power in a stroke",
            "power is lost with needles out",
            "the reserve retracts; safe at the restart; the open cycle is resolved",
        ),
        Interlock(LINK, "link lost", "nobody watches what the device does", "retract, vent, disarm, safe"),
        Interlock(STALL, "motor stall", "the needle motor does not turn", "retract, try again, then lock"),
        Interlock(HEAT, "heat", "a handle too hot to hold", "warn, then no new cycle"),
        Interlock(CANISTER, "canister", "the canister runs over", "warn, then no new cycle"),
        Interlock(FLUID, "fluid", "fluid gets into the handpiece", "stop and lock", built=False),
        Interlock(EMERGENCY_STOP, "emergency stop", "someone must stop it now", "retract, vent, safe within 100 ms"),
        Interlock(
            SESSION_GAP,
            "session gap",
            "two sessions too close together",
            "the host warns; going on is logged",
            built=False,
        ),
        Interlock(LOG, "log", "what is done is not written down", "the host holds and says so; no close", built=False),
        Interlock(SELF_TEST, "self-test", "a sensor that cannot be believed", "nothing else works"),
    )
}
"""Number -> interlock, all numbers from 1 on."""
