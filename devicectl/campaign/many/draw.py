"""Draw of a session's scenario from a profile and a seed: which kinds are in it, how often, when, and how bad.

How it works: each kind is on or off for the whole session, by its chance, and one that is on comes a few times. So a
session is full of few kinds, and mixtures that are rare in an even rain of faults are common among many sessions.

Law: the same profile, seed and cycles, the same scenario. Each kind and each scene has its own stream of random
numbers: one that is added to a profile changes nothing of what is drawn for the others.
"""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from devicectl.campaign.many.profile import SHORT_MS, Between, Drawn, KindProfile, Profile, Value
from devicectl.campaign.many.scene import Laid, lay
from devicectl.campaign.scenario import MQTT, SERIAL, Person, Scenario
from devicectl.session.plan import Plan, make_plan
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.kind import FOREVER_MS, Kind, Target

NEEDLES: Final = 3
PARAMETERS: Final = {"anesthesia_wait_s": 1}
MAX_CYCLES: Final = 2_000
OPENING_MS: Final = 4_000
"""Time from the first frame to the first cycle, twice over."""
CYCLE_MS: Final = 600
"""Time that one cycle takes with all that belongs to it, and a little more."""
BURST_MS: Final = 4_000
_PIECES: Final = 12
_WRITES: Final = 9
"""Pieces of either end, and steps of the memory, in a cycle."""
_FIRST_WRITE: Final = 5
"""Before it the device boots for the first time, which nobody disturbs."""
_STATES: Final = (
    "session_open",
    "anesthesia_wait",
    "anesthesia_confirmed",
    "arming",
    "armed",
    "repositioning",
    "purging",
    "disarming",
    "closing",
    "safe",
    "idle",
)
_PHASES: Final = ("punch", "suction", "advance", "count")
_ONCE: Final = ("SESSION_OPEN", "ANESTHESIA_CONFIRM_DONE", "ARM", "ARM_DONE", "DISARM", "SESSION_CLOSE", "BYE")
_OFTEN: Final = ("PUNCH", "PUNCH_DONE", "SUCTION_DONE", "ADVANCE", "COUNT", "COUNT_DONE", "RECEIVED")
_RARE: Final = ("REFUSED", "ABORTED", "FAILED", "PURGE", "REPOSITION_DONE", "ALARM", "JOURNAL_PAGE", "JOURNAL_ACK")
_RESUMED: Final = ("HELLO", "WELCOME", "JOURNAL_READ", "JOURNAL_PAGE", "FAULT_RESET", "SESSION_CLOSE")
"""Frames of a host that comes back; their second is of the first recovery, or of the second host."""


def draw(profile: Profile, seed: int, cycles: int) -> Scenario:
    """Return the scenario of one session."""
    dice = random.Random(f"{seed}:session")
    wire = MQTT if dice.random() < profile.mqtt else SERIAL
    baud = dice.choice(profile.baud)
    faults = [
        fault
        for name, of_kind in profile.kinds.items()
        if _fits(CATALOGUE[name], wire)
        for fault in _draw_kind(CATALOGUE[name], of_kind, random.Random(f"{seed}:draw:{name}"), cycles)
    ]
    scenes = _draw_scenes(profile, seed, cycles, wire)
    faults += [fault for scene in scenes for fault in scene.start.faults]
    return Scenario(
        seed=seed,
        plan=plan_of(cycles, {key: value for scene in scenes for key, value in scene.plan.items()}),
        parameters={**PARAMETERS, **{name: value for one in scenes for name, value in one.start.parameters.items()}},
        cartridge_cycles=max((scene.start.cartridge_cycles for scene in scenes), default=0),
        canister_ml=max((scene.start.canister_ml for scene in scenes), default=0),
        wire=wire,
        baud=baud if wire == SERIAL else 0,
        faults=tuple(faults),
        person=Person(waits_ms=tuple(profile.waits_ms), abandons=profile.abandons, heard=profile.heard),
    )


def plan_of(cycles: int, more: Mapping[str, object] = MappingProxyType({})) -> Plan:
    """Return the plan of a session of so many cycles, with skin for twice as many, and with `more` of its keys."""
    area_cm2 = min(10 + cycles // 5, 1_000)
    zones = [{"name": name, "area_cm2": area_cm2} for name in ("left", "right")]
    return make_plan({"target_cores": NEEDLES * cycles, "zones": zones, **more})


def _fits(kind: Kind, wire: str) -> bool:
    return not kind.bytes_only if wire == MQTT else kind.target is not Target.BROKER


def _draw_scenes(profile: Profile, seed: int, cycles: int, wire: str) -> list[Laid]:
    """Return the scenes of a session whose faults can all be on its wire."""
    found = []
    for name, scene in profile.scenes.items():
        dice = random.Random(f"{seed}:scene:{name}")
        if dice.random() < scene.on:
            laid = lay(scene, dice.randint(1, cycles))
            if all(_fits(fault.kind, wire) for fault in laid.start.faults):
                found.append(laid)
    return found


def _draw_kind(kind: Kind, profile: KindProfile, dice: random.Random, cycles: int) -> list[Fault]:
    if dice.random() >= profile.on:
        return []
    found = []
    for _ in range(dice.choice(profile.times)):
        whens = (
            _burst(dice, cycles) if dice.random() < profile.bursts else [_WHEN[dice.choice(profile.when)](dice, cycles)]
        )
        found += [declare(kind.name, when, **_draw_values(kind, profile.values, dice)) for when in whens]
    return found


def _draw_values(kind: Kind, values: Mapping[str, Drawn], dice: random.Random) -> dict[str, Value]:
    found = {}
    for quantity in kind.quantities:
        given = values.get(quantity.name)
        if given is not None:
            value = _draw_value(given, dice)
            found[quantity.name] = int(value) if quantity.whole and not isinstance(value, str) else value
        elif quantity.name == "for_ms" and quantity.usual == FOREVER_MS:
            found[quantity.name] = SHORT_MS
    return found


def _draw_value(values: Drawn, dice: random.Random) -> Value:
    if isinstance(values, Between):
        return round(dice.uniform(values.least, values.most), 3)
    return dice.choice(values) if isinstance(values, list) else values


# --- when ---------------------------------------------------------------------------------------------------------


def _span_ms(cycles: int) -> int:
    return OPENING_MS + CYCLE_MS * cycles


def _time(dice: random.Random, cycles: int) -> str:
    return f'at("{dice.randrange(50, _span_ms(cycles))} ms")'


def _burst(dice: random.Random, cycles: int) -> list[str]:
    """Several in a few seconds."""
    first = dice.randrange(50, _span_ms(cycles))
    return [f'at("{first + dice.randrange(BURST_MS)} ms")' for _ in range(dice.randint(2, 6))]


def _phase(dice: random.Random, cycles: int) -> str:
    return f'cycle == {dice.randint(1, cycles)} and phase == "{dice.choice(_PHASES)}"'


def _state(dice: random.Random, cycles: int) -> str:
    if dice.random() < 0.5:
        return f'state == "{dice.choice(_STATES)}"'
    return f'cycle >= {dice.randint(1, cycles)} and state == "{dice.choice(_STATES)}"'


def _frame(dice: random.Random, cycles: int) -> str:
    names, most = dice.choice(((_ONCE, 2), (_OFTEN, cycles), (_RARE, 4)))
    return f'frame("{dice.choice(names)}", {dice.randint(1, most)})'


def _piece(dice: random.Random, cycles: int) -> str:
    return f'piece("{dice.choice(("host", "device"))}", {dice.randint(1, _PIECES * (cycles + 2))})'


def _write(dice: random.Random, cycles: int) -> str:
    return f"write({dice.randint(_FIRST_WRITE, 10 + _WRITES * cycles)})"


def _commit(dice: random.Random, cycles: int) -> str:
    return f"commit({dice.randint(1, 4 + cycles // 2)})"


def _resume(dice: random.Random, cycles: int) -> str:
    return f'frame("{dice.choice(_RESUMED)}", {dice.randint(2, 6)})'


_WHEN: Final[Mapping[str, Callable[[random.Random, int], str]]] = {
    "time": _time,
    "phase": _phase,
    "state": _state,
    "frame": _frame,
    "piece": _piece,
    "write": _write,
    "commit": _commit,
    "resume": _resume,
}
"""Word of a profile -> what draws a trigger."""
