"""The catalogue of cases for a device, from what is harmless to what moves."""

from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.device.cases import commands, control, cycles, frames, journals, leases, links, payloads

_GROUPS: Final = (frames, payloads, links, leases, commands, control, cycles, journals)

DEVICE_CASES: Final[tuple[Case, ...]] = tuple(
    sorted((one for group in _GROUPS for one in group.CASES), key=lambda one: one.stage)
)
"""Every case, those of one stage in the order of their groups."""
