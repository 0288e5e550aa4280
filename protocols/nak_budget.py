"""How often an end may say NAK: a peer that sends rubbish must not be answered with a storm."""

from collections import deque
from typing import Final

from protocols.units import SECOND, Micros

MOST_NAKS_PER_SECOND: Final = 10
"""In any second, and not only on average."""


class NakBudget:
    """The NAKs of the last second, of one end or of all that share it."""

    def __init__(self) -> None:
        self._sent_at: deque[Micros] = deque(maxlen=MOST_NAKS_PER_SECOND)

    def spend(self, now: Micros) -> bool:
        """Whether one more may be sent now; it then counts as sent."""
        recent = self._sent_at
        if len(recent) == MOST_NAKS_PER_SECOND and now - recent[0] < SECOND:
            return False
        recent.append(now)
        return True
