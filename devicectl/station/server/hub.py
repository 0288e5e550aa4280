"""The class: its stations, the lessons that they are given, and the time of all of them.

Law: one event loop has all of it; only a lesson that is executed again is in a thread, and nothing else has that room.
"""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from devicectl import clock
from devicectl.campaign.scenario import MQTT
from devicectl.errors import DevicectlError
from devicectl.log.lessons.lesson import LessonStart, LessonSummary, StoredLesson
from devicectl.station.debrief.stored import record_of
from devicectl.station.lesson import Lesson
from devicectl.station.moment import for_foreign_host, lesson_as_yaml
from devicectl.station.room import Room
from devicectl.station.server.admission.limits import MAX_STATIONS
from devicectl.station.server.attempt import Attempt, Shelf
from devicectl.station.server.station import Projection, Station
from devicectl.station.server.transports.place import PlaceError
from protocols.language.units import MILLISECOND, SECOND, Micros

TICK_US: Final = Micros(SECOND // 50)
NUMBERS: Final = range(1, MAX_STATIONS + 1)
WAIT: Final = "wait: the lesson is executed again to that moment"


class FullError(DevicectlError):
    """The class has as many stations as a server takes."""


class ChangedError(DevicectlError):
    """The lesson is not there, or not any more, in the way that was asked for."""


class Hub:
    """The stations of one server. `draw_seed` makes the seed of a lesson that has none and is given none."""

    def __init__(self, shelf: Shelf, projections: Mapping[str, Projection], draw_seed: Callable[[], int]) -> None:
        self.stations: dict[int, Station] = {}
        self._shelf = shelf
        self._projections = projections
        self._draw_seed = draw_seed
        self._woken = asyncio.Event()
        self._changing = asyncio.Lock()

    # --- time ----------------------------------------------------------------------------------------------------

    async def keep_time(self) -> None:
        """Let time pass in all stations, for ever; where all of them rest, nothing is done."""
        while True:
            await self._woken.wait()
            self.tick(clock.monotonic())
            if all(station.at_rest for station in self.stations.values()):
                self._woken.clear()
            await clock.pause(TICK_US / SECOND)

    def tick(self, now: Micros) -> None:
        """Let time pass in all stations."""
        for station in self.stations.values():
            station.tick(now)

    def wake(self) -> None:
        """Look at all stations again: something was asked of one."""
        self._woken.set()

    # --- lessons -------------------------------------------------------------------------------------------------

    async def start(
        self,
        lesson: Lesson,
        *,
        name: str,
        number: int | None = None,
        seed: int | None = None,
        trainee: str | None = None,
    ) -> Station:
        """Start a lesson, held, at a station or a new one; one that was there is given up, and its trainee stays.

        Raises:
            FullError: there is no place for another station.
            ScenarioFileError: its host is somebody else's there, and the lesson is none for such a one.
        """
        async with self._changing:
            place = self._number_for(number)
            there = self.stations.get(place)
            if there is not None and there.far_device is not None:
                lesson = for_foreign_host(lesson, there.far_device.wire)
            if seed is None:
                seed = self._draw_seed() if lesson.seed is None else lesson.seed
            room = await _made(Room, lesson, seed)
            called = trainee if trainee is not None else "" if there is None else there.trainee
            begun = _start_of(room, place, called)
            return self._place(place, called, Attempt.begun(self._shelf, begun, room, name))

    async def go_on(self, key: int) -> Station:
        """Go on with a lesson that was not finished when its program ended.

        Raises:
            LogError: the log has no such lesson.
            ChangedError: it has ended, or is at a station.
            DevicectlError: this version cannot read it, or has an act of it no more.
        """
        async with self._changing:
            stored = self._left(key)
            record = record_of(stored)
            place = self._place_of(record.lesson, stored.start.station)
            room = await _made(Room.execute, record.lesson, record.seed, record.acts)
            attempt = Attempt(self._shelf, key, room, stored.start.title, stored=len(record.acts))
            return self._place(place, stored.start.trainee, attempt)

    def _place_of(self, lesson: Lesson, wanted: int) -> int:
        """Return the station at which a lesson can go on: that of its host's transport, else where it was or a new one.

        Raises:
            PlaceError: its host is somebody else's, and no station has a transport for it.
        """
        if not lesson.foreign:
            return wanted if wanted not in self.stations else self._number_for(None)
        for number, station in self.stations.items():
            if station.far_device is not None and station.far_device.wire == lesson.scenario.wire:
                return number
        options = "--mqtt" if lesson.scenario.wire == MQTT else "--tcp or --pty"
        raise PlaceError(f"its host is somebody else's: begin the station with {options}", 1)

    async def discard(self, key: int) -> None:
        """End a lesson that was not finished, and that nobody will go on with.

        Raises:
            LogError: the log has no such lesson, or it cannot be written.
            ChangedError: it has ended, or is at a station.
        """
        async with self._changing:
            acts = self._left(key).acts
            self._shelf.lessons.end(key, at_us=acts[-1].at_us if acts else 0)

    def _left(self, key: int) -> StoredLesson:
        """Return a lesson that an earlier program has left unfinished."""
        station = self._station_of(key)
        if station is not None:
            raise ChangedError(f"lesson {key} is at station {station.number}")
        stored = self._shelf.lessons.load(key)
        if stored.summary.ended_us is not None:
            raise ChangedError(f"lesson {key} has ended")
        return stored

    async def remove(self, number: int) -> None:
        """End a station; no-op where there is none.

        Raises:
            LogError: that could not be stored.
        """
        async with self._changing:
            if number in self.stations:
                station = self.stations[number]
                if station.far_device is not None:
                    station.far_device.shut()
                station.attempt.give_up()
                del self.stations[number]

    def attempts(self, key: int) -> dict[int, StoredLesson]:
        """Return a lesson of the log, and the attempts before it, by their keys.

        Raises:
            LogError: the log has no such lesson.
        """
        found: dict[int, StoredLesson] = {}
        earlier: int | None = key
        while earlier is not None:
            found[earlier] = self._shelf.lessons.load(earlier)
            earlier = found[earlier].start.parent
        return found

    def now_in(self, key: int) -> Micros | None:
        """Return the time of a lesson's world, if it goes on at a station; None if it does not."""
        station = self._station_of(key)
        return None if station is None or station.room.ended else station.room.now

    def _station_of(self, key: int) -> Station | None:
        """Return the station at which a lesson is; None where it is at none."""
        return next((station for station in self.stations.values() if station.attempt.key == key), None)

    def unfinished(self) -> list[LessonSummary]:
        """Return the lessons that an earlier program has left unfinished."""
        here = {station.attempt.key for station in self.stations.values()}
        return [lesson for lesson in self._shelf.lessons.unfinished() if lesson.key not in here]

    def _number_for(self, wanted: int | None) -> int:
        number = wanted or next((one for one in NUMBERS if one not in self.stations), None)
        if number is None:
            raise FullError(f"there are {MAX_STATIONS} stations: end one first")
        return number

    def _place(self, number: int, trainee: str, attempt: Attempt) -> Station:
        station = self.stations.get(number)
        if station is None:
            first = int(clock.wall().timestamp() * 1_000)  # more than any number that an earlier server has sent
            made = Station(number, trainee, attempt, projections=self._projections, first=first)
            self.stations[number] = made
            self.wake()
            return made
        station.attempt.give_up()
        station.trainee = trainee
        station.begin(attempt, clock.monotonic())
        self.wake()
        return station

    async def rewind(self, station: Station, to_ms: int) -> None:
        """Execute the lesson again to a time of it, as a further attempt, held there.

        Raises:
            ChangedError: the station has another attempt by now, or has ended.
            LogError: the further attempt could not be stored.
        """
        earlier, was = station.attempt, station.room
        until = Micros(was.began + to_ms * MILLISECOND)
        async with self._changing:
            if self.stations.get(station.number) is not station or station.attempt is not earlier:
                raise ChangedError(f"station {station.number} has another lesson by now: look again")
            with _executing(station):
                room = await _made(Room.execute, was.lesson, was.seed, was.acts, until)
            begun = _start_of(room, station.number, station.trainee, parent=earlier.key, parent_at_us=until)
            attempt = Attempt.begun(self._shelf, begun, room, earlier.name)
            earlier.give_up()
            station.begin(attempt, clock.monotonic())
            self.wake()


async def _made(make: Callable[..., Room], *given: object) -> Room:
    """Make a room in a thread, without garbage collection.

    A room keeps nearly all that it makes, and what it drops is in no cycle: to look for garbage would find none, and
    take up to a sixth of the time.
    """
    gc.disable()
    try:
        return await asyncio.to_thread(make, *given)
    finally:
        gc.enable()


def _start_of(
    room: Room, number: int, trainee: str, *, parent: int | None = None, parent_at_us: int | None = None
) -> LessonStart:
    return LessonStart(
        title=room.lesson.title,
        text=lesson_as_yaml(room.lesson),
        seed=room.seed,
        station=number,
        trainee=trainee,
        parent=parent,
        parent_at_us=parent_at_us,
    )


@contextlib.contextmanager
def _executing(station: Station) -> Iterator[None]:
    station.pace.hold()
    station.executing = WAIT
    try:
        yield
    finally:
        station.executing = ""
