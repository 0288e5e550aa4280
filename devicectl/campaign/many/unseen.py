"""Things that a campaign may meet: states and changes of both tables, refusals, interlocks, alarms and kinds of fault.

Law: it is made from the tables themselves. What no session can show from outside has its reason here.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from devicectl.campaign.many.tally import Tally
from devicectl.session.machine import TABLE as HOST_TABLE
from devicectl.session.machine import WITH_SESSION, State
from firmware_sim.board.states import CYCLE, RUNNING
from firmware_sim.board.states import TABLE as DEVICE_TABLE
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.model.interlocks import ALARMS
from protocols.language import alarm_codes as A
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import Code
from protocols.language.enums import DeviceState as S


class Unseen(NamedTuple):
    """Something that no session met, and why none can; "" where one could."""

    what: str
    name: str
    reason: str


TITLES: Final[Mapping[str, str]] = {
    "host": "changes of the host's state",
    "device transition": "changes of the device's state",
    "refusal": "refusals",
    "interlock": "interlocks",
    "alarm": "alarms",
    "fault": "faults",
}


def expected() -> dict[str, list[str]]:
    """Return by kind everything that there is to be met."""
    return {
        "host": [f"{source.name} > {row.target.name}" for row in HOST_TABLE for source in row.sources],
        "device transition": [f"{source.name} > {row.target.name}" for row in DEVICE_TABLE for source in row.sources],
        "refusal": [code.name for code in Code if code],
        "interlock": sorted({str(rule.interlock) for rule in ALARMS.values() if rule.interlock}, key=int),
        "alarm": [alarm_label(code) for code in sorted(ALARMS)],
        "fault": list(CATALOGUE),
    }


def unseen(tally: Tally) -> Iterator[Unseen]:
    """Yield what no session of a tally has met."""
    fired = {one.partition(" ")[0] for one in tally.fired}
    for what, names in expected().items():
        met = fired if what == "fault" else seen(tally, what)
        for name in dict.fromkeys(names):
            source, _, target = name.partition(" > ")
            if name not in met and source != target:  # one that stays in its state shows no change
                yield Unseen(what, name, REASONS.get((what, name), ""))


_NO_TIME: Final = "a close lasts no time in the device"
_LOG_STOPS: Final = "a host whose log fails stops the device first, and then it is RECOVERING"
_NO_LOG: Final = "without a session nothing is logged, so no log can fail"
_NOT_LOOKED_FOR: Final = "only ADVANCE, REPOSITION and the end of a cycle look if the needles are home"
_COMES_FULL: Final = "the host leaves a cell when it is full, and counts a cycle that has failed"


def _from(what: str, states: Iterable[StrEnum | IntEnum], target: str, reason: str) -> dict[tuple[str, str], str]:
    """Return the reason for the change from each of these states to the target."""
    return {(what, f"{state.name} > {target}"): reason for state in states}


def seen(tally: Tally, what: str) -> set[str]:
    """Return the names of a kind that were met; a refusal is met in a NAK as well."""
    return {name for one in (what, "nak" if what == "refusal" else what) for name in tally.seen.get(one, ())}


REASONS: Final[Mapping[tuple[str, str], str]] = {
    **_from("host", set(WITH_SESSION) - {State.RECOVERING}, "FAULTED", _LOG_STOPS),
    **_from("host", (State.DISCONNECTED, State.CONNECTING, State.IDLE), "FAULTED", _NO_LOG),
    **_from("device transition", set(RUNNING) - {S.ARMED, *CYCLE}, "FAULT", _NOT_LOOKED_FOR),
    ("device transition", "SAFE > FAULT"): _NOT_LOOKED_FOR,
    **{("device transition", f"CLOSING > {state}"): _NO_TIME for state in ("SAFE", "FAULT", "LOCKED")},
    ("interlock", "8"): _COMES_FULL,
    **{("alarm", alarm_label(code)): _COMES_FULL for code in (A.DENSITY_NEAR, A.DENSITY_REACHED, A.DENSITY_LOCKED)},
    ("refusal", "E_INTERNAL"): "this device never says so",
    ("refusal", "UNKNOWN"): "it stands for the codes of newer devices",
}
"""Something that no session can meet -> the reason."""
