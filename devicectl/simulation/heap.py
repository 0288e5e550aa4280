"""Virtual time: one heap of events, ties broken by the order in which they were put in, and the actors' deadlines.

Law: time jumps to whatever comes first and never goes back. The same events put in in the same order run in the same
order. An actor says when it wants to be woken; it is asked only when nothing is left to happen at the present time,
so that a deadline which an answer takes away at once costs nothing.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from protocols.language.units import Micros

FOREVER: Final = Micros(2**62)
"""A time that no run reaches."""


@dataclass(slots=True)
class Actor:
    """Something that wants to be woken: `deadline()` says when, None for not at all; `act()` does what is due.

    `act` must move the deadline beyond the time at which it is called.
    """

    deadline: Callable[[], Micros | None]
    act: Callable[[], None]


class Heap:
    """Events to come. `now` is the time of the one that runs. Of actors due at one time, the first named goes first."""

    def __init__(self) -> None:
        self.now = Micros(0)
        self.actors: tuple[Actor, ...] = ()
        self._events: list[tuple[Micros, int, Callable[[], None]]] = []
        self._soon: deque[Callable[[], None]] = deque()
        self._count = 0

    def at(self, time: Micros, event: Callable[[], None]) -> None:
        """Run `event` at `time`, or now where that is past."""
        if time <= self.now:
            self._soon.append(event)
        else:
            self._count += 1
            heappush(self._events, (time, self._count, event))

    @property
    def next_time(self) -> Micros | None:
        """Time of the next event; None if there will be none."""
        if self._soon:
            return self.now
        times = [due for actor in self.actors if (due := actor.deadline()) is not None]
        if self._events:
            times.append(self._events[0][0])
        return max(self.now, min(times)) if times else None

    def pass_to(self, time: Micros) -> None:
        """Let time pass in which nothing happens: to `time`, or to what happens next where that comes first."""
        due = self.next_time
        self.now = max(self.now, time if due is None else min(time, due))

    def run_next(self, by: Micros = FOREVER) -> bool:
        """Let the next thing happen; False when nothing ever will, or not by that time."""
        events = self._events
        if events and events[0][0] <= self.now:
            heappop(events)[2]()
            return True
        if self._soon:
            self._soon.popleft()()
            return True
        wake, act = None, None
        for actor in self.actors:
            due = actor.deadline()
            if due is not None and (wake is None or due < wake):
                wake, act = due, actor.act
        if events and (wake is None or events[0][0] <= wake):
            if events[0][0] > by:
                return False
            self.now, _, act = heappop(events)
        elif wake is None or act is None or wake > by:
            return False
        elif wake > self.now:
            self.now = wake
        act()
        return True
