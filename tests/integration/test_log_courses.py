"""Courses: a remark when two sessions are too close, and no sum over them."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from devicectl.log.courses import MIN_DAYS_APART, warn_if_early
from devicectl.log.store import SessionLog
from tests.integration.log_builders import a_start, a_stored_session

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
        (-1, "2024-01-31 is 1 day before session 1 of 2024-02-01, the latest"),
        (-90, "2023-11-03 is 90 days before session 1 of 2024-02-01, the latest"),
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


def test_the_latest_date_matters_not_the_latest_entry(log: SessionLog) -> None:
    a_stored_session(log, course="spring", session_date=FIRST + timedelta(days=60))
    a_stored_session(log, course="spring", session_date=FIRST)
    assert log.last_of_course("spring") == (FIRST + timedelta(days=60), 1)


def test_of_two_on_a_day_the_later_entry(log: SessionLog) -> None:
    a_stored_session(log, course="spring", session_date=FIRST)
    a_stored_session(log, course="spring", session_date=FIRST)
    assert log.last_of_course("spring") == (FIRST, 2)


def test_a_session_that_punctured_nothing_is_no_treatment(log: SessionLog) -> None:
    log.begin(a_start(course="spring", session_date=FIRST))
    assert log.last_of_course("spring") is None
