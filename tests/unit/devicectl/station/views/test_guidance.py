"""Guidance: the next thing to do leads a session from its opening to its close, and out of what goes wrong."""

import pytest

from devicectl.session.machine import State
from devicectl.station.room import Room
from devicectl.station.views.guidance import STATES, Next, next_step
from tests.unit.devicectl.station.rooms import a_room, at_a_cell, do, wait


def _obey(room: Room, step: Next) -> None:
    """Do what is asked for, as a trainee who reads the page and nothing else."""
    if step.zone is not None:
        do(room, step.control, zone=step.zone)
    elif step.control and step.control != "trigger_release":  # at that he watches
        if room.controller.held:
            do(room, "trigger_release")
            wait(room, 1)
        if not room.controller.why_not(step.control):
            do(room, step.control)


@pytest.mark.parametrize("state", ["session_open", "anesthesia_wait", "anesthesia_confirmed", "armed", "paused"])
def test_who_does_the_next_thing_and_nothing_else_completes_the_session(state: str) -> None:
    room = a_room(state)
    _obey_to_the_end(room)
    assert room.controller.screen.ending == "completed"
    assert room.controller.screen.cores >= room.lesson.scenario.plan.target_cores
    assert next_step(room) == Next("The session is over.")


def test_who_does_the_next_thing_after_a_stop_completes_the_session() -> None:
    room = at_a_cell(1)
    do(room, "stop")
    wait(room, 1)
    _obey_to_the_end(room)
    assert room.controller.screen.ending == "completed"


def _obey_to_the_end(room: Room) -> None:
    for _ in range(400):
        if room.ended:
            break
        _obey(room, next_step(room))
        wait(room, 1)


def test_every_state_has_its_words() -> None:
    assert set(STATES) == set(State)
    assert all(words and words[0].islower() for words in STATES.values())


def test_what_is_under_way_is_waited_for() -> None:
    room = a_room("anesthesia_confirmed")
    do(room, "arm")
    wait(room, 1)
    assert next_step(room) == Next("Wait: arm is under way.")


def test_a_stop_is_left_by_a_reset() -> None:
    room = at_a_cell(1)
    do(room, "stop")
    wait(room, 1)
    assert next_step(room).control == "reset"
    do(room, "reset")
    wait(room, 1)
    assert next_step(room).control == "anesthesia_start"
    assert "start it again" in next_step(room).words


def test_a_locked_handpiece_is_closed() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "fluid_inside"})
    wait(room, 2)
    assert next_step(room).control == "close"
    assert "locked" in next_step(room).words


def test_an_alarm_asks_first_and_its_sentence_is_the_devices() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 5)
    alarm = room.controller.screen.alarms[401]
    assert next_step(room) == Next(alarm.sentence, "acknowledge")


def test_an_alarm_that_was_acknowledged_asks_for_nothing_more() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 5)
    do(room, "trigger_release")
    do(room, "acknowledge")
    wait(room, 1)
    assert next_step(room).words != room.controller.screen.alarms[401].sentence


def test_a_used_up_cell_is_left() -> None:
    room = at_a_cell(6)
    do(room, "trigger_release")
    wait(room, 1)
    assert next_step(room).control == "reposition"


def test_an_alarm_that_the_next_cell_ends_asks_for_nothing_there() -> None:
    room = at_a_cell(6)
    do(room, "trigger_release")
    do(room, "trigger_press", 1)
    do(room, "trigger_release", 1)
    assert 802 in room.controller.screen.alarms, "this cell has reached its planned punctures"
    do(room, "reposition")
    wait(room, 8)
    assert 802 in room.controller.screen.alarms
    assert next_step(room).control == "trigger_press"


def test_a_lost_link_is_waited_for() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "disconnect", "for_ms": 5_000})
    wait(room, 2)
    assert next_step(room).control == ""
    assert "Wait until the link is back" in next_step(room).words


def test_the_automatic_operator_is_watched() -> None:
    room = at_a_cell()
    do(room, "automatic", on=True)
    wait(room, 1)
    assert next_step(room) == Next("The automatic operator works. Watch.")
