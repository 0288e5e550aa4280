"""The catalogue of cases for a device, from what is harmless to what moves."""

from collections.abc import Iterator, Sequence
from typing import Final

from devicectl.conformance.case import Case
from devicectl.conformance.device.cases import (
    beginnings,
    brokers,
    commands,
    control,
    cycles,
    frames,
    interlocks,
    journals,
    leases,
    links,
    payloads,
    power,
    silences,
)
from devicectl.conformance.device.ground import Stage

_GROUPS: Final = (
    frames,
    payloads,
    links,
    silences,
    leases,
    commands,
    control,
    beginnings,
    cycles,
    journals,
    power,
    interlocks,
    brokers,
)


def _spread(cases: Sequence[Case], waiting: Sequence[Case]) -> Iterator[Case]:
    """Put those that wait evenly among those that say HELLO: a device's share of links comes back meanwhile."""
    every = max(1, len(cases) // (len(waiting) + 1))
    left = list(waiting)
    for number, one in enumerate(cases, 1):
        yield one
        if number % every == 0 and left:
            yield left.pop(0)
    yield from left


def _ordered() -> Iterator[Case]:
    every = [one for group in _GROUPS for one in group.CASES]
    at_rest = sorted((one for one in every if one.stage <= Stage.IDLE), key=lambda one: one.stage)
    waiting = [one for one in (*silences.CASES, *leases.CASES) if one.stage <= Stage.IDLE]
    linking = [one for one in links.CASES if one.stage <= Stage.IDLE]
    yield from (one for one in at_rest if one not in waiting and one not in linking)
    yield from _spread(linking, waiting)
    yield from sorted((one for one in every if one.stage > Stage.IDLE), key=lambda one: one.stage)


DEVICE_CASES: Final[tuple[Case, ...]] = tuple(_ordered())
"""Every case: those at rest, then those of a session, then those that move, in the order of their groups."""
