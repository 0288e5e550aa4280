"""One life of the controller: a host that has a session, keeps its link, and ends.

How it works: one procedure runs beside those of the acts. It opens the session, or takes it over from the host before,
leads it to where the lesson begins, and from then on makes a lost link again.

Law: a lost link comes back by itself, and nothing else does.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from devicectl.errors import CommandError, DevicectlError, LinkError
from devicectl.session.context import Identity
from devicectl.session.machine import ENDED, State
from devicectl.session.procedures import Procedure, Task, Until, ask
from devicectl.session.recovery import for_each_alarm
from devicectl.station.console.autopilot import Autopilot
from devicectl.station.console.hands import Hands
from devicectl.station.console.host import Host
from devicectl.station.lesson import Begin
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Stream
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, SECOND, Micros

TELEMETRY_MS: Final = 200
"""Interval of the measurements: a gauge that moves five times a second looks alive."""
RETRY_US: Final = SECOND
"""Time between two tries to make the link."""


class Life:
    """The life of one host. `led` is True once the session is where `begin` has it; `over` hears that it ends."""

    def __init__(self, host: Host, identity: Identity, begin: Begin | None, over: Callable[[], None]) -> None:
        self.host = host
        self.engine = host.engine
        self.manual = host.manual
        self.autopilot = Autopilot(host)
        self.hands = Hands(host, self.autopilot)
        self.led = False
        self._screen = host.screen
        self._identity = identity
        self._over = over
        self._greeted: M.Welcome | None = None
        """Link on which the device was asked for what a screen shows."""
        self._running: Task[None] | None = None
        self.engine.on_told = self._told
        self._running = host.start(self._run(begin))

    @property
    def given_up(self) -> bool:
        """True if nobody keeps the session any more: a person would have to do something first."""
        return self._running is not None and self._running.done

    def _told(self, message: Message) -> None:
        self._screen.told(message)
        if not self.autopilot.busy:
            self.manual.heard(message)
        elif isinstance(message, M.Alarm):
            self.autopilot.heard(message)

    # --- its session and its link --------------------------------------------------------------------------------

    def _run(self, begin: Begin | None) -> Procedure[None]:
        """Open the session or take it over, go where `begin` wants it, and keep the link."""
        yield from self._until_linked(self._take_over)
        if begin is not None and self.engine.machine.now not in ENDED:
            yield from self._until_linked(partial(self.autopilot.lead, begin))
        self.hands.ready = self.led = True
        while self.engine.machine.now not in ENDED:
            yield self._link_is_new_or_missing
            try:
                yield from self._until_linked(self._relink)
            except CommandError as error:
                self._screen.answered(error)
                yield Until(Micros(self.engine.link.now + RETRY_US))

    def _until_linked(self, make: Callable[[], Procedure[None]]) -> Procedure[None]:
        """Try again until there is a link, and the device has answered over it."""
        while True:
            try:
                yield from make()
                return
            except LinkError as error:
                self._screen.say("note", str(error))
                yield Until(Micros(self.engine.link.now + RETRY_US))

    def _link_is_new_or_missing(self) -> bool:
        link = self.engine.link
        if link.exchange.linked:
            return link.welcome is not self._greeted  # the automatic operator has made it
        return self.engine.machine.now is State.RECOVERING and not self.autopilot.busy and not self.manual.under_way

    def _relink(self) -> Procedure[None]:
        if not self.engine.link.exchange.linked and not self.autopilot.busy:
            yield from self.manual.relink()
        yield from self._greet()

    def _take_over(self) -> Procedure[None]:
        """Open the session, or take it over from the host before, and greet the device."""
        engine, commits = self.engine, self.host.commits
        if engine.opened is not None:  # the link was lost on the way
            yield from self._relink()
            return
        yield from engine.connect()
        held, stored = engine.welcome.session_no, commits.stored
        if stored is not None:
            yield from engine.adopt(stored, commits.records, stored.open_s(commits.wall_now), restore=False)
            yield from self._catch_up() if held else self._settle()
        elif held:
            yield from engine.abandon()
            self._screen.say("note", "a session that was not in the log is closed")
            self.host.later(self._over)
            yield lambda: False
        else:
            yield from engine.open_session(self.host.plan, self._identity)
            yield from self._greet()

    def _catch_up(self) -> Procedure[None]:
        """Read the journal from where the host before had read it, on a link of its own, and greet the device."""
        yield from self.manual.relink()
        yield from self._greet()

    def _settle(self) -> Procedure[None]:
        """Log the end of a session that the device has closed, since the host before could not."""
        yield from self.engine.settle(self.host.wall_seconds)
        self._screen.close(self.engine.machine.now.value)

    def _greet(self) -> Procedure[None]:
        """Ask for the measurements and for the alarms that are there: with a link, both are lost."""
        if not self.engine.link.exchange.linked:
            return
        welcome = self.engine.link.welcome
        self._screen.link()
        self.host.total()
        yield from ask(M.StreamSet(stream=Stream.STATE, interval_ms=TELEMETRY_MS))
        self.hands.steady_us = yield from self._steady_us()
        codes = set[int]()

        def show(alarm: M.AlarmListDone) -> Procedure[None]:
            if alarm.code:
                codes.add(alarm.code)
                self._screen.show_alarm(alarm)
            yield from ()

        yield from for_each_alarm(show)
        self._screen.show_only(codes)
        self._greeted = welcome

    def _steady_us(self) -> Procedure[Micros]:
        """Ask for how long the trigger has to be held before a punch: for no time where the device needs no trigger."""
        if not (yield from ask(M.ParamGet(name="trigger_required"))).value:
            return Micros(0)
        needed = yield from ask(M.ParamGet(name="trigger_debounce_ms"))
        return Micros(round(needed.value * MILLISECOND))

    # --- its end -------------------------------------------------------------------------------------------------

    def interrupt(self) -> Procedure[None]:
        """End it as by Ctrl-C: the handpiece is stopped and the session closed as aborted, if that is possible."""
        self.autopilot.leave()
        try:
            yield from self.manual.stop()
            yield from self.host.close_as(CloseReason.ABORTED)
        except DevicectlError as error:
            self._screen.say("note", str(error))
            self.host.later(self._over)

    def lose_log(self, why: str) -> Procedure[None]:
        """End it because nothing can be logged any more: the handpiece is stopped, the session stays open."""
        self.engine.lose_log()
        self._screen.say("note", why)
        try:
            yield from self.engine.stop()
        finally:
            self.engine.give_up()
            self.host.later(self._over)
