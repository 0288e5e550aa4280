"""The controller: the async API over the engine, whatever brings the time and carries the bytes.

    async with devicectl.connect("sim://?seed=7") as handpiece:
        async with handpiece.open_session(Plan(target_cores=300)) as session:
            await session.confirm_anesthesia(method="lidocaine injection", confirmed_by="trainer")
            async for cycle in session.run():
                print(cycle.cycle_no, cycle.cores_counted)
        print(session.summary.cores_counted)

Nothing moves while nobody awaits a cycle: the next one is asked of the device when the loop asks for it. A loop that
will not ask for long says so with `await session.pause()`. A session that is left before its target, by an exception, a
cancellation or `break`, is stopped and closed as aborted. What opens or closes a session is finished before a first
cancellation takes effect, for as long as the device makes headway; a second one takes effect at once.
"""

import asyncio
import contextlib
import math
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from devicectl import clock
from devicectl.errors import DevicectlError, LinkError, SessionError, SessionFoundError, UnfinishedError
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.real_time import RealTimeDriver
from devicectl.recorder import Recorder
from devicectl.session.count import Counts, coverage_percent
from devicectl.session.engine import CycleResult, Engine, Entry, Identity, Observer
from devicectl.session.entries import Note, StoredSession
from devicectl.session.link import Tap
from devicectl.session.machine import ENDED, State
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure
from devicectl.summary import Summary
from devicectl.transports.opening import open_transport
from devicectl.transports.port import Receiver, Transport
from devicectl.transports.urls import DeviceUrl, parse_url
from handpiece_shell.version import VERSION
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import CloseReason, Role
from protocols.language.messages import DeviceInfoDone
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.units import Micros
from protocols.language.version import MINOR, PROTOCOL
from protocols.link.port import Wire
from protocols.serial.wire import SerialWire
from protocols.text.names import one_form

_T = TypeVar("_T")


class Driver(Protocol):
    """What brings time and bytes to an engine."""

    engine: Engine

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Run a procedure to its end; with `whole` a first cancellation waits for that end.

        After that cancellation, or with `ending` from the beginning, no longer than the device makes headway.
        """

    def abandon_log(self) -> None:
        """Go on without the log."""


class _Guarded:
    """Passes everything on to the user's observer: one that has failed is not asked again.

    Its error ends the session; making the device safe must not meet it once more.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer: Observer | None = observer

    def changed(self, before: State, after: State, now: Micros) -> None:
        self._pass_on(lambda observer: observer.changed(before, after, now))

    def noted(self, note: Note) -> None:
        self._pass_on(lambda observer: observer.noted(note))

    def _pass_on(self, tell: Callable[[Observer], None]) -> None:
        if self._observer is not None:
            try:
                tell(self._observer)
            except BaseException:
                self._observer = None
                raise


class Handpiece:
    """A device that is connected. `device` says who it is."""

    def __init__(self, driver: Driver, url: DeviceUrl, *, log: Any, recorder: Recorder | None) -> None:
        self.driver = driver
        self.url = url
        self.log = log
        self.recorder = recorder
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
        """The session that the device holds open from before, 0 if none."""
        return 0 if self.used_up else self.driver.engine.welcome.session_no

    def open_session(
        self, plan: Plan | None = None, *, course: str | None = None, session_date: date | None = None
    ) -> "Session":
        """A new session, opened when its context is entered. A connection serves one session.

        Blanks around the name of its course are left out, and its Unicode form is one: else it would be another course.

        Raises (on entering):
            HardwareError: the device is no simulator, and nobody has allowed that.
            SessionFoundError: the device holds a session that was never closed.
            SessionError: this connection has had its session.
            PlanError: the plan is not one that this device can do.
        """
        course = None if course is None else one_form(course.strip())
        return Session(self, plan if plan is not None else Plan(), course, session_date or clock.today(), stored=None)

    def resume_session(self) -> "Session":
        """The session that the device holds open, taken up where the log has it, when its context is entered.

        Where the device holds none and the log has one without an end, the device has closed it while no host was
        there to log that: its end is logged, and nothing is left to do.

        Raises:
            SessionError: the device holds none.
            SessionFoundError: it holds one that this log does not know.
        """
        if not self.open_session_no:
            stored = self._find_unfinished()
            if stored is None:
                raise SessionError(f"device {self.device.serial} holds no open session to resume; run without --resume")
            return Session(self, stored.plan, stored.course, stored.session_date, stored=stored)
        stored = self.find_stored()
        if stored is None:
            raise SessionFoundError(self.open_session_no, self.device.serial, known=False)
        return Session(self, stored.plan, stored.course, stored.session_date, stored=stored)

    async def abandon_session(self) -> "Abandoned | None":
        """Close the session that the device holds open, as aborted; None if there is none.

        One that the log knows is read to its end and closed with its counts; any other is closed without.
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
        """What the log knows of the session that the device holds open."""
        if self.log is None:
            return None
        welcome = self.driver.engine.welcome
        found: StoredSession | None = self.log.find(self.device.serial, welcome.journal_epoch, welcome.session_no)
        return found

    def _find_unfinished(self) -> StoredSession | None:
        if self.log is None:
            return None
        found: StoredSession | None = self.log.find_open(self.device.serial, self.driver.engine.welcome.journal_epoch)
        return found


class Abandoned(NamedTuple):
    """A session that was closed without being gone on with; `summary` is None where the log did not know it."""

    session_no: int
    summary: Summary | None


class Session:
    """One session, as an async context. `summary` holds what is known of it at any time.

    `warning` is noted in the log when the session is opened. `log_error` is what kept the log from being written.
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
        """The number that the device gave the session."""
        assert self._engine.opened is not None
        return self._engine.opened.session_no

    @property
    def core_diameter_um(self) -> int:
        """Of the needles that it is done with: as it was at its opening, whatever the device has now."""
        opened = self._engine.opened
        return self.handpiece.device.core_diameter_um if opened is None else opened.core_diameter_um

    @property
    def opened(self) -> bool:
        """Whether the device holds, or held, the session open for this host."""
        return self._engine.opened is not None

    @property
    def resumed(self) -> bool:
        """Whether this session was taken up again."""
        return self._stored is not None

    @property
    def _seconds_open(self) -> float | None:
        """Seconds since a resumed session was opened, None where no clock tells."""
        assert self._stored is not None
        began, stored, now = self._stored.began_wall, self._stored.stored_wall, clock.wall()
        if began is None or stored is None or not began <= stored <= now:
            return None  # a clock that has gone back tells nothing
        return (now - began).total_seconds()

    @property
    def injected_ago_s(self) -> int:
        """The age of the anesthesia where none was noted yet: the plan's, and for how long the session is open since.

        Of a plan that has no age it is 0: then it is injected when the session comes to it.
        """
        age_s = self.plan.operator.anesthesia_age_s
        if age_s == 0 or self._stored is None:
            return age_s
        open_s = self._seconds_open
        return MAX_ANESTHESIA_AGE_S if open_s is None else min(age_s + math.ceil(open_s), MAX_ANESTHESIA_AGE_S)

    @property
    def ended(self) -> bool:
        """Whether it was closed, or cannot be gone on with."""
        return self._engine.machine.now in ENDED

    @property
    def waits_until(self) -> Micros | None:
        """When the anesthesia can be confirmed, in the time of an observer's notes, while that is waited for."""
        return self._engine.waits_until

    @property
    def target_reached(self) -> bool:
        """Whether the device's count has come to the plan's target."""
        return self._engine.counted >= self.plan.target_cores

    async def __aenter__(self) -> Self:
        """Open the session, or take it up again."""
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
        identity = Identity(
            device_url=handpiece.url.text,
            course=self.course,
            session_date=self._session_date,
            versions={"product": VERSION, "protocol": f"{PROTOCOL}.{MINOR}"},
        )
        # Whole: when the device has opened it and its answer is not here yet, nobody could close it.
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
        records: list[bytes] = self.handpiece.log.records(stored.key)
        return self._engine.adopt(stored, records, self._seconds_open, restore=restore)

    async def abandon(self) -> Summary:
        """Instead of going on with a stored session: read it to its end and close it as aborted.

        It is closed also where the device disagrees: not reconciled, with what disagrees as notes in the log.

        Raises:
            LogError: what the device has does not follow what the log has; the session was closed all the same.
        """
        assert self._stored is not None
        await self._perform(self._adopt(self._stored, restore=False))
        try:
            await self._perform(self._abandoning(), whole=True)
        except LogError as error:
            if error.kind is LogErrorKind.OUT_OF_ORDER:
                await self._driver.perform(self._engine.abandon(), whole=True)
                error.add_note(f"the device has closed session {self.session_no}, as ABANDONED")
            raise
        return self.summary

    def _abandoning(self) -> Procedure[None]:
        with contextlib.suppress(LinkError):
            yield from self._engine.stop()
        yield from self._engine.abandon_adopted(self._wall_seconds())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close as completed when the target was reached, else stop the device and close as aborted."""
        if self.ended:
            return
        if error is not None:
            await self._make_safe(error)
        elif self.target_reached:
            await self.close()
        else:
            await self.abort()

    async def _make_safe(self, error: BaseException) -> None:
        """Abort because of `error`, which is the one to be told: what fails meanwhile is a note on it."""
        if self.ended:
            return
        try:
            cancelled = isinstance(error, asyncio.CancelledError)
            await self._perform(self._aborting(), whole=not cancelled, ending=cancelled)
        except DevicectlError as second:
            if second is not error:
                error.add_note(f"while closing: {second}")
            if isinstance(second, UnfinishedError) and not self.ended:
                error.add_note(f"session {self.session_no} stays open on it: --resume goes on, --abandon closes it")

    async def confirm_anesthesia(
        self, method: str = "lidocaine injection", confirmed_by: str = "automatic operator", *, age_s: int = 0
    ) -> None:
        """Have every zone numbed, wait as long as the device asks, and confirm each; nothing where that was done.

        `age_s` is how long ago it was injected. `method` and `confirmed_by` are up to 32 bytes of UTF-8.
        """
        if not self.ended:
            await self._perform(self._engine.confirm_anesthesia(method, confirmed_by, age_s))

    async def run(self) -> AsyncIterator[CycleResult]:
        """Cycles until the target is reached: armed, repositioned, purged and recovered as need be.

        Raises:
            LinkError: the link is gone for good.
            CommandError, SessionError: the device needs a person, or the anesthesia was not confirmed.
        """
        if self._engine.machine.now in (State.SESSION_OPEN, State.ANESTHESIA_WAIT) and not self.target_reached:
            raise SessionError("the anesthesia is not confirmed: await confirm_anesthesia() first")
        while not self.ended and (cycle := await self._perform(self._engine.next_cycle())) is not None:
            yield cycle

    async def pause(self) -> None:
        """Hold between two cycles, armed; the next one that is asked of `run` goes on by itself.

        Nothing where the device is not armed. After a link that is lost meanwhile it holds as well, and is not.

        Raises:
            LinkError: the link is gone for good.
            CommandError, SessionError: the device needs a person.
        """
        if not self.ended:
            await self._perform(self._engine.pause())

    async def close(self) -> Summary:
        """Close the session as completed; its counts are reconciled."""
        await self._perform(self._engine.close(CloseReason.COMPLETED, self._wall_seconds()), whole=True)
        return self.summary

    async def abort(self) -> Summary:
        """Stop the device and close the session as aborted; what was counted is kept and reconciled."""
        await self._perform(self._aborting(), whole=True)
        return self.summary

    def _aborting(self) -> Procedure[None]:
        # A link that is lost under the STOP is made again for the close, which finds the device stopped by its lease.
        with contextlib.suppress(LinkError):
            yield from self._engine.stop()
        yield from self._engine.close(CloseReason.ABORTED, self._wall_seconds())

    async def _perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Run a procedure; when the log cannot be written, leave the device safe and say so."""
        try:
            return await self._driver.perform(procedure, whole=whole, ending=ending)
        except LogError as error:
            self.log_error = error
            self._engine.lose_log()
            self._driver.abandon_log()
            with contextlib.suppress(DevicectlError):
                await self._driver.perform(self._engine.stop(), whole=True)
            self._engine.give_up()
            raise

    def _wall_seconds(self) -> float:
        return round((clock.monotonic() - self._began) / 1e6, 3)

    @property
    def summary(self) -> Summary:
        """What the session has come to so far."""
        engine, handpiece = self._engine, self.handpiece
        reader, finish, device = engine.reader, engine.finish, handpiece.device
        counts = reader.fold.counts if reader is not None else Counts()
        area = len(reader.fold.cells) if reader is not None else 0
        alarms = sorted(reader.alarms.items()) if reader is not None else []
        return Summary(
            session_id=handpiece.recorder.key if handpiece.recorder is not None else None,
            simulated=handpiece.simulated,
            seed=device.seed if handpiece.simulated else None,
            device=device.serial,
            course=self.course,
            state=finish.state if finish is not None else "open",
            target_cores=self.plan.target_cores,
            cores_counted=counts.cores_counted,
            cores_evacuated=engine.truth.cores_evacuated if engine.truth is not None else None,
            punctures=counts.punctures,
            cycles=counts.cycles,
            needles=device.needles,
            coverage_percent=coverage_percent(counts.cores_counted, area, self.core_diameter_um),
            treated_area_cm2=area,
            session_seconds=reader.clock.seconds if reader is not None else 0.0,
            wall_seconds=finish.wall_seconds if finish is not None else self._wall_seconds(),
            reconciled=finish is not None and finish.reconciled,
            alarms={alarm_label(code): times for code, times in alarms},
            log=handpiece.log.where if handpiece.log is not None else None,
        )


@contextlib.asynccontextmanager
async def connect(
    url: str | DeviceUrl = "sim://",
    *,
    log: Any = None,
    observer: Observer | None = None,
    tap: Tap | None = None,
    role: Role = Role.CONTROLLER,
    allow_hardware: bool = False,
) -> AsyncIterator[Handpiece]:
    """Connect to the device at `url` and link with it, for as long as the context lasts.

    `log` is a `devicectl.log.store.SessionLog`; without one nothing is kept. `observer` sees states and notes, `tap`
    every piece of bytes, or MQTT publication, as it is sent or received. Any device may be looked at; on one that does
    not say that it is simulated no session is opened, resumed or abandoned without `allow_hardware`.

    Raises:
        UrlError: the URL is wrong.
        LinkError: no device, or no link with it.
    """
    device_url = parse_url(url) if isinstance(url, str) else url
    guarded = _Guarded(observer) if observer is not None else None
    recorder = Recorder(log) if log is not None else None
    write = recorder.write if recorder is not None else _forget
    make_engine = partial(Engine, role=role, observer=guarded, allow_hardware=allow_hardware)
    async with _driver(device_url, make_engine, write, tap) as driver:
        handpiece = Handpiece(driver, device_url, log=log, recorder=recorder)
        await driver.perform(driver.engine.connect())
        yield handpiece


def _forget(entries: list[Entry]) -> None:
    """There is no log."""


@contextlib.asynccontextmanager
async def _driver(
    url: DeviceUrl, make_engine: Callable[..., Engine], write: Callable[[list[Entry]], None], tap: Tap | None
) -> AsyncIterator[Driver]:
    if url.scheme == "sim":
        from devicectl.simulation.virtual_time import host_random, make_device, make_driver

        device = make_device(url)
        draw = host_random(device.seed)
        engine = make_engine(
            host_id=draw.getrandbits(32) or 1, draw_nonce=lambda: draw.getrandbits(32), wire=SerialWire(url.baud)
        )
        async with make_driver(url, device, engine, write, tap) as virtual:
            yield virtual
        return
    host_id = secrets.randbits(32) or 1  # 0 stands for nobody
    client = f"host-{host_id:08x}"
    async with contextlib.AsyncExitStack() as stack:
        if url.simulated:
            from devicectl.simulation.process import simulator

            target = await stack.enter_async_context(simulator(url))
        else:
            target = url

        async def opener(receiver: Receiver) -> Transport:
            return await open_transport(target, client, receiver)

        engine = make_engine(host_id=host_id, draw_nonce=lambda: secrets.randbits(32), wire=_wire(target, client))
        yield await stack.enter_async_context(RealTimeDriver(engine, opener, write, tap))


def _wire(url: DeviceUrl, client: str) -> Wire[Any, Any]:
    if url.broker is None:
        return SerialWire(url.baud)
    from protocols.mqtt.wire import HostWire

    return HostWire(url.broker.topics, client)


__all__ = ["Abandoned", "Handpiece", "Session", "connect"]
