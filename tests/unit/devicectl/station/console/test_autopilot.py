"""The automatic operator in a lesson: it takes over from a person, and the person from it, at any time."""

import pytest

from devicectl.session.plan import Operator
from devicectl.station.room import Room
from protocols.language.enums import AlarmState
from protocols.language.units import SECOND
from tests.unit.devicectl.station.rooms import CYCLE_S, PLAN, a_room, at_a_cell, do, seen, wait, words


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


@pytest.mark.parametrize(("age_s", "left_s"), [(0, 300), (120, 180), (600, 0)])
def test_a_lesson_that_begins_in_the_wait_has_zones_as_old_as_its_plan_says(age_s: int, left_s: int) -> None:
    plan = PLAN.model_copy(update={"operator": Operator(anesthesia_age_s=age_s)})
    room = a_room("anesthesia_wait", scenario={"plan": plan, "parameters": {"anesthesia_wait_s": 300.0}})
    assert room.controller.screen.state == "anesthesia_wait"
    for zone in room.controller.zones.values():
        assert (room.began - zone.numbed_at) / SECOND == pytest.approx(age_s, abs=2)
        assert zone.ready_at is not None and (zone.ready_at - room.began) / SECOND == pytest.approx(left_s, abs=2)


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
    assert not room.controller.automatic and room.controller.screen.state == "recovering"


def test_the_automatic_operator_waits_for_the_end_of_what_a_person_has_begun() -> None:
    room = at_a_cell(1.5 * CYCLE_S)
    do(room, "automatic", view="presenter", on=True)
    do(room, "automatic", view="presenter", on=True)
    wait(room, 60)
    assert room.ended and room.commits.finish is not None and room.commits.finish.reconciled


def test_switched_on_while_the_session_is_being_closed_it_does_nothing() -> None:
    room = a_room()
    do(room, "inject", fault={"fault": "latency", "added_ms": 50})
    do(room, "close", after_s=0.1)
    do(room, "automatic", view="presenter", on=True, after_s=0.06)
    wait(room, 10)
    assert room.ended and not room.controller.automatic


def test_a_session_that_was_open_for_a_while_counts_the_age_of_its_anesthesia_from_the_plan() -> None:
    plan = PLAN.model_copy(update={"operator": PLAN.operator.model_copy(update={"anesthesia_age_s": 60})})
    room = a_room("session_open", scenario={"plan": plan})
    wait(room, 30)
    do(room, "automatic", view="presenter", on=True)
    wait(room, 3)
    numbed = {zone.numbed_at for zone in room.controller.zones.values()}
    assert numbed == {room.began - 60 * SECOND}, "60 s before the opening, 30 s ago"


def test_switched_on_while_a_lost_link_is_made_again_it_waits_for_that() -> None:
    room = a_room("session_open")
    do(room, "inject", fault={"fault": "half_open", "for_ms": 500})
    wait(room, 0.2)
    assert room.controller.under_way == "relink"
    do(room, "automatic", view="presenter", on=True)
    wait(room, 120)
    assert room.ended and seen(room, "closed") == ["completed"]


def _at_an_alarm() -> Room:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 5)
    do(room, "trigger_release")
    assert room.controller.screen.alarms[401].state is AlarmState.ACTIVE
    return room


def test_switched_on_at_an_alarm_it_acknowledges_it_as_a_person_would_and_goes_on_when_it_is_over() -> None:
    room = _at_an_alarm()
    do(room, "automatic", view="presenter", on=True)
    wait(room, 2)
    assert room.controller.screen.alarms[401].state is AlarmState.ACKNOWLEDGED
    assert "acknowledge" in seen(room, "act"), "a script may wait for that"
    do(room, "withdraw", fault=0)
    wait(room, 120)
    assert room.controller.screen.ending == "completed"


def test_switched_off_before_it_has_acknowledged_an_alarm_it_leaves_that_to_the_person() -> None:
    room = _at_an_alarm()
    do(room, "automatic", view="presenter", on=True)
    do(room, "automatic", view="presenter", on=False, after_s=0.5)
    wait(room, 3)
    assert room.controller.screen.alarms[401].state is AlarmState.ACTIVE


def test_what_is_refused_is_said_and_tried_again_when_somebody_has_had_the_time_to_help() -> None:
    room = a_room("anesthesia_confirmed")
    do(room, "inject", fault={"fault": "cartridge_used"})
    do(room, "automatic", view="presenter", on=True)
    wait(room, 5)
    assert words(room)[-1].endswith("; it is tried again in 15 s")
    do(room, "withdraw", fault=0)
    wait(room, 120)
    assert room.controller.screen.ending == "completed"


def test_what_no_alarm_explains_ends_the_automatic_operator_with_the_reason() -> None:
    room = a_room(scenario={"plan": PLAN.model_copy(update={"target_cores": 288})})
    do(room, "automatic", view="presenter", on=True)
    wait(room, 200)
    assert not room.controller.automatic and not room.ended
    assert words(room)[-1].startswith("all 6 cells of the plan are used")
