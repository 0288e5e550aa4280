"""One life of the controller: a host from its start to its end, and the hands of its person.

How it works: `run` is a procedure of its own beside those of the acts. It opens the session, or takes it over from the
host before, and from then on makes a lost link again. An act starts a procedure of the manual operator; the trigger
starts one that lets cycle follow cycle while it is held.

Law: nothing is mended for the person. What stops an act is shown as a sentence, and he goes on from there.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from devicectl.errors import CommandError, DevicectlError, LinkError
from devicectl.session.context import Identity
from devicectl.session.engine import CycleResult, Engine
from devicectl.session.machine import ENDED, State
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure, Task, Until, ask
from devicectl.station.commits import Commits
from devicectl.station.lesson import Begin
from devicectl.station.screen import Screen
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Stream
from protocols.language.message import Message
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.units import SECOND, Micros

TELEMETRY_MS: Final = 200
"""Interval of the measurements: a gauge that moves five times a second looks alive."""
RETRY_US: Final = SECOND
"""Time between two tries to make the link."""
_UNCONFIRMED: Final = (State.SESSION_OPEN, State.ANESTHESIA_WAIT, State.RECOVERING)


class Life:
    """One host. `automatic` tells that the automatic operator works, `held` that the trigger is held.

    `led` is True once the session is where `begin` has it. `later` does something when nothing else is being done,
    `over` hears that the host ends by itself.
    """

    def __init__(
        self,
        engine: Engine,
        screen: Screen,
        commits: Commits,
        plan: Plan,
        identity: Identity,
        later: Callable[[Callable[[], None]], None],
        over: Callable[[], None],
    ) -> None:
        self.engine = engine
        self.manual = engine.manual
        self.automatic = self.held = self.led = False
        self._screen = screen
        self._commits = commits
        self._plan = plan
        self._identity = identity
        self._began = engine.link.now
        self._later = later
        self._over = over
        self._ready = False
        self._greeted: M.Welcome | None = None
        """Link on which the device was asked for what a screen shows."""
        self.running: Task[None] | None = None
        """Task of `run`."""
        self._driving: Task[None] | None = None
        self._tasks: list[Task[None]] = []
        engine.on_told = self._told

    # --- running -------------------------------------------------------------------------------------------------

    def start(self, procedure: Procedure[None], now: Micros) -> Task[None]:
        """Begin a procedure; its end, or what it raised, is on the screen."""
        self._tasks = [task for task in self._tasks if not task.done]
        task = self.engine.link.start(self._shown(procedure), now)
        self._tasks.append(task)
        return task

    def end(self) -> None:
        """End every procedure where it is: the process is gone."""
        for task in self._tasks:
            self.engine.link.procedures.cancel(task)
        self._screen.lose_link("the controller has ended")

    def _shown(self, procedure: Procedure[None]) -> Procedure[None]:
        try:
            yield from procedure
        except CommandError as error:
            self._screen.answered(error)
        except DevicectlError as error:
            self._screen.say("refusal", str(error))
        except Exception as error:  # noqa: BLE001 - a defect, which must not stay in its task unseen
            self._later(partial(_raise, error))

    def _told(self, message: Message) -> None:
        self._screen.told(message)
        if not self.driven:
            self.manual.heard(message)

    # --- the session and its link --------------------------------------------------------------------------------

    def run(self, begin: Begin | None) -> Procedure[None]:
        """Open the session or take it over, go where `begin` wants it, and keep the link."""
        yield from self._until_linked(self._take_over)
        if begin is not None and self.engine.machine.now not in ENDED:
            yield from self._until_linked(partial(self._lead, begin))
        self._ready = self.led = True
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
        return self.engine.machine.now is State.RECOVERING and not self.driven and not self.manual.under_way

    def _relink(self) -> Procedure[None]:
        if not self.engine.link.exchange.linked and not self.driven:
            yield from self.manual.relink()
        yield from self._greet()

    def _take_over(self) -> Procedure[None]:
        """Open the session, or take it over from the host before, and greet the device."""
        engine, stored = self.engine, self._commits.stored
        if engine.opened is not None:  # the link was lost on the way
            yield from self._relink()
            return
        yield from engine.connect()
        held = engine.welcome.session_no
        if stored is not None:
            yield from engine.adopt(stored, self._commits.records, stored.open_s(self._commits.wall_now), restore=False)
            yield from self._catch_up() if held else self._settle()
        elif held:
            yield from engine.abandon()
            self._screen.say("note", "a session that was not in the log is closed")
            self._later(self._over)
            yield lambda: False
        else:
            yield from engine.open_session(self._plan, self._identity)
            yield from self._greet()

    def _catch_up(self) -> Procedure[None]:
        """Read the journal from where the host before had read it, on a link of its own, and greet the device."""
        yield from self.manual.relink()
        yield from self._greet()

    def _settle(self) -> Procedure[None]:
        """Log the end of a session that the device has closed, since the host before could not."""
        yield from self.engine.settle(self._wall_seconds())
        self._screen.close(self.engine.machine.now.value)

    def _greet(self) -> Procedure[None]:
        """Ask for the measurements and for the alarms that are there: with a link, both are lost."""
        if not self.engine.link.exchange.linked:
            return
        welcome = self.engine.link.welcome
        self._screen.link()
        self._total()
        yield from ask(M.StreamSet(stream=Stream.STATE, interval_ms=TELEMETRY_MS))
        index, count, codes = 0, 1, set[int]()
        while index < count:
            alarm = yield from ask(M.AlarmList(index=index))
            index, count = index + 1, alarm.count
            if alarm.code:
                codes.add(alarm.code)
                self._screen.show_alarm(alarm)
        self._screen.show_only(codes)
        self._greeted = welcome

    def _total(self) -> None:
        opened = self.engine.opened
        if opened is not None:
            self._screen.total(self.engine.counted, self.engine.last_cycle_no - opened.first_cycle_no + 1)

    # --- where a lesson begins -----------------------------------------------------------------------------------

    def _lead(self, begin: Begin) -> Procedure[None]:
        """Lead the session there by the automatic operator, but for the wait, which that would not leave."""
        self.automatic = True
        try:
            yield from self._numb() if begin.state == State.ANESTHESIA_WAIT else self._work(begin)
        finally:
            self.automatic = False

    def _numb(self) -> Procedure[None]:
        if not self.engine.link.exchange.linked:
            yield from self.manual.relink()
        for zone in range(len(self._plan.zones)):
            yield from self.manual.anesthesia_start(zone)

    def _work(self, begin: Begin) -> Procedure[None]:
        engine = self.engine
        if begin.state == State.SESSION_OPEN:
            return
        yield from self._confirm()
        while self._screen.cores < begin.cores:
            yield from self._next_cycle()
        if begin.state != State.ANESTHESIA_CONFIRMED and engine.machine.now is State.ANESTHESIA_CONFIRMED:
            yield from self.manual.arm()
        if begin.state == State.PAUSED:
            yield from self.manual.pause()

    # --- the automatic operator ----------------------------------------------------------------------------------

    @property
    def driven(self) -> bool:
        """True while the automatic operator works, or ends what it has begun."""
        return self.automatic or not (self._driving is None or self._driving.done)

    def drive(self, on: bool, now: Micros) -> None:
        """Let the automatic operator work, or stop it: it ends its cycle, and no wait."""
        if on and not self.driven:
            self._driving = self.start(self._drive(), now)
        elif not on and self._driving is not None and isinstance(self._driving.waits_for, Until):
            self._leave()
        self.automatic = on and self.driven

    def _leave(self) -> None:
        """Take the automatic operator off, whatever it waits for."""
        if self._driving is not None:
            self.engine.link.procedures.cancel(self._driving)
        self.automatic = False

    def _drive(self) -> Procedure[None]:
        self.automatic = True
        work = self._work_on()
        answer = None
        try:
            wait = next(work)
            while self.automatic or not isinstance(wait, Until):
                try:
                    answer = yield wait
                except Exception as error:  # noqa: BLE001 - it is for the procedure that waits
                    wait = work.throw(error)
                else:
                    wait = work.send(answer)
        except StopIteration:
            pass
        finally:
            work.close()
            self.automatic = False

    def _work_on(self) -> Procedure[None]:
        yield lambda: not self.manual.under_way
        yield from self._confirm()
        while self.automatic and (yield from self._next_cycle()):
            pass
        if self.automatic:
            yield from self._close()

    def _confirm(self) -> Procedure[None]:
        """Have the automatic operator numb and confirm every zone, unless that was done."""
        if self.engine.machine.now in _UNCONFIRMED:
            operator = self._plan.operator
            yield from self.engine.confirm_anesthesia(operator.anesthesia_method, operator.confirmed_by, self._age_s())

    def _age_s(self) -> int:
        """Age of the anesthesia where no zone was numbed here: the plan's, and the time since the opening."""
        age_s, stored = self._plan.operator.anesthesia_age_s, self._commits.stored
        open_s = None if stored is None else stored.open_s(self._commits.wall_now)
        if age_s == 0 or open_s is None:
            return age_s
        return min(age_s + -int(-open_s // 1), MAX_ANESTHESIA_AGE_S)

    def _next_cycle(self) -> Procedure[bool]:
        """Have the automatic operator do a cycle; False when the target is reached."""
        cycle = yield from self.engine.next_cycle()
        if cycle is not None:
            self._worked(cycle)
        return cycle is not None

    def _worked(self, cycle: CycleResult) -> None:
        self._total()
        self._screen.worked((cycle.zone, cycle.cell), self.manual.cycles_left)

    # --- the person's hands --------------------------------------------------------------------------------------

    def why_not(self, act: str) -> str:
        """Say why an act of the person cannot be passed on now; "" where it can."""
        if act in ("trigger_release", "silence"):
            return ""
        if not self._ready:
            return "wait: the controller is starting"
        if self.driven and act not in ("stop", "acknowledge"):
            return f"the automatic operator works: {'switch it off first' if self.automatic else 'wait for its end'}"
        return self.manual.why_not("cycle" if act == "trigger_press" else act)

    def act(self, name: str, arguments: Mapping[str, Any], now: Micros) -> None:
        """Do an act of the person; where it cannot be done, the screen says why."""
        if name == "silence":
            self._screen.silence()
        elif name == "trigger_release":
            self.held = False
        elif name == "trigger_press" and self.held and self.manual.under_way == "cycle":
            pass  # it is held already
        else:
            self.held = self.held or name == "trigger_press"
            self._pass_on(name, arguments, now)

    def _pass_on(self, name: str, arguments: Mapping[str, Any], now: Micros) -> None:
        if why := self.why_not(name):
            self._screen.say("refusal", why)
            return
        if name == "stop":
            self._leave()
        own = _OWN.get(name)
        self.start(getattr(self.manual, name)(**arguments) if own is None else own(self, **arguments), now)

    def _pull(self) -> Procedure[None]:
        """Let cycle follow cycle while the trigger is held."""
        while self.held and not self.driven:
            self._worked((yield from self.manual.cycle()))
            if self.engine.counted >= self._plan.target_cores:
                self._screen.say("note", "the target is reached: close the session")
                return
            if not self.manual.cycles_left:
                self._screen.say("note", "this cell is done: go to the next one")
                return

    def _reposition(self, zone: int | None = None, cell: int | None = None) -> Procedure[None]:
        manual = self.manual
        yield from manual.reposition_next() if zone is None or cell is None else manual.reposition(zone, cell)
        assert manual.place is not None
        self._screen.arrived(manual.place, manual.cycles_left)

    def _reset(self) -> Procedure[None]:
        yield from self.manual.reset()
        self._total()

    def _close(self) -> Procedure[None]:
        engine = self.engine
        reached = engine.counted >= self._plan.target_cores
        yield from self._close_as(CloseReason.COMPLETED if reached else CloseReason.ABORTED)

    def _close_as(self, reason: CloseReason) -> Procedure[None]:
        yield from self.manual.close(reason, self._wall_seconds())
        self._screen.close(self.engine.machine.now.value)

    def _wall_seconds(self) -> float:
        return round((self.engine.link.now - self._began) / 1e6, 3)

    # --- its end -------------------------------------------------------------------------------------------------

    def interrupt(self) -> Procedure[None]:
        """End it as by Ctrl-C: the handpiece is stopped and the session closed as aborted, if that is possible."""
        self._leave()
        try:
            yield from self.manual.stop()
            yield from self._close_as(CloseReason.ABORTED)
        except DevicectlError as error:
            self._screen.say("note", str(error))
            self._later(self._over)

    def lose_log(self, why: str) -> Procedure[None]:
        """End it because nothing can be logged any more: the handpiece is stopped, the session stays open."""
        self.engine.lose_log()
        self._screen.say("note", why)
        try:
            yield from self.engine.stop()
        finally:
            self.engine.give_up()
            self._later(self._over)


def _raise(error: Exception) -> None:
    raise error


_OWN: Final[Mapping[str, Callable[..., Procedure[None]]]] = {
    "trigger_press": Life._pull,
    "reposition": Life._reposition,
    "reset": Life._reset,
    "close": Life._close,
}
"""Act -> what it is beyond an act of the manual operator; all others are one."""
