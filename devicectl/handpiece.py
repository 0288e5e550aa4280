"""The async API: what users hold of a connected device and of its session.

    async with devicectl.connect("sim://?seed=7") as handpiece:
        async with handpiece.open_session(Plan(target_cores=300)) as session:
            await session.confirm_anesthesia(method="lidocaine injection", confirmed_by="trainer")
            async for cycle in session.run():
                print(cycle.cycle_no, cycle.cores_counted)
        print(session.summary.cores_counted)

Nothing moves while nobody awaits a cycle: the device starts the next one when the loop asks for it. Before a long break
call `await session.pause()`. A session that is left before its target, by an exception, a cancellation or `break`, is
stopped and closed as aborted. A first cancellation takes effect once an opening or a close has finished, as long as the
device makes headway; a second one takes effect at once.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from devicectl import clock
from devicectl.drivers import Driver, open_driver
from devicectl.errors import DevicectlError, SessionError, SessionFoundError, UnfinishedError
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.recorder import Log, Recorder, forget
from devicectl.session.context import Identity, Observer
from devicectl.session.engine import CycleResult, Engine
from devicectl.session.entries import StoredSession
from devicectl.session.link import Tap
from devicectl.session.machine import ENDED, State
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure
from devicectl.summary import Abandoned, Summary
from devicectl.transports.urls import DeviceUrl, parse_url
from handpiece_shell.version import VERSION
from protocols.language.enums import CloseReason, Role
from protocols.language.messages import DeviceInfoDone
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.units import Micros
from protocols.language.version import MINOR, PROTOCOL
from protocols.text.names import one_form

_T = TypeVar("_T")


class Handpiece:
    """A device that is connected. `device` says who it is; `wall` tells the time by which the log knows ages."""

    def __init__(self, driver: Driver, url: DeviceUrl, *, log: Log | None, recorder: Recorder | None) -> None:
        self.driver = driver
        self.url = url
        self.log = log
        self.recorder = recorder
        self.wall: Callable[[], datetime] = clock.wall
        self.used_up = False

    @property
    def device(self) -> DeviceInfoDone:
        """The device's identity."""
        info = self.driver.engine.info
        assert info is not None
        return info

    @property
    def simulated(self) -> bool:
        """The device says that it is a simulator, in WELCOME and in its identity. All else is hardware."""
        return self.driver.engine.simulated

    @property
    def open_session_no(self) -> int:
        """Number of the session that the device holds open from before; 0 if none."""
        return 0 if self.used_up else self.driver.engine.welcome.session_no

    def open_session(
        self, plan: Plan | None = None, *, course: str | None = None, session_date: date | None = None
    ) -> "Session":
        """Make a new session, which opens when its context is entered. A connection serves one session.

        `course` is stored without blanks around it and in one Unicode form, so that equal names are one course.

        Raises (on entering):
            HardwareError: the device is not simulated, and `allow_hardware` was not given.
            SessionFoundError: the device holds a session that was never closed.
            SessionError: this connection has had its session.
            PlanError: this device cannot do the plan.
        """
        course = None if course is None else one_form(course.strip())
        return Session(self, plan if plan is not None else Plan(), course, session_date or clock.today(), stored=None)

    def resume_session(self) -> "Session":
        """Make the session that the device holds open, which continues where its log ends.

        If the device holds none and the log has one without an end, the device closed it while no host was connected:
        entering its context logs that end, and nothing is left to do.

        Raises:
            SessionError: the device holds none.
            SessionFoundError: it holds one that this log does not know.
        """
        stored = self.find_stored() if self.open_session_no else self._find_unfinished()
        if stored is not None:
            start = stored.start
            return Session(self, start.plan, start.course, start.session_date, stored=stored)
        if self.open_session_no:
            raise SessionFoundError(self.open_session_no, self.device.serial, known=False)
        raise SessionError(f"device {self.device.serial} holds no open session to resume; run without --resume")

    async def abandon_session(self) -> Abandoned | None:
        """Close the session that the device holds open, as aborted; return None if there is none.

        A session that the log knows is read to its end and closed with its counts, any other one without counts.
        """
        session_no = self.open_session_no
        if not session_no:
            return None
        if self.find_stored() is None:
            await self.driver.perform(self.driver.engine.abandon(), whole=True)
            self.used_up = True
            return Abandoned(session_no, None)
        session = self.resume_session()
        return Abandoned(session_no, await session.abandon())

    def find_stored(self) -> StoredSession | None:
        """Find the session that the device holds open in the log; None if it is not there."""
        log, welcome = self.log, self.driver.engine.welcome
        return None if log is None else log.find(self.device.serial, welcome.journal_epoch, welcome.session_no)

    def _find_unfinished(self) -> StoredSession | None:
        epoch = self.driver.engine.welcome.journal_epoch
        return None if self.log is None else self.log.find_open(self.device.serial, epoch)


class Session:
    """One session, as an async context. `summary` may be read at any time.

    `warning` is noted in the log when the session is opened. `log_error` is the error that ended the log.
    """

    def __init__(
        self, handpiece: Handpiece, plan: Plan, course: str | None, session_date: date, stored: StoredSession | None
    ) -> None:
        self.handpiece = handpiece
        self.plan = plan
        self.course = course
        self.warning: str | None = None
        self.log_error: LogError | None = None
        self._session_date = session_date
        self._stored = stored
        self._driver = handpiece.driver
        self._engine = handpiece.driver.engine
        self._began = clock.monotonic()

    @property
    def session_no(self) -> int:
        """Number that the device gave the session."""
        assert self._engine.opened is not None
        return self._engine.opened.session_no

    @property
    def core_diameter_um(self) -> int:
        """Core diameter recorded when the session was opened; the device may have been refitted since."""
        return self._engine.core_diameter_um

    @property
    def opened(self) -> bool:
        """True once the device has opened the session for this host."""
        return self._engine.opened is not None

    @property
    def resumed(self) -> bool:
        """True for a session that continues an earlier one."""
        return self._stored is not None

    @property
    def injected_ago_s(self) -> int:
        """Age of the anesthesia if none was noted yet: the plan's age, and the time that the session has been open.

        0 if the plan has no age: the anesthesia is then injected when the session comes to it.
        """
        age_s = self.plan.operator.anesthesia_age_s
        if age_s == 0 or self._stored is None:
            return age_s
        open_s = self._stored.open_s(self.handpiece.wall())
        return MAX_ANESTHESIA_AGE_S if open_s is None else min(age_s + math.ceil(open_s), MAX_ANESTHESIA_AGE_S)

    @property
    def ended(self) -> bool:
        """True once the session was closed or cannot continue."""
        return self._engine.machine.now in ENDED

    @property
    def waits_until(self) -> Micros | None:
        """Time at which the anesthesia can be confirmed, on the clock of `Note.at_us`; None while nothing waits."""
        return self._engine.waits_until

    @property
    def target_reached(self) -> bool:
        """True once the device has counted as many cores as the plan wants."""
        return self._engine.counted >= self.plan.target_cores

    async def __aenter__(self) -> Self:
        """Open the session, or continue it."""
        if self.opened or self.handpiece.used_up:
            raise SessionError("a connection serves one session: connect again for the next")
        try:
            if self._stored is None:
                await self._open()
            elif self.handpiece.open_session_no:
                await self._perform(self._adopt(self._stored))
            else:
                await self._perform(self._adopt(self._stored, restore=False))
                await self._perform(self._engine.settle(self._wall_seconds()))
        except BaseException as error:
            if self.opened:
                await self._make_safe(error)
            raise
        return self

    async def _open(self) -> None:
        handpiece, engine = self.handpiece, self._engine
        if handpiece.open_session_no:
            known = handpiece.find_stored() is not None
            raise SessionFoundError(handpiece.open_session_no, handpiece.device.serial, known=known)
        versions = {"product": VERSION, "protocol": f"{PROTOCOL}.{MINOR}"}
        identity = Identity(handpiece.url.text, self.course, self._session_date, versions)
        # Whole: a session that the device has opened, and whose answer is still on its way, nobody could close.
        try:
            await self._perform(engine.open_session(self.plan, identity), whole=True)
        except asyncio.CancelledError as cancelled:
            if getattr(cancelled, "__notes__", None) and not self.opened:
                cancelled.add_note("it may hold a session open now, which --abandon closes")
            raise
        if self.warning is not None:
            engine.note("warning", "course", self.warning)

    def _adopt(self, stored: StoredSession, *, restore: bool = True) -> Procedure[None]:
        recorder = self.handpiece.recorder
        if recorder is not None:
            recorder.key = stored.key
        assert self.handpiece.log is not None
        records = self.handpiece.log.records(stored.key)
        return self._engine.adopt(stored, records, stored.open_s(self.handpiece.wall()), restore=restore)

    async def abandon(self) -> Summary:
        """Read a stored session to its end and close it as aborted, instead of continuing it.

        It is closed even if the device disagrees: then not reconciled, with a note in the log for each difference.

        Raises:
            LogError: the device's records do not follow those of the log; the session was closed all the same.
        """
        assert self._stored is not None
        await self._perform(self._adopt(self._stored, restore=False))
        try:
            await self._perform(self._engine.abandon_adopted(self._wall_seconds()), whole=True)
        except LogError as error:
            if error.kind is LogErrorKind.OUT_OF_ORDER:
                await self._driver.perform(self._engine.abandon(), whole=True)
                error.add_note(f"the device has closed session {self.session_no}, as ABANDONED")
            raise
        return self.summary

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close as completed if the target was reached, else stop the device and close as aborted."""
        if error is not None:
            await self._make_safe(error)
        elif self.target_reached:
            await self.close()
        else:
            await self.abort()

    async def _make_safe(self, error: BaseException) -> None:
        """Abort because of `error`, which stays the error that is raised: a second one becomes a note on it."""
        if self.ended:
            return
        try:
            cancelled = isinstance(error, asyncio.CancelledError)
            await self._perform(self._engine.abort(self._wall_seconds()), whole=not cancelled, ending=cancelled)
        except DevicectlError as second:
            if second is not error:
                error.add_note(f"while closing: {second}")
            if isinstance(second, UnfinishedError) and not self.ended:
                error.add_note(f"session {self.session_no} stays open: --resume continues it, --abandon closes it")

    async def confirm_anesthesia(
        self, method: str = "lidocaine injection", confirmed_by: str = "automatic operator", *, age_s: int = 0
    ) -> None:
        """Numb every zone, wait as long as the device asks, and confirm each zone. No-op if that was done.

        `age_s` is the time since the injection. `method` and `confirmed_by` have up to 32 bytes of UTF-8.
        """
        if not self.ended:
            await self._perform(self._engine.confirm_anesthesia(method, confirmed_by, age_s))

    async def run(self) -> AsyncIterator[CycleResult]:
        """Yield cycles until the target is reached: arm, reposition, purge and recover as needed.

        Raises:
            LinkError: the link is gone for good.
            CommandError, SessionError: the device needs a person, or the anesthesia was not confirmed.
        """
        if self._engine.machine.now in (State.SESSION_OPEN, State.ANESTHESIA_WAIT) and not self.target_reached:
            raise SessionError("the anesthesia is not confirmed: await confirm_anesthesia() first")
        while not self.ended and (cycle := await self._perform(self._engine.next_cycle())) is not None:
            yield cycle

    async def pause(self) -> None:
        """Hold between two cycles, armed; the next cycle that `run` is asked for resumes.

        No-op if the device is not armed. If the link is lost meanwhile, the device holds unarmed.

        Raises:
            LinkError: the link is gone for good.
            CommandError, SessionError: the device needs a person.
        """
        if not self.ended:
            await self._perform(self._engine.pause())

    async def close(self) -> Summary:
        """Close the session as completed, and reconcile its counts; no-op if it has ended."""
        if not self.ended:
            await self._perform(self._engine.close(CloseReason.COMPLETED, self._wall_seconds()), whole=True)
        return self.summary

    async def abort(self) -> Summary:
        """Stop the device and close the session as aborted, its counts kept and reconciled; no-op if it has ended."""
        if not self.ended:
            await self._perform(self._engine.abort(self._wall_seconds()), whole=True)
        return self.summary

    async def _perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Run a procedure; if the log cannot be written, make the device safe and raise that error."""
        try:
            return await self._driver.perform(procedure, whole=whole, ending=ending)
        except LogError as error:
            self.log_error = error
            self._engine.lose_log()
            self._driver.abandon_log()
            try:
                await self._driver.perform(self._engine.stop(), whole=True)
            except DevicectlError:
                pass  # what kept the log from being written is raised
            finally:  # also where the stop is left: nothing that waits for the log would ever end
                self._engine.give_up()
            raise

    def _wall_seconds(self) -> float:
        return round((clock.monotonic() - self._began) / 1e6, 3)

    @property
    def summary(self) -> Summary:
        """Counts, state and times of the session so far."""
        handpiece = self.handpiece
        return Summary.of(
            self._engine,
            plan=self.plan,
            course=self.course,
            session_id=handpiece.recorder.key if handpiece.recorder is not None else None,
            log=handpiece.log.where if handpiece.log is not None else None,
            wall_seconds=self._wall_seconds(),
        )


@contextlib.asynccontextmanager
async def connect(
    url: str | DeviceUrl = "sim://",
    *,
    log: Log | None = None,
    observer: Observer | None = None,
    tap: Tap | None = None,
    role: Role = Role.CONTROLLER,
    allow_hardware: bool = False,
) -> AsyncIterator[Handpiece]:
    """Connect to the device at `url` and link with it for as long as the context lasts.

    `log` is a `devicectl.log.store.SessionLog`; without one nothing is kept. `observer` sees states and notes, `tap`
    each piece of bytes, or each MQTT publication, as it is sent or received. Each device may be looked at; a session is
    opened, resumed or abandoned only on a device that says it is simulated, unless `allow_hardware` is true.

    Raises:
        TypeError: the URL is of another type.
        UrlError: the URL is wrong.
        LinkError: no device, or no link with it.
    """
    if not isinstance(url, str | DeviceUrl):
        raise TypeError(f"a device URL is a str or what parse_url returns, not {type(url).__name__}")
    device_url = parse_url(url) if isinstance(url, str) else url
    recorder = Recorder(log) if log is not None else None
    write = recorder.write if recorder is not None else forget
    make_engine = partial(Engine, role=role, observer=observer, allow_hardware=allow_hardware)
    async with open_driver(device_url, make_engine, write, tap) as driver:
        handpiece = Handpiece(driver, device_url, log=log, recorder=recorder)
        await driver.perform(driver.engine.connect())
        yield handpiece
