"""The log of a lesson: it gets the same rows as from a host that had written at once."""

import asyncio
from dataclasses import replace

import pytest

from devicectl.campaign.bench import BEGAN, BenchClock
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.trial import URL, Trial
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.session.context import Identity
from devicectl.station.room import Room
from firmware_sim.faults.fault import Fault, declare
from handpiece_shell.version import VERSION
from protocols.language.version import MINOR, PROTOCOL
from tests.unit.devicectl.station.rooms import PLAN, QUICK, a_lesson, do, wait

IDENTITY = Identity(URL.text, None, BEGAN.date(), {"product": VERSION, "protocol": f"{PROTOCOL}.{MINOR}"})
FAULTS = {
    "none": (),
    "clog": (declare("clog", "cycle == 3"),),
    "disconnect": (declare("disconnect", 'cycle == 5 and phase == "suction"', for_ms=700),),
    "stopped": (declare("stopped_by_viewer", "cycle == 7"),),
}


def by_trial(scenario: Scenario) -> SessionReport:
    wall = BenchClock()
    with SessionLog.open("sqlite://", wall_clock=wall) as log:
        trial = Trial(scenario, log=log, wall=wall)
        assert asyncio.run(trial.run()).word == "right"
        assert trial.report is not None
        return _without_wall_seconds(trial.report)


def by_room(scenario: Scenario) -> SessionReport:
    room = Room(replace(a_lesson("session_open"), scenario=scenario), scenario.seed, identity=IDENTITY)
    do(room, "automatic", view="presenter", on=True)
    wait(room, 300)
    wall = BenchClock()
    with SessionLog.open("sqlite://", wall_clock=wall) as log:
        return _without_wall_seconds(log.load(room.store(log, wall)))


def _without_acknowledgements(report: SessionReport) -> SessionReport:
    """The report without the acknowledgements of alarms, of which the automatic operator makes more for a class."""
    kept = [one for one in zip(report.notes, report.note_walls, strict=True) if one[0].name != "alarm_ack"]
    return replace(report, notes=tuple(note for note, _ in kept), note_walls=tuple(wall for _, wall in kept))


def _without_wall_seconds(report: SessionReport) -> SessionReport:
    """The report without the time that a trial takes of this machine, which is none of the lesson's."""
    return replace(report, summary=replace(report.summary, wall_seconds=None))


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_a_lesson_has_the_same_rows_as_a_trial_with_the_same_scenario(faults: tuple[Fault, ...]) -> None:
    scenario = Scenario(seed=11, plan=PLAN, parameters=QUICK, faults=faults)
    lesson, trial = by_room(scenario), by_trial(scenario)
    assert {note for note in trial.notes if note.name == "alarm_ack"} <= set(lesson.notes)
    assert _without_acknowledgements(lesson) == _without_acknowledgements(trial)
