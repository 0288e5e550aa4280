"""The ready scenarios of examples/scenarios: each can be read, and comes to what it expects."""

from dataclasses import replace
from pathlib import Path

import pytest

from devicectl.campaign.scenario_file import read_scenario
from firmware_sim.faults.fault import declare
from tests.architecture.tree import ROOT
from tests.unit.devicectl.campaign.trials import judged

FOLDER = ROOT / "examples" / "scenarios"
SCENARIOS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_ready_scenario_comes_to_what_it_expects(path: Path) -> None:
    scenario = read_scenario(path)
    verdict = judged(scenario).verdict
    assert (verdict.word, verdict.unmet) == ("right", []), verdict
    assert len(verdict.fired) == len(scenario.faults) > 0


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_ready_scenario_says_at_its_top_what_it_shows(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# ") and read_scenario(path).name


def test_three_are_ready() -> None:
    assert len(SCENARIOS) >= 3


def test_an_expectation_that_was_not_met_fails_a_run() -> None:
    scenario = read_scenario(SCENARIOS[0])
    verdict = judged(replace(scenario, expect=replace(scenario.expect, alarms=(1601,), at_most_s=1.0))).verdict
    assert verdict.word == "unmet" and len(verdict.unmet) == 2 and "MC-1601" in verdict.unmet[1]


def test_a_fault_that_never_fires_fails_a_run() -> None:
    scenario = read_scenario(SCENARIOS[0])
    never = declare("pump_stalled", "temperature_c > 90")
    verdict = judged(replace(scenario, faults=(*scenario.faults, never))).verdict
    assert (verdict.word, verdict.unfired) == ("unfired", [1])
