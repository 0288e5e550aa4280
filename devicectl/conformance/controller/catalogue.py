"""All cases for a controller, in the order in which a run reports them."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.controller.cases import adversity, brokers, links, nonsense, plain

CONTROLLER_CASES: Final[tuple[Case, ...]] = (
    *plain.CASES,
    *brokers.CASES,
    *nonsense.CASES,
    *links.CASES,
    *adversity.CASES,
)

UNSHOWN: Final[Mapping[str, str]] = {
    "HLP-PAY-4": "no message of a device has an array of more than bytes",
    "HLP-PAY-5": "no message of a device has a range that its type has not",
    "HLP-CMD-15": "the wait that it asks for is too long for a kit",
}
"""MUSTs of a host that no case shows, each with its reason."""

_NO_BYTES: Final = "a broker has no bytes to spoil"
_KNOWS: Final = "a broker is connected to both ends, and knows which has gone"
_NO_BODY: Final = "a body of JSON cannot say it"
BEHIND_A_BROKER: Final[Mapping[str, str]] = {
    "plain.frames": "a broker has no frames",
    "plain.canonical": "a body of JSON has no bools of one byte, and nothing to fill up",
    "crumbs.*": "a broker cuts nothing into pieces",
    "wrong.short": _NO_BODY,
    "wrong.nul": _NO_BODY,
    "wrong.utf8": _NO_BODY,
    "wrong.nan": _NO_BODY,
    "wrong.major": _NO_BODY,
    "wrong.majors": _NO_BODY,
    "odd.crc": _NO_BYTES,
    "odd.noise": _NO_BYTES,
    "odd.ignorable": _NO_BODY,
    "odd.longer": "a longer payload is a further key of a body: mqtt.further-keys",
    "mixed.joined": "a broker has no zeros between frames",
    "mixed.node": _NO_BODY,
    "mixed.behind": _NO_BYTES,
    "lease.noise": _NO_BYTES,
    "hard.half-open": _KNOWS,
    "back.half-open": _KNOWS,
    "tries.half-open": _KNOWS,
    "bear.flipped": _NO_BYTES,
    "bear.inserted": _NO_BYTES,
}
"""Cases that are nothing behind a broker, each with the reason."""


def lacking(way: str, cases: Sequence[Case]) -> dict[str, str]:
    """Return the cases that a way to a command cannot show, each with the reason."""
    if way != "mqtt":
        return {one.id: f"needs {Need.BROKER}: --mqtt" for one in cases if Need.BROKER in one.needs}
    found = {}
    for one in cases:
        reasons = [reason for pattern, reason in BEHIND_A_BROKER.items() if fnmatchcase(one.id, pattern)]
        if reasons:
            found[one.id] = reasons[0]
    return found
