"""A moment of a lesson as a file: read again, it is the same lesson, and begins where it was saved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.simulation.lesson_form import MAX_TEXT, MAX_TITLE
from devicectl.station.acts import Act, act_of
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import lesson_of, parse_lesson
from devicectl.station.moment import MomentError, at_moment, for_foreign_host, lesson_as_yaml
from devicectl.station.ready import READY, find_lesson
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.test_lesson_file import WHOLE

SO = "152 of 420 cores are counted."
PLAIN = WHOLE[: WHOLE.index("  acts:")]


def arm(at_us: int) -> Act:
    return act_of({"name": "arm", "at_us": at_us}, "trainee")


def times(lesson: Lesson) -> list[int]:
    return [act.at_us for act in lesson.acts]


def test_a_lesson_is_written_and_read_again_the_same() -> None:
    lesson = parse_lesson(WHOLE, "lab")
    assert parse_lesson(lesson_as_yaml(lesson), "lab") == lesson


def test_a_moment_counts_its_acts_from_the_end_of_the_beginning() -> None:
    moment = at_moment(parse_lesson(PLAIN, "lab"), 5, [arm(103), arm(104)], Micros(100), Micros(109), SO)
    assert (times(moment), moment.acts_us, moment.scenario.seed) == ([3, 4], 9, 5)


def test_a_moment_of_a_moment_has_the_acts_of_both() -> None:
    first = at_moment(parse_lesson(PLAIN, "lab"), 5, [arm(103)], Micros(100), Micros(109), SO)
    second = at_moment(first, 5, [arm(112)], Micros(109), Micros(120), SO)
    assert (times(second), second.acts_us) == ([3, 12], 20)


def test_a_moment_keeps_the_title_that_came_of_the_file_s_name() -> None:
    moment = at_moment(parse_lesson("seed: 1", "lab"), 1, [], Micros(0), Micros(0), SO)
    assert parse_lesson(lesson_as_yaml(moment), "moment").title == "lab, from 0:00"


def a_moment(lesson: Lesson, seconds: int, *acts: Act) -> Lesson:
    return at_moment(lesson, 1, acts, Micros(0), Micros(seconds * SECOND), SO)


def test_a_moment_says_from_when_it_is_and_how_things_are_then() -> None:
    lesson = lesson_of({"lesson": {"title": "Leak", "prebrief": "About 120 cores are counted."}}, "lab")
    first = a_moment(lesson, 187)
    assert (first.title, first.prebrief) == (
        "Leak, from 3:07",
        f"This lesson goes on from 3:07. {SO} At its beginning it said: About 120 cores are counted.",
    )
    assert a_moment(first, 60).prebrief == first.prebrief.replace("3:07", "1:00")


def test_a_moment_of_a_lesson_whose_texts_are_as_long_as_they_may_be_is_a_lesson() -> None:
    lesson = lesson_of({"lesson": {"title": "T" * MAX_TITLE, "prebrief": "p" * MAX_TEXT}}, "lab")
    moment = a_moment(lesson, 187)
    assert moment.title == "T" * (MAX_TITLE - 11) + ", from 3:07"
    assert len(moment.prebrief) == MAX_TEXT and SO in moment.prebrief


def test_what_the_instructor_has_said_of_one_class_is_not_in_a_moment() -> None:
    said: list[tuple[str, dict[str, object]]] = [
        ("note", {"text": "Ann was late"}),
        ("bookmark", {"text": "here"}),
        ("override", {"check": "stops", "passed": True, "reason": "Ann said it aloud"}),
        ("skip", {"item": "leak"}),
    ]
    acts = [act_of({"name": name, "arguments": arguments, "at_us": 5}, "instructor") for name, arguments in said]
    moment = at_moment(parse_lesson(PLAIN, "lab"), 1, acts, Micros(0), Micros(9), SO)
    assert [act.name for act in moment.acts] == ["skip"]
    assert "Ann" not in lesson_as_yaml(moment)


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
    moment = at_moment(lesson_of({"lesson": {"prebrief": text}}, "lab"), 1, [note], Micros(0), Micros(0), SO)
    assert parse_lesson(lesson_as_yaml(moment), "lab") == moment


def test_more_acts_than_a_file_takes_are_refused() -> None:
    moment = at_moment(parse_lesson(PLAIN, "lab"), 1, [arm(SECOND)] * 1_000, Micros(0), Micros(SECOND), SO)
    with pytest.raises(MomentError, match="1000 acts are more than the 65536 bytes of a lesson's file"):
        lesson_as_yaml(moment)


def test_a_lesson_for_somebody_elses_host_begins_with_the_device_just_started() -> None:
    lesson = for_foreign_host(parse_lesson(PLAIN, "lab"))
    assert lesson.foreign and not lesson.what_if and lesson.script and lesson.checks
    assert parse_lesson(lesson_as_yaml(lesson), "lab") == lesson


def test_a_lesson_for_somebody_elses_host_has_none_of_the_acts_that_lead_to_its_beginning() -> None:
    lesson = for_foreign_host(parse_lesson(WHOLE, "lab"))
    assert parse_lesson(WHOLE, "lab").acts and (lesson.acts, lesson.acts_us) == ((), 0)


def test_each_ready_lesson_can_be_one_for_somebody_elses_host() -> None:
    """`devicectl station --tcp` begins with the first of them."""
    for name in READY:
        assert for_foreign_host(find_lesson(name)).foreign


def test_a_moment_of_somebody_elses_host_is_no_lesson() -> None:
    lesson = for_foreign_host(parse_lesson(PLAIN, "lab"))
    with pytest.raises(MomentError, match="that host was not there"):
        at_moment(lesson, 5, [], Micros(0), Micros(9), SO)
