"""Limits on how often a peer may have this end do something: rubbish brings neither a storm of answers nor links."""

from collections import deque
from typing import Final

from protocols.language.units import SECOND, Micros

MAX_NAKS_PER_SECOND: Final = 10
MAX_LINKS_PER_SECOND: Final = 10
"""On one port. Each is kept in memory, which takes milliseconds on a disk: a few dozen in one piece of bytes would keep
the heartbeat of another port waiting for longer than an armed device's lease."""


class Budget:
    """Times of the last second's doings: at most `limit` in any second, and not only on average."""

    def __init__(self, limit: int) -> None:
        self._spent_at: deque[Micros] = deque(maxlen=limit)

    def spend(self, now: Micros) -> bool:
        """Return True if it may be done once more now; it then counts as done."""
        recent = self._spent_at
        if len(recent) == recent.maxlen and now - recent[0] < SECOND:
            return False
        recent.append(now)
        return True
