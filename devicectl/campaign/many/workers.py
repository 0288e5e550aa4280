"""Processes of this machine that judge the tasks of a campaign: a killed one costs time, and never a result.

How it works: each process has a pipe to this one and is given one range of seeds at a time. One that ends before it has
answered is replaced, and its range is given out again. One whose parent has gone reads the end of its pipe, and ends.

Law: results are keyed by their range, so that one which came twice would change nothing.
"""

import signal
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, NamedTuple

from devicectl.campaign.many.campaign import Campaign, judge_seeds
from devicectl.campaign.many.tally import Tally
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
    seeds: range


def results(campaign: Campaign, jobs: int) -> Generator[tuple[range, Tally], None, None]:
    """Yield each range of the campaign with what it came to, as they are done.

    Raises:
        WorkerError: a range has ended its process again and again.
    """
    waiting, tries = deque(campaign.tasks()), dict[range, int]()
    workers: dict[Connection[range, Tally], _Worker] = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                worker = _begin(campaign, waiting.popleft())
                workers[worker.pipe] = worker
            ready = set(wait(list(workers)))
            for pipe in [pipe for pipe in workers if pipe in ready]:
                worker = workers.pop(pipe)
                try:
                    tally = worker.pipe.recv()
                except (EOFError, ConnectionError):
                    worker.process.join(SECONDS_TO_END)
                    _end(worker)
                    tries[worker.seeds] = tries.get(worker.seeds, 0) + 1
                    if tries[worker.seeds] == MAX_TRIES:
                        text = f"seeds {worker.seeds[0]} to {worker.seeds[-1]} have ended {MAX_TRIES} processes"
                        raise WorkerError(f"{text}; the last with exit code {worker.process.exitcode}") from None
                    waiting.append(worker.seeds)
                    continue
                yield worker.seeds, tally
                if waiting:
                    worker = worker._replace(seeds=waiting.popleft())
                    worker.pipe.send(worker.seeds)
                    workers[worker.pipe] = worker
                else:
                    _end(worker)
    finally:
        for worker in workers.values():
            _end(worker)


def _begin(campaign: Campaign, seeds: range) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, campaign), daemon=True)
    with _deaf():
        process.start()
    theirs.close()
    ours.send(seeds)
    return _Worker(process, ours, seeds)


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


def _serve(pipe: "Connection[Tally, range]", campaign: Campaign) -> None:
    """Judge range after range, until the pipe ends."""
    while True:
        try:
            seeds = pipe.recv()
        except EOFError:
            return
        pipe.send(judge_seeds(campaign, seeds))
