"""How long a test waits for what takes a moment, in the measure of the machine that it runs on.

A limit ends what hangs and judges no speed. On a machine that is busy with everything else each limit grows with it:
`look` measures, before each test, and `patience` multiplies. pytest's own timeout goes the same way, in `conftest`.

Law: every limit in real time of every test comes from here; a test in tests/architecture holds the others to it.
"""

import os
from typing import Final

from firmware_sim.clock import monotonic
from protocols.language.units import MILLISECOND, SECOND, Micros

MOMENT_S: Final = 40.0
"""For anything that takes a second on an idle machine."""
STEPS: Final = 800_000
"""Of a loop that took `STEPS_TAKE` where the limits were chosen: an idle core of 2024."""
STEPS_TAKE: Final = Micros(10 * MILLISECOND)
MOST: Final = 50.0
"""A machine fifty times as slow is broken."""
LOOKS_APART: Final = Micros(2 * SECOND)
"""A look takes a hundredth of a second: not one for each of five thousand tests."""


def _load() -> float:
    """Processes that want to run, for each core: over the last minute, where the system says so."""
    try:
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    except (AttributeError, OSError):  # Windows; a system that does not say
        return 1.0


def _stretch() -> float:
    """How much longer a moment of work takes than it should: on a slow machine, or on one whose cores are taken."""
    begun = monotonic()
    for _ in range(STEPS):
        pass
    return (monotonic() - begun) / STEPS_TAKE


class _Measure:
    factor = 1.0
    at: Micros | None = None


def look() -> None:
    """Measure the machine, unless that was done just now; what is waited for from now on has that much more time."""
    now = monotonic()
    if _Measure.at is None or now - _Measure.at >= LOOKS_APART:
        _Measure.factor, _Measure.at = min(MOST, max(1.0, _load(), _stretch())), now


def patience(seconds: float = MOMENT_S) -> float:
    """Seconds that something may take which takes `seconds` at the very most on an idle machine."""
    return seconds * _Measure.factor


def deadline(seconds: float = MOMENT_S) -> Micros:
    """The time by which something has to have happened."""
    return Micros(monotonic() + round(patience(seconds) * SECOND))


look()
