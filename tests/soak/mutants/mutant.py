"""A mutant: one place of the code, changed as a mistake would change it.

Law: a value. `text` is there exactly once in `file`; a mutant whose text has gone, or is there twice, fails the run.
"""

from typing import NamedTuple

from devicectl.campaign.scenario import MQTT, SERIAL, Scenario
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.kind import Target
from tests.world import a_plan

CORES = 39
"""Thirteen cycles in two cells at 4 %."""


class Mutant(NamedTuple):
    """One defect. `judge` must notice it, under one of the lists of `faults`; none where no fault is needed."""

    name: str
    file: str
    text: str
    replacement: str
    judge: str
    faults: tuple[tuple[Fault, ...], ...] = ()


class Killed(NamedTuple):
    """Verdict on a mutant: the judge that noticed it, "" for none, and the smallest list of faults that showed it."""

    name: str
    judge: str
    faults: list[str]
    tried: int


def one(kind: str, when: str, **values: float | str) -> tuple[Fault, ...]:
    """A list of one fault."""
    return (declare(kind, when, **values),)


def scenario(faults: tuple[Fault, ...], seed: int = 1) -> Scenario:
    """The session in which a list of faults is tried."""
    wire = MQTT if any(fault.kind.target is Target.BROKER for fault in faults) else SERIAL
    plan = a_plan(CORES, coverage_percent=4)
    return Scenario(seed=seed, plan=plan, parameters={"anesthesia_wait_s": 1}, faults=faults, wire=wire)
