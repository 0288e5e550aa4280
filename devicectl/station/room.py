"""A room: a lesson as it runs - its bench, the trainee's controller, and what was seen and done.

How it works: virtual time is advanced from outside, and an act is done at its time.

    room = Room(lesson, seed=7)        the automatic operator has led to where the lesson begins
    room.advance(room.began + 2 s)     all that was due has happened
    room.do(act)                       at its time
    Room.execute(lesson, 7, acts)      the same again, to the byte

Law: no I/O and no clock. Same lesson, seed and acts, same recording, in however small steps time was advanced.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final, NamedTuple, Self

from devicectl.campaign.bench import Bench, BenchClock
from devicectl.campaign.recording import Recording
from devicectl.errors import DevicectlError
from devicectl.recorder import Log
from devicectl.session.context import Identity
from devicectl.simulation.heap import FOREVER
from devicectl.station.acts import COMMENTS, REMARKS, SERVER, TRAINEE, Act, ActError
from devicectl.station.checks import CheckError, Checks
from devicectl.station.console.commits import Commits
from devicectl.station.console.controller import Controller
from devicectl.station.console.far_end import FarEnd
from devicectl.station.console.foreign import ForeignConsole
from devicectl.station.console.screen import Phase, Screen
from devicectl.station.evidence import Evidence, acted
from devicectl.station.lesson import Lesson
from devicectl.station.possible import find_fault_misfit, not_of_foreign
from devicectl.station.rail import Rail, RailError
from firmware_sim.faults.fault import Fault, fault_of
from firmware_sim.faults.injector import Firing
from protocols.capture.packet import JsonObject
from protocols.language.alarm_codes import alarm_label
from protocols.language.units import SECOND, Micros

MAX_BEGIN_US: Final = 6 * 3600 * SECOND
"""Time within which the automatic operator has to reach a lesson's beginning: the longest session has two hours."""
_PHASES: Final = {"PUNCHING": "punch", "SUCTIONING": "suction", "ADVANCING": "advance", "COUNTING": "count"}
_TRIGGER: Final = {"trigger_press": True, "trigger_release": False}
"""Acts of the hand on the trigger, which the device has a contact of."""


class LessonError(DevicectlError):
    """A lesson cannot begin: its beginning is not reached, or one of the acts that lead to it cannot be done."""

    exit_code = 2


class FaultChange(NamedTuple):
    """A fault has "fired" or "ended"."""

    at_us: Micros
    fault: int
    event: str


class Room:
    """One lesson that runs. `began` is the world's time at which it begins, which is lesson time 0.

    `evidence` is what the trainee could see or did since the automatic operator has ended; `phases` are those of the
    device, `faults` what has become of its faults. `wall` and `identity` are for the log alone.
    """

    def __init__(
        self, lesson: Lesson, seed: int, *, wall: BenchClock | None = None, identity: Identity | None = None
    ) -> None:
        self.lesson = lesson
        self.seed = seed
        self.acts: list[Act] = []
        self.evidence: list[Evidence] = []
        self.phases: list[Phase] = []
        self.faults: list[FaultChange] = []
        self.began = Micros(0)
        self._watched = False
        self._rail_due: Micros | None = None
        self._scenario = replace(lesson.scenario, seed=seed)
        self.rail = Rail(lesson.script, self._inject, self._withdraw)
        self.checks = Checks(lesson.checks)
        wall = BenchClock() if wall is None else wall
        identity = Identity("sim://", None, wall.at(Micros(0)).date(), {}) if identity is None else identity
        screen = Screen(lambda: self.now, self._see)
        self.commits = Commits(lambda: self.now, wall)
        self.controller: Controller | ForeignConsole
        if lesson.foreign:
            plan, wire = self._scenario.plan, self._scenario.wire
            foreign = ForeignConsole(screen, self._see, self.commits, plan, identity, wire=wire)
            self.bench = self._bench(screen, foreign.far_end)
            foreign.begin(self.bench.world)
            self.controller = foreign
        else:
            self.bench = self._bench(screen)
            plan = self._scenario.plan
            self.controller = Controller(self.bench, screen, self.commits, plan, identity, lesson.begin)
        self._heap = self.bench.world.heap
        self._begin()

    def _bench(self, screen: Screen, host: FarEnd | None = None) -> Bench:
        bench = Bench(
            self._scenario,
            observer=screen,
            noted=self._noted,
            write=self.commits.write,
            interrupt=self._interrupt,
            recording=_Watched(self._phase),
            host=host,
        )
        bench.world.ends_at = FOREVER
        return bench

    def _interrupt(self) -> None:
        assert isinstance(self.controller, Controller), "it is a fault of hosts of ours"
        self.controller.interrupt()

    @classmethod
    def execute(
        cls,
        lesson: Lesson,
        seed: int,
        acts: Iterable[Act],
        until: Micros | None = None,
        *,
        wall: BenchClock | None = None,
        identity: Identity | None = None,
    ) -> Self:
        """Return the room after those acts, those beyond `until` left out, at that time or that of the last act."""
        room = cls(lesson, seed, wall=wall, identity=identity)
        for act in acts:
            if until is None or act.at_us <= until:
                room.do(act)
        if until is not None:
            room.advance(until)
        return room

    def _begin(self) -> None:
        while not self.controller.led:
            if self.controller.stuck or self.now > MAX_BEGIN_US:
                begin = self.lesson.begin
                last = self.controller.screen.messages[-1:]
                said = f": {last[0].words}" if last else ""
                raise LessonError(f"the lesson's beginning is not reached ({begin.state}, {begin.cores} cores){said}")
            self.controller.guard(self.bench.world.step_alone)
        self._watched = True
        self.began = self.now
        self._see("start")
        for alarm in self.controller.screen.alarms.values():
            self._see("alarm", alarm_label(alarm.code))
        for act in self.lesson.acts:
            at_us = Micros(self.began + act.at_us)
            self.advance(at_us)
            try:
                self._perform(act._replace(at_us=at_us))
            except ActError as error:
                raise LessonError(f"the lesson's acts: at {act.at_us / SECOND:.3f} s: {error}") from error
        if self.lesson.acts:
            self.advance(Micros(self.began + self.lesson.acts_us))
            self.began = self.now

    # --- time ----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> Micros:
        """The world's time."""
        return self.bench.world.now

    @property
    def ended(self) -> bool:
        """True once the session is closed."""
        return self.controller.ended

    def advance(self, to: Micros) -> None:
        """Let everything happen that is due up to `to`, which is the time afterwards."""
        while not self.controller.guard(partial(self._run, to)):
            pass
        self._heap.pass_to(to)
        self.checks.advance(self.now)

    def _run(self, to: Micros) -> None:
        step = self.bench.world.step_alone
        while step(to):
            pass

    # --- acts ----------------------------------------------------------------------------------------------------

    def do(self, act: Act) -> None:
        """Do an act at its time, to which the room advances first.

        Raises:
            ActError: its time is past, the lesson has ended, or it cannot be done; nothing was done then.
        """
        if act.at_us < self.now:
            raise ActError(f"{act.name}: its time is past, {(self.now - act.at_us) / SECOND:.3f} s ago")
        self.advance(act.at_us)
        self._perform(act)
        self.acts.append(act)

    def _perform(self, act: Act) -> None:
        if self.ended and act.name not in COMMENTS:
            raise ActError(f"{act.name}: the lesson has ended")
        try:
            own = _OWN.get(act.name)
            if own is not None:
                own(self, **act.arguments)
                return
        except (RailError, CheckError) as error:
            raise ActError(f"{act.name}: {error}") from error
        if act.view in (TRAINEE, SERVER) and not self.lesson.foreign:
            self._take(acted(act))
        if act.name in _TRIGGER and not self.lesson.foreign:
            self.controller.guard(partial(self.bench.press_trigger, _TRIGGER[act.name]))
        self.controller.guard(lambda: self.controller.act(act.name, act.arguments))

    def _declare(self, fault: JsonObject) -> None:
        declared = fault_of(fault)
        misfit = find_fault_misfit(self._scenario, (declared,))
        reason = misfit.reason if misfit is not None else not_of_foreign(declared) if self.lesson.foreign else ""
        if reason:
            raise ActError(f"inject: {declared.kind.name} {reason}")
        self._inject(declared)

    def _inject(self, fault: Fault) -> int:
        return self.bench.injector.add(fault, self.now).index

    def _end_fault(self, fault: int) -> None:
        if fault >= len(self.bench.injector.firings):
            raise ActError(f"withdraw: there is no fault {fault}: there are {len(self.bench.injector.firings)}")
        self.controller.guard(lambda: self._withdraw(fault))

    def _withdraw(self, index: int) -> None:
        injector = self.bench.injector

        def withdraw() -> None:
            injector.withdraw(injector.firings[index], self.now)

        self._heap.at(self.now, withdraw)  # not at once: this may be the midst of what the device does

    def _fire(self, item: str) -> None:
        self.rail.fire(item, self.now)

    def _skip(self, item: str) -> None:
        self.rail.skip(item, self.now)

    def _override(self, check: str, passed: bool, reason: str) -> None:
        self.checks.override(check, passed, reason, self.now)

    def _drive(self, on: bool) -> None:
        self.controller.guard(lambda: self.controller.drive(on))

    # --- what it hears -------------------------------------------------------------------------------------------

    def _see(self, kind: str, name: str = "", number: int = 0) -> None:
        """Take evidence as of now, once the lesson has begun."""
        if self._watched:
            self._take(Evidence(self.now, kind, name, number))

    def _take(self, seen: Evidence) -> None:
        """Keep evidence, and show it to script and checks."""
        self.evidence.append(seen)
        becomes_due = self.rail.saw(seen)
        self.checks.saw(seen)
        if becomes_due:
            self._await_rail()
        if seen.kind == "closed":
            self.checks.finish(self.now)

    def _await_rail(self) -> None:
        """Have the script's next item fire at its time, and the one after it at its own."""
        due = self.rail.next_deadline()
        if due is not None and due != self._rail_due:
            self._rail_due = due
            self._heap.at(due, self._advance_rail)

    def _advance_rail(self) -> None:
        self.rail.advance(self.now)
        self._await_rail()

    def _noted(self, event: str, firing: Firing, now: Micros) -> None:
        self.bench.recording.event(event, now, fault=firing.index, kind=firing.fault.kind.name)
        self.faults.append(FaultChange(now, firing.index, event))

    def _phase(self, state: str, now: Micros) -> None:
        motion = self.bench.device.board.motion
        takes_us = 0 if motion is None else motion.expected_us
        self.phases.append(Phase(now, self.bench.device.nvm.last_cycle_no, _PHASES.get(state, "none"), takes_us))

    # --- the log -------------------------------------------------------------------------------------------------

    def store(self, log: Log, wall: BenchClock | None = None, day: date | None = None) -> int:
        """Write the session to a log as its hosts would have; return its key there."""
        return self.commits.store(log, wall, day)


class _Watched(Recording):
    """A recording that passes on each state of the device."""

    def __init__(self, heard: Callable[[str, Micros], None]) -> None:
        super().__init__()
        self._heard = heard

    def event(self, name: str, now: Micros, **values: object) -> None:
        super().event(name, now, **values)
        if name == "state":
            self._heard(str(values["state"]), now)


def _nothing(room: Room, **arguments: object) -> None:
    """Change nothing: the act itself is what is kept."""


_OWN: Final[Mapping[str, Callable[..., None]]] = {
    "automatic": Room._drive,
    "inject": Room._declare,
    "withdraw": Room._end_fault,
    "fire": Room._fire,
    "skip": Room._skip,
    "override": Room._override,
    **dict.fromkeys(REMARKS, _nothing),
}
"""Act -> what it does, where it is none of the person at the controller."""
