"""Processes of this machine that judge the tasks of a campaign: a killed one costs time, and never a result.

How it works: each process has a pipe to this one and is given one range at a time. One that ends before it has
answered is replaced, and its range is given out again. One whose parent has gone reads the end of its pipe, and ends.

Law: results are keyed by their range, so that one which came twice would change nothing.
"""

import signal
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, NamedTuple

from devicectl.campaign.many.tally import Tally
from devicectl.campaign.many.work import Work
from devicectl.errors import DevicectlError

MAX_TRIES: Final = 3
"""Processes that may end over the same range before it is held to be the range's own doing."""

SECONDS_TO_END: Final = 5
"""Time for a process whose pipe has ended to end as well, before it is killed."""


class WorkerError(DevicectlError):
    """The processes of a campaign end by themselves."""


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: "Connection[range, Tally]"
    part: range


def results(work: Work, jobs: int) -> Generator[tuple[range, Tally], None, None]:
    """Yield each range of the work with what it came to, as they are done.

    Raises:
        WorkerError: a range has ended its process again and again.
    """
    waiting, tries = deque(work.tasks()), dict[range, int]()
    workers: dict[Connection[range, Tally], _Worker] = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                worker = _begin(work, waiting.popleft())
                workers[worker.pipe] = worker
            ready = set(wait(list(workers)))
            for pipe in [pipe for pipe in workers if pipe in ready]:
                worker = workers.pop(pipe)
                try:
                    tally = worker.pipe.recv()
                except (EOFError, ConnectionError):
                    worker.process.join(SECONDS_TO_END)
                    _end(worker)
                    tries[worker.part] = tries.get(worker.part, 0) + 1
                    if tries[worker.part] == MAX_TRIES:
                        text = f"{work.PARTS} {worker.part[0]} to {worker.part[-1]} have ended {MAX_TRIES} processes"
                        raise WorkerError(f"{text}; the last with exit code {worker.process.exitcode}") from None
                    waiting.append(worker.part)
                    continue
                yield worker.part, tally
                if waiting:
                    worker = worker._replace(part=waiting.popleft())
                    _give(worker)
                    workers[worker.pipe] = worker
                else:
                    _end(worker)
    finally:
        for worker in workers.values():
            _end(worker)


def _begin(work: Work, part: range) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    with _deaf():
        process.start()
    theirs.close()
    worker = _Worker(process, ours, part)
    _give(worker)
    return worker


def _give(worker: _Worker) -> None:
    """Give a process its range. One that has ended meanwhile is noticed where its answer is awaited."""
    with suppress(ConnectionError):
        worker.pipe.send(worker.part)


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


@contextmanager
def _deaf() -> Iterator[None]:
    """Start processes that a terminal's Ctrl-C does not reach: it is for their parent, which ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _serve(pipe: "Connection[Tally, range]", work: Work) -> None:
    """Judge range after range, until the pipe ends."""
    while True:
        try:
            part = pipe.recv()
        except EOFError:
            return
        pipe.send(work.judge(part))
