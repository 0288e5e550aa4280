"""Courses: sessions planned about a month apart.

Law: skin heals between sessions, so nothing is ever summed over a course; only the distance in time matters.
"""

from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from devicectl.log.store import SessionLog

MIN_DAYS_APART: Final = 28
"""Days. Sessions are "one month apart", in practice 30 to 45 days; four weeks is the least that is not remarked on."""


def warn_if_early(log: "SessionLog", course: str, session_date: date) -> str | None:
    """A sentence when a session of `course` on `session_date` comes under 28 days after its latest; else None.

    Raises:
        LogError: the log cannot be read.
    """
    last = log.last_of_course(course)
    if last is None:
        return None
    last_date, key = last
    days = (session_date - last_date).days
    if days >= MIN_DAYS_APART:
        return None
    if days == 0:
        when = f"on the day of session {key}"
    elif days > 0:
        when = f"{_count(days)} after session {key} of {last_date}"
    else:
        when = f"{_count(-days)} before session {key} of {last_date}, the latest"
    return f"course {course}: {session_date} is {when}; sessions should be {MIN_DAYS_APART} days apart or more"


def _count(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
