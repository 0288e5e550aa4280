"""Virtual time: one heap of events, ties broken by the order in which they were put in.

Law: time jumps to the next event and never goes back. The same events put in in the same order run in the same order.
"""

from collections.abc import Callable
from heapq import heappop, heappush

from protocols.units import Micros


class Heap:
    """Events to come. `now` is the time of the event that runs."""

    def __init__(self) -> None:
        self.now = Micros(0)
        self._events: list[tuple[Micros, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, time: Micros, event: Callable[[], None]) -> None:
        """Run `event` at `time`, or now where that is past."""
        self._count += 1
        heappush(self._events, (time if time > self.now else self.now, self._count, event))

    @property
    def next_time(self) -> Micros | None:
        """When the next event runs; None when there is none, and so none will ever come."""
        return self._events[0][0] if self._events else None

    def run_next(self) -> None:
        """Run the next event.

        Raises:
            IndexError: there is none.
        """
        time, _, event = heappop(self._events)
        self.now = time
        event()
