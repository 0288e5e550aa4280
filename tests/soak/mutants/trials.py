"""Trials of one mutant, in a process of the changed tree: the first list of faults that shows it is the smallest.

No fault, the single ones that are said to show it, all singles of the session, pairs that are said to, pairs by chance.
"""

import asyncio
import json
import random
import signal
import sys
from collections.abc import Iterator
from itertools import product
from typing import Final
from unittest.mock import patch

from devicectl.campaign.bench import Bench
from devicectl.campaign.trial import Trial
from devicectl.campaign.verdict import Verdict
from devicectl.session.engine import Engine
from firmware_sim.faults.fault import Fault, fault_of
from tests.soak.mutants.mutant import one, scenario

Faults = tuple[Fault, ...]
PAIRS: Final = 150
"""Pairs that are tried of a mutant which no single fault shows."""
HANGS_S: Final = 60
"""A trial takes some 30 ms: one that goes on for so long turns in a circle, within one event of its world."""
FIRST_ID: Final = 0xFFE0
"""Correlation ids begin just below their wrap."""
_PIECES: Final = range(2, 140, 3)
_WRITES: Final = range(5, 70, 2)
_PHASES: Final = ("punch", "suction", "advance", "count")
_ARMED: Final = 'state == "armed"'
_AT_A_PHASE: Final = (
    "reboot",
    "host_crash",
    "disconnect",
    "stopped_by_viewer",
    "emergency_stop",
    "latch_unreadable",
)


class _Bench(Bench):
    """A bench whose hosts number their commands over the wrap."""

    def _engine(self) -> Engine:
        engine = super()._engine()
        engine.link.exchange._correlation_id = FIRST_ID
        return engine


def singles() -> Iterator[Faults]:
    """Every kind of fault that breaks something, at places all over the session."""
    for kind, sender in product(("drop", "duplicate"), ("host", "device")):
        yield from (one(kind, f'piece("{sender}", {piece})', direction=sender) for piece in _PIECES)
    for kind, write in product(("torn_write", "lost_write", "short_write"), _WRITES):
        yield one(kind, f"write({write})")
    for kind, when in product(_AT_A_PHASE, (*(f'cycle == 4 and phase == "{phase}"' for phase in _PHASES), _ARMED)):
        yield one(kind, when)
    for phase in _PHASES:
        yield one("mute", f'cycle == 4 and phase == "{phase}"', for_ms=2_000)
    for kind, commit in product(("crash_before_commit", "crash_after_commit", "log_full"), range(1, 6)):
        yield one(kind, f"commit({commit})")


def lists(told: list[Faults]) -> Iterator[Faults]:
    """All lists in the order of their length, those that are said to show the mutant first."""
    yield ()
    yield from (faults for faults in told if len(faults) == 1)
    every = list(singles())
    yield from every
    yield from (faults for faults in told if len(faults) > 1)
    draw = random.Random(1)
    for _ in range(PAIRS):
        first, second = draw.sample(every, 2)
        yield first + second


def tried(faults: Faults) -> Verdict:
    """The verdict on one list; a trial that turns in a circle is stuck."""
    with patch("devicectl.campaign.trial.Bench", _Bench):
        trial = Trial(scenario(faults))
    signal.setitimer(signal.ITIMER_REAL, HANGS_S, 1)  # again and again: what ends a session may turn, too
    try:
        return asyncio.run(trial.run())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hangs(signum: int, frame: object) -> None:
    raise TimeoutError(f"no end after {HANGS_S} s")


def noticed(faults: Faults, named: str = "") -> str:
    """Who notices it: a judge, `named` if it is among them; else "stuck", "traceback", or "" for nobody."""
    try:
        verdict = tried(faults)
    except Exception as error:  # noqa: BLE001 - of a mutant anything may come
        return f"traceback ({type(error).__name__})"
    if verdict.breaches:
        judges = [breach.judge for breach in verdict.breaches]
        return named if named in judges else judges[0]
    return "stuck" if verdict.stuck else ""


def main() -> None:
    """Read the lists, as JSON, and the named judge from the arguments; print who noticed, with what, of how many."""
    signal.signal(signal.SIGALRM, _hangs)
    told = [tuple(map(fault_of, faults)) for faults in json.loads(sys.argv[1])]
    count = 0
    for count, faults in enumerate(lists(told), 1):
        if judge := noticed(faults, sys.argv[2]):
            print(json.dumps([judge, [fault.as_json() for fault in faults], count]))
            return
    print(json.dumps(["", [], count]))


if __name__ == "__main__":
    main()
