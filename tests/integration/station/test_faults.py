"""Every kind of fault in a lesson: injected while a person treats, it fires, and the session can be closed by hand."""

from typing import Final

import pytest

from devicectl.campaign.scenario import MQTT, SERIAL
from devicectl.station.acts import ActError
from devicectl.station.possible import OF_THE_PERSON
from devicectl.station.room import Room
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.kind import Target
from tests.unit.devicectl.station.rooms import a_room, do, wait, words

KINDS: Final = [name for name in CATALOGUE if name not in OF_THE_PERSON]
FOR_MS: Final = {"log_slow": 20_000}
"""Duration in which it has an effect, where two seconds are too short."""


def injected(kind: str) -> Room:
    """A room in which a fault of that kind was injected while cycles were done."""
    room = a_room(cores=6, scenario={"wire": MQTT if CATALOGUE[kind].target is Target.BROKER else SERIAL})
    do(room, "trigger_press")
    values = {"for_ms": FOR_MS.get(kind, 2_000)} if CATALOGUE[kind].quantity("for_ms") is not None else {}
    do(room, "inject", fault={"fault": kind, **values}, after_s=0.3)
    wait(room, 3)
    return room


def in_turn(room: Room, *acts: str) -> None:
    """Do acts, one a second, until the session is closed."""
    for act in acts:
        if not room.ended:
            do(room, act)
            wait(room, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_fault_fires_in_a_lesson_and_the_session_can_be_closed_by_hand(kind: str) -> None:
    room = injected(kind)
    for _ in range(4):
        in_turn(room, "trigger_release", "pause", "resume", "acknowledge", "reset", "trigger_press")
    wait(room, 20)
    assert "fired" in [change.event for change in room.faults], words(room)
    in_turn(room, "trigger_release", "close")
    wait(room, 2)
    finish = room.commits.finish
    assert room.ended and finish is not None and finish.reconciled, words(room)


@pytest.mark.parametrize("kind", OF_THE_PERSON)
def test_what_the_person_does_is_no_fault_of_a_lesson(kind: str) -> None:
    with pytest.raises(ActError, match="is what the person at the controller does"):
        do(a_room(), "inject", fault={"fault": kind})
