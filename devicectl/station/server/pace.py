"""Pace of a lesson: its virtual time by the wall's, held, stepped and stopped where the speaker wants to talk.

Law: pure; it moves the clock of a lesson and changes nothing of its run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from protocols.language.units import MILLISECOND, SECOND, Micros

MIN_SPEED: Final = 0.05
MAX_SPEED: Final = 60.0
MAX_LAG_US: Final = Micros(SECOND // 5)
"""Wall time that one step makes good: a machine that slept, or is too slow for the speed, has no lesson rush by."""
LOOK_US: Final = Micros(5 * MILLISECOND)
"""Virtual time after which a pace that is to stop looks for its reason."""


class Seen(NamedTuple):
    """Progress of a lesson: the counts of what a stop or a step waits for, by name."""

    phases: int
    punches: int
    counts: int
    alarms: int
    refusals: int
    closed: int


class Stop(NamedTuple):
    """Somewhere to stop: name, words, and what has to be seen for the first time since the lesson began."""

    stop: str
    words: str
    seen: Callable[[Seen], int]


STOPS: Final = {
    stop.stop: stop
    for stop in (
        Stop("first_punch", "before the first punch", lambda seen: seen.punches),
        Stop("first_count", "when the first cores are counted", lambda seen: seen.counts),
        Stop("first_refusal", "at the first refusal", lambda seen: seen.refusals),
        Stop("first_alarm", "at the first alarm", lambda seen: seen.alarms),
        Stop("close", "when the session is closed", lambda seen: seen.closed),
    )
}
STEPS: Final[dict[str, Callable[[Seen], int]]] = {
    "phase": lambda seen: seen.phases,
    "cycle": lambda seen: seen.punches,
    "alarm": lambda seen: seen.alarms,
}
"""Name of a step -> what has to become more before the lesson is held again."""


@dataclass
class Pace:
    """Speed, and whether the lesson runs. `stops` are those still ahead, `done` those that were reached."""

    speed: float = 1.0
    running: bool = False
    stops: tuple[str, ...] = ()
    done: frozenset[str] = frozenset()
    _step: tuple[Callable[[Seen], int], int] | None = None
    _wall: Micros = field(default=Micros(0))
    _rest: float = 0.0

    def run(self, now: Micros) -> None:
        """Run on from this wall time."""
        if not self.running:
            self.running, self._wall, self._rest = True, now, 0.0

    def hold(self) -> None:
        """Hold the lesson, and forget a step that is under way."""
        self.running, self._step = False, None

    def prepare(self, stops: Sequence[str], seen: Seen) -> None:
        """Stop at these from now on; one that lies behind is done."""
        self.stops = tuple(dict.fromkeys(stops))
        self.done = frozenset(name for name in self.stops if STOPS[name].seen(seen))

    def step(self, name: str, seen: Seen, now: Micros) -> None:
        """Run to the next phase, cycle or alarm."""
        count = STEPS[name]
        self._step = count, count(seen)
        self.run(now)

    def passed(self, now: Micros) -> Micros:
        """Return the virtual time that has passed since the last call."""
        if not self.running:
            return Micros(0)
        wall, self._wall = min(Micros(now - self._wall), MAX_LAG_US), now
        exact = wall * self.speed + self._rest
        whole = Micros(int(exact))
        self._rest = exact - whole
        return whole

    def slices(self, passed: Micros) -> Sequence[Micros]:
        """Return a virtual time in pieces, after each of which `look` is called; one if nothing is looked for."""
        if self._step is None and not self.ahead:
            return (passed,)
        whole, rest = divmod(passed, LOOK_US)
        return (*((LOOK_US,) * whole), Micros(rest))

    @property
    def ahead(self) -> tuple[str, ...]:
        """Stops that were not reached yet."""
        return tuple(name for name in self.stops if name not in self.done)

    def look(self, seen: Seen) -> bool:
        """Hold the lesson where a stop is reached or a step is over; True if so."""
        reached = {name for name in self.ahead if STOPS[name].seen(seen)}
        self.done |= reached
        stepped = self._step is not None and self._step[0](seen) > self._step[1]
        if reached or stepped:
            self.hold()
        return bool(reached or stepped)

    def begin_again(self, seen: Seen) -> None:
        """Hold, with the same stops, at a moment of another attempt."""
        self.hold()
        self.prepare(self.stops, seen)
