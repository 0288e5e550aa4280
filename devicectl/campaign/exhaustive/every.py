"""All singles, or all pairs, of one session: what each comes to.

Law: a task is a range of singles, counted from 0. Its result depends on nothing else, so it may be judged anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

from devicectl.campaign.exhaustive.places import Place, seconds, singles
from devicectl.campaign.many.campaign import tally_of
from devicectl.campaign.many.draw import PARAMETERS, plan_of
from devicectl.campaign.many.tally import Failure, Tally
from devicectl.campaign.many.trials import Trials
from devicectl.campaign.scenario import SERIAL, Scenario
from firmware_sim.faults.fault import Fault, fault_of

SINGLES_A_TASK: Final = 50
MAX_FAILURES: Final = 20
"""Failures that a task keeps: one defect of the program may show in every pair that one single makes."""


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """All lists of up to `faults` faults, 1 or 2, of a session of so many cycles."""

    PARTS: ClassVar[str] = "singles"

    faults: int
    cycles: int
    seed: int
    wire: str = SERIAL

    def scenario(self, faults: tuple[Fault, ...]) -> Scenario:
        """Return the session under these faults."""
        return Scenario(seed=self.seed, plan=plan_of(self.cycles), parameters=PARAMETERS, wire=self.wire, faults=faults)

    def scenario_of(self, failure: Failure) -> Scenario:
        """Return the session that has failed."""
        return self.scenario(tuple(map(fault_of, failure.faults)))

    def firsts(self) -> tuple[Place, ...]:
        """Return all singles, from the places of a run without faults."""
        return _firsts(self)

    def tasks(self) -> Iterator[range]:
        """Yield the ranges of singles that are judged together; with each of them, where wanted, its pairs."""
        count, size = len(self.firsts()), SINGLES_A_TASK if self.faults == 1 else 1
        for first in range(0, count, size):
            yield range(first, min(first + size, count))

    def judge(self, part: range) -> Tally:
        """Judge the singles of a range, and where wanted each pair that one of them begins."""
        found = Tally()
        firsts = self.firsts()
        with Trials() as trials:
            for first in (firsts[index] for index in part):
                trial = trials.run(self.scenario((first.fault,)))
                if self.faults == 1:
                    found.add(tally_of(trial))
                    continue
                injector = trial.injector
                for second in seconds(first, injector.firings[0].before, injector.counts, self.wire):
                    found.add(tally_of(trials.run(self.scenario((first.fault, second.fault)))))
        del found.failures[MAX_FAILURES:]
        return found


@lru_cache(maxsize=1)  # each task of a process asks for them
def _firsts(work: Exhaustive) -> tuple[Place, ...]:
    with Trials() as trials:
        return tuple(singles({}, trials.run(work.scenario(())).injector.counts, work.wire))
