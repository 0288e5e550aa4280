"""Trials one after another, with one event loop and one log in memory."""

import asyncio
from typing import Self

from devicectl.campaign.bench import BenchClock
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.trial import Trial
from devicectl.log.store import SessionLog


class Trials:
    """Runs trials. The log is empty at the beginning of each: a session knows nothing of those before it."""

    def __init__(self) -> None:
        self._wall = BenchClock()
        self._log = SessionLog.open("sqlite://", wall_clock=self._wall)
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._loop.close()
        self._log.close()

    def run(self, scenario: Scenario) -> Trial:
        """Return the trial of a scenario, with its verdict."""
        self._log.clear()
        trial = Trial(scenario, log=self._log, wall=self._wall)
        self._loop.run(trial.run())
        return trial
