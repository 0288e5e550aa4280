"""What the trainee is shown, in every ready lesson, has nothing of the truth, the script or a fault in it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from devicectl.station.rail import ItemState
from devicectl.station.ready import READY, find_lesson
from devicectl.station.room import Room
from devicectl.station.views.instructor import instructor_view
from devicectl.station.views.trainee import trainee_view
from firmware_sim.faults.catalogue import CATALOGUE
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.rooms import do

STEPS: Final = 60
TOLD: Final = frozenset({"temperature_c"})
"""Names in the truth that are also those of something that the device tells its host."""
SHARED: Final = frozenset({"words", "state", "at_ms", "since_ms", "fault"})
"""Keys of lines and rows of any kind; `fault` is looked for by its values."""


def _documents(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Play a lesson so that its script fires; yield what the trainee and the instructor are shown all along."""
    lesson = find_lesson(name)
    room = Room(lesson, lesson.scenario.seed)
    room.advance(room.now)
    for one in room.rail.items:
        if not one.item.ends and one.state is not ItemState.FIRED:
            do(room, "fire", item=one.item.item)
    do(room, "note", text="SECRET of the instructor")
    for check in lesson.checks:
        do(room, "override", check=check.check, passed=True, reason="SECRET of the instructor")
    do(room, "trigger_press")
    for step in range(STEPS):
        room.advance(Micros(room.now + SECOND))
        if step == STEPS // 2:
            do(room, "trigger_release")
            do(room, "reposition")
        yield trainee_view(room), instructor_view(room)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _numbers(inner)


def _secrets(name: str) -> set[str]:
    """Texts of the lesson and of the catalogue that would give something away."""
    lesson = find_lesson(name)
    named = [kind for kind in CATALOGUE if "_" in kind]  # `leak` and `clog` are also words of the device's alarms
    script = [text for item in lesson.script for text in (f'"{item.item}"', item.words)]
    checks = [check.words for check in lesson.checks]
    return {"SECRET", *named, *script, *checks, *lesson.objectives, *lesson.questions, lesson.guide, lesson.title} - {
        ""
    }


@pytest.mark.parametrize("name", READY)
def test_no_text_of_script_checks_or_faults_is_in_it(name: str) -> None:
    secrets = _secrets(name)
    for trainee, _ in _documents(name):
        text = json.dumps(trainee, ensure_ascii=False)
        assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize("name", READY)
def test_no_field_of_the_truth_is_in_it_under_any_name(name: str) -> None:
    hidden: set[str] = set()
    for trainee, instructor in _documents(name):
        own = set(instructor) - {"role", "notice", "title"}
        hidden |= (
            own
            | set(instructor["truth"])
            | {key for part in ("rail", "checks", "faults") for key in _keys(instructor[part])}
        )
        assert set(_keys(trainee)) & hidden <= TOLD | SHARED


def test_the_truth_that_differs_is_not_what_is_shown() -> None:
    """In the lesson of the frozen sensor the truth goes its own way, and no number of it reaches the trainee."""
    differed = 0
    for trainee, instructor in _documents("frozen-sensor"):
        truth = instructor["truth"]["pressure_kpa"]
        shown = trainee["vacuum"].pop("kpa", truth)
        limits = set(trainee["vacuum"].values())
        if abs(truth - shown) > 5 and truth not in limits:
            differed += 1
            assert truth not in set(_numbers(trainee))
    assert differed > 5
