"""Scenes: drawn whole, on one cycle, by a stream of their own; and the one line for what they may not ask for."""

from typing import Any

import pytest

from devicectl.campaign.many.draw import draw
from devicectl.campaign.many.profile import Profile, ProfileError, make_profile
from devicectl.campaign.scenario import MQTT

PAUSE = {"fault": "paused", "when": "cycle == {cycle}"}
KILLED = {"fault": "broker_killed", "when": "cycle == {cycle}"}
SEEDS = range(60)


def one_scene(**keys: Any) -> Profile:
    return make_profile({"kinds": {}, "scenes": {"one": {"on": 1, **keys}}})


def test_a_scene_is_whole_and_all_of_it_is_in_one_cycle() -> None:
    profile = one_scene(faults=[PAUSE, PAUSE], start={"canister_ml": 20, "parameters": {"heat_tau_s": 5}})
    cycles = set()
    for seed in SEEDS:
        scenario = draw(profile, seed, 5)
        first, second = (fault.text for fault in scenario.faults)
        assert first == second
        cycles.add(first)
        assert (scenario.canister_ml, scenario.parameters) == (20, {"anesthesia_wait_s": 1, "heat_tau_s": 5})
    assert cycles == {f"cycle == {number}" for number in range(1, 6)}


def test_a_scene_changes_the_plan_and_not_its_target() -> None:
    plan = draw(one_scene(plan={"coverage_percent": 8.0}), 1, 5).plan
    assert (plan.coverage_percent, plan.target_cores) == (8.0, 15)


def test_a_scene_of_a_broker_is_drawn_over_its_wire_alone() -> None:
    drawn = [draw(one_scene(faults=[PAUSE, KILLED]), seed, 5) for seed in SEEDS]
    assert {(one.wire == MQTT, len(one.faults)) for one in drawn} == {(True, 2), (False, 0)}


def test_a_scene_that_is_added_changes_nothing_of_the_others() -> None:
    scenes = {"one": {"on": 0.5, "faults": [PAUSE]}}
    more = {"other": {"on": 0.5, "start": {"canister_ml": 20}}, **scenes}
    for seed in SEEDS:
        alone, both = (draw(make_profile({"kinds": {}, "scenes": one}), seed, 9).faults for one in (scenes, more))
        assert alone == both


@pytest.mark.parametrize(
    ("scene", "sentence"),
    [
        ({"on": 2}, "p: scenes.one.on = 2: must be a number from 0 to 1"),
        ({"on": 1, "start": {"canister_ml": -1}}, "p: scenes.one.start.canister_ml: must be a number from 0 to 1000"),
        ({"on": 1, "faults": [{"fault": "pausde"}]}, "p: scenes.one.faults[0].fault: there is no fault 'pausde'"),
        (
            {"on": 1, "faults": [{"fault": "mute", "for_ms": 0}]},
            "p: scenes.one.faults[0]: must have for_ms above 0: a session has to end after its last fault",
        ),
        (
            {"on": 1, "faults": [{"fault": "clog", "needle": 2}], "start": {"parameters": {"needles": 2}}},
            "p: scenes.one.faults[0].needle = 2: must be from 0 to 1: this device has 2 needles",
        ),
        (
            {"on": 1, "plan": {"target_cores": 3}},
            "p: scenes.one.plan.target_cores: must be left out: it follows from the cycles of a session",
        ),
        ({"on": 1, "plan": {"coverage_percent": 99.0}}, "p: scenes.one.plan.coverage_percent = 99.0: must be"),
    ],
)
def test_what_a_scene_may_not_ask_for_is_one_line(scene: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProfileError) as caught:
        make_profile({"kinds": {}, "scenes": {"one": scene}}, "p")
    assert str(caught.value).startswith(sentence)
