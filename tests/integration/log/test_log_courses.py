"""Courses: a remark when two sessions are too close, and no sum over them."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from devicectl.log.courses import MIN_DAYS_APART, warn_if_early
from devicectl.log.store import SessionLog
from tests.integration.log.log_builders import a_start, a_stored_session

FIRST = date(2024, 2, 1)


@pytest.fixture
def log() -> Iterator[SessionLog]:
    with SessionLog.open("sqlite://") as opened:
        yield opened


def test_the_first_session_of_a_course_is_never_early(log: SessionLog) -> None:
    assert warn_if_early(log, "spring", FIRST) is None


@pytest.mark.parametrize("days", [MIN_DAYS_APART, 30, 400])
def test_a_month_is_enough(log: SessionLog, days: int) -> None:
    a_stored_session(log, course="spring", session_date=FIRST)
    assert warn_if_early(log, "spring", FIRST + timedelta(days=days)) is None


@pytest.mark.parametrize(
    ("days", "when"),
    [
        (27, "2024-02-28 is 27 days after session 1 of 2024-02-01"),
        (1, "2024-02-02 is 1 day after session 1 of 2024-02-01"),
        (0, "2024-02-01 is on the day of session 1"),
        (-1, "2024-01-31 is 1 day before session 1 of 2024-02-01"),
        (-27, "2024-01-05 is 27 days before session 1 of 2024-02-01"),
    ],
)
def test_warns_with_both_dates(log: SessionLog, days: int, when: str) -> None:
    a_stored_session(log, course="spring", session_date=FIRST)
    warning = warn_if_early(log, "spring", FIRST + timedelta(days=days))
    assert warning == f"course spring: {when}; sessions should be 28 days apart or more"


def test_another_course_does_not_matter(log: SessionLog) -> None:
    a_stored_session(log, course="autumn", session_date=FIRST)
    a_stored_session(log, course=None, session_date=FIRST)
    assert warn_if_early(log, "spring", FIRST) is None


FAR = FIRST + timedelta(days=142)


@pytest.mark.parametrize(
    ("days", "when"),
    [
        (50, None),
        (9, "9 days after session 2 of 2024-02-01"),
        (-9, "9 days before session 2 of 2024-02-01"),
        (142 - 9, "9 days before session 1 of 2024-06-22"),
        (142 + 9, "9 days after session 1 of 2024-06-22"),
        (MIN_DAYS_APART, None),
        (142 - MIN_DAYS_APART, None),
    ],
)
def test_of_sessions_entered_out_of_order_the_nearest_decides(log: SessionLog, days: int, when: str | None) -> None:
    a_stored_session(log, course="spring", session_date=FAR)
    a_stored_session(log, course="spring", session_date=FIRST)
    day = FIRST + timedelta(days=days)
    said = None if when is None else f"course spring: {day} is {when}; sessions should be 28 days apart or more"
    assert warn_if_early(log, "spring", day) == said


def test_between_two_sessions_both_are_named(log: SessionLog) -> None:
    for days in (0, 40, 90):
        a_stored_session(log, course="spring", session_date=FIRST + timedelta(days=days))
    warning = warn_if_early(log, "spring", FIRST + timedelta(days=15))
    when = "15 days after session 1 of 2024-02-01 and 25 days before session 2 of 2024-03-12"
    assert warning == f"course spring: 2024-02-16 is {when}; sessions should be 28 days apart or more"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_entry_does_not_matter(log: SessionLog, order: tuple[int, ...]) -> None:
    days = (FIRST, FIRST + timedelta(days=60), FIRST + timedelta(days=120))
    keys = {days[index]: a_stored_session(log, course="spring", session_date=days[index]) for index in order}
    assert log.neighbors_in_course("spring", days[0] + timedelta(days=1)) == [
        (days[0], keys[days[0]]),
        (days[1], keys[days[1]]),
    ]
    assert log.neighbors_in_course("spring", days[1]) == [(days[1], keys[days[1]]), (days[2], keys[days[2]])]
    assert log.neighbors_in_course("spring", days[0] - timedelta(days=1)) == [(days[0], keys[days[0]])]
    assert log.neighbors_in_course("spring", days[2] + timedelta(days=1)) == [(days[2], keys[days[2]])]


def test_of_two_on_a_day_the_later_entry(log: SessionLog) -> None:
    a_stored_session(log, course="spring", session_date=FIRST)
    a_stored_session(log, course="spring", session_date=FIRST)
    assert log.neighbors_in_course("spring", FIRST) == [(FIRST, 2)]


@pytest.mark.parametrize("days", [0, 1, -1])
def test_a_session_that_punctured_nothing_is_no_treatment(log: SessionLog, days: int) -> None:
    log.begin(a_start(course="spring", session_date=FIRST + timedelta(days=days)))
    assert log.neighbors_in_course("spring", FIRST) == []
