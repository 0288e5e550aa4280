"""Milder forms of a scenario: a fault later, shorter, of fewer pieces; a session of fewer cores.

Law: each is one step from what it was made of, the boldest first.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from devicectl.campaign.scenario import Scenario
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.kind import FOREVER_MS
from firmware_sim.faults.trigger import MAX_COUNT

_MILDER: Final = ("for_ms", "pieces", "bits", "bytes", "by_ms", "added_ms", "most_ms", "commits", "strokes")
"""Quantities of which less is milder."""
_ENDLESS: Final = {"for_ms": 60_000, "pieces": 64}
"""Quantity in which 0 is without end -> the first value that is tried instead."""
_NUMBER: Final = re.compile(r"\d+(?=\)$)|(?<=^at\(\")\d+(?= us\"\)$)")
"""Number of a piece, a write or a commit, or the microseconds of a time."""
_FINEST_US: Final = 1_000
"""Least by which a time is moved."""


def shorter_sessions(scenario: Scenario) -> Iterator[Scenario]:
    """Yield the scenario with fewer cores."""
    cores = scenario.plan.target_cores
    for fewer in sorted({cores // 2, cores * 3 // 4, cores - 3, cores - 1}):
        if 1 <= fewer < cores:
            yield replace(scenario, plan=scenario.plan.model_copy(update={"target_cores": fewer}))


def milder(fault: Fault) -> Iterator[Fault]:
    """Yield the fault with less of one quantity."""
    for name in _MILDER:
        quantity = fault.kind.quantity(name)
        if quantity is None:
            continue
        value = fault.number(name)
        endless = name in _ENDLESS and value == FOREVER_MS
        least = max(1, quantity.least)
        for less in (_ENDLESS[name],) if endless else (least, value // 2, value * 3 // 4, value * 15 // 16):
            if endless or least <= less < value:
                yield declare(fault.kind.name, fault.text, **{**fault.values, name: less})


def later(fault: Fault) -> Iterator[Fault]:
    """Yield the fault at a later piece, write, commit or time; one whose trigger is another has none."""
    found = _NUMBER.search(fault.text)
    if found is None:
        return
    number = step = int(found[0])
    finest = _FINEST_US if fault.text.startswith("at(") else 1
    while step >= finest and number + step <= MAX_COUNT:
        text = f"{fault.text[: found.start()]}{number + step}{fault.text[found.end() :]}"
        yield declare(fault.kind.name, text, **fault.values)
        step //= 2
