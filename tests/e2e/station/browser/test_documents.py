"""The documents of the stage have the form of the real ones, so that what passes on the stage works in class."""

from typing import Final

import pytest

from devicectl.station.acts import INSTRUCTOR, act_of
from devicectl.station.ready import find_lesson
from devicectl.station.room import Room
from devicectl.station.server.pace import STOPS
from protocols.language.units import SECOND, Micros
from tests.e2e.station import documents
from tests.unit.devicectl.station.rooms import instructor_sees, presenter_sees

NOT_COMPARED: Final = {"clock", "stops", "lesson", "cells"}
"""Parts that no room knows; and cells, which have their numbers for keys."""


def _keys(value: object, path: str = "") -> set[str]:
    """Paths of all keys in a document; those of a list are those of its items."""
    if isinstance(value, list):
        return set().union(*(_keys(item, path) for item in value))
    if not isinstance(value, dict):
        return set()
    named = {f"{path}.{key}": item for key, item in value.items() if key not in NOT_COMPARED}
    return set(named).union(*(_keys(item, name) for name, item in named.items()))


@pytest.fixture(scope="module")
def room() -> Room:
    """A lesson in which the hose has come loose, after twenty seconds of the automatic operator."""
    room = Room(find_lesson("suction-leak"), 7)
    for name, arguments in (("automatic", {"on": True}), ("note", {"text": "look"}), ("bookmark", {"text": "here"})):
        room.do(act_of({"at_us": room.now, "name": name, "arguments": arguments}, INSTRUCTOR))
    override = {"check": room.lesson.checks[0].check, "passed": True, "reason": "did it"}
    room.do(act_of({"at_us": room.now, "name": "override", "arguments": override}, INSTRUCTOR))
    room.do(act_of({"at_us": room.now, "name": "fire", "arguments": {"item": room.lesson.script[0].item}}, INSTRUCTOR))
    room.advance(Micros(room.now + 20 * SECOND))
    return room


def test_each_key_of_the_stages_presenter_is_one_of_the_real_view(room: Room) -> None:
    assert _keys(documents.presenter()) - _keys(presenter_sees(room)) == set()


def test_each_key_of_the_stages_instructor_is_one_of_the_real_view(room: Room) -> None:
    not_now = {".rail.due_ms"}
    assert _keys(documents.instructor()) - _keys(instructor_sees(room)) - not_now == set()


def test_the_stages_stops_are_stops() -> None:
    assert {stop["stop"] for stop in documents.stops()} <= set(STOPS)
