"""One session under a scenario: hosts one after another, a person who starts them, and the judges at its end.

How it works: a host connects, opens the session and works through it by the product's own API, in virtual time. Where
it ends before the session has, as killed or with an error, the person starts another one with --resume, or with
--abandon where its log knows nothing of the session. When no fault is under way any more, the session has to end within
a bound: else it is stuck. Then the judges read the recording, and the ledgers of a session that was closed.

Law: same version and scenario, same run.
"""

import asyncio
import random
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final, Protocol, TypeVar

from devicectl.campaign.bench import Bench, BenchClock
from devicectl.campaign.close import ledgers_at_close, outcome_at_close, summary_by_log
from devicectl.campaign.expectations import check_expectations
from devicectl.campaign.host.user import User
from devicectl.campaign.judges import Ledgers, judge_all
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.verdict import Breach, Fired, Verdict
from devicectl.campaign.world import FaultyWorld, Killed, StuckError, wait_alone
from devicectl.errors import DevicectlError, SessionFoundError
from devicectl.handpiece import Handpiece, Session
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.recorder import Recorder
from devicectl.session.context import Observer
from devicectl.session.engine import CycleResult, Entry
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.session.procedures import Procedure
from devicectl.simulation.virtual_time import VirtualTimeDriver
from devicectl.summary import Summary
from devicectl.transports.urls import DeviceUrl, parse_url
from firmware_sim.faults.injector import Firing
from protocols.language.enums import DeviceState
from protocols.language.messages import DeviceInfoDone
from protocols.language.units import MILLISECOND, SECOND, Micros

_T = TypeVar("_T")

BOUND_US: Final = Micros(15 * 60 * SECOND)
"""After the last fault: a host in its fifth recovery, the lease of a dead one, and a session from its beginning."""
CORE_US: Final = Micros(SECOND // 2)
"""Added for each core of the plan: more than twice what one takes, repositioning included."""
CALM_LIVES: Final = 4
"""Starts of the host when no fault is left: one as before, one that resumes or abandons, one for what those leave, and
one more."""
URL: Final = parse_url("sim://")


class Audience(Observer, Protocol):
    """Somebody who watches a trial: a screen."""

    def watch(self, session: Session) -> None:
        """A host is about to open a session, or to continue it."""

    def opened(self, session: Session, device: DeviceInfoDone) -> None:
        """The session is open."""

    def cycle(self, cycle: CycleResult) -> None:
        """A cycle was completed."""

    def say(self, text: str) -> None:
        """A sentence about the run."""


class Trial:
    """One run of a scenario. `log` is the host's and keeps its times by `wall`; unless given it is one in memory.

    Its sessions are of the day on which `wall` begins, or of `session_date`. The `audience` sees what each host does.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        log: SessionLog | None = None,
        wall: BenchClock | None = None,
        session_date: date | None = None,
        audience: Audience | None = None,
        url: DeviceUrl = URL,
    ) -> None:
        self.scenario = scenario
        self.verdict = Verdict(scenario.seed)
        self._wall = BenchClock() if wall is None else wall
        self.log = SessionLog.open("sqlite://", wall_clock=self._wall) if log is None else log
        self.report: SessionReport | None = None
        self.ledgers: Ledgers | None = None
        self._owns_log = log is None
        self._url = url
        self._audience = audience
        self._session: Session | None = None
        self._draw = random.Random(f"{scenario.seed}:person")
        self._recorder = Recorder(self.log)
        self._key: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._interrupted = False
        self._bound_us = BOUND_US + scenario.plan.target_cores * CORE_US
        self._bench = Bench(scenario, observer=self, noted=self._noted, write=self._store, interrupt=self._interrupt)
        self.world, self.device = self._bench.world, self._bench.device
        self.recording, self.injector = self._bench.recording, self._bench.injector
        self._user = User(self.world)
        self._wall.now = lambda: self.world.now
        self._session_date = session_date or self._wall.at(Micros(0)).date()
        self.world.ends_at = Micros(self._bound_us)

    # --- what it hears -------------------------------------------------------------------------------------------

    def changed(self, before: State, after: State, now: Micros) -> None:
        """Count a host's change of state, and pass it on."""
        self.verdict.seen["host", f"{before.name} > {after.name}"] += 1
        if self._audience is not None:
            self._audience.changed(before, after, now)

    def noted(self, note: Note) -> None:
        """Pass a host's note on."""
        if self._audience is not None:
            self._audience.noted(note)

    def _noted(self, event: str, firing: Firing, now: Micros) -> None:
        kind = firing.fault.kind.name
        self.recording.event(event, now, fault=firing.index, kind=kind)
        if event == "fired":
            phase = self.injector.view.value("phase", now)
            self.verdict.fired.append(Fired(firing.index, kind, now, str(phase)))
            self._say(f"fault {firing.index + 1} fired: {kind}, when {firing.fault.text}")
        self.world.ends_at = Micros(now + self._bound_us)

    def _cycle(self, cycle: CycleResult) -> None:
        if self._audience is not None:
            self._audience.cycle(cycle)

    def _say(self, text: str) -> None:
        if self._audience is not None:
            self._audience.say(f"{self.world.now / SECOND:10.3f} s  {text}")

    def summary(self) -> Summary | None:
        """Return the summary of the session, by the log; None where there was none."""
        if self._session is None or self._key is None:
            return None if self._session is None else self._session.summary
        return summary_by_log(self._session.summary, self.report or self.log.load(self._key))

    def _store(self, entries: Sequence[Entry]) -> None:
        self._recorder.write(entries)
        self._key = self._recorder.key

    def _interrupt(self) -> None:
        if self._task is not None:
            self._interrupted = True
            self._task.cancel()

    # --- the person ----------------------------------------------------------------------------------------------

    async def run(self) -> Verdict:
        """Run the scenario to its verdict; only a defect of the campaign itself raises."""
        verdict = self.verdict
        try:
            with self._noting_failures():
                await self._until_closed()
            with self._noting_failures():
                self._judge()
        finally:
            verdict.unfired = [firing.index for firing in self.injector.unfired]
            verdict.virtual_us = self.world.now
            if self._owns_log:
                self.log.close()
        return verdict

    @contextmanager
    def _noting_failures(self) -> Iterator[None]:
        """Have the verdict tell of what goes wrong."""
        try:
            yield
        except StuckError as stuck:
            self.verdict.stuck = str(stuck)
        except Exception:  # noqa: BLE001 - a traceback is what a campaign looks for
            self.verdict.breaches.append(Breach("traceback", self.world.now, traceback.format_exc()))

    async def _until_closed(self) -> None:
        """Start the host until nothing is open on either side; only then there are ledgers."""
        world, verdict, person = self.world, self.verdict, self.scenario.person
        calm_lives = 0
        while calm_lives < CALM_LIVES:
            verdict.lives += 1
            calm_lives += not any(firing.under_way for firing in self.injector.firings)
            fired = len(verdict.fired)
            if await self._closed_by_one_host():
                self._close()
                return
            if len(verdict.fired) > fired:
                calm_lives = 0
            world.end_host(heard=self._draw.random() < person.heard)
            self.recording.event("host", world.now, life=verdict.lives, ended=verdict.ending)
            self._say(f"the host has ended ({verdict.ending}), and is started again")
            wait_alone(world, self._draw.choice(person.waits_ms) * MILLISECOND)
            if self.device.board.state is DeviceState.LOCKED:  # only a restart leads out, as the host has been told
                world.power.cycle(world.now)
            self._bench.begin_host()
        raise StuckError(f"not closed after {verdict.lives} starts of the host: {verdict.ending}")

    async def _closed_by_one_host(self) -> bool:
        """Let one host live; True when the session is closed in memory and log."""
        driver = _Driver(self.world, self._bench.engine)
        self._recorder, self._interrupted = Recorder(self.log), False
        handpiece = Handpiece(driver, self._url, log=self.log, recorder=self._recorder)
        handpiece.wall = self._wall
        self._task = asyncio.ensure_future(self._work(driver, handpiece))  # noqa: TID251 - to be cancelled as by Ctrl-C
        try:
            await self._task
        except Killed:
            self.verdict.ending = "killed"
        except asyncio.CancelledError:
            if not self._interrupted:  # not by a fault: someone wants the whole run to end
                raise
            self.verdict.ending = "interrupted"
        except DevicectlError as error:
            self.verdict.ending = f"{type(error).__name__}: {error}"
        return self.device.nvm.session is None and self._state() == "closed"

    def _state(self) -> str | None:
        """State of the session in the log; None where it is not there."""
        if self._key is None:
            return None
        # A log that was given may have an older session of this device, which nobody has closed.
        found = self.log.find_open(self.device.serial, self.device.nvm.epoch)
        return "open" if found is not None and found.key == self._key else "closed"

    def _open_session(self, handpiece: Handpiece) -> Session:
        return handpiece.open_session(self.scenario.plan, session_date=self._session_date)

    async def _work(self, driver: "_Driver", handpiece: Handpiece) -> None:
        """Do as `devicectl run`, with --resume where there is something to resume, --abandon where only that helps."""
        verdict = self.verdict
        await driver.perform(driver.engine.connect())
        stored = self._state() == "open"
        if handpiece.open_session_no and (not stored or self._draw.random() < self.scenario.person.abandons):
            await handpiece.abandon_session()
            verdict.ending = "abandoned" if stored else "abandoned, unknown to the log"
            return
        try:
            session = handpiece.resume_session() if stored else self._open_session(handpiece)
        except SessionFoundError:
            await handpiece.abandon_session()
            return
        self._session = session
        if self._audience is not None:
            self._audience.watch(session)
        async with session:
            if self._audience is not None:
                self._audience.opened(session, handpiece.device)
            await self._user.treat(session, driver, self.scenario.plan.operator, self._cycle)
        verdict.ending = session.summary.state

    # --- the judges ----------------------------------------------------------------------------------------------

    def _close(self) -> None:
        assert self._key is not None
        self.injector.finish_all(self.world.now)
        self.report = report = self.log.load(self._key)
        self.verdict.ending = report.summary.state
        self.ledgers = ledgers_at_close(self.device, report)

    def _judge(self) -> None:
        found, seen = judge_all(self.recording, self.ledgers, self.scenario.parameters)
        self.verdict.breaches += found
        self.verdict.seen.update(seen)
        if self.report is not None:
            outcome = outcome_at_close(self.report, self.verdict.seen, self.world.now)
            self.verdict.unmet = check_expectations(self.scenario.expect, outcome)


class _Driver(VirtualTimeDriver):
    """A driver of one life of the host."""

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        world = self.world
        assert isinstance(world, FaultyWorld)
        if not world.host_alive:
            procedure.close()
            raise Killed
        return await super().perform(procedure, whole=whole, ending=ending)
