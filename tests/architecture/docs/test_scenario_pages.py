"""The pages of faults and scenarios: each example is a scenario, and each error is what the reader says."""

import re
from pathlib import Path

import pytest

from devicectl.campaign.scenario_file import ScenarioFileError, read_scenario
from firmware_sim.faults.kind import Target
from firmware_sim.faults.trigger import leaves, parse_trigger
from tests.architecture.docs.pages.fault_pages import HEADINGS
from tests.architecture.tree import ROOT

SCENARIOS = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
FAULTS = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", FAULTS + SCENARIOS, re.DOTALL | re.MULTILINE)
ERRORS = re.findall(r"^lab\.yaml: (.+)$", SCENARIOS, re.MULTILINE)
MOMENTS = re.findall(r"^\| `((?:at|frame|piece|write|commit)\(.*?\))` ", FAULTS, re.MULTILINE)
LAB = """\
seed: 7
plan:
  target_cores: 20
  zones:
    - {name: chin, area_cm2: 1}
faults:
  - fault: drop
    when: frame("COUNT_DONE", 3)
    direction: device
"""
SLIPS = {
    "a drop has": ("direction: device", "piece: 2"),
    "never holds": ('frame("COUNT_DONE", 3)\n    direction: device', "cycle == 400"),
    "cannot happen": (LAB[LAB.index("fault: drop") :], "fault: broker_killed"),
}
"""Part of an error -> what is written wrong in `LAB` to get it."""


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_a_scenario(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_scenario(path).faults


@pytest.mark.parametrize("line", ERRORS)
def test_each_error_is_what_the_reader_says(tmp_path: Path, line: str) -> None:
    (slip,) = (slip for part, slip in SLIPS.items() if part in line)
    path = tmp_path / "lab.yaml"
    assert slip[0] in LAB
    path.write_text(LAB.replace(*slip), encoding="utf-8")
    with pytest.raises(ScenarioFileError) as caught:
        read_scenario(path)
    assert str(caught.value) == f"{path}: {line}"


def test_each_moment_of_the_page_is_a_trigger() -> None:
    assert len(MOMENTS) == 5
    assert all(leaves(parse_trigger(text)) for text in MOMENTS)


def test_the_page_has_a_part_for_each_target() -> None:
    assert set(HEADINGS) == set(Target)
