"""Reading a session log that another process may be writing, without ever changing it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from sqlalchemy import URL, Connection

from devicectl.log import connection as database
from devicectl.log import queries, schema
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.lessons import store as lessons
from devicectl.log.lessons.lesson import LessonSummary, StoredLesson
from devicectl.log.report import SessionReport, SessionSummary

SESSIONS_A_PAGE: Final = 500
"""Sessions of a list that are read at once. Between two pages nothing of the log is held."""


class LogReader:
    """A session log that is open for reading only; one of an earlier schema version is read as it is."""

    def __init__(self, connection: Connection, version: int, where: str) -> None:
        self.where = where
        self._connection = connection
        self._version = version

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open the log at a path or SQLAlchemy URL.

        Raises:
            LogError: MISSING when there is none; else it is not ours or cannot be read.
        """
        url = database.parse_where(where)
        shown = database.show(url)
        database.refuse_no_file(url)
        if database.is_file(url) and not Path(url.database or "").exists():
            raise LogError(LogErrorKind.MISSING, shown, "is not there: the first `devicectl run` makes it")
        try:
            return cls(*_connect(url, shown), shown)
        except LogError as error:
            if error.kind is not LogErrorKind.UNWRITABLE or not database.is_file(url):
                raise
            # SQLite would write beside the file even to read it. Where it cannot, nobody else of ours writes either.
            database.refuse_pending(url)
            return cls(*_connect(url, shown, immutable=True), shown)

    def close(self) -> None:
        """Close the database."""
        database.disconnect(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def count(self, course: str | None = None) -> int:
        """Number of sessions, of one course or in all.

        Raises:
            LogError: the log cannot be read.
        """
        with database.translated(self.where), self._connection.begin():
            return queries.count_sessions(self._connection, course)

    def sessions(self, *, course: str | None = None, last: int | None = None) -> Iterator[SessionSummary]:
        """The last sessions, of one course or of any, else every one; the first first. They are read as they are taken.

        Raises:
            LogError: the log cannot be read.
        """
        with database.translated(self.where), self._connection.begin():
            key = 0 if last is None else queries.first_of_last(self._connection, last, course)
        while True:
            with database.translated(self.where), self._connection.begin():
                page = queries.summaries(
                    self._connection, self._version, first_key=key, course=course, limit=SESSIONS_A_PAGE
                )
            yield from page
            if len(page) < SESSIONS_A_PAGE:
                return
            key = page[-1].key + 1

    def session(self, key: int) -> SessionReport:
        """Everything stored of one session.

        Raises:
            LogError: MISSING when there is no such session; else the log cannot be read.
        """
        with database.translated(self.where), self._connection.begin():
            return queries.load(self._connection, key, self.where, self._version)

    def lessons(self) -> list[LessonSummary]:
        """Every lesson, the first first; a log of an earlier schema version has none.

        Raises:
            LogError: the log cannot be read.
        """
        if self._version < schema.SINCE[schema.lessons]:
            return []
        with database.translated(self.where), self._connection.begin():
            return lessons.summaries(self._connection)

    def lesson(self, key: int) -> StoredLesson:
        """Everything stored of one lesson.

        Raises:
            LogError: MISSING when there is no such lesson; else the log cannot be read.
        """
        with database.translated(self.where), self._connection.begin():
            return lessons.load(self._connection, key, self.where, self._version)


def _connect(url: URL, shown: str, *, immutable: bool = False) -> tuple[Connection, int]:
    """A connection to what is known to be a log of ours, and its schema version."""
    connection = database.connect(url, readonly=True, busy_timeout_ms=database.BUSY_TIMEOUT_MS, immutable=immutable)
    try:
        with database.translated(shown):
            version = database.check(connection, shown)
            if version is None:
                raise LogError(LogErrorKind.MISSING, shown, "is empty: the first `devicectl run` fills it")
            connection.rollback()
    except LogError:
        database.disconnect(connection)
        raise
    return connection, version
