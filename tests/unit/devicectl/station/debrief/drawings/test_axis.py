"""Axes: times in words, round marks, and places."""

import itertools

import pytest

from devicectl.station.debrief.drawings.axis import Axis, clock, draw_time, lasting, round_marks, time_axis, time_marks

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("at_us", "said"),
    [(0, "0:00.0"), (65_300_000, "1:05.3"), (59_960_000, "1:00.0"), (-1_500_000, "-0:01.5"), (-1, "0:00.0")],
)
def test_a_time_of_the_lesson(at_us: int, said: str) -> None:
    assert clock(at_us) == said


@pytest.mark.parametrize(
    ("us", "said"),
    [(0, "0.0 s"), (9_040_000, "9.0 s"), (59_400_000, "59.4 s"), (59_900_000, "1 min"), (125_400_000, "2 min 5 s")],
)
def test_a_length_of_time(us: int, said: str) -> None:
    assert lasting(us) == said.replace(" ", "\N{NO-BREAK SPACE}")


def test_a_value_is_between_the_ends_of_its_axis() -> None:
    down = Axis(0, 50, 200, 100)
    assert [down.place(value) for value in (0, 25, 50)] == [200, 150, 100]


@pytest.mark.parametrize("seconds", [0, 1, 9, 10, 61, 300, 1_800, 30_000])
def test_a_lesson_of_any_length_has_a_few_marks_within_it(seconds: int) -> None:
    marks = time_marks(seconds * SECOND)
    assert marks[0] == 0 and 1 <= len(marks) <= 10
    axis = time_axis(seconds * SECOND)
    assert axis.begins <= axis.place(marks[-1]) <= axis.ends


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 63.2), (-4, 7), (0, 10_000), (3, 3.1)])
def test_marks_are_round_and_hold_all_values(low: float, high: float) -> None:
    marks = round_marks(low, high)
    assert marks[0] <= low and marks[-1] >= high and 3 <= len(marks) <= 7
    assert len({round(b - a, 6) for a, b in itertools.pairwise(marks)}) == 1


def test_marks_of_time_say_minutes_and_seconds() -> None:
    drawn = draw_time(time_axis(120 * SECOND), 0, 100)
    assert ">0:30<" in drawn and ">2:00<" in drawn
