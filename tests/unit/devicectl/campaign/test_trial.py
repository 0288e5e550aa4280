import asyncio

import pytest

from devicectl.campaign.scenario import Expectations, Person
from devicectl.campaign.trial import Trial
from devicectl.simulation.heap import Actor
from firmware_sim.faults.fault import declare
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.campaign.trials import a_scenario, events, right


def a_spoiled_trial() -> Trial:
    """One in which the device seems to have been armed out of SAFE."""
    trial = Trial(a_scenario(cores=60))
    for state in ("SAFE", "ARMED"):
        trial.recording.event("state", Micros(0), state=state, armed=False, depth_um=0)
    return trial


def test_a_session_that_is_stuck_is_judged_by_its_recording() -> None:
    trial = a_spoiled_trial()
    trial.world.ends_at = Micros(8 * SECOND)
    verdict = asyncio.run(trial.run())
    assert verdict.stuck == "not over at 8 s" and trial.ledgers is None
    assert verdict.failure == ("wrong", "motion")
    assert verdict.breaches[0].sentence == "the device went from SAFE to ARMED"
    assert verdict.seen["device", "PUNCHING"]


def test_a_session_in_which_time_does_not_go_on_is_stuck() -> None:
    trial = Trial(a_scenario())
    world = trial.world
    idle = Actor(lambda: Micros(0), lambda: None)
    world.heap.at(Micros(SECOND // 2), lambda: setattr(world.heap, "actors", (idle,)))
    assert asyncio.run(trial.run()).stuck == "time does not go on at 0.500 s"


def test_a_session_that_ends_by_a_traceback_is_judged_by_its_recording() -> None:
    trial = a_spoiled_trial()

    def fail(_: object) -> None:
        raise KeyError("a defect")

    trial.world.write = fail
    verdict = asyncio.run(trial.run())
    assert [breach.judge for breach in verdict.breaches][:2] == ["traceback", "motion"]
    assert "KeyError: 'a defect'" in verdict.breaches[0].sentence


@pytest.mark.parametrize(("abandons", "state"), [(0.0, "completed"), (1.0, "aborted")])
def test_a_summary_has_all_that_the_log_has(abandons: float, state: str) -> None:
    person = Person(abandons=abandons)
    expect = Expectations(state=state)
    trial = right(declare("host_crash", "cycle == 3"), person=person, expect=expect)
    summary, report = trial.summary(), trial.report
    assert summary is not None and report is not None
    assert (summary.state, summary.reconciled) == (state, True)
    assert (summary.cycles, summary.cores_counted) == (
        report.summary.counts.cycles,
        report.summary.counts.cores_counted,
    )
    assert summary.cycles >= 2 and summary.alarms == {"MC-1501": 1}


def test_a_person_restarts_a_device_that_is_locked() -> None:
    """It is locked before a session is open, and no host can open one any more."""
    trial = right(declare("fluid_inside", 'frame("HELLO", 1)', for_ms=100), person=Person(waits_ms=(1_000,)))
    ((ended, _),) = events(trial, "host")
    assert [at_us for at_us, _ in events(trial, "boot")] == [ended + SECOND]
