"""A moment of a lesson as a file: read again, it is the same lesson, and begins where it was saved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.campaign.scenario_file import ScenarioFileError
from devicectl.station.acts import Act, act_of
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import lesson_of, parse_lesson
from devicectl.station.moment import MomentError, at_moment, for_foreign_host, lesson_as_yaml
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.test_lesson_file import WHOLE

PLAIN = WHOLE[: WHOLE.index("  acts:")]


def arm(at_us: int) -> Act:
    return act_of({"name": "arm", "at_us": at_us}, "trainee")


def times(lesson: Lesson) -> list[int]:
    return [act.at_us for act in lesson.acts]


def test_a_lesson_is_written_and_read_again_the_same() -> None:
    lesson = parse_lesson(WHOLE, "lab")
    assert parse_lesson(lesson_as_yaml(lesson), "lab") == lesson


def test_a_moment_counts_its_acts_from_the_end_of_the_beginning() -> None:
    moment = at_moment(parse_lesson(PLAIN, "lab"), 5, [arm(103), arm(104)], Micros(100), Micros(109))
    assert (times(moment), moment.acts_us, moment.scenario.seed) == ([3, 4], 9, 5)


def test_a_moment_of_a_moment_has_the_acts_of_both() -> None:
    first = at_moment(parse_lesson(PLAIN, "lab"), 5, [arm(103)], Micros(100), Micros(109))
    second = at_moment(first, 5, [arm(112)], Micros(109), Micros(120))
    assert (times(second), second.acts_us) == ([3, 12], 20)


def test_a_moment_keeps_the_title_that_came_of_the_file_s_name() -> None:
    moment = at_moment(parse_lesson("seed: 1", "lab"), 1, [], Micros(0), Micros(0))
    assert parse_lesson(lesson_as_yaml(moment), "moment").title == "lab"


@pytest.mark.parametrize(
    "text",
    ["1e5", "010", "12:30", "yes", "null", "~", "- a", "a: b", "#", "'", '"', " x ", ".5", "\x85", "a\nb", "\u2028"],
)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    lesson = lesson_of({"lesson": {"prebrief": text}}, "lab")
    assert parse_lesson(lesson_as_yaml(lesson), "lab").prebrief == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_comes_back(text: str) -> None:
    note = act_of({"name": "note", "arguments": {"text": text or "x"}}, "instructor")
    moment = at_moment(lesson_of({"lesson": {"prebrief": text}}, "lab"), 1, [note], Micros(0), Micros(0))
    assert parse_lesson(lesson_as_yaml(moment), "lab") == moment


def test_more_acts_than_a_file_takes_are_refused() -> None:
    moment = at_moment(parse_lesson(PLAIN, "lab"), 1, [arm(SECOND)] * 1_000, Micros(0), Micros(SECOND))
    with pytest.raises(MomentError, match="1000 acts are more than the 65536 bytes of a lesson's file"):
        lesson_as_yaml(moment)


def test_a_lesson_for_somebody_elses_host_begins_with_the_device_just_started() -> None:
    lesson = for_foreign_host(parse_lesson(PLAIN, "lab"))
    assert lesson.foreign and not lesson.what_if and lesson.script and lesson.checks
    assert parse_lesson(lesson_as_yaml(lesson), "lab") == lesson


def test_a_lesson_that_begins_with_acts_is_none_for_somebody_elses_host() -> None:
    with pytest.raises(ScenarioFileError, match="acts: must be left out: somebody else's host was not there"):
        for_foreign_host(parse_lesson(WHOLE, "lab"))


def test_a_moment_of_somebody_elses_host_is_no_lesson() -> None:
    lesson = for_foreign_host(parse_lesson(PLAIN, "lab"))
    with pytest.raises(MomentError, match="that host was not there"):
        at_moment(lesson, 5, [], Micros(0), Micros(9))
