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
    """A sentence when a session of `course` on `session_date` comes under 28 days before or after another; else None.

    Of the course's sessions the nearest on either side decide: they may be entered in any order.

    Raises:
        LogError: the log cannot be read.
    """
    near = [
        _when((session_date - other_date).days, other_date, key)
        for other_date, key in log.neighbors_in_course(course, session_date)
        if abs((session_date - other_date).days) < MIN_DAYS_APART
    ]
    if not near:
        return None
    said = f"course {course}: {session_date} is {' and '.join(near)}"
    return f"{said}; sessions should be {MIN_DAYS_APART} days apart or more"


def _when(days: int, other_date: date, key: int) -> str:
    """A day that many days after `other_date`, as one speaks of it."""
    if days == 0:
        return f"on the day of session {key}"
    count = "1 day" if abs(days) == 1 else f"{abs(days)} days"
    return f"{count} {'after' if days > 0 else 'before'} session {key} of {other_date}"
