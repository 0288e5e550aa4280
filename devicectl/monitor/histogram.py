"""Durations, counted in buckets: as many as there may be, in the same memory."""

from collections import Counter
from typing import Final

EXACT_BITS: Final = 7
"""Leading bits that a bucket keeps: a duration is told to one part in 64 at worst."""


class Histogram:
    """Durations in microseconds; their greatest is exact."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.greatest = 0

    def add(self, duration_us: int) -> None:
        """Count a duration."""
        shift = max(0, duration_us.bit_length() - EXACT_BITS)
        self._buckets[duration_us >> shift << shift] += 1
        self.count += 1
        self.greatest = max(self.greatest, duration_us)

    def quantile(self, share: float) -> int:
        """Return the duration that `share` of all do not exceed, as its bucket has it; 0 where there is none."""
        wanted = share * self.count
        seen = 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                return bucket
        return 0
