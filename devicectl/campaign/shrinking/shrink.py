"""Shrinking: the smallest scenario that fails as a given one does.

How it works, with a run of five faults that is wrong:

    repeat     three times: a run that does not fail the same way each time is not repeatable, and is left as it is
    fewer      halves of the list, then quarters, then single ones are left out (ddmin); two faults are left
    milder     each that is left is made shorter, or of fewer bits, for as long as the run fails
    shorter    the session gets fewer cores
    later      each fault comes as late in it as it may, so that the least follows from it

A candidate is accepted if the same judge fails it, and every fault that is left fires. Those that were right are kept:
the nearest one differs least from the smallest failing one, and the two beside each other show what it takes.

Law: it runs nothing by itself, and no more often than it was told.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from devicectl.campaign.scenario import Scenario
from devicectl.campaign.shrinking.soften import later, milder, shorter_sessions
from devicectl.campaign.verdict import Verdict
from firmware_sim.faults.fault import Fault

Run = Callable[[Scenario], Verdict]
REPEATS: Final = 3
MAX_RUNS: Final = 400
"""A run takes 10 to 50 ms; a list of twenty faults is small after some 150."""
_DISTANCE: Final = 1_000
"""Weight of a fault that only one of two lists has: more than any change of one that both have."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Smallest scenario found that fails, and the nearest one that was right, None where none was.

    Unless it is `repeatable` it is the one that was given.
    """

    scenario: Scenario
    failure: tuple[str, str]
    nearest: Scenario | None
    runs: int
    repeatable: bool


class _SpentError(Exception):
    """No run is left of those that were allowed."""


def shrink(scenario: Scenario, run: Run, *, max_runs: int = MAX_RUNS) -> Shrunk:
    """Return the smallest scenario that fails as this one does.

    Raises:
        ValueError: it does not fail.
    """
    verdict = run(scenario)
    if verdict.good:
        raise ValueError("only a run that is wrong or stuck can be made smaller")
    shrinking = _Shrinking(scenario, run, verdict.failure, max_runs)
    if any(run(scenario).failure != verdict.failure for _ in range(REPEATS - 1)):
        return Shrunk(scenario, verdict.failure, None, REPEATS, repeatable=False)
    with suppress(_SpentError):
        shrinking.go()
    found = shrinking.smallest
    return Shrunk(found, verdict.failure, _nearest(found, shrinking.passed), shrinking.runs, repeatable=True)


class _Shrinking:
    def __init__(self, scenario: Scenario, run: Run, failure: tuple[str, str], max_runs: int) -> None:
        self.smallest = scenario
        self.passed: list[Scenario] = []
        self.runs = REPEATS
        self._run = run
        self._failure = failure
        self._max_runs = max_runs
        self._seen: set[tuple[int, tuple[str, ...]]] = set()

    def go(self) -> None:
        """Make it smaller until no step is accepted any more."""
        before = None
        while before is not self.smallest:
            before = self.smallest
            self._fewer()
            self._each(milder)
            while self._first(shorter_sessions(self.smallest)):
                pass
            self._each(later)

    def _fewer(self) -> None:
        """Leave out halves, quarters, and so on to single faults."""
        parts = 2
        while (count := len(self.smallest.faults)) and parts <= 2 * count:
            size = max(1, count // parts)
            lists = [
                self.smallest.faults[:start] + self.smallest.faults[start + size :] for start in range(0, count, size)
            ]
            if self._first(replace(self.smallest, faults=faults) for faults in lists):
                parts = max(2, parts - 1)
            elif size == 1:
                return
            else:
                parts *= 2

    def _each(self, steps: Callable[[Fault], Iterator[Fault]]) -> None:
        """Take steps of each fault, for as long as one is accepted."""
        for index in range(len(self.smallest.faults)):
            while self._first(self._with(index, fault) for fault in steps(self.smallest.faults[index])):
                pass

    def _with(self, index: int, fault: Fault) -> Scenario:
        faults = self.smallest.faults
        return replace(self.smallest, faults=(*faults[:index], fault, *faults[index + 1 :]))

    def _first(self, candidates: Iterable[Scenario]) -> bool:
        """Take the first candidate that fails in the same way."""
        for candidate in candidates:
            if self._accepts(candidate):
                self.smallest = candidate
                return True
        return False

    def _accepts(self, candidate: Scenario) -> bool:
        known = (candidate.plan.target_cores, tuple(str(fault.as_json()) for fault in candidate.faults))
        if known in self._seen:
            return False
        self._seen.add(known)
        if self.runs >= self._max_runs:
            raise _SpentError
        self.runs += 1
        verdict = self._run(candidate)
        if verdict.good and not verdict.unfired:
            self.passed.append(candidate)
        return verdict.failure == self._failure and not verdict.unfired


def _nearest(failing: Scenario, passed: list[Scenario]) -> Scenario | None:
    return min(passed, key=lambda one: distance(failing, one), default=None)


def distance(one: Scenario, other: Scenario) -> int:
    """Return by how much two scenarios differ: faults that only one has, then those that differ, then cores."""
    unlike = len(one.faults) - len(other.faults)
    mine, others = (({str(fault.as_json()) for fault in each.faults}) for each in (one, other))
    changed = len(mine ^ others) - abs(unlike)
    cores = abs(one.plan.target_cores - other.plan.target_cores)
    return _DISTANCE * (abs(unlike) + changed) + cores
