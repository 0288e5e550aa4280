"""Rooms of a short lesson, and hands to work in them."""

from typing import Any, Final

from devicectl.campaign.scenario import SERIAL, Scenario
from devicectl.session.plan import Plan, Zone
from devicectl.station.acts import ACTS, act_of
from devicectl.station.console.controller import Controller
from devicectl.station.console.life import Life
from devicectl.station.lesson import Begin, Lesson
from devicectl.station.room import Room
from devicectl.station.views.instructor import instructor_view
from devicectl.station.views.patch import Document
from devicectl.station.views.presenter import presenter_view
from devicectl.station.views.trainee import trainee_view
from protocols.language.units import SECOND, Micros

PLAN: Final = Plan(target_cores=90, zones=(Zone(name="cheek left", area_cm2=3), Zone(name="cheek right", area_cm2=3)))
"""Two zones of three cells. A cell takes 16 cycles of three needles, and the target needs two cells of them."""
CYCLE_S: Final = 0.26
"""Time that a cycle takes."""
QUICK: Final = {"anesthesia_wait_s": 5.0}


def a_lesson(state: str = "armed", cores: int = 0, *, scenario: dict[str, Any] | None = None, **changes: Any) -> Lesson:
    """A lesson on that plan, which begins there."""
    given: dict[str, Any] = {"plan": PLAN, "parameters": QUICK, "wire": SERIAL, **(scenario or {})}
    values: dict[str, Any] = {
        "title": "A short lesson",
        "task": "A cheek",
        "minutes": 5.0,
        "objectives": (),
        "prebrief": "",
        "guide": "",
        "script": (),
        "checks": (),
        "questions": (),
        "what_if": (),
        "acts": (),
        "acts_us": Micros(0),
        "values": {},
    }
    return Lesson(**{**values, "scenario": Scenario(**given), "begin": Begin(state, cores), **changes})


def a_room(state: str = "armed", cores: int = 0, *, seed: int = 7, **changes: Any) -> Room:
    """A room in which such a lesson has begun."""
    return Room(a_lesson(state, cores, **changes), seed)


def life_of(room: Room) -> Life:
    """The life of a host of ours that works in a room."""
    assert isinstance(room.controller, Controller)
    return room.controller.life


def do(room: Room, name: str, after_s: float = 0.0, *, view: str | None = None, **arguments: Any) -> None:
    """Do an act, of the first view that has it unless another is named, so long after now."""
    at_us = room.now + round(after_s * SECOND)
    view = ACTS[name].views[0] if view is None else view
    room.do(act_of({"name": name, "arguments": arguments, "at_us": at_us}, view))


def wait(room: Room, seconds: float) -> None:
    """Let so much time pass."""
    room.advance(Micros(room.now + round(seconds * SECOND)))


def presenter_sees(room: Room) -> Document:
    """The presenter's view of a room."""
    return presenter_view(room, trainee_view(room))


def instructor_sees(room: Room) -> Document:
    """The instructor's view of a room."""
    return instructor_view(room, trainee_view(room))


def seen(room: Room, kind: str) -> list[str]:
    """Evidence of a kind, by its name or number."""
    return [one.name or str(one.number) for one in room.evidence if one.kind == kind]


def words(room: Room) -> list[str]:
    """Lines of the screen."""
    return [message.words for message in room.controller.screen.messages]


def at_a_cell(seconds: float = 0.0, **changes: Any) -> Room:
    """A room in which the hand is at a cell, and the trigger has been held for so long."""
    room = a_room(**changes)
    do(room, "reposition")
    wait(room, 5)
    if seconds:
        do(room, "trigger_press")
        wait(room, seconds)
    return room
