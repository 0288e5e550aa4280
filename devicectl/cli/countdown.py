"""Time that is left of a wait, for people who would else look at a screen on which nothing happens.

Law: it gets the time from its caller and prints nothing.
"""

import math
from typing import Final

from protocols.language.units import SECOND, Micros

MINUTE_S: Final = 60
LAST_S: Final = (30, 10)
"""Seconds left at which another line is due, below the full minutes."""


class Countdown:
    """A wait of `duration` that began when the wall's clock was at `began`; `speed` is how fast its time passes."""

    def __init__(self, duration: int, *, began: Micros, speed: float) -> None:
        self._duration = duration
        self._began = began
        self._speed = speed
        self._due = self._before(self.left_s(began))

    def left_s(self, now: Micros) -> int:
        """Whole seconds that are left, never fewer than there are."""
        left = self._duration - (now - self._began) * self._speed
        return max(0, math.ceil(left / SECOND))

    def passed(self, now: Micros) -> int | None:
        """Seconds left, where that is a full minute, or one of `LAST_S`, for the first time; else None."""
        left = self.left_s(now)
        if left > self._due or left == 0:
            return None
        self._due = self._before(left)
        return left

    @staticmethod
    def _before(left: int) -> int:
        """The next number of seconds at which a line is due."""
        return max((at for at in ((left - 1) // MINUTE_S * MINUTE_S, *LAST_S) if 0 < at < left), default=0)


def clock_face(seconds: int) -> str:
    """`4:59`."""
    return f"{seconds // MINUTE_S}:{seconds % MINUTE_S:02}"
