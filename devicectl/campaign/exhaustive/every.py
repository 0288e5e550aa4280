"""All singles, or all pairs, of one session: what each comes to.

Law: a task is a range of singles, counted from 0. Its result depends on nothing else, so it may be judged anywhere.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from devicectl.campaign.exhaustive.places import Place, seconds, singles
from devicectl.campaign.many.campaign import tally_of
from devicectl.campaign.many.draw import PARAMETERS, plan_of
from devicectl.campaign.many.tally import Tally
from devicectl.campaign.scenario import SERIAL, Scenario
from devicectl.campaign.trial import Trial, TrialClock
from devicectl.log.store import SessionLog
from firmware_sim.faults.fault import Fault

SINGLES_A_TASK: Final = 50
MAX_FAILURES: Final = 20
"""Failures that a task keeps: one defect of the program may show in every pair that one single makes."""


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """All lists of up to `faults` faults, 1 or 2, of a session of so many cycles."""

    faults: int
    cycles: int
    seed: int
    wire: str = SERIAL

    def scenario(self, faults: tuple[Fault, ...]) -> Scenario:
        """Return the session under these faults."""
        return Scenario(seed=self.seed, plan=plan_of(self.cycles), parameters=PARAMETERS, wire=self.wire, faults=faults)

    def firsts(self) -> list[Place]:
        """Return all singles, from the places of a run without faults."""
        trial = Trial(self.scenario(()))
        before = trial.injector.counts
        asyncio.run(trial.run())
        return list(singles(before, trial.injector.counts, self.wire))

    def tasks(self) -> Iterator[range]:
        """Yield the ranges of singles that are judged together; with each of them, where wanted, its pairs."""
        count, size = len(self.firsts()), SINGLES_A_TASK if self.faults == 1 else 1
        for first in range(0, count, size):
            yield range(first, min(first + size, count))

    def judge(self, part: range) -> Tally:
        """Judge the singles of a range, and where wanted each pair that one of them begins."""
        found = Tally()
        firsts = self.firsts()
        with _Trials() as trials:
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


class _Trials:
    """Trials one after another, with one event loop and one log, which is empty at the beginning of each."""

    def __init__(self) -> None:
        self._wall = TrialClock()
        self._log = SessionLog.open("sqlite://", wall_clock=self._wall)
        self._runner = asyncio.Runner()

    def __enter__(self) -> "_Trials":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._runner.close()
        self._log.close()

    def run(self, scenario: Scenario) -> Trial:
        self._log.clear()
        trial = Trial(scenario, log=self._log, wall=self._wall)
        self._runner.run(trial.run())
        return trial
