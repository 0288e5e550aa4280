"""The catalogue of cases for a device, from what is harmless to what moves."""

from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.device.cases import frames, links, payloads

DEVICE_CASES: Final[tuple[Case, ...]] = tuple(
    sorted((*frames.CASES, *payloads.CASES, *links.CASES), key=lambda case: case.stage)
)
"""Every case, those of one stage in the order of their groups."""
