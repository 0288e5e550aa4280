"""The controller: the async API over the engine, whatever brings the time and carries the bytes.

    async with devicectl.connect("sim://?seed=7") as handpiece:
        async with handpiece.open_session(Plan(target_cores=300)) as session:
            await session.confirm_anesthesia(method="lidocaine injection", confirmed_by="trainer")
            async for cycle in session.run():
                print(cycle.cycle_no, cycle.cores_counted)
        print(session.summary.cores_counted)

Nothing moves while nobody awaits a cycle: the next one is asked of the device when the loop asks for it. A session
that is left before its target, by an exception or by `break`, is stopped and closed as aborted.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import date
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from devicectl import clock
from devicectl.errors import DevicectlError, LinkError, SessionError, SessionFoundError
from devicectl.log.errors import LogError
from devicectl.real_time import RealTimeDriver
from devicectl.recorder import Recorder
from devicectl.session.engine import CycleResult, Engine, Entry, Identity, Observer
from devicectl.session.entries import Note, StoredSession
from devicectl.session.machine import ENDED, State
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure
from devicectl.summary import Summary, coverage_percent
from devicectl.transports.port import Receiver, Transport, open_transport
from devicectl.transports.urls import DeviceUrl, parse_url
from devicectl.version import VERSION
from protocols.enums import CloseReason, Role
from protocols.messages import DeviceInfoDone
from protocols.units import Micros

_T = TypeVar("_T")

PROTOCOL: Final = "HLP/1.0"


class Driver(Protocol):
    """What brings time and bytes to an engine."""

    engine: Engine

    async def perform(self, procedure: Procedure[_T]) -> _T:
        """Run a procedure to its end."""

    def abandon_log(self) -> None:
        """Go on without the log."""


class _Recording:
    """Counts alarms, passes everything on to the user's observer and the log."""

    def __init__(self, observer: Observer | None) -> None:
        self.alarms: dict[str, int] = {}
        self._observer = observer

    def changed(self, before: State, after: State, now: Micros) -> None:
        if self._observer is not None:
            self._observer.changed(before, after, now)

    def noted(self, note: Note) -> None:
        if note.kind == "alarm" and note.detail.startswith("ACTIVE"):
            self.alarms[note.name] = self.alarms.get(note.name, 0) + 1
        if self._observer is not None:
            self._observer.noted(note)


class Handpiece:
    """A device that is connected. `device` says who it is."""

    def __init__(self, driver: Driver, url: DeviceUrl, log: Any, recording: _Recording) -> None:
        self.driver = driver
        self.url = url
        self._log = log
        self._recording = recording
        self.recorder: Recorder | None = None

    @property
    def device(self) -> DeviceInfoDone:
        """The device's identity."""
        info = self.driver.engine.info
        assert info is not None
        return info

    @property
    def open_session_no(self) -> int:
        """The session that the device holds open from before, 0 if none."""
        return self.driver.engine.welcome.session_no

    def open_session(self, plan: Plan | None = None, *, course: str | None = None, session_date: date | None = None) -> "Session":
        """A new session, opened when its context is entered.

        Raises (on entering):
            SessionFoundError: the device holds a session that was never closed.
        """
        return Session(self, plan if plan is not None else Plan(), course, session_date or clock.today(), stored=None)

    def resume_session(self) -> "Session":
        """The session that the device holds open, taken up where the log has it, when its context is entered.

        Raises:
            SessionError: the device holds none.
            SessionFoundError: it holds one that this log does not know.
        """
        if not self.open_session_no:
            raise SessionError(f"device {self.device.serial} holds no open session to resume; run without --resume")
        stored = self._find()
        if stored is None:
            raise SessionFoundError(self.open_session_no, self.device.serial, known=False)
        return Session(self, stored.plan, stored.course, stored.session_date, stored=stored)

    async def abandon_session(self) -> int | None:
        """Close the session that the device holds open, as aborted; its number, None if there was none.

        One that the log knows is read to its end and closed with its counts; any other is closed without.
        """
        if not self.open_session_no:
            return None
        if self._find() is None:
            return await self.driver.perform(self.driver.engine.abandon())
        session = self.resume_session()
        async with session:
            pass
        return session.session_no

    def _find(self) -> StoredSession | None:
        if self._log is None:
            return None
        welcome = self.driver.engine.welcome
        found: StoredSession | None = self._log.find(self.device.serial, welcome.journal_epoch, welcome.session_no)
        return found

    def stored_records(self, stored: StoredSession) -> list[bytes]:
        """The journal records that the log holds of a session."""
        records: list[bytes] = self._log.records(stored.key)
        return records


class Session:
    """One session, as an async context. `summary` holds what is known of it at any time."""

    def __init__(
        self, handpiece: Handpiece, plan: Plan, course: str | None, session_date: date, stored: StoredSession | None
    ) -> None:
        self.handpiece = handpiece
        self.plan = plan
        self.course = course
        self._session_date = session_date
        self._stored = stored
        self._driver = handpiece.driver
        self._engine = handpiece.driver.engine
        self._began = clock.monotonic()
        self.warning: str | None = None

    @property
    def session_no(self) -> int:
        """The number that the device gave the session."""
        assert self._engine.opened is not None
        return self._engine.opened.session_no

    @property
    def resumed(self) -> bool:
        """Whether this session was taken up again, with its anesthesia already confirmed."""
        return self._stored is not None

    @property
    def target_reached(self) -> bool:
        """Whether the device's count has come to the plan's target."""
        return self._engine.counted >= self.plan.target_cores

    async def __aenter__(self) -> Self:
        """Open the session, or take it up again."""
        handpiece, engine = self.handpiece, self._engine
        if self._stored is not None:
            await self._adopt(self._stored)
            return self
        if handpiece.open_session_no:
            known = handpiece._find() is not None
            raise SessionFoundError(handpiece.open_session_no, handpiece.device.serial, known=known)
        identity = Identity(
            device_url=handpiece.url.text,
            course=self.course,
            session_date=self._session_date,
            versions={"product": VERSION, "protocol": PROTOCOL},
        )
        await self._perform(engine.open_session(self.plan, identity))
        if self.warning is not None:
            engine.note("warning", "course", self.warning)
        return self

    async def _adopt(self, stored: StoredSession) -> None:
        recorder = self.handpiece.recorder
        if recorder is not None:
            recorder.key = stored.key
        age = 0.0 if stored.stored_wall is None else max(0.0, (clock.wall() - stored.stored_wall).total_seconds())
        await self._perform(self._engine.adopt(stored, self.handpiece.stored_records(stored), age))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close as completed when the target was reached, else stop the device and close as aborted."""
        if self._engine.machine.now in ENDED:
            return
        if kind is None:
            await (self.close() if self.target_reached else self.abort())
            return
        # The first error is the one to be told; what fails while making safe is a note on it.
        try:
            await self.abort()
        except DevicectlError as second:
            error.add_note(f"while closing: {second}")  # type: ignore[union-attr]

    async def confirm_anesthesia(
        self, method: str = "lidocaine injection", confirmed_by: str = "automatic operator", *, age_s: int = 0
    ) -> None:
        """Have every zone numbed, wait as long as the device asks, and confirm each.

        `age_s` is how long ago it was injected. `method` and `confirmed_by` are up to 32 bytes of UTF-8.
        """
        await self._perform(self._engine.confirm_anesthesia(method, confirmed_by, age_s))

    async def run(self) -> AsyncIterator[CycleResult]:
        """Cycles until the target is reached: armed, repositioned, purged and recovered as need be.

        Raises:
            LinkError: the link is gone for good.
            CommandError, SessionError: the device needs a person.
        """
        while (cycle := await self._perform(self._engine.next_cycle())) is not None:
            yield cycle

    async def close(self) -> Summary:
        """Close the session as completed; its counts are reconciled."""
        await self._perform(self._engine.close(CloseReason.COMPLETED, self._wall_seconds()))
        return self.summary

    async def abort(self) -> Summary:
        """Stop the device and close the session as aborted; what was counted is kept and reconciled."""
        await self._perform(self._engine.stop())
        await self._perform(self._engine.close(CloseReason.ABORTED, self._wall_seconds()))
        return self.summary

    async def _perform(self, procedure: Procedure[_T]) -> _T:
        """Run a procedure; when the log cannot be written, leave the device safe and say so."""
        try:
            return await self._driver.perform(procedure)
        except LogError:
            self._driver.abandon_log()
            with contextlib.suppress(DevicectlError):
                await self._driver.perform(self._engine.stop())
            self._engine.give_up()
            raise

    def _wall_seconds(self) -> float:
        return round((clock.monotonic() - self._began) / 1e6, 3)

    @property
    def summary(self) -> Summary:
        """What the session has come to so far."""
        engine, device = self._engine, self.handpiece.device
        reader, finish, recorder = engine.reader, engine.finish, self.handpiece.recorder
        counts = reader.fold.counts if reader is not None else None
        area = len(reader.fold.cells) if reader is not None else 0
        counted = counts.cores_counted if counts is not None else 0
        state = finish.state if finish is not None else "open"
        return Summary(
            session_id=recorder.key if recorder is not None else None,
            simulated=device.simulated,
            seed=device.seed if device.simulated else None,
            device=device.serial,
            course=self.course,
            state=state,
            target_cores=self.plan.target_cores,
            cores_counted=counted,
            cores_evacuated=engine.truth.cores_evacuated if engine.truth is not None else None,
            punctures=counts.punctures if counts is not None else 0,
            cycles=counts.cycles if counts is not None else 0,
            needles=device.needles,
            coverage_percent=coverage_percent(counted, area, device.core_diameter_um),
            treated_area_cm2=area,
            session_seconds=reader.clock.seconds if reader is not None else 0.0,
            wall_seconds=self._wall_seconds(),
            reconciled=finish.reconciled if finish is not None else False,
            alarms=dict(sorted(self.handpiece._recording.alarms.items())),
            log=self.handpiece._log.where if self.handpiece._log is not None else None,
        )


@contextlib.asynccontextmanager
async def connect(
    url: str | DeviceUrl = "sim://",
    *,
    log: Any = None,
    observer: Observer | None = None,
    tap: Callable[[str, bytes, Micros], None] | None = None,
    role: Role = Role.CONTROLLER,
) -> AsyncIterator[Handpiece]:
    """Connect to the device at `url` and link with it, for as long as the context lasts.

    `log` is a `devicectl.log.store.SessionLog`; without one nothing is kept. `observer` sees states and notes, `tap`
    every piece of bytes as it is sent or received.

    Raises:
        UrlError: the URL is wrong.
        LinkError: no device, or no link with it.
    """
    device_url = parse_url(url) if isinstance(url, str) else url
    recording = _Recording(observer)
    recorder = Recorder(log) if log is not None else None
    write = recorder.write if recorder is not None else _forget
    async with _driver(device_url, recording, write, tap, role) as driver:
        handpiece = Handpiece(driver, device_url, log, recording)
        handpiece.recorder = recorder
        await driver.perform(driver.engine.connect())
        yield handpiece


def _forget(entries: list[Entry]) -> None:
    """There is no log."""


@contextlib.asynccontextmanager
async def _driver(
    url: DeviceUrl,
    observer: Observer,
    write: Callable[[list[Entry]], None],
    tap: Callable[[str, bytes, Micros], None] | None,
    role: Role,
) -> AsyncIterator[Driver]:
    seed = url.seed if url.seed is not None else secrets.randbits(32)
    if url.scheme == "sim":
        from devicectl.simulation.virtual_time import host_random, make_driver

        draw = host_random(seed)
        engine = Engine(host_id=draw.getrandbits(32), role=role, draw_nonce=lambda: draw.getrandbits(32), observer=observer)
        async with make_driver(url, engine, seed, write, tap) as virtual:
            yield virtual
        return
    engine = Engine(host_id=secrets.randbits(32), role=role, draw_nonce=lambda: secrets.randbits(32), observer=observer)
    async with contextlib.AsyncExitStack() as stack:
        if url.simulated:
            from devicectl.simulation.process import simulator

            target = await stack.enter_async_context(simulator(url, seed))
        else:
            target = url

        async def opener(receiver: Receiver) -> Transport:
            return await open_transport(target, receiver)

        yield await stack.enter_async_context(RealTimeDriver(engine, opener, write, tap))


__all__ = ["Handpiece", "LinkError", "Session", "connect"]
