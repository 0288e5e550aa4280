"""One station: the room of its lesson, the pace of it, the trigger's lease, and what its pages are sent.

Law: no I/O but the log of lessons and a line about a defect, no clock: wall time comes in. An act is in the log before
anybody is answered.

How it works: `tick` lets the room's time pass by the pace, and sends the views what has changed. An act is done at the
room's time, stored, and seen in all views before it is answered. To go back is to execute the lesson again to an
earlier time; that is a further attempt, whose acts begin with those that it has in common with the earlier one.
"""

import contextlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from devicectl.log.errors import LogError
from devicectl.station.acts import BYTES, HOST, SERVER, ActError, act_of
from devicectl.station.past import in_the_past
from devicectl.station.room import Room
from devicectl.station.server.admission.limits import ACTS_OF_STATION, Budget
from devicectl.station.server.attempt import Attempt
from devicectl.station.server.channel import Channel, Reader
from devicectl.station.server.lease import NOBODY, TriggerLease
from devicectl.station.server.pace import Pace
from devicectl.station.server.progress import Progress
from devicectl.station.server.transports.far_device import FarDevice
from devicectl.station.views.guidance import state_in_words
from devicectl.station.views.patch import Document
from devicectl.station.views.trainee import lesson_ms, trainee_view
from handpiece_shell.streams import say
from protocols.language.units import MILLISECOND, SECOND, Micros

PUSH_US: Final = Micros(80 * MILLISECOND)
"""Wall time between two documents of a lesson that runs: 12 a second."""
CHANGE_US: Final = Micros(30 * MILLISECOND)
"""The same where a phase begins or something is seen, which the page should show in time."""
RETRY_US: Final = Micros(10 * SECOND)
"""Wall time between two tries to store what was not: each may wait two seconds for another program's lock."""

ALONE_US: Final = Micros(600 * SECOND)
"""Wall time after which a lesson that runs is held, if no page is open and nobody has asked for anything."""
ALWAYS: Final = ("stop", "trigger_release")
"""Acts that nobody has to wait for: they make the handpiece safe."""


class Answer(NamedTuple):
    """Outcome of what a page or a program has asked for, in words if it was not done."""

    ok: bool
    words: str = ""


Projection = Callable[["Station", Document], Document]
"""Makes a view's document beside that of `trainee_view`, which is a part of each and is made once for all."""


class Station:
    """A station of the class, by its number. `first` is the number before its first message."""

    def __init__(
        self, number: int, trainee: str, attempt: Attempt, *, projections: Mapping[str, Projection], first: int
    ) -> None:
        self.number = number
        self.trainee = trainee
        self.attempt = attempt
        self.pace = Pace()
        self.executing = ""
        self._defect = self._unkept = ""
        self._acts = Budget(ACTS_OF_STATION, Micros(0))
        self._attended = Micros(0)
        self.far_device: FarDevice | None = None
        """Transport of the trainee, where that is somebody else's host."""
        self._lease = TriggerLease()
        self._progress = Progress(attempt.room)
        self._pushed = Micros(0)
        self._unshown = False
        """True while an act of somebody else's host is not in the views."""
        self._tried = Micros(0)
        self._projections = projections
        self._channels = {view: Channel(document, first) for view, document in self._documents(projections).items()}

    @property
    def room(self) -> Room:
        """The room of this attempt."""
        return self.attempt.room

    @property
    def trouble(self) -> str:
        """Words for the instructor on a defect that holds the lesson, or on a log that cannot be written."""
        return self._defect or self._unkept

    @property
    def at_rest(self) -> bool:
        """True while no time has to pass here: the lesson is held, nobody holds the trigger, and all is stored."""
        return not (self.pace.running or self.holds_trigger or self.attempt.owes)

    @property
    def holds_trigger(self) -> bool:
        """True while the trigger is held, and it matters."""
        return self.room.controller.held and not (self.room.controller.foreign or self.room.ended or self._defect)

    @property
    def unbegun(self) -> bool:
        """True until time has passed in this lesson."""
        return self.room.now == self.room.began

    def clock(self) -> dict[str, object]:
        """Return the lesson's clock."""
        return {
            "t_ms": lesson_ms(self.room, self.room.now),
            "speed": self.pace.speed,
            "running": self.pace.running,
            "ended": self.room.ended,
        }

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self, now: Micros) -> None:
        """Let the time pass until `now`."""
        self._guarded(now, lambda: self._tick(now))

    def _guarded(self, now: Micros, what: Callable[[], Answer | None]) -> Answer:
        """Do something; a defect in it holds this lesson, and does not end those of others."""
        try:
            return what() or Answer(True)
        except Exception as error:  # noqa: BLE001 - whatever it is, seven other lessons go on
            self.pace.hold()
            self._defect = f"{type(error).__name__}: {error}"
            say(f"devicectl: station {self.number} is held:\n{traceback.format_exc()}")
            with contextlib.suppress(Exception):  # the defect may be one of a view
                self.push(now)
            return Answer(False, f"a defect holds this lesson: {self._defect}: go back to an earlier time")

    def _tick(self, now: Micros) -> None:
        if self.executing:
            return
        if self.far_device is not None:
            self.far_device.look()
        if self.attempt.owes and now - self._tried >= RETRY_US:
            self._settle(now)
            self.push(now)
        self._look_at_trigger(now)
        if not self.pace.running:
            if self._unshown:
                self.push(now)
            return
        hosted = self.far_device is not None and self.far_device.connected
        if hosted or any(channel.watched for channel in self._channels.values()):
            self._attended = now
        elif now - self._attended >= ALONE_US:
            self.pace.hold()
        changed = self._pass(now)
        if now - self._pushed >= (CHANGE_US if changed else PUSH_US):
            self.push(now)

    def _pass(self, now: Micros) -> bool:
        """Let the room's time pass; True if something was seen that the views have not shown."""
        for piece in self.pace.slices(self.pace.passed(now)):
            self.room.advance(Micros(self.room.now + piece))
            if self.pace.look(self._progress.seen()):
                break
        if self.far_device is not None and self.pace.running:
            self.far_device.exchange()
        if self.room.ended and self.pace.running:
            self.pace.hold()
            self._settle(now)
        if not self.pace.running:
            self.push(now)
        return self._progress.changed()

    def push(self, now: Micros) -> None:
        """Send the pages what is different."""
        self._pushed = now
        self._unshown = False
        self._progress.shown()
        if watched := [view for view, channel in self._channels.items() if channel.watched]:
            for view, document in self._documents(watched).items():
                self._channels[view].publish(document)

    def _documents(self, views: Iterable[str]) -> dict[str, Document]:
        seen = trainee_view(self.room)
        return {view: self._projections[view](self, seen) for view in views}

    # --- acts ----------------------------------------------------------------------------------------------------

    def act(self, view: str, name: object, arguments: object, now: Micros, holder: int = NOBODY) -> Answer:
        """Do an act of a view at this moment."""
        return self._guarded(now, lambda: self._act(view, name, arguments, now, holder))

    def _act(self, view: str, name: object, arguments: object, now: Micros, holder: int) -> Answer:
        if self.executing:
            return Answer(False, self.executing)
        if name not in ALWAYS and not self._acts.take(1, now):
            return Answer(False, f"wait: a station takes {ACTS_OF_STATION[0]} acts a second")
        self._attended = now
        self._pass(now)
        try:
            act = act_of({"at_us": self.room.now, "name": name, "arguments": arguments}, view)
            self.room.do(act)
        except ActError as error:
            return Answer(False, str(error))
        if not self.holds_trigger:
            self._lease.drop()
        elif act.name == "trigger_press":
            self._lease.take(holder, now)
        answer = self._settle(now)
        self.push(now)
        return answer

    def take(self, name: str, arguments: Mapping[str, object]) -> bool:
        """Do an act of somebody else's host; True if it was done, and is kept. The views have it with what follows."""
        if self.executing:
            return False
        try:
            self.room.do(act_of({"at_us": self.room.now, "name": name, "arguments": arguments}, HOST))
        except ActError:
            return False
        self._unshown = True
        return self._settle(self._tried).ok

    def _settle(self, now: Micros) -> Answer:
        self._tried = now
        try:
            self.attempt.settle()
            self._unkept = ""
        except LogError as error:
            self.pace.hold()
            self._unkept = str(error)
            return Answer(False, f"it was done, and is not kept: {error}")
        return Answer(True)

    def set_pace(
        self,
        now: Micros,
        *,
        speed: float | None = None,
        stops: Sequence[str] | None = None,
        step: str | None = None,
        running: bool | None = None,
    ) -> Answer:
        """Move the clock; what is None stays as it is."""
        return self._guarded(now, lambda: self._set_pace(now, speed, stops, step, running))

    def _set_pace(
        self, now: Micros, speed: float | None, stops: Sequence[str] | None, step: str | None, running: bool | None
    ) -> Answer:
        if self.executing:
            return Answer(False, self.executing)
        self._attended = now
        self._pass(now)
        if speed is not None:
            self.pace.speed = speed
        if stops is not None:
            self.pace.prepare(stops, self._progress.seen())
        if step is not None and not self.room.ended:
            self.pace.step(step, self._progress.seen(), now)
        elif running and not self.room.ended:
            self.pace.run(now)
        elif running is False:
            self.pace.hold()
        self.push(now)
        return Answer(True)

    # --- the trigger ---------------------------------------------------------------------------------------------

    def renew(self, holder: int, now: Micros) -> None:
        """Renew the lease of the trigger, for the socket that holds it."""
        self._lease.renew(holder, now)

    def _look_at_trigger(self, now: Micros) -> None:
        """Let the trigger go where its lease is over; one that is held without a lease, as after a rewind, gets one."""
        if not self.holds_trigger:
            self._lease.drop()
            return
        if not self._lease.held:
            self._lease.take(NOBODY, now)
        why = self._lease.over(now)
        if why:
            self._act(SERVER, "trigger_release", {"why": why}, now, NOBODY)

    # --- pages ---------------------------------------------------------------------------------------------------

    def join(self, view: str, reader: Reader, last: int) -> None:
        """Send a page what it lacks after message `last`, and all that comes."""
        self._channels[view].join(reader, last, self._documents([view])[view])

    def leave(self, view: str, reader: Reader, holder: int, now: Micros) -> None:
        """Send a page nothing any more; if it held the trigger, that is let go."""
        self._channels[view].leave(reader)
        self._lease.lose(holder)
        self.tick(now)

    def row(self) -> dict[str, object]:
        """Return the station's row of the roster."""
        last = next((act for act in reversed(self.room.acts) if act.name != BYTES), None)
        controller = self.room.controller
        return {
            "station": self.number,
            "lesson": self.attempt.key,
            "scenario": self.attempt.name,
            "title": self.room.lesson.title,
            "trainee": self.trainee,
            "state": {"name": controller.screen.state.value, "words": state_in_words(controller)},
            "last_act": None
            if last is None
            else {"words": in_the_past(last, controller.plan), "at_ms": lesson_ms(self.room, last.at_us)},
            "clock": self.clock(),
            "ended": self.room.ended,
            "host": None if self.far_device is None else self.far_device.url,
            "executing": self.executing or None,
            "trouble": self.trouble or None,
        }

    # --- attempts ------------------------------------------------------------------------------------------------

    def begin(self, attempt: Attempt, now: Micros) -> None:
        """Go on with another attempt, held."""
        self.attempt = attempt
        self.executing = self._defect = ""
        self._progress = Progress(attempt.room)
        if self.far_device is not None:
            self.far_device.begin()
        self.pace.begin_again(self._progress.seen())
        self._lease.drop()
        self.push(now)
