"""The lessons of the session log: what repeats them is on disk at once, and comes back as it was."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.lessons.lesson import LessonStart, StoredAct
from devicectl.log.lessons.store import LessonLog
from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from handpiece_shell.version import VERSION
from tests.integration.log.log_builders import a_stored_session
from tests.integration.log.test_log_migration import FIRST_VERSION

HOSTILE = "<script>alert('1')</script> \u202e\u20ac"
PRESS = StoredAct(1_000_000, "trainee", "trigger_press", {})
INJECT = StoredAct(
    2_000_000, "instructor", "inject", {"fault": {"fault": "leak", "kpa_per_s": 25.5}, "x": [None, True]}
)


def a_lesson(**changes: Any) -> LessonStart:
    values: dict[str, Any] = {
        "title": "Suction leak",
        "text": "lesson: {title: Suction leak}\n",
        "seed": 7,
        "station": 1,
    }
    return LessonStart(**{**values, **changes})


@pytest.fixture(params=["file", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionLog]:
    where = "sqlite://" if request.param == "memory" else tmp_path / "log.sqlite"
    with SessionLog.open(where) as opened:
        yield opened


def test_a_lesson_comes_back_as_it_was(log: SessionLog) -> None:
    lessons = LessonLog(log)
    start = a_lesson(title=HOSTILE, trainee=HOSTILE, seed=2**70, station=8)
    key = lessons.begin(start)
    for act in (PRESS, INJECT, PRESS):
        lessons.append(key, act)
    stored = lessons.load(key)
    assert stored.start == start and stored.acts == (PRESS, INJECT, PRESS)
    assert (stored.summary.version, stored.summary.acts, stored.summary.ended_us) == (VERSION, 3, None)
    assert lessons.summaries() == [stored.summary]


def test_acts_are_on_disk_when_append_has_returned(tmp_path: Path) -> None:
    """Read by another connection, while the writer is open and has closed nothing."""
    path = tmp_path / "log.sqlite"
    with SessionLog.open(path) as log, LogReader.open(path) as reader:
        lessons = LessonLog(log)
        key = lessons.begin(a_lesson())
        assert reader.lesson(key).acts == ()
        lessons.append(key, PRESS)
        assert reader.lesson(key).acts == (PRESS,)
        assert [summary.acts for summary in reader.lessons()] == [1]


def test_the_acts_of_two_lessons_are_kept_apart(log: SessionLog) -> None:
    lessons = LessonLog(log)
    one, two = lessons.begin(a_lesson()), lessons.begin(a_lesson(station=2))
    for key, act in ((one, PRESS), (two, INJECT), (one, INJECT)):
        lessons.append(key, act)
    assert lessons.load(one).acts == (PRESS, INJECT) and lessons.load(two).acts == (INJECT,)


def test_unfinished_are_those_without_an_end(log: SessionLog) -> None:
    lessons = LessonLog(log)
    closed, given_up, open_one = (lessons.begin(a_lesson(station=station)) for station in (1, 2, 3))
    session = a_stored_session(log)
    lessons.end(closed, at_us=5_000_000, session_key=session)
    lessons.end(given_up, at_us=4_000_000)
    assert [summary.key for summary in lessons.unfinished()] == [open_one]
    ends = [(summary.session_key, summary.ended_us) for summary in lessons.summaries()]
    assert ends == [(session, 5_000_000), (None, 4_000_000), (None, None)]


def test_a_lesson_that_has_ended_keeps_its_end(log: SessionLog) -> None:
    lessons = LessonLog(log)
    key = lessons.begin(a_lesson())
    session = a_stored_session(log)
    lessons.end(key, at_us=5_000_000, session_key=session)
    with pytest.raises(LogError, match=f"lesson {key} has ended") as caught:
        lessons.end(key, at_us=6_000_000)
    assert caught.value.kind is LogErrorKind.OUT_OF_ORDER
    assert (lessons.load(key).summary.session_key, lessons.load(key).summary.ended_us) == (session, 5_000_000)


def test_a_session_and_the_end_of_its_lesson_are_stored_together_or_not_at_all(log: SessionLog) -> None:
    lessons = LessonLog(log)
    key = lessons.begin(a_lesson())
    with pytest.raises(LogError), log.transaction():
        session = a_stored_session(log)
        lessons.append(key, PRESS)
        lessons.end(key + 1, at_us=1, session_key=session)
    missing(log.load, session)
    assert lessons.load(key).acts == ()
    with log.transaction():
        session = a_stored_session(log)
        lessons.append(key, PRESS)
        lessons.end(key, at_us=1, session_key=session)
    assert lessons.load(key).summary.session_key == session and lessons.load(key).acts == (PRESS,)


def test_a_further_attempt_names_its_parent(log: SessionLog) -> None:
    lessons = LessonLog(log)
    first = lessons.begin(a_lesson())
    second = lessons.begin(a_lesson(parent=first, parent_at_us=3_000_000))
    assert (lessons.load(second).start.parent, lessons.load(second).start.parent_at_us) == (first, 3_000_000)


def test_wall_times_are_those_of_the_clock() -> None:
    began = datetime(2026, 3, 1, tzinfo=UTC)
    times = iter([began, began + timedelta(minutes=5)])
    with SessionLog.open("sqlite://", wall_clock=lambda: next(times)) as log:
        lessons = LessonLog(log)
        key = lessons.begin(a_lesson())
        lessons.end(key, at_us=1)
        summary = lessons.load(key).summary
    assert (summary.began_wall, summary.ended_wall) == (began, began + timedelta(minutes=5))


def missing(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(LogError) as caught:
        call(*arguments, **named)
    assert caught.value.kind is LogErrorKind.MISSING
    return str(caught.value)


def test_what_is_not_there_is_refused_and_leaves_no_trace(log: SessionLog) -> None:
    lessons = LessonLog(log)
    key = lessons.begin(a_lesson())
    assert "no such session or lesson" in missing(lessons.append, key + 1, PRESS)
    missing(lessons.begin, a_lesson(parent=key + 99, parent_at_us=0))
    missing(lessons.end, key, at_us=1, session_key=99)
    for unknown in (0, -1, key + 1, 2**40):
        assert f"has no lesson {unknown}: `devicectl report`" in missing(lessons.load, unknown)
    missing(lessons.end, key + 1, at_us=1)
    assert lessons.summaries() == lessons.unfinished() and lessons.load(key).acts == ()


def test_a_log_of_an_earlier_version_has_none_until_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SessionLog.open(path) as log:
        a_stored_session(log)
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in FIRST_VERSION:
            raw.execute(statement)
    with LogReader.open(path) as reader:
        assert reader.lessons() == []
        missing(reader.lesson, 1)
    with SessionLog.open(path) as log:
        assert LessonLog(log).begin(a_lesson()) == 1


def test_a_cleared_log_has_no_lesson() -> None:
    with SessionLog.open("sqlite://") as log:
        lessons = LessonLog(log)
        first = lessons.begin(a_lesson())
        lessons.append(lessons.begin(a_lesson(parent=first, parent_at_us=0)), PRESS)
        log.clear()
        assert lessons.summaries() == []
