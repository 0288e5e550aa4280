"""A lesson executed again under observation: quantities over time, and what was shown otherwise than it was.

Law: to observe changes nothing. The recording is that of the lesson, to the byte.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from devicectl.session.count import needle_names
from devicectl.session.machine import ARMED, State
from devicectl.station.acts import Act, ActError
from devicectl.station.debrief.facts import Belief, Sample
from devicectl.station.lesson import Lesson
from devicectl.station.room import Room
from devicectl.station.views.trainee import ZERO_C_MK
from protocols.language.units import MILLISECOND, Micros

SAMPLE_US: Final = 500 * MILLISECOND
"""Time between two looks; the controller's screen has a new telemetry twice as often at least."""
MIN_BELIEF_US: Final = 1_500 * MILLISECOND
"""A screen is behind the truth for an instant all the time; from here on a person could act on it."""


class Quantity(NamedTuple):
    """Something that is shown, and so. `shown` is None while the controller does not know it.

    From a difference of more than `tolerance` on the two are not the same; `say` puts a value in words.
    """

    name: str
    shown: Callable[[Room], float | None]
    true: Callable[[Room], float]
    differ: Callable[[float, float], float]
    tolerance: float
    say: Callable[[float], str]


def _shown_kpa(room: Room) -> float | None:
    telemetry = room.controller.screen.telemetry
    return None if telemetry is None else -telemetry.vacuum_pa / 1_000


def _true_kpa(room: Room) -> float:
    return -room.bench.device.plant.vacuum.pressure_kpa(room.now)


def _shown_c(room: Room) -> float | None:
    telemetry = room.controller.screen.telemetry
    return None if telemetry is None else (telemetry.temperature_mk - ZERO_C_MK) / 1_000


def _shown_canister(room: Room) -> float | None:
    telemetry = room.controller.screen.telemetry
    return None if telemetry is None else telemetry.canister_ul / 1_000


def _true_canister(room: Room) -> float:
    canister = room.bench.device.plant.canister
    return canister.fill * room.bench.device.parameters.canister_ml


def _shown_clogs(room: Room) -> float | None:
    telemetry = room.controller.screen.telemetry
    return None if telemetry is None else telemetry.flagged


def _shown_armed(room: Room) -> float | None:
    screen = room.controller.screen
    return (screen.state in ARMED) if screen.linked else None


def _truly_armed(room: Room) -> float:
    device = room.bench.device
    return device.powered and device.board.armed


def _apart(one: float, other: float) -> float:
    return abs(one - other)


def _needles_apart(one: float, other: float) -> float:
    return (int(one) ^ int(other)).bit_count()


QUANTITIES: Final = (
    Quantity("suction", _shown_kpa, _true_kpa, _apart, 5.0, lambda kpa: f"{kpa:.1f} kPa"),
    Quantity(
        "temperature of the handle",
        _shown_c,
        lambda room: room.bench.device.plant.heat.temperature_c(room.now),
        _apart,
        2.0,
        lambda celsius: f"{celsius:.1f} \N{DEGREE SIGN}C",
    ),
    Quantity("canister", _shown_canister, _true_canister, _apart, 5.0, lambda ml: f"{ml:.1f} ml"),
    Quantity(
        "clogged",
        _shown_clogs,
        lambda room: room.bench.device.plant.clogged,
        _needles_apart,
        0,
        lambda mask: needle_names(int(mask)),
    ),
    Quantity("armed", _shown_armed, _truly_armed, _apart, 0, lambda armed: "yes" if armed else "no"),
)


class _Watch:
    """Watches one quantity, and gathers the times in which it was shown otherwise than it was."""

    def __init__(self, quantity: Quantity, found: list[Belief]) -> None:
        self._quantity = quantity
        self._found = found
        self._since: int | None = None
        self._worst = (0.0, 0.0, 0.0)

    def look(self, room: Room, at_us: int) -> None:
        """Look at it as it is now."""
        quantity = self._quantity
        shown = quantity.shown(room)
        true = quantity.true(room)
        apart = 0.0 if shown is None else quantity.differ(shown, true)
        if shown is None or apart <= quantity.tolerance:
            self.end(at_us)
            return
        if self._since is None:
            self._since, self._worst = at_us, (apart, shown, true)
        elif apart > self._worst[0]:
            self._worst = (apart, shown, true)

    def end(self, at_us: int) -> None:
        """Take in that the two are the same from now on, or that nobody looks any more."""
        since, self._since = self._since, None
        if since is not None and at_us - since >= MIN_BELIEF_US:
            _, shown, true = self._worst
            say = self._quantity.say
            self._found.append(Belief(self._quantity.name, since, at_us, say(shown), say(true)))


class Watched(NamedTuple):
    """A lesson that was executed: its room at the end, and what was seen on the way.

    `first` is the host's state at its beginning; `impossible` are acts that could not be done.
    """

    room: Room
    first: State
    samples: Sequence[Sample]
    beliefs: Sequence[Belief]
    impossible: Sequence[Act]

    @property
    def lasts_us(self) -> int:
        """Time from the lesson's beginning to its end."""
        return self.room.now - self.room.began


def watch(lesson: Lesson, seed: int, acts: Sequence[Act], until: Micros) -> Watched:
    """Execute a lesson up to a time, and look at it every while; one without an act may end as it begins."""
    room = Room(lesson, seed)
    first, watcher, impossible = room.controller.screen.state, _Watcher(room), []
    for act in acts:
        watcher.advance(act.at_us)
        try:
            room.do(act)
        except ActError:
            impossible.append(act)
    watcher.advance(max(until, room.now))
    return Watched(room, first, watcher.samples, watcher.end(), impossible)


class _Watcher:
    """Advances a room, and looks at it every while on the way."""

    def __init__(self, room: Room) -> None:
        self.samples: list[Sample] = []
        self._room = room
        self._beliefs: list[Belief] = []
        self._watches = [_Watch(quantity, self._beliefs) for quantity in QUANTITIES]
        self._look()

    def advance(self, to: Micros) -> None:
        """Advance to a time."""
        room = self._room
        while (due := room.began + len(self.samples) * SAMPLE_US) <= to:
            room.advance(Micros(due))
            self._look()
        room.advance(to)

    def _look(self) -> None:
        room = self._room
        at_us, truth = room.now - room.began, room.bench.device.plant.truth
        counted, punctures = room.controller.screen.cores, truth.punctures
        shown, true = _shown_kpa(room), _true_kpa(room)
        self.samples.append(Sample(at_us, counted, truth.cores_evacuated, punctures, shown, true))
        for one in self._watches:
            one.look(room, at_us)

    def end(self) -> list[Belief]:
        """Return what was shown otherwise than it was, up to now."""
        for one in self._watches:
            one.end(self._room.now - self._room.began)
        return sorted(self._beliefs, key=lambda belief: belief.from_us)
