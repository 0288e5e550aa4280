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
    elif step.control:
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
        step = next_step(room)
        assert not step.control or not room.controller.why_not(step.control), f"{step} cannot be done"
        _obey(room, step)
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
    do(room, "trigger_release", why="stop")
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
    do(room, "trigger_release")
    assert next_step(room).control == "close"
    assert "locked" in next_step(room).words


def _with_an_alarm() -> Room:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 5)
    return room


def test_at_an_alarm_the_trigger_is_let_go_and_the_alarm_acknowledged_in_the_words_of_the_device() -> None:
    room = _with_an_alarm()
    sentence = room.controller.screen.alarms[401].sentence
    assert next_step(room) == Next(f"Let go of the trigger. {sentence}", "trigger_release")
    do(room, "trigger_release")
    assert next_step(room) == Next(sentence, "acknowledge")


def test_an_alarm_that_was_acknowledged_is_waited_for_until_it_is_over() -> None:
    room = _with_an_alarm()
    do(room, "trigger_release")
    do(room, "acknowledge")
    wait(room, 20)
    step = next_step(room)
    assert step.words.startswith("Wait until somebody has seen to MC-0401.") and not step.control
    do(room, "withdraw", fault=0)
    wait(room, 5)
    assert next_step(room).control == "trigger_press"


def test_an_alarm_that_is_looked_at_only_when_the_handpiece_goes_on_is_waited_for_as_long_as_somebody_needs() -> None:
    room = a_room("anesthesia_confirmed")
    do(room, "inject", fault={"fault": "cartridge_used"})
    do(room, "arm", 1)
    do(room, "acknowledge", 1)
    wait(room, 14)
    assert next_step(room).words.startswith("Wait until somebody has seen to MC-1101.")
    wait(room, 2)
    assert next_step(room) == Next("The zones are numb. Arm the handpiece.", "arm")


def test_missing_cores_are_looked_into_with_the_line_vented_and_once() -> None:
    room = at_a_cell()
    do(room, "inject", fault={"fault": "cores_missed", "p": 0.3})
    do(room, "trigger_press")
    while 701 not in room.controller.screen.alarms:
        if not room.controller.pulling:
            do(room, "trigger_release")
            do(room, "reposition")
            do(room, "trigger_press", 4)
        wait(room, 0.1)
    do(room, "withdraw", fault=0)
    do(room, "trigger_release")
    do(room, "acknowledge", 1)
    wait(room, 16)
    assert next_step(room).control == "disarm"
    do(room, "disarm")
    do(room, "arm", 2)
    do(room, "reposition", 5)
    wait(room, 5)
    assert 701 in room.controller.screen.alarms
    assert next_step(room).control == "trigger_press"


def test_a_zone_that_is_not_numb_is_not_treated() -> None:
    room = a_room("session_open")
    do(room, "anesthesia_start", 1, zone=0, age_s=10)
    do(room, "anesthesia_confirm", 1, zone=0)
    do(room, "arm", 1)
    do(room, "reposition", 5, zone=1, cell=0)
    wait(room, 8)
    step = next_step(room)
    assert (step.control, step.words) == (
        "disarm",
        "cheek right is not confirmed as numb. Disarm the handpiece, and see to that first.",
    )
    do(room, "disarm")
    wait(room, 2)
    assert next_step(room) == Next("Numb the zone cheek right.", "anesthesia_start", 1)


def test_a_trigger_that_was_pressed_too_early_has_to_be_pressed_again() -> None:
    room = a_room()
    do(room, "reposition")
    do(room, "trigger_press", 0.5)
    hands = room.controller
    early = "It was pressed too early: press again when the handpiece is ready."
    assert hands.missed and next_step(room) == Next(f"Let go of the trigger. {early}", "trigger_release")
    do(room, "trigger_release")
    assert next_step(room) == Next("Wait: the hand goes to the cell.")
    wait(room, 8)
    assert next_step(room).control == "trigger_press"
    do(room, "trigger_press")
    wait(room, 0.1)
    assert hands.held and next_step(room) == Next("Cycles follow each other. Watch the vacuum and the alarms.")


def test_a_used_up_cell_is_left() -> None:
    room = at_a_cell(6)
    assert next_step(room) == Next("Let go of the trigger. It does nothing now.", "trigger_release")
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
    assert next_step(room).control == "trigger_release"
    assert next_step(room).words.startswith("Let go of the trigger. There is no link.")
    do(room, "trigger_release")
    assert next_step(room).control == ""
    assert "Wait until the link is back" in next_step(room).words


def test_the_automatic_operator_is_watched() -> None:
    room = at_a_cell()
    do(room, "automatic", on=True)
    wait(room, 1)
    assert next_step(room) == Next("The automatic operator works. Watch.")
