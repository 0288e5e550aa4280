"""All cases for a controller, in the order in which a run reports them."""

from collections.abc import Mapping
from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.controller.cases import adversity, links, nonsense, plain

CONTROLLER_CASES: Final[tuple[Case, ...]] = (*plain.CASES, *nonsense.CASES, *links.CASES, *adversity.CASES)

_BROKER: Final = "the kit has no broker of its own in front of a controller"
UNSHOWN: Final[Mapping[str, str]] = {
    "HLP-PAY-4": "no message of a device has an array of more than bytes",
    "HLP-PAY-5": "no message of a device has a range that its type has not",
    "HLP-CMD-15": "the wait that it asks for is too long for a kit",
    **{f"HLP-MQT-{number}": _BROKER for number in (2, 3, 4, 6, 8, 10)},
}
"""MUSTs of a host that no case shows, each with its reason."""
