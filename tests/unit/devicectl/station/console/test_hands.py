"""The hands of the person at the controller: what each act does, and what stands in its way."""

from typing import Final

import pytest

from protocols.language.units import SECOND
from tests.unit.devicectl.station.rooms import CYCLE_S, PLAN, QUICK, a_room, at_a_cell, do, seen, wait, words

# --- a session by hand -----------------------------------------------------------------------------------------------


def test_a_session_can_be_worked_through_by_hand_from_its_opening_to_its_close() -> None:
    room = a_room("session_open")
    for zone in (0, 1):
        do(room, "anesthesia_start", after_s=1, zone=zone)
    for zone in (0, 1):
        do(room, "anesthesia_confirm", after_s=6, zone=zone)
    wait(room, 1)
    assert all(zone.confirmed for zone in room.controller.zones.values())
    do(room, "arm", after_s=1)
    for _ in range(4):
        do(room, "reposition", after_s=4)
        do(room, "trigger_press", after_s=6)
        do(room, "trigger_release", after_s=6)
    do(room, "close", after_s=1)
    wait(room, 3)
    assert room.ended and seen(room, "closed") == ["completed"]
    finish = room.commits.finish
    assert finish is not None and finish.reconciled and finish.state == "completed"
    assert finish.device_totals.cores_counted == room.controller.screen.cores >= PLAN.target_cores
    assert finish.wall_seconds == pytest.approx((room.now - 3 * SECOND) / SECOND, abs=1)


def test_a_session_that_is_closed_before_its_target_is_aborted_and_its_cores_are_kept() -> None:
    room = at_a_cell(1.0)
    do(room, "trigger_release")
    do(room, "close", after_s=1)
    wait(room, 2)
    assert seen(room, "closed") == ["aborted"]
    assert room.commits.finish is not None and room.commits.finish.device_totals.cores_counted > 0


# --- the trigger -----------------------------------------------------------------------------------------------------


def test_cycles_follow_each_other_while_the_trigger_is_held_and_the_one_under_way_is_the_last() -> None:
    room = at_a_cell(3.5 * CYCLE_S)
    assert room.controller.held and room.controller.screen.cycles == 3
    do(room, "trigger_release")
    wait(room, 5)
    assert room.controller.screen.cycles == 4 and room.controller.screen.state == "armed"
    assert room.controller.screen.cells == {(0, 0): (4, 12)}


def test_a_second_press_of_a_trigger_that_is_held_changes_nothing() -> None:
    room = at_a_cell(1.5 * CYCLE_S)
    do(room, "trigger_press")
    wait(room, CYCLE_S)
    assert room.controller.screen.cycles == 2 and not words(room)


def test_a_trigger_that_is_let_go_and_pressed_again_in_a_cycle_goes_on() -> None:
    room = at_a_cell(1.5 * CYCLE_S)
    do(room, "trigger_release")
    do(room, "trigger_press", after_s=0.01)
    wait(room, CYCLE_S)
    assert room.controller.screen.cycles == 2 and not words(room)


NEEDED: Final = {"parameters": {**QUICK, "trigger_required": 1}}
"""A device that punches only while its trigger is held."""
STEADY_S: Final = 0.25
"""Time for which it has to be held first."""


def test_a_device_that_needs_its_trigger_punches_when_it_has_been_held_for_long_enough() -> None:
    room = at_a_cell(scenario=NEEDED)
    do(room, "trigger_press")
    wait(room, STEADY_S - 0.001)
    assert room.bench.device.plant.trigger_closed and room.controller.screen.state == "armed"
    wait(room, 2.5 * CYCLE_S)
    assert room.controller.screen.cycles == 2 and not words(room)
    do(room, "trigger_release")
    wait(room, 1)
    assert room.controller.screen.cycles == 3 and not words(room)
    assert not room.bench.device.plant.trigger_closed


def test_a_trigger_that_is_let_go_too_soon_punches_nothing_and_the_next_press_counts_from_its_own_time() -> None:
    room = at_a_cell(scenario=NEEDED)
    do(room, "trigger_press")
    do(room, "trigger_release", after_s=STEADY_S - 0.1)
    do(room, "trigger_press")
    wait(room, STEADY_S - 0.001)
    assert room.controller.screen.cycles == 0 and room.controller.screen.state == "armed"
    wait(room, 1.5 * CYCLE_S)
    assert room.controller.screen.cycles == 1 and not words(room)


def test_a_device_that_needs_its_trigger_is_not_armed_while_it_is_held() -> None:
    room = a_room("anesthesia_confirmed", scenario=NEEDED)
    do(room, "trigger_press")
    do(room, "arm", after_s=1)
    wait(room, 2)
    assert seen(room, "refusal") == ["E_INTERLOCK"] and seen(room, "alarm") == ["MC-1302"]
    do(room, "trigger_release")
    do(room, "arm", after_s=1)
    wait(room, 4)
    assert room.controller.screen.state == "armed" and seen(room, "alarm_over") == ["MC-1302"]


def test_a_trigger_that_a_fault_holds_stays_held_when_the_hand_lets_it_go() -> None:
    room = at_a_cell(1, scenario=NEEDED)
    do(room, "inject", fault={"fault": "trigger_held", "for_ms": 500})
    do(room, "trigger_release", after_s=0.1)
    assert room.bench.device.plant.trigger_closed
    do(room, "trigger_press", after_s=0.1)
    wait(room, 1)
    assert room.bench.device.plant.trigger_closed, "the fault is over, and the hand is still there"


def test_a_press_while_the_hand_still_moves_is_missed_until_the_trigger_is_let_go_and_pressed_again() -> None:
    room = a_room()
    hands = room.controller
    do(room, "reposition")
    do(room, "trigger_press", after_s=0.5)
    assert (hands.held, hands.missed) == (True, True)
    wait(room, 10)
    assert room.controller.screen.cycles == 0
    do(room, "trigger_release")
    assert not hands.missed
    do(room, "trigger_press")
    wait(room, CYCLE_S)
    assert (hands.held, hands.missed, hands.pulling) == (True, False, True)


def test_the_cycles_end_with_the_cell_and_asking_for_more_is_refused() -> None:
    room = at_a_cell(10)
    assert room.controller.screen.cycles == 16 and not seen(room, "refusal") and not seen(room, "alarm")
    assert room.controller.held, "the finger is still on it"
    assert not room.controller.pulling
    assert words(room)[-1] == "this cell is done: go to the next one"
    do(room, "trigger_release")
    do(room, "trigger_press", after_s=1)
    wait(room, 1)
    assert seen(room, "refusal") == ["E_INTERLOCK"] and seen(room, "alarm") == ["MC-0802"]
    assert "48 of 48 planned punctures are made in this cell" in words(room)[-1]
    do(room, "trigger_release")
    do(room, "reposition", after_s=1)
    do(room, "trigger_press", after_s=4)
    wait(room, 1)
    assert room.controller.screen.cycles > 16


def test_the_cycles_end_at_the_target() -> None:
    room = at_a_cell(20, cores=80)
    assert room.controller.screen.cores >= PLAN.target_cores
    assert words(room)[-1] == "the target is reached: close the session"
    assert room.controller.screen.state == "armed"


def test_stop_ends_a_cycle_at_once_and_the_way_back_is_by_hand() -> None:
    room = at_a_cell(1.2 * CYCLE_S)
    do(room, "stop")
    do(room, "trigger_release", why="stop")
    wait(room, 0.1)
    screen = room.controller.screen
    assert screen.state == "recovering" and room.bench.device.board.state.name == "SAFE"
    assert not any(zone.confirmed for zone in room.controller.zones.values())
    do(room, "arm")
    assert words(room)[-1] == "the handpiece has stopped: reset it first"
    do(room, "acknowledge", after_s=1)
    do(room, "reset", after_s=1)
    wait(room, 1)
    assert screen.state == "session_open" and screen.cycles == 2, "the journal has the cycle that was broken off"


# --- what stands in the way ------------------------------------------------------------------------------------------


def test_an_act_that_the_state_does_not_allow_is_a_sentence_and_nothing_is_sent() -> None:
    room = a_room("session_open")
    sent = len(room.bench.recording)
    do(room, "purge")
    do(room, "trigger_press")
    assert words(room) == ["arm the handpiece first"] * 2 and len(room.bench.recording) == sent
    assert seen(room, "act") == ["purge", "trigger_press"] and not seen(room, "refusal")
    assert room.controller.why_not("purge") == "arm the handpiece first"


def test_while_the_handpiece_moves_only_stop_release_acknowledge_and_silence_work() -> None:
    room = a_room()
    do(room, "reposition")
    for act in ("purge", "pause", "close", "trigger_press"):
        assert room.controller.why_not(
            act
        ) == "wait: the handpiece is moving" or "under way" in room.controller.why_not(act)
    for act in ("stop", "acknowledge", "silence", "trigger_release"):
        assert not room.controller.why_not(act)


def test_silence_pauses_the_sound() -> None:
    room = a_room()
    do(room, "silence", after_s=1)
    assert room.controller.screen.silent_until == room.now + 120 * SECOND
