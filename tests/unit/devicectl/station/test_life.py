"""One host of the controller, and the hands at it: what each act does, and what stands in its way."""

import pytest

from devicectl.station.room import Room
from firmware_sim.faults.fault import declare
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.rooms import PLAN, a_room, do, seen, wait, words

CYCLE_S = 0.26


def at_a_cell(seconds: float = 0.0, **changes: object) -> Room:
    """A room in which the hand is at a cell, and the trigger has been held for so long."""
    room = a_room(**changes)  # type: ignore[arg-type]
    do(room, "reposition")
    wait(room, 5)
    if seconds:
        do(room, "trigger_press")
        wait(room, seconds)
    return room


# --- a session by hand ---------------------------------------------------------------------------------------


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


# --- the trigger ---------------------------------------------------------------------------------------------


def test_cycles_follow_each_other_while_the_trigger_is_held_and_the_one_under_way_is_the_last() -> None:
    room = at_a_cell(3.5 * CYCLE_S)
    assert room.controller.life.held and room.controller.screen.cycles == 3
    do(room, "trigger_release")
    wait(room, 5)
    assert room.controller.screen.cycles == 4 and room.controller.screen.state == "armed"
    assert room.controller.screen.cells == {(0, 0): (4, 12)}


def test_a_second_press_of_a_trigger_that_is_held_changes_nothing() -> None:
    room = at_a_cell(1.5 * CYCLE_S)
    do(room, "trigger_press")
    wait(room, CYCLE_S)
    assert room.controller.screen.cycles == 2 and not words(room)


def test_the_cycles_end_with_the_cell_and_asking_for_more_is_refused() -> None:
    room = at_a_cell(10)
    assert room.controller.screen.cycles == 16 and not seen(room, "refusal") and not seen(room, "alarm")
    assert room.controller.life.held, "the finger is still on it"
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


# --- what stands in the way ----------------------------------------------------------------------------------


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


def test_the_device_is_asked_for_its_measurements() -> None:
    room = a_room()
    wait(room, 1)
    first = room.controller.screen.telemetry
    wait(room, 0.21)
    second = room.controller.screen.telemetry
    assert first is not None and second is not None and second.uptime_ms - first.uptime_ms in (200, 201)
    assert second.vacuum_pa == round(room.bench.device.plant.vacuum.sensed_kpa(room.now) * 1000) or second.vacuum_pa < 0


# --- the automatic operator ----------------------------------------------------------------------------------


def test_the_automatic_operator_finishes_a_session_that_a_person_has_begun() -> None:
    room = at_a_cell(1.0)
    do(room, "automatic", view="presenter", on=True)
    assert room.controller.why_not("purge") == "the automatic operator works: switch it off first"
    wait(room, 120)
    assert room.ended and seen(room, "closed") == ["completed"]
    assert room.commits.finish is not None and room.commits.finish.reconciled


def test_a_person_goes_on_where_the_automatic_operator_was_switched_off() -> None:
    room = a_room("session_open")
    do(room, "automatic", view="presenter", on=True)
    wait(room, 13)
    do(room, "automatic", view="presenter", on=False)
    assert room.controller.why_not("pause") == "the automatic operator works: wait for its end"
    wait(room, 4)
    cycles = room.controller.screen.cycles
    assert cycles > 3 and room.controller.screen.state == "armed"
    do(room, "trigger_press")
    wait(room, 1)
    assert room.controller.screen.cycles > cycles


def test_switched_off_in_the_wait_for_the_anesthesia_the_automatic_operator_leaves_at_once() -> None:
    room = a_room("session_open")
    do(room, "automatic", view="presenter", on=True)
    wait(room, 1)
    assert room.controller.screen.state == "anesthesia_wait"
    do(room, "automatic", view="presenter", on=False)
    wait(room, 5)
    assert room.controller.screen.state == "anesthesia_wait"
    do(room, "anesthesia_confirm", zone=0)
    do(room, "anesthesia_confirm", zone=1, after_s=0.1)
    wait(room, 1)
    assert room.controller.screen.state == "anesthesia_confirmed"


def test_a_stop_takes_the_automatic_operator_off() -> None:
    room = a_room()
    do(room, "automatic", view="presenter", on=True)
    wait(room, 6)
    do(room, "stop")
    wait(room, 30)
    assert not room.controller.life.automatic and room.controller.screen.state == "recovering"


def test_the_automatic_operator_waits_for_the_end_of_what_a_person_has_begun() -> None:
    room = at_a_cell(1.5 * CYCLE_S)
    do(room, "automatic", view="presenter", on=True)
    do(room, "automatic", view="presenter", on=True)
    wait(room, 60)
    assert room.ended and room.commits.finish is not None and room.commits.finish.reconciled


# --- a lost link ---------------------------------------------------------------------------------------------


def test_a_lost_link_comes_back_by_itself_and_the_rest_is_for_the_person() -> None:
    room = at_a_cell(1.2 * CYCLE_S)
    do(room, "inject", fault={"fault": "disconnect", "for_ms": 3000})
    wait(room, 1)
    screen = room.controller.screen
    assert not screen.linked and screen.telemetry is None
    assert room.controller.why_not("reset") == "the link is lost: wait until it is back"
    wait(room, 3)
    assert screen.linked and screen.state == "recovering" and seen(room, "link_back")
    assert screen.telemetry is not None, "the new link has its measurements too"
    assert screen.alarms, "and its alarms"
    do(room, "trigger_release")
    do(room, "acknowledge")
    do(room, "reset", after_s=1)
    wait(room, 1)
    assert screen.state == "session_open" and screen.cycles == 2


def test_the_automatic_operator_makes_a_lost_link_again_and_the_measurements_come_again() -> None:
    room = a_room()
    do(room, "automatic", view="presenter", on=True)
    do(room, "inject", fault={"fault": "disconnect", "for_ms": 1000}, after_s=6)
    wait(room, 20)
    assert room.controller.screen.linked and room.controller.screen.telemetry is not None
    wait(room, 100)
    assert room.ended and seen(room, "closed") == ["completed"]


def test_a_link_that_is_lost_for_long_at_the_beginning_is_waited_for() -> None:
    room = a_room(scenario={"faults": (declare("disconnect", for_ms=100_000),)})
    assert room.controller.screen.state == "armed" and room.began > 100 * SECOND
    assert "no connection within 10 s: the cable was pulled" in words(room)


def test_a_defect_in_a_procedure_is_raised_and_not_lost_in_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    room = a_room()
    monkeypatch.setattr(room.controller.life.manual, "purge", lambda: iter([1 / 0]) if False else _broken())
    do(room, "purge")
    with pytest.raises(KeyError, match="a defect"):
        room.advance(Micros(room.now + 1))


def _broken() -> object:
    raise KeyError("a defect")
    yield
