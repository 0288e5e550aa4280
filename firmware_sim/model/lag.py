"""First-order lag: a quantity that approaches its target exponentially, as pressure and temperature do.

    x(t) = target + (x0 - target) * exp(-(t - t0) / tau)

Law: only a new target or a step sets a new starting point (x0, t0). Asking never changes an answer.
"""

import math
from typing import Final

from protocols.language.units import Micros

_NEVER_SHARE: Final = 1e-9
"""A threshold this near to the target, against the way still to go, is never reached: floats end there."""


class FirstOrderLag:
    """One such quantity; `tau_us` is its time constant."""

    __slots__ = ("_asked_at", "_since", "_start", "_target", "tau_us")

    def __init__(self, value: float, tau_s: float) -> None:
        self.tau_us = tau_s * 1e6
        self._start, self._since = value, 0
        self._target = value
        self._asked_at = 0

    def towards(self, target: float, now: Micros) -> float:
        """Return the value at `now`. A target other than the one before holds since it was asked last."""
        if target != self._target:
            self.settle(self._asked_at)
            self._target = target
        self._asked_at = now
        return target + (self._start - target) * math.exp((self._since - now) / self.tau_us)

    def settle(self, at: int) -> None:
        """Go on from the value at `at`, as before a change of `tau_us`."""
        target = self._target
        self._start = target + (self._start - target) * math.exp((self._since - at) / self.tau_us)
        self._since = at

    def step_to(self, value: float, now: Micros) -> None:
        """Go on from `value`, whatever the value was before."""
        self._start, self._since = value, now

    def when_crosses(self, value: float, threshold: float, now: Micros) -> Micros | None:
        """Return when it will next reach `threshold`, being at `value` at `now`; None if never."""
        target = self._target
        gap = value - target
        # What lies between start and target is passed; the target itself takes for ever.
        if gap == 0 or not _NEVER_SHARE < (threshold - target) / gap < 1:
            return None
        # One microsecond more than the ceiling, so that it is reached there whatever the rounding.
        return Micros(now + math.ceil(self.tau_us * math.log(gap / (threshold - target))) + 1)
