"""The cases for a controller fit the rules: each MUST of a host has one, or a reason why it has none."""

from devicectl.conformance.case import check_catalogue
from devicectl.conformance.controller.cases import adversity
from devicectl.conformance.controller.cases.declare import scene_of
from devicectl.conformance.controller.catalogue import CONTROLLER_CASES, UNSHOWN
from devicectl.conformance.rules import RULES, Duty, Level
from firmware_sim.faults.scenario import read_start


def test_cases_and_rules_fit() -> None:
    check_catalogue(CONTROLLER_CASES, Duty.HOST, {name: rule for name, rule in RULES.items() if name not in UNSHOWN})


def test_what_is_not_shown_is_a_must_of_a_host_without_a_case() -> None:
    shown = {rule for case in CONTROLLER_CASES for rule in case.rules}
    assert not shown & set(UNSHOWN)
    assert all(RULES[name].level is Level.MUST and RULES[name].duty.is_of(Duty.HOST) for name in UNSHOWN)


def test_there_are_sixty_cases_and_thirty_scenes_of_adversity() -> None:
    assert len(CONTROLLER_CASES) >= 60
    assert len({scene_of(case).name for case in adversity.CASES}) >= 30


def test_scenes_of_one_name_are_one_scene() -> None:
    by_name = {scene_of(case).name: scene_of(case) for case in CONTROLLER_CASES}
    assert all(scene_of(case) is by_name[scene_of(case).name] for case in CONTROLLER_CASES)


def test_every_scene_is_one_that_a_served_device_can_have() -> None:
    for case in CONTROLLER_CASES:
        start = read_start(scene_of(case).scenario(7))
        assert len(start.faults) == len(scene_of(case).faults), case.id
