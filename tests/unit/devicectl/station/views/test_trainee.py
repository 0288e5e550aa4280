"""The trainee's view: what the controller shows, and nothing of the truth, of the script or of a fault."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devicectl.station.acts import ACTS
from devicectl.station.room import Room
from devicectl.station.views.trainee import trainee_view
from tests.unit.devicectl.station.rooms import a_room, at_a_cell, do, instructor_sees, presenter_sees, wait

VIEWS = (trainee_view, presenter_sees, instructor_sees)


def _leaves(value: Any) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if children is None:
        yield value
    else:
        for child in children:
            yield from _leaves(child)


@pytest.mark.parametrize("state", ["session_open", "anesthesia_wait", "armed", "paused"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_json_without_null(view: Any, state: str) -> None:
    room = a_room(state)
    for _ in range(3):
        document = view(room)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert None not in list(_leaves(document))
        wait(room, 3)


class _Guarded:
    """An object of which only some attributes may be read."""

    def __init__(self, inner: object, *allowed: str) -> None:
        self._inner, self._allowed = inner, allowed

    def __getattr__(self, name: str) -> Any:
        assert name in self._allowed, f"a trainee's view reads {name}"
        return getattr(self._inner, name)


def _guarded(room: Room) -> Any:
    lesson, scenario = room.lesson, room.lesson.scenario
    seen: Any = _Guarded(room, "controller", "began", "now", "commits", "lesson")
    seen.lesson = _Guarded(lesson, "task", "prebrief", "minutes", "scenario")
    seen.lesson.scenario = _Guarded(scenario, "plan", "parameters")
    return seen


def test_it_reads_nothing_but_the_controller_and_what_the_trainee_was_told() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    for _ in range(20):
        wait(room, 0.5)
        assert trainee_view(_guarded(room)) == trainee_view(room)


def test_a_reading_is_what_the_sensor_told_and_not_what_is_so() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "pressure_frozen"})
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 5)
    shown: Any = trainee_view(room)["vacuum"]
    truth: Any = instructor_sees(room)["truth"]
    assert shown["kpa"] < -45
    assert truth["pressure_kpa"] > -35


def test_counts_are_those_of_the_screen() -> None:
    room = at_a_cell(3)
    counts: Any = trainee_view(room)["counts"]
    screen = room.controller.screen
    assert (counts["cores"], counts["cycles"], counts["target"]) == (screen.cores, screen.cycles, 90)
    cores_mm2 = screen.cores * 3.14159 / 4 * 0.4**2
    assert counts["coverage_percent"] == pytest.approx(cores_mm2, abs=0.01), "of one cell of 100 mm2"


def test_a_cell_fills_by_the_cycles_that_it_takes() -> None:
    room = at_a_cell(2.2)
    cells: Any = trainee_view(room)["cells"]
    assert cells == {"0:0": 100 * room.controller.screen.cycles // 16}


def test_zones_show_how_long_to_wait() -> None:
    room = a_room("session_open")
    do(room, "anesthesia_start", zone=1)
    wait(room, 1)
    zones: Any = trainee_view(room)["zones"]
    assert zones[0] == {"zone": 0, "name": "cheek left", "area_cm2": 3, "cells_done": 0, "confirmed": False}
    assert zones[1]["numbed_ms"] == pytest.approx(0, abs=100)
    assert zones[1]["wait_until_ms"] == pytest.approx(5_000, abs=1_100)
    wait(room, 7)
    do(room, "anesthesia_confirm", zone=1)
    wait(room, 1)
    zones = trainee_view(room)["zones"]
    assert [zone["confirmed"] for zone in zones] == [False, True]


def _alarms(room: Room) -> dict[int, tuple[str, bool]]:
    shown: Any = trainee_view(room)["alarms"]
    return {alarm["code"]: (alarm["state"], alarm["sounds"]) for alarm in shown}


def test_a_pause_of_the_sound_is_for_the_alarms_that_are_there() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 4)
    assert _alarms(room)[401] == ("active", True)
    do(room, "silence")
    assert _alarms(room)[401] == ("active", False)
    assert "paused_until_ms" in trainee_view(room)["sound"]  # type: ignore[operator]
    wait(room, 1)
    do(room, "inject", fault={"fault": "fluid_inside"})
    wait(room, 1)
    assert _alarms(room)[1901][1], "a new one sounds although another is paused"
    assert next(iter(_alarms(room))) == 1901, "the most urgent comes first"
    wait(room, 121)
    assert trainee_view(room)["sound"] == {}


def test_an_alarm_that_was_acknowledged_does_not_sound() -> None:
    room = at_a_cell(1)
    do(room, "inject", fault={"fault": "leak", "kpa_per_s": 30})
    wait(room, 4)
    do(room, "acknowledge")
    wait(room, 1)
    assert _alarms(room)[401] == ("acknowledged", False)


def test_every_act_of_the_trainee_has_a_control_and_says_why_it_cannot_be() -> None:
    room = at_a_cell()
    controls: Any = trainee_view(room)["controls"]
    assert set(controls) == {name for name, kind in ACTS.items() if "trainee" in kind.views}
    assert controls["pause"] == {"enabled": True}
    assert controls["resume"] == {"enabled": False, "why": "the treatment is not paused"}


def test_a_held_trigger_takes_the_hand_all_the_time() -> None:
    """Else the controls would change twice in each cycle."""
    room = at_a_cell(0.5)
    seen = []
    for _ in range(20):
        wait(room, 0.05)
        controls: Any = trainee_view(room)["controls"]
        seen.append(controls)
    assert all(one == seen[0] for one in seen)
    assert seen[0]["purge"]["why"] == "let go of the trigger first"
    assert seen[0]["stop"] == seen[0]["trigger_press"] or seen[0]["stop"] == {"enabled": True}


def test_a_trigger_that_was_let_go_says_why() -> None:
    room = at_a_cell()
    for view, why in (("server", "lease"), ("trainee", "let_go")):
        do(room, "trigger_press")
        assert trainee_view(room)["trigger"] == {"held": True}
        do(room, "trigger_release", view=view, why=why)
        assert trainee_view(room)["trigger"] == {"held": False, "why": why}


def test_a_controller_that_has_ended_is_not_said_to_be_armed() -> None:
    room = at_a_cell()
    do(room, "inject", fault={"fault": "host_crash"})
    wait(room, 0.1)
    assert not room.controller.alive
    state: Any = trainee_view(room)["state"]
    assert state["words"] == "the controller has ended and starts again"


def test_the_last_messages_are_shown_with_their_numbers() -> None:
    room = a_room()
    for _ in range(25):
        do(room, "resume")
    messages: Any = trainee_view(room)["messages"]
    assert [message["no"] for message in messages] == list(range(6, 26))
    assert {message["kind"] for message in messages} == {"refusal"}


def test_the_end_says_if_both_ends_agree() -> None:
    room = at_a_cell(2)
    do(room, "trigger_release")
    wait(room, 1)
    do(room, "close")
    wait(room, 10)
    end: Any = trainee_view(room)["end"]
    assert (end["state"], end["reconciled"]) == ("aborted", True)
    assert "Controller and handpiece agree" in end["words"]
