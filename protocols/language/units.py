"""Units of time that must not be mixed.

Law: time is a whole number of microseconds, so that adding a million of them never drifts; a float of
seconds is for people and appears only where something is printed or read.
"""

from typing import Final, NewType

Micros = NewType("Micros", int)
"""A point in time, or a duration, in microseconds. The zero of a point in time belongs to its driver."""

MILLISECOND: Final = Micros(1_000)
SECOND: Final = Micros(1_000_000)


def from_ms(milliseconds: int) -> Micros:
    """Whole milliseconds as microseconds; exact."""
    return Micros(milliseconds * 1_000)


def to_seconds(duration: Micros) -> float:
    """Microseconds as seconds, for people."""
    return duration / 1_000_000
