"""One direction of a line that takes the time of its bits: what is put in comes out when its last bit has gone over.

Law: what came first comes out first. What is under way is the owner's to bound, by its `size`.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from firmware_sim.clock import monotonic
from protocols.language.units import SECOND


class SlowLine:
    """One direction; `deliver` takes what comes out. A byte that is put in takes `us_per_byte` from then on."""

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        self.us_per_byte = 0.0
        self.size = 0
        """Bytes under way."""
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self._cancel_timer: Callable[[], None] | None = None

    def carry(self, data: bytes) -> None:
        """Put a piece in."""
        self._free_at = max(self._free_at, float(monotonic())) + len(data) * self.us_per_byte
        self._waiting.append((self._free_at, data))
        self.size += len(data)
        if self._cancel_timer is None:
            self._wait()

    def clear(self) -> None:
        """Drop all that is under way; the line is free again."""
        self._waiting.clear()
        self.size, self._free_at = 0, 0.0
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def _wait(self) -> None:
        self._cancel_timer = self._loop.call_at(self._waiting[0][0] / SECOND, self._pass_on).cancel

    def _pass_on(self) -> None:
        """Deliver what is due, and come back for what is not."""
        self._cancel_timer = None
        while self._waiting and self._waiting[0][0] <= monotonic():
            _, data = self._waiting.popleft()
            self.size -= len(data)
            self._deliver(data)
        if self._waiting and self._cancel_timer is None:
            self._wait()
