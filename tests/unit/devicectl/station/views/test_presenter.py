"""The presenter's view: the phases of the device with their times, and the trainee's counts."""

from typing import Any

from devicectl.station.views.presenter import BACKGROUND, CAPTIONS, MAX_PHASES
from devicectl.station.views.trainee import trainee_view
from tests.unit.devicectl.station.rooms import at_a_cell, do, presenter_sees, wait


def test_phases_follow_each_other_with_their_times() -> None:
    room = at_a_cell(2)
    phases: Any = presenter_sees(room)["phases"]
    assert len(phases) == MAX_PHASES
    assert [phase["began_ms"] for phase in phases] == sorted(phase["began_ms"] for phase in phases)
    names = [phase["phase"] for phase in phases]
    first = names.index("punch")
    assert names[first : first + 4] == ["punch", "suction", "advance", "count"]
    assert {phase["takes_ms"] for phase in phases if phase["phase"] == "punch"} == {80}


def test_the_caption_is_that_of_the_phase_under_way() -> None:
    room = at_a_cell(1)
    seen = set()
    for _ in range(40):
        wait(room, 0.02)
        caption: Any = presenter_sees(room)["caption"]
        assert caption["words"] == CAPTIONS[caption["phase"]]
        seen.add(caption["phase"])
    assert seen >= {"punch", "suction", "advance"}


def test_a_handpiece_that_was_stopped_is_not_between_two_cycles() -> None:
    room = at_a_cell(1)
    do(room, "stop")
    wait(room, 1)
    assert presenter_sees(room)["caption"] == {"phase": "none", "words": "Stopped."}


def test_counts_are_those_that_the_trainee_has() -> None:
    room = at_a_cell(2)
    shown, trainee = presenter_sees(room), trainee_view(room)
    assert all(shown[name] == trainee[name] for name in ("counts", "vacuum", "cells", "zones", "alarms", "place"))


def test_each_needle_has_its_outcome() -> None:
    room = at_a_cell(2)
    assert presenter_sees(room)["outcomes"] == ["core"] * 3
    room.bench.device.plant.clogged = 0b010
    wait(room, 1)
    assert presenter_sees(room)["outcomes"] == ["core", "none", "core"]


def test_facts_are_marked_as_background() -> None:
    facts: Any = presenter_sees(at_a_cell())["facts"]
    assert facts
    assert {fact["mark"] for fact in facts} == {BACKGROUND}
