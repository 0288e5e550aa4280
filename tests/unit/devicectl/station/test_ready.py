"""The ready lessons: each is offered, complete, and as long as a lesson should be."""

from pathlib import Path

import pytest

from devicectl.campaign.scenario_file import ScenarioFileError
from devicectl.station.lesson_file import parse_lesson
from devicectl.station.moment import lesson_as_yaml
from devicectl.station.ready import DEMONSTRATION, FOLDER, READY, find_lesson


def test_every_file_of_the_folder_is_offered() -> None:
    assert sorted((*READY, DEMONSTRATION)) == sorted(path.stem for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", READY)
def test_a_ready_lesson_is_complete_and_short(name: str) -> None:
    lesson = find_lesson(name)
    assert 3 <= lesson.minutes <= 8 and 1 <= len(lesson.objectives) <= 5
    assert lesson.prebrief and lesson.guide and lesson.questions and lesson.what_if
    assert any(check.critical for check in lesson.checks)
    assert parse_lesson(lesson_as_yaml(lesson), name) == lesson


@pytest.mark.parametrize("name", READY)
def test_what_the_trainee_reads_says_nothing_of_the_script(name: str) -> None:
    lesson = find_lesson(name)
    told = f"{lesson.task} {lesson.prebrief}".lower()
    assert lesson.title.lower() not in told or not lesson.script
    for item in lesson.script:
        assert item.words.lower() not in told
        assert item.fault is None or item.fault.kind.name not in told


def test_titles_differ() -> None:
    assert len({find_lesson(name).title for name in READY}) == len(READY)


def test_a_file_is_read_where_no_ready_lesson_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 1", encoding="utf-8")
    assert find_lesson(str(path)).title == "mine"


def test_a_slip_of_the_pen_names_the_nearest() -> None:
    with pytest.raises(ScenarioFileError, match="lesson = 'suction-leek': is neither .*; did you mean suction-leak"):
        find_lesson("suction-leek")


def test_a_far_name_is_told_what_there_is() -> None:
    with pytest.raises(ScenarioFileError, match="nor a file: there are normal-session, no-anesthesia"):
        find_lesson("tsunami")
