"""The open session as data: what JSON makes of it and back, and what follows from its plan."""

import json

import pytest

from firmware_sim.memory.session import SessionMemory, Totals
from tests.unit.firmware_sim.memories import PLAN


def session(**changes: object) -> SessionMemory:
    return SessionMemory.from_json({**PLAN.to_json(), **changes})


def test_a_session_is_the_same_after_json() -> None:
    made = session(zones_cm2=[4, 2], cycles=3, completed=1, aborted=1, ambiguous=1, punctures=9, cores_counted=2)
    made.cell_punctures = {(0, 3): 6, (1, 4): 3}
    copy = SessionMemory.from_json(json.loads(json.dumps(made.to_json())))
    assert copy == made
    assert (copy.zones_cm2, copy.cell_punctures) == ((4, 2), {(0, 3): 6, (1, 4): 3})


def test_the_cells_are_rows_in_json_since_its_names_are_texts() -> None:
    made = session()
    made.cell_punctures = {(1, 4): 3}
    assert made.to_json()["cell_punctures"] == [[1, 4, 3]]


def test_a_new_session_has_no_totals() -> None:
    assert (PLAN.cycles, PLAN.completed, PLAN.aborted, PLAN.ambiguous) == (0, 0, 0, 0)
    assert (PLAN.punctures, PLAN.cores_counted, PLAN.cell_punctures) == (0, 0, {})
    assert Totals() == (0, 0, 0, 0)


@pytest.mark.parametrize(("cycles", "punctures", "needles"), [(16, 48, 3), (7, 56, 8), (63, 63, 1)])
def test_the_needles_are_those_that_the_plan_was_made_for(cycles: int, punctures: int, needles: int) -> None:
    assert session(cycles_per_cell=cycles, punctures_per_cell=punctures).needles == needles
