"""Connections for tests: one held by a task of its own, with a trace and a session log beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from devicectl import Handpiece, SessionError, clock, connect
from devicectl.campaign.scenario_file import read_scenario
from devicectl.drivers import Driver
from devicectl.log.store import SessionLog
from devicectl.session.procedures import Procedure
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
    folder = run.open_folder()
    tracer = Tracer()
    comment = comment_of("pytest", run.seed, device=hide_users(run.device_url))
    with (
        open_trace(str(folder / "trace.txt"), say) as write,
        closing(RecordingFile(str(folder / "recording.pcapng"), comment, say)) as recording,
        SessionLog.open(folder / "session.sqlite", wall_clock=clock.wall) as log,
    ):
        write([HEADING])

        def tap(sender: str, data: "bytes | Publication", now: Micros) -> None:
            write(tracer.describe(sender, data, now))
            recording.heard(hide_users(run.device_url), sender, data, now)

        handpiece, leave = await _entered(
            lambda: connect(_url_of(run), log=log, tap=tap, allow_hardware=allow_hardware)
        )
        handpiece.driver = _OneLoop(handpiece.driver)
        try:
            yield handpiece
        finally:
            await leave()
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
