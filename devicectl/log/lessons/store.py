"""The lessons of the log: an act is on disk before anybody is answered, so that a killed program can go on with it.

Law: as of the whole log, what `append` has returned from is on disk; what it has raised from has left no trace. An act
never changes, and none is taken away: a class that goes back begins a further lesson, whose parent is the earlier one.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from devicectl.log import schema
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.lessons.lesson import LessonStart, LessonSummary, StoredAct, StoredLesson, TimedAct
from devicectl.log.prepared import Prepared
from handpiece_shell.version import VERSION

if TYPE_CHECKING:
    from devicectl.log.store import SessionLog

_lessons = schema.lessons.c
_acts = schema.acts.c
_MAX_KEY: Final = 2**31 - 1
"""The largest INTEGER that every database has."""
_ACTS: Final = select(func.count()).where(_acts.lesson_key == _lessons.key).scalar_subquery()
_SUMMARIES: Final = select(schema.lessons, _ACTS.label("acts")).order_by(_lessons.key)
_Row = Row[Any]
"""A row by the names of its columns, whose types the statement has and not the row."""


class LessonLog:
    """The lessons of a session log that is open for writing; it is used by the thread that uses the log."""

    def __init__(self, log: "SessionLog") -> None:
        self._log = log
        self._insert_act = Prepared.insert(schema.acts, log.dialect, without=("key",))

    def begin(self, start: LessonStart) -> int:
        """Enter a lesson; its key in this log, 1 for the first.

        Raises:
            LogError: it could not be stored; MISSING when the log does not have its parent.
        """
        values = {
            "title": start.title,
            "text": start.text,
            "seed": str(start.seed),
            "station": start.station,
            "trainee": start.trainee,
            "parent": start.parent,
            "parent_at_us": start.parent_at_us,
            "version": VERSION,
            "began_wall": self._log.wall(),
        }
        with self._log.transaction() as connection:
            inserted = connection.execute(insert(schema.lessons), values).inserted_primary_key
        assert inserted is not None
        return int(inserted[0])

    def append(self, key: int, *acts: TimedAct) -> None:
        """Add acts to a lesson; all of them or none.

        Raises:
            LogError: they could not be stored; MISSING when there is no such lesson.
        """
        wall = self._log.wall()
        rows = [
            (key, at_us, view, name, json.dumps(arguments, ensure_ascii=False, separators=(",", ":")), wall)
            for at_us, view, name, arguments in acts
        ]
        with self._log.quick_transaction() as cursor:
            self._insert_act.run_many(cursor, rows)

    def end(self, key: int, *, at_us: int, session_key: int | None = None) -> None:
        """End a lesson at a time of its world, with the session that it closed; without one it was given up.

        Raises:
            LogError: it could not be stored; MISSING when there is no such lesson, or session; OUT_OF_ORDER when the
                lesson has ended.
        """
        values = {"ended_us": at_us, "session_key": session_key, "ended_wall": self._log.wall()}
        unfinished = update(schema.lessons).where(_lessons.key == key, _lessons.ended_us.is_(None))
        with self._log.transaction() as connection:
            if connection.execute(unfinished, values).rowcount != 1:
                load(connection, key, self._log.where)
                raise LogError(LogErrorKind.OUT_OF_ORDER, self._log.where, f"lesson {key} has ended")

    def unfinished(self) -> list[LessonSummary]:
        """The lessons that have not ended, as those of a program that was killed; the first first.

        Raises:
            LogError: the log cannot be read.
        """
        with self._log.transaction() as connection:
            return summaries(connection, unfinished=True)

    def summaries(self) -> list[LessonSummary]:
        """Every lesson, the first first.

        Raises:
            LogError: the log cannot be read.
        """
        with self._log.transaction() as connection:
            return summaries(connection)

    def load(self, key: int) -> StoredLesson:
        """Everything stored of a lesson.

        Raises:
            LogError: MISSING when there is no such lesson; else the log cannot be read.
        """
        with self._log.transaction() as connection:
            return load(connection, key, self._log.where)


def summaries(connection: Connection, *, unfinished: bool = False) -> list[LessonSummary]:
    """The lessons of a log in the order of their keys, all or only those that have not ended."""
    query = _SUMMARIES.where(_lessons.ended_us.is_(None)) if unfinished else _SUMMARIES
    return [_summary(row) for row in connection.execute(query)]


def load(connection: Connection, key: int, where: str, version: int = schema.SCHEMA_VERSION) -> StoredLesson:
    """Everything stored of a lesson; a log of an earlier schema version has none.

    Raises:
        LogError: MISSING when there is no such lesson.
    """
    row = None
    if version >= schema.SINCE[schema.lessons] and 0 < key <= _MAX_KEY:  # a database's driver raises on another
        row = connection.execute(_SUMMARIES.where(_lessons.key == key)).one_or_none()
    if row is None:
        raise _missing(key, where)
    columns = (_acts.at_us, _acts.view, _acts.name, _acts.arguments)
    acts = connection.execute(select(*columns).where(_acts.lesson_key == key).order_by(_acts.key))
    return StoredLesson(
        _summary(row),
        tuple(StoredAct(at_us, view, name, json.loads(arguments)) for at_us, view, name, arguments in acts),
    )


def _summary(row: _Row) -> LessonSummary:
    start = LessonStart(
        title=row.title,
        text=row.text,
        seed=int(row.seed),
        station=row.station,
        trainee=row.trainee,
        parent=row.parent,
        parent_at_us=row.parent_at_us,
    )
    began, ended = (None if text is None else datetime.fromisoformat(text) for text in (row.began_wall, row.ended_wall))
    return LessonSummary(row.key, start, row.version, row.ended_us, row.session_key, row.acts, began, ended)


def _missing(key: int, where: str) -> LogError:
    return LogError(LogErrorKind.MISSING, where, f"has no lesson {key}: `devicectl report` lists those it has")
