"""A device that is learned: each word is spelled on it from where it is idle.

Law: it opens and closes, and decides nothing. A simulated device of this process begins anew with each word; any other
is led back to idle, which takes the more of its time.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from devicectl.conformance.device import opening
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.probe import BrokenRule, GoneError, Steps
from devicectl.conformance.learn.learner import Query
from devicectl.conformance.learn.letters import spell
from devicectl.conformance.learn.words import Word
from devicectl.errors import LinkError, SessionError
from devicectl.transports.urls import DeviceUrl

if TYPE_CHECKING:
    from devicectl.conformance.device.bench import RealBench


@contextlib.contextmanager
def opened(url: DeviceUrl, *, allow_motion: bool) -> Iterator[Query]:
    """Open a device, and let words be spelled on it.

    Raises:
        LinkError: there is none that links, or it was lost.
        SessionError: it is no simulator, and nobody has allowed to move it; or it holds a session.
    """
    if url.in_process:
        yield _simulated(url)
        return
    entered = contextlib.AsyncExitStack()
    with asyncio.Runner() as runner:
        ground, bench = runner.run(entered.enter_async_context(opening.opened(url)))

        def query(word: Word) -> list[str]:
            try:
                return runner.run(bench.run(_spelled(ground, word)))
            except (BrokenRule, GoneError) as error:
                raise LinkError(f"the device was lost at {' '.join(word)}: {error}") from error

        try:
            runner.run(_first(bench, ground, allow_motion=allow_motion))
            yield query
        finally:
            runner.run(entered.aclose())


async def _first(bench: "RealBench", ground: Ground, *, allow_motion: bool) -> None:
    try:
        await bench.run(ground.reach(Stage.LINKED))
    except (BrokenRule, GoneError) as error:
        raise LinkError(f"no device that links: {error}") from error
    assert ground.welcome is not None
    if not (ground.welcome.simulated or allow_motion):
        raise SessionError("the device is no simulator, and learning moves it: --allow-motion lets it")
    if ground.welcome.session_no and not ground.welcome.simulated:
        raise SessionError(f"the device holds session {ground.welcome.session_no} open: close it first")


def _simulated(url: DeviceUrl) -> Query:
    from devicectl.conformance.device.virtual import run_steps

    def query(word: Word) -> list[str]:
        ground, bench = opening.open_simulated(url)
        return run_steps(bench, _spelled(ground, word))

    return query


def _spelled(ground: Ground, word: Word) -> Steps[list[str]]:
    yield from ground.reach(Stage.IDLE)
    said = []
    for letter in word:
        said.append((yield from spell(ground, letter)))
    return said
