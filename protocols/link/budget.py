"""Limits on how often a peer may have this end do something: rubbish brings neither a storm of answers nor links."""

from typing import Final

from protocols.language.units import SECOND, Micros

MAX_NAKS_PER_SECOND: Final = 10
MAX_LINKS_PER_SECOND: Final = 10
"""On one port. Each is kept in memory, which takes milliseconds on a disk: a few dozen in one piece of bytes would keep
the heartbeat of another port waiting for longer than an armed device's lease."""


class Budget:
    """Times of the last second's doings: at most `limit` in any second, and not only on average."""

    __slots__ = ("_limit", "_spent_at")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spent_at: list[Micros] = []
        """In order. An empty list takes 56 bytes and an empty deque 760, of which a device would have four."""

    def spend(self, now: Micros) -> bool:
        """Return True if it may be done once more now; it then counts as done."""
        recent = self._spent_at
        if len(recent) == self._limit:
            if now - recent[0] < SECOND:
                return False
            del recent[0]
        recent.append(now)
        return True
