"""The automatic operator in a lesson: it leads to where the lesson begins, and works in place of a person when asked.

Law: it can be taken off at any time. What it has asked of the device comes to its end; what it only waits for does not.
"""

import math
from typing import Final

from devicectl.errors import CommandRefusedError, SessionError
from devicectl.session.machine import ENDED, State
from devicectl.session.procedures import Procedure, Task, Until
from devicectl.station.console.host import Host
from devicectl.station.console.screen import SEEN_TO_US, ShownAlarm
from devicectl.station.lesson import Begin
from protocols.language import messages as M
from protocols.language.enums import AlarmState
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.units import SECOND, Micros

REACTION_US: Final = SECOND
"""Time in which it acknowledges an alarm: a class has to see the alarm first."""
_UNCONFIRMED: Final = (State.SESSION_OPEN, State.ANESTHESIA_WAIT, State.RECOVERING)


class Autopilot:
    """The automatic operator of one host. `on` tells that it works."""

    def __init__(self, host: Host) -> None:
        self.on = False
        self._host = host
        self._task: Task[None] | None = None

    @property
    def busy(self) -> bool:
        """True while it works, or ends what it has begun."""
        return self.on or not (self._task is None or self._task.done)

    def switch(self, on: bool) -> None:
        """Let it work, or take it off after the cycle under way."""
        if on and not self.busy:
            self.on = True
            self._task = self._host.start(self._until_off(self._finish()))
            for alarm in self._host.screen.alarms.values():
                self.heard(alarm)
        elif not on and self._task is not None and isinstance(self._task.waits_for, Until):
            self.leave()
        self.on = on and self.busy

    def leave(self) -> None:
        """Take it off, whatever it waits for."""
        if self._task is not None:
            self._host.cancel(self._task)
        self.on = False

    def heard(self, alarm: M.Alarm | ShownAlarm) -> None:
        """Acknowledge an alarm that somebody has to look into, after a moment, as a person would."""
        if self.on and self._task is not None and alarm.state is AlarmState.ACTIVE:
            self._host.start(self._acknowledge(alarm.code))

    def _acknowledge(self, code: int) -> Procedure[None]:
        yield Until(Micros(self._host.engine.link.now + REACTION_US))
        shown = self._host.screen.alarms.get(code)
        if self.on and shown is not None and shown.state is AlarmState.ACTIVE:
            self._host.screen.acknowledges(code)
            yield from self._host.manual.acknowledge(code)

    def _until_off(self, work: Procedure[None]) -> Procedure[None]:
        """Run `work`, and leave it where it only waits for a time and this is off."""
        try:
            wait = next(work)
            while self.on or not isinstance(wait, Until):
                failed: Exception | None = None
                try:
                    answer = yield wait
                except Exception as error:  # noqa: BLE001 - it is for the procedure that waits
                    failed = error
                wait = work.send(answer) if failed is None else work.throw(failed)
        except StopIteration:
            pass
        finally:
            work.close()
            self.on = False

    # --- its work ------------------------------------------------------------------------------------------------

    def lead(self, begin: Begin) -> Procedure[None]:
        """Lead the session to where a lesson begins."""
        self.on = True
        try:
            yield from self._numb() if begin.state == State.ANESTHESIA_WAIT else self._lead(begin)
        finally:
            self.on = False

    def _numb(self) -> Procedure[None]:
        """Start the anesthesia of each zone, as a person would: the operator itself would not leave the wait."""
        manual = self._host.manual
        if not self._host.engine.link.exchange.linked:
            yield from manual.relink()
        for zone in range(len(self._host.plan.zones)):
            yield from manual.anesthesia_start(zone, self._age_s())

    def _lead(self, begin: Begin) -> Procedure[None]:
        host = self._host
        if begin.state == State.SESSION_OPEN:
            return
        yield from self._confirm()
        while host.screen.cores < begin.cores:
            yield from self._next_cycle()
        if begin.state != State.ANESTHESIA_CONFIRMED and host.engine.machine.now is State.ANESTHESIA_CONFIRMED:
            yield from host.manual.arm()
        if begin.state == State.PAUSED:
            yield from host.manual.pause()

    def _finish(self) -> Procedure[None]:
        """Work until the session is closed, or this is off."""
        yield self._host.idle
        if self._host.engine.machine.now in ENDED:
            return
        yield from self._confirm()
        while self.on and (yield from self._persist()):
            pass
        if self.on:
            yield from self._host.close()

    def _confirm(self) -> Procedure[None]:
        """Numb and confirm every zone, unless that was done."""
        if self._host.engine.machine.now in _UNCONFIRMED:
            operator = self._host.plan.operator
            yield from self._host.engine.confirm_anesthesia(
                operator.anesthesia_method, operator.confirmed_by, self._age_s()
            )

    def _age_s(self) -> int:
        """Age of the anesthesia where no zone was numbed here: the plan's, and the time since the opening."""
        age_s, commits = self._host.plan.operator.anesthesia_age_s, self._host.commits
        open_s = None if commits.stored is None else commits.stored.open_s(commits.wall_now)
        if age_s == 0 or open_s is None:
            return age_s
        return min(age_s + math.ceil(open_s), MAX_ANESTHESIA_AGE_S)

    def _persist(self) -> Procedure[bool]:
        """Do the next cycle; where it is refused, say why, wait until somebody has seen to that, and try again."""
        try:
            return (yield from self._next_cycle())
        except (CommandRefusedError, SessionError) as refused:
            if not self._host.screen.alarms:
                raise
            self._host.screen.say("note", f"{refused}; it is tried again in {SEEN_TO_US // SECOND} s")
        yield Until(Micros(self._host.engine.link.now + SEEN_TO_US))
        return self.on and (yield from self._next_cycle())

    def _next_cycle(self) -> Procedure[bool]:
        """Do a cycle with all that it needs; False when the target is reached."""
        cycle = yield from self._host.engine.next_cycle()
        if cycle is not None:
            self._host.worked(cycle)
        return cycle is not None
