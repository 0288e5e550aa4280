"""Axes of a drawing: round marks, times in words, and the place of a value."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from devicectl.station.debrief.markup import Markup, element
from protocols.language.units import SECOND

WIDTH: Final = 760
LEFT: Final = 170
"""Room for the names of rows, which are at the same place in every drawing: one time is above the other."""
RIGHT: Final = 24
"""Room for half of the last mark of time."""
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600)
_MAX_MARKS: Final = 9
NO_BREAK: Final = "\N{NO-BREAK SPACE}"


def clock(at_us: float) -> str:
    """Return a time of the lesson for people, such as 1:05.3; it is 0:00.0 where the lesson begins."""
    tenths = round(abs(at_us) * 10 / SECOND)
    sign = "-" if at_us < 0 and tenths else ""
    return f"{sign}{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


def lasting(us: float) -> str:
    """Return a length of time for people, which is not broken between two lines."""
    minutes, seconds = divmod(round(us / SECOND), 60)
    words = f"{us / SECOND:.1f} s" if not minutes else f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return words.replace(" ", NO_BREAK)


class Axis(NamedTuple):
    """The range of a quantity, and where on the drawing it begins and ends."""

    low: float
    high: float
    begins: float
    ends: float

    def place(self, value: float) -> float:
        """Return the place of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.begins + share * (self.ends - self.begins)


def time_axis(lasts_us: int) -> Axis:
    """Return the axis of a lesson's time, from its beginning to its end."""
    return Axis(0, max(lasts_us, SECOND), LEFT, WIDTH - RIGHT)


def time_marks(lasts_us: int) -> Sequence[int]:
    """Return the times at which a lesson's time is marked."""
    seconds = max(lasts_us, SECOND) / SECOND
    step = next((one for one in _STEPS_S if seconds / one <= _MAX_MARKS), _STEPS_S[-1])
    return range(0, int(seconds * SECOND) + 1, step * SECOND)


def round_marks(low: float, high: float) -> list[float]:
    """Return round numbers, three to seven of them, from at most `low` to at least `high`, which is more."""
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough)
    return [index * step for index in range(math.floor(low / step), math.ceil(high / step) + 1)]


def draw_time(axis: Axis, top: float, bottom: float) -> Markup:
    """Return the marks of time below a drawing, and lines through it."""
    marks = []
    for at_us in time_marks(int(axis.high)):
        x = axis.place(at_us)
        words = f"{at_us // (60 * SECOND)}:{at_us // SECOND % 60:02}"
        marks += [
            element("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"),
            element("text", words, x=x, y=bottom + 14, class_="mark middle"),
        ]
    return element("g", *marks)
