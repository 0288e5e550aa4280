"""Shrinking: the smallest list with the same failure is found, with no more runs than were allowed."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from devicectl.campaign.scenario import Scenario
from devicectl.campaign.shrinking.shrink import REPEATS, distance, shrink
from devicectl.campaign.verdict import Breach, Verdict
from firmware_sim.faults.fault import Fault, declare
from tests.world import a_plan

Fails = Callable[[Scenario], str]
"""The judge that finds something wrong in a scenario; "" for none."""
NOISE = tuple(declare("drop", f'piece("host", {number})') for number in range(1, 20))
LAST = 100


def number(fault: Fault) -> int:
    """Number of the write or piece at which a fault is."""
    return int(re.findall(r"\d+", fault.text)[-1])


class Toy:
    """Runs no session: it fails where `fails` says so, and a fault fires unless `never` has it, or it is too late."""

    def __init__(self, fails: Fails, never: Callable[[Fault], bool] = lambda fault: number(fault) > LAST) -> None:
        self.runs: list[Scenario] = []
        self._fails = fails
        self._never = never

    def __call__(self, scenario: Scenario) -> Verdict:
        self.runs.append(scenario)
        judge = self._fails(scenario)
        breaches = [Breach(judge, 0, "toy")] if judge else []
        unfired = [index for index, fault in enumerate(scenario.faults) if self._never(fault)]
        return Verdict(scenario.seed, breaches=breaches, unfired=unfired)


def a_scenario(*faults: Fault, cores: int = 30) -> Scenario:
    return Scenario(faults=faults, plan=a_plan(cores))


def kinds(scenario: Scenario) -> list[str]:
    return [fault.kind.name for fault in scenario.faults]


def needs(*names: str) -> Fails:
    return lambda scenario: "timing" if set(names) <= set(kinds(scenario)) else ""


def test_two_faults_that_fail_together_are_found_among_many() -> None:
    faults = (*NOISE[:7], declare("mute", "write(9)", for_ms=1), *NOISE[7:], declare("reboot", "write(30)"))
    toy = Toy(needs("mute", "reboot"))
    found = shrink(a_scenario(*faults), toy)
    assert found.repeatable
    assert kinds(found.scenario) == ["mute", "reboot"]
    assert found.failure == ("wrong", "timing")
    assert found.runs == len(toy.runs) < 150


def test_no_fault_is_left_where_none_is_needed() -> None:
    found = shrink(a_scenario(*NOISE), Toy(lambda scenario: "truth"))
    assert found.scenario.faults == ()


def test_another_judge_is_another_failure() -> None:
    def fails(scenario: Scenario) -> str:
        return "truth" if {"mute", "reboot"} <= set(kinds(scenario)) else "alarms"

    faults = (declare("mute", "write(3)", for_ms=1), declare("reboot", "write(4)"))
    assert kinds(shrink(a_scenario(*faults), Toy(fails)).scenario) == ["mute", "reboot"]


def test_a_candidate_in_which_a_fault_does_not_fire_is_not_accepted() -> None:
    def never(fault: Fault) -> bool:
        return number(fault) > 20

    found = shrink(a_scenario(declare("drop", 'piece("host", 13)')), Toy(needs("drop"), never))
    assert number(found.scenario.faults[0]) == 20


def test_a_fault_is_made_shorter_fewer_and_later_while_it_fails() -> None:
    def fails(scenario: Scenario) -> str:
        (fault,) = scenario.faults or (None,)
        if fault is None or fault.number("for_ms") < 700 or fault.number("bits") < 3:
            return ""
        return "timing" if number(fault) <= 61 else ""

    flip = declare("flip", 'piece("device", 5)', bits=40, for_ms=30_000, pieces=1)
    found = shrink(a_scenario(flip), Toy(fails))
    (softest,) = found.scenario.faults
    assert 700 <= softest.number("for_ms") < 750
    assert softest.as_json() == {**softest.as_json(), "when": 'piece("device", 61)', "bits": 3}
    assert found.nearest is not None
    assert distance(found.scenario, found.nearest) <= 2_000


def test_a_fault_without_an_end_is_given_one() -> None:
    found = shrink(a_scenario(declare("vent_blocked", 'at("0 us")')), Toy(needs("vent_blocked")), max_runs=8)
    assert 1 <= found.scenario.faults[0].number("for_ms") < 60_000


def test_the_session_gets_as_few_cores_as_fail() -> None:
    found = shrink(a_scenario(cores=30), Toy(lambda one: "truth" if one.plan.target_cores >= 7 else ""))
    assert found.scenario.plan.target_cores == 7
    assert found.nearest is not None
    assert found.nearest.plan.target_cores == 6


def test_the_nearest_passing_run_lacks_one_fault() -> None:
    faults = (declare("reboot", "write(9)"), declare("host_crash", "write(30)"), *NOISE)
    found = shrink(a_scenario(*faults), Toy(needs("reboot", "host_crash")))
    assert found.nearest is not None
    assert len(found.nearest.faults) == 1


def test_what_fails_only_now_and_then_is_left_as_it_is() -> None:
    answers = iter(["timing", "timing", ""])
    scenario = a_scenario(*NOISE)
    found = shrink(scenario, Toy(lambda one: next(answers)))
    assert not found.repeatable
    assert found.scenario is scenario
    assert found.runs == REPEATS


def test_no_more_runs_are_made_than_allowed_and_what_was_found_is_kept() -> None:
    faults = (*NOISE, declare("reboot", "write(9)"))
    toy = Toy(needs("reboot"))
    found = shrink(a_scenario(*faults), toy, max_runs=6)
    assert len(toy.runs) == found.runs == 6
    assert len(found.scenario.faults) < len(faults)


def test_no_candidate_is_run_twice() -> None:
    toy = Toy(needs("reboot", "mute"))
    shrink(a_scenario(*NOISE[:6], declare("reboot", "write(9)"), declare("mute", "write(3)")), toy)
    tried = [str(one.as_data()) for one in toy.runs[REPEATS:]]
    assert len(set(tried)) == len(tried)


def test_a_run_that_is_right_is_refused() -> None:
    with pytest.raises(ValueError, match="only a run that is wrong or stuck"):
        shrink(a_scenario(), Toy(lambda one: ""))


def test_a_run_with_one_fault_less_is_farther_than_one_with_fewer_cores() -> None:
    whole = a_scenario(*NOISE[:2])
    fewer = replace(whole, plan=a_plan(9))
    assert 0 < distance(whole, fewer) < distance(whole, a_scenario(*NOISE[:1]))
