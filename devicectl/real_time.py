"""The real-time driver: a transport that is opened again when it breaks, a timer, and a thread that writes the log.

Law: it does what the engine says and decides nothing. Everything of the engine runs on the event loop; only the log is
written in a thread, so that a slow disk never keeps the heartbeat waiting. The engine bounds what is not yet
written by sending no PUNCH (`steps.MAX_UNLOGGED`), so the queue between them needs no bound of its own. What an
observer, a tap, the log or an opener raises is raised where the session is awaited, never into the event loop.
"""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from devicectl import clock
from devicectl.errors import LinkError, LinkForbiddenError, UrlError
from devicectl.session.engine import Engine, Entry
from devicectl.session.link import Tap
from devicectl.session.procedures import Procedure, Task, end_of
from devicectl.transports.port import Receiver, Transport
from protocols.language.enums import ByeReason
from protocols.language.units import SECOND, Micros

_T = TypeVar("_T")
_P = ParamSpec("_P")

REOPEN_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits between attempts to open a transport again; the last one repeats. A USB adapter needs about a second."""

Open = Callable[[Receiver], Awaitable[Transport]]


class LogThread:
    """One thread that writes entries in order and says on the loop how many became durable, or what went wrong."""

    def __init__(
        self, write: Callable[[list[Entry]], None], done: Callable[[int], None], failed: Callable[[Exception], None]
    ) -> None:
        self._write = write
        self.error: Exception | None = None
        self._done = done
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[list[Entry] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="session log", daemon=True)
        self._thread.start()

    def put(self, entries: list[Entry]) -> None:
        """Have entries written."""
        self._queue.put(entries)

    def close(self) -> None:
        """Write what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (entries := self._queue.get()) is not None:
            try:
                self._write(entries)
            except Exception as error:  # noqa: BLE001 - it is raised where the session is awaited
                self.error = error
                self._loop.call_soon_threadsafe(self._failed, error)
                return
            self._loop.call_soon_threadsafe(self._done, len(entries))


_Callback = Callable[Concatenate["RealTimeDriver", _P], None]


def _reported(method: _Callback[_P]) -> _Callback[_P]:
    """Hand what a callback of the event loop raises to the task that awaits the session."""

    @wraps(method)
    def guarded(self: "RealTimeDriver", /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - it is raised where the session is awaited
            self.fail(error)

    return guarded


class RealTimeDriver:
    """One host on one transport. Use as an async context."""

    def __init__(
        self, engine: Engine, opener: Open, write: Callable[[list[Entry]], None], tap: Tap | None = None
    ) -> None:
        self.engine = engine
        self._opener = opener
        self._write = write
        self._tap = tap
        self._transport: Transport | None = None
        self._waiting: list[tuple[Task[object], asyncio.Future[None]]] = []
        self._failure: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: Micros | None = None
        self._closing = False
        self._attempt = 0
        self._started = clock.monotonic()

    @property
    def now(self) -> Micros:
        """Microseconds since the host started."""
        return Micros(clock.monotonic() - self._started)

    async def __aenter__(self) -> "RealTimeDriver":
        """Open the transport for the first time.

        Raises:
            LinkError: it cannot be opened.
        """
        self._loop = asyncio.get_running_loop()
        self._log = LogThread(self._write, self._logged, self.fail)
        self._gone = asyncio.Event()
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        try:
            self._transport = await self._opener(self)
        except BaseException:
            await self._group.__aexit__(None, None, None)
            self._log.close()
            raise
        self._keeper = self._group.create_task(self._keep_open(), name="transport")
        self.engine.link.connected(self.now, self._transport.boot_us)
        self._after()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Say BYE, close, and wait until the log is written.

        Raises:
            LogError: what was handed to the log last could not be written.
            Exception: what was to be raised where the session is awaited, and nobody awaited it any more.
        """
        self._closing = True
        if self._transport is not None:
            self.engine.link.leave(ByeReason.CLOSING, self.now)
            self._after()
            self._transport.close()
        if self._timer is not None:
            self._timer.cancel()
        self._keeper.cancel()
        try:
            await self._group.__aexit__(None, None, None)
        finally:
            self._log.close()
        failure = self._log.error or self._failure
        if failure is not None and exception[0] is None:
            raise failure

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Run a procedure to its end; with `whole` a first cancellation waits for that end.

        After that cancellation, or with `ending` from the beginning, no longer than the device makes headway.

        Raises:
            UnfinishedError: it made none; where a cancellation waited, that is raised, with this as its note.
            Exception: what the procedure raised, or what kept the log from being written.
        """
        failure, self._failure = self._failure, None
        if failure is not None or (failure := self._log.error) is not None:
            raise failure
        task = self.engine.link.start(procedure, self.now)
        future = self._loop.create_future()
        waiter = (task, future)
        self._waiting.append(waiter)
        cancelled = None
        try:
            self._after()
            if not ending:
                cancelled = await self._outlast(future, whole=whole)
            if ending or cancelled is not None:
                await self._wait_for_headway(future)
            unfinished = None if future.done() else task.unfinished()
        finally:
            self._waiting.remove(waiter)
            if not task.done:
                self.engine.link.procedures.cancel(task)
        if future.done():
            future.result()
        return end_of(task, cancelled, unfinished)

    async def _outlast(self, future: asyncio.Future[None], *, whole: bool) -> asyncio.CancelledError | None:
        """Wait for a future; with `whole` return a first cancellation, else raise it."""
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            if not whole:
                raise
            return error
        return None

    async def _wait_for_headway(self, future: asyncio.Future[None]) -> None:
        """Wait for a future for as long as the device makes headway."""
        since = self.now
        while not future.done() and self.now < (ends := self.engine.link.patience_ends(since)):
            await asyncio.wait([future], timeout=(ends - self.now) / SECOND)

    def abandon_log(self) -> None:
        """Go on without the log, to make the device safe after the log has failed."""
        self._failure = None
        self._write = lambda entries: None
        self._log.close()
        self._log = LogThread(self._write, self._logged, self.fail)

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run a transport's own task; what it raises ends the session where that is awaited."""
        self._group.create_task(self._watched(work), name="transport's own")

    async def _watched(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - it is raised where the session is awaited
            self.fail(error)

    # --- what happens ----------------------------------------------------------------------------------------

    @_reported
    def received(self, data: object) -> None:
        """The transport brought something for the wire: bytes, or MQTT messages."""
        now = self.now
        if self._tap is not None:
            self._tap("device", data, now)
        self.engine.link.receive(data, now)
        self._after()

    def noticed(self, what: str) -> None:
        """Something is wrong with the transport that may be why no answer comes."""
        self.engine.link.noticed(what)

    @_reported
    def closed(self, reason: str, *, final: bool = False) -> None:
        """The transport is gone, and `final` where another one would go as well."""
        self._transport = None
        if self.engine.link.exchange.linked:
            self._attempt = 0
        self.engine.link.disconnected(reason, self.now, final=final)
        self._gone.set()
        self._after()

    @_reported
    def _opened(self, transport: Transport) -> None:
        self.engine.link.connected(self.now, transport.boot_us)
        self._after()

    @_reported
    def _forbidden(self, reason: str) -> None:
        self.engine.link.disconnected(reason, self.now, final=True)
        self._after()

    @_reported
    def _ring(self) -> None:
        self._timer = self._timer_due = None
        self.engine.link.advance(self.now)
        self._after()

    @_reported
    def _logged(self, count: int) -> None:
        self.engine.logged(count, self.now)
        self._after()

    def fail(self, error: Exception) -> None:
        """Have an error raised where the session is awaited: there now, else at the next time."""
        waiting = [future for _, future in self._waiting if not future.done()]
        for future in waiting:
            future.set_exception(error)
        if not waiting:
            self._failure = error

    async def _keep_open(self) -> None:
        """Open the transport again whenever it is gone, after ever longer waits until a link has stood on it."""
        while True:
            await self._gone.wait()
            self._gone.clear()
            while self._transport is None and not self._closing:
                await clock.pause(REOPEN_S[min(self._attempt, len(REOPEN_S) - 1)])
                self._attempt += 1
                try:
                    self._transport = await self._opener(self)
                except LinkForbiddenError as error:
                    self._forbidden(str(error))
                    continue
                except (LinkError, UrlError):  # also when a file of the URL has gone since
                    continue
                except Exception as error:  # noqa: BLE001 - it is raised where the session is awaited
                    self.fail(error)
                    continue
                self._opened(self._transport)

    def _after(self) -> None:
        """Send, log, wake each task that waits, and set the timer; after anything has happened."""
        engine = self.engine
        for data in engine.link.exchange.take():
            if self._tap is not None:
                self._tap("host", data, self.now)
            if self._transport is not None:
                self._transport.write(data)
        if engine.entries:
            self._log.put(engine.take_entries())
        for task, future in self._waiting:
            if task.done and not future.done():
                future.set_result(None)
        self._set_timer()

    def _set_timer(self) -> None:
        """A timer that rings too early finds nothing to do and is set again; one that is late is replaced."""
        due = self.engine.link.next_deadline()
        if due is None or self._closing or (self._timer_due is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_later(max(0, due - self.now) / 1e6, self._ring)
