"""Trials of a short session, run to their end."""

import asyncio
from collections.abc import Mapping
from typing import Any

from devicectl.campaign.recording import Event
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.trial import Trial
from firmware_sim.faults.fault import Fault
from tests.world import a_plan

SHORT = {"anesthesia_wait_s": 1.0}
CORES = 24
"""Eight cycles."""


def a_scenario(*faults: Fault, cores: int = CORES, **changes: Any) -> Scenario:
    """A short session under these faults."""
    return Scenario(plan=a_plan(cores), parameters=SHORT, faults=faults, **changes)


def judged(scenario: Scenario) -> Trial:
    """The trial of a scenario, with its verdict."""
    trial = Trial(scenario)
    asyncio.run(trial.run())
    return trial


def tried(*faults: Fault, **changes: Any) -> Trial:
    """The trial of that scenario, with its verdict."""
    return judged(a_scenario(*faults, **changes))


def right(*faults: Fault, **changes: Any) -> Trial:
    """The same; it is right, and each fault has fired."""
    trial = tried(*faults, **changes)
    assert trial.verdict.word == "right", trial.verdict
    return trial


def events(trial: Trial, name: str) -> list[tuple[int, Event]]:
    """The events of that name in the recording, each with its time."""
    found = [(at_us, data) for at_us, _, data in trial.recording if isinstance(data, Mapping)]
    return [(at_us, event) for at_us, event in found if event["event"] == name]
