"""Connections for tests: one held by a task of its own, with a trace, a recording and a session log beside it.

A simulator in a process of its own records itself, so that the recording can be executed again. What a host in this
process says only the test knows: such a recording has the line that repeats the test.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from devicectl import Handpiece, SessionError, clock, connect
from devicectl.campaign.scenario_file import read_scenario
from devicectl.drivers import Driver
from devicectl.log.store import SessionLog
from devicectl.session.link import Tap
from devicectl.session.procedures import Procedure
from devicectl.simulation.process import simulator
from devicectl.testing.run import Run
from devicectl.transports.urls import DeviceUrl, parse_url
from handpiece_shell.recording_file import RecordingFile, comment_of
from handpiece_shell.streams import say
from handpiece_shell.trace_file import open_trace
from protocols.language.messages import TruthGetDone
from protocols.language.units import Micros
from protocols.text.url_text import hide_users
from protocols.trace import HEADING, Tracer

if TYPE_CHECKING:
    from protocols.mqtt.wire import Publication

_T = TypeVar("_T")


@asynccontextmanager
async def connected(run: Run, *, allow_hardware: bool) -> AsyncIterator[Handpiece]:
    """The handpiece of a test."""
    folder, url = run.open_folder(), _url_of(run)
    record = str(folder / "recording.pcapng")
    with (
        SessionLog.open(folder / "session.sqlite", wall_clock=clock.wall) as log,
        _traced(str(folder / "trace.txt")) as traced,
        _tap(run, url, record, traced) as tap,
    ):
        handpiece, leave = await _entered(
            lambda: _connected(url, record, log=log, tap=tap, allow_hardware=allow_hardware)
        )
        handpiece.driver = _OneLoop(handpiece.driver)
        try:
            yield handpiece
        finally:
            await leave()


@asynccontextmanager
async def _connected(
    url: DeviceUrl, record: str, *, log: SessionLog, tap: Tap, allow_hardware: bool
) -> AsyncIterator[Handpiece]:
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(simulator(url, ["--record", record])) if url.served else url
        handpiece = await stack.enter_async_context(connect(target, log=log, tap=tap, allow_hardware=allow_hardware))
        handpiece.url = url
        yield handpiece


@contextmanager
def _traced(path: str) -> Iterator[Tap]:
    """Trace to a file."""
    tracer = Tracer()
    with open_trace(path, say) as write:
        write([HEADING])
        yield lambda sender, data, now: write(tracer.describe(sender, data, now))


@contextmanager
def _tap(run: Run, url: DeviceUrl, record: str, inner: Tap) -> Iterator[Tap]:
    """Record the host's end as well, of a device that does not record itself."""
    if url.served:
        yield inner
        return
    scenario = None if run.scenario is None else read_scenario(run.scenario).as_data()
    device = hide_users(run.device_url)
    comment = comment_of("pytest", run.seed, scenario, device=device, repeat=run.command())
    with closing(RecordingFile(record, comment, say)) as recording:

        def tap(sender: str, data: "bytes | Publication", now: Micros) -> None:
            inner(sender, data, now)
            recording.heard(device, sender, data, now)

        yield tap
        recording.verdict = {"test": run.node_id, "failed": run.failed}


def _url_of(run: Run) -> DeviceUrl:
    """Return its URL; parameters of the URL go before those of the scenario."""
    url = parse_url(run.device_url)
    if run.scenario is None:
        return url
    return replace(url, parameters={**read_scenario(run.scenario).parameters, **url.parameters})


class _OneLoop:
    """The driver of a fixture, for the event loop that it was made in.

    In another one `sim://` would answer and no other device: what a test forgets has to show with all of them.
    """

    def __init__(self, driver: Driver) -> None:
        self.engine = driver.engine
        self.abandon_log = driver.abandon_log
        self._driver = driver
        self._loop = asyncio.get_running_loop()

    async def perform(self, procedure: Procedure[_T], *, whole: bool = False, ending: bool = False) -> _T:
        """Perform it as the driver does.

        Raises:
            SessionError: this is another loop.
        """
        if asyncio.get_running_loop() is not self._loop:
            text = "its mark's loop_scope has to be asyncio_default_fixture_loop_scope, or function where that is unset"
            raise SessionError(f"the test runs in another event loop than the fixture `handpiece`: {text}")
        return await self._driver.perform(procedure, whole=whole, ending=ending)


async def _entered(make: Callable[[], AbstractAsyncContextManager[_T]]) -> tuple[_T, Callable[[], Awaitable[None]]]:
    """Enter a context in a task of its own; its value, and what leaves it.

    A fixture's two halves may run in different tasks, and a task group must be left by the one that entered it.
    """
    loop = asyncio.get_running_loop()
    entered: asyncio.Future[_T] = loop.create_future()
    left = asyncio.Event()

    async def hold() -> None:
        try:
            async with make() as value:
                entered.set_result(value)
                await left.wait()
        except Exception as error:
            if entered.done():
                raise
            entered.set_exception(error)

    task = loop.create_task(hold(), name="handpiece of a test")

    async def leave() -> None:
        left.set()
        await task

    return await entered, leave


def truth_of(handpiece: Handpiece) -> TruthGetDone:
    """Return what the device of a closed session knows.

    Raises:
        SessionError: the session is not closed.
    """
    truth = handpiece.driver.engine.truth
    if truth is None:
        raise SessionError("the truth can be read once the session is closed: await session.close() first")
    return truth


__all__ = ["connected", "truth_of"]
