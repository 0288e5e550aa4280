"""The page of lessons: its example is a lesson, and its error is what the reader says."""

import re
from typing import Final

import pytest

from devicectl.campaign.scenario_file import ScenarioFileError
from devicectl.station.evidence import parse_pattern
from devicectl.station.lesson_file import parse_lesson
from tests.architecture.tree import ROOT

PAGE: Final = (ROOT / "docs/lessons.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(ERROR,) = re.findall(r"^(lab\.yaml: .+)$", PAGE, re.MULTILINE)


def test_the_example_is_a_lesson() -> None:
    found = parse_lesson(EXAMPLE, "lab.yaml")
    assert found.script and found.checks and found.what_if and found.objectives


def test_the_error_is_what_the_reader_says() -> None:
    slip = EXAMPLE.replace("fault: leak,", "fault: leek,")
    assert slip != EXAMPLE
    with pytest.raises(ScenarioFileError) as caught:
        parse_lesson(slip, "lab.yaml")
    assert str(caught.value) == ERROR


@pytest.mark.parametrize("text", re.findall(r"`((?:act|alarm)\([^`]*)`", PAGE))
def test_each_pattern_of_the_prose_can_be_read(text: str) -> None:
    assert parse_pattern(text)
