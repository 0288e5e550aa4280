"""The table of interlocks: what can go wrong, and what the device does about it.

Law: the table says what each rule is for; the rules themselves are the firmware's handlers. `built` marks those that it
has; the numbers of the others, which `protocols.language.interlocks` names, are kept for them.
"""

from dataclasses import dataclass
from typing import Final

from protocols.language import interlocks as I


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
            I.NEEDLE_OUT,
            "needle out",
            "the stage or the hand moves while needles are in the skin",
            "no advance, no reposition and no reset of a hold unless the retracted sensor says home; retract and stop",
        ),
        Interlock(
            I.ANESTHESIA_NEEDED, "anesthesia needed", "a punch into skin that is not numb", "refuse, and name the zone"
        ),
        Interlock(
            I.ANESTHESIA_TIME,
            "anesthesia time",
            "the zone is not numb yet, or not any more",
            "refuse until the zone is confirmed again",
        ),
        Interlock(
            I.SUCTION,
            "suction",
            "cores stay in the skin or fall back",
            "no new cycle on low vacuum; retract when it is lost, and be armed again with the needles home; "
            "go on once it is stable",
        ),
        Interlock(
            I.BLOCKED_LINE,
            "blocked line",
            "the vacuum reads well and nothing flows",
            "watch the yield, apart from the pressure",
            built=False,
        ),
        Interlock(I.CLOG, "clogged needle", "a needle punctures and brings nothing", "flag it and ask for a purge"),
        Interlock(
            I.COUNT_MISMATCH,
            "count mismatch",
            "the count is not what was done",
            "attribute misses to flagged clogs, warn, then stop",
        ),
        Interlock(
            I.DENSITY,
            "density",
            "more skin is removed in one place than planned",
            "warn of coming back to a cell near its limit; stop at the cell's plan; lock at the cap per cm2",
        ),
        Interlock(I.ZONE, "zone", "a stroke outside the planned zones", "refuse a cell that is not in the plan"),
        Interlock(I.DEPTH, "depth", "a stroke goes deeper than set", "retract and lock beyond the hard stop"),
        Interlock(
            I.CARTRIDGE,
            "cartridge",
            "needles that were used before, are expired or are missing",
            "refuse to arm, without an override",
        ),
        Interlock(I.WEAR, "worn cartridge", "blunt needles", "warn, then refuse at the end of life"),
        Interlock(
            I.TRIGGER, "trigger", "a stroke that no hand asked for", "where it is required, no punch unless it is held"
        ),
        Interlock(
            I.POWER,
            "power in a stroke",
            "power is lost with needles out",
            "the reserve retracts; safe at the restart; the open cycle is resolved",
        ),
        Interlock(I.LINK, "link lost", "nobody watches what the device does", "retract, vent, disarm, safe"),
        Interlock(I.STALL, "motor stall", "the needle motor does not turn", "retract, try again, then lock"),
        Interlock(I.HEAT, "heat", "a handle too hot to hold", "warn, then no new cycle"),
        Interlock(I.CANISTER, "canister", "the canister runs over", "warn, then no new cycle"),
        Interlock(I.FLUID, "fluid", "fluid gets into the handpiece", "stop and lock", built=False),
        Interlock(I.EMERGENCY_STOP, "emergency stop", "someone must stop it now", "retract, vent, safe within 100 ms"),
        Interlock(
            I.SESSION_GAP,
            "session gap",
            "two sessions too close together",
            "the host warns; going on is logged",
            built=False,
        ),
        Interlock(
            I.LOG, "log", "what is done is not written down", "the host holds and says so; no close", built=False
        ),
        Interlock(I.SELF_TEST, "self-test", "a sensor that cannot be believed", "nothing else works"),
    )
}
"""Number -> interlock, all numbers from 1 on."""
