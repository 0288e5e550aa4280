"""Reading a session log that another process may be writing, without ever changing it."""

from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection

from devicectl.log import connection as database
from devicectl.log import queries
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.report import SessionReport, SessionSummary


class LogReader:
    """A session log that is open for reading only."""

    def __init__(self, connection: Connection, where: str) -> None:
        self.where = where
        self._connection = connection

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
            return cls(_connect(url, shown), shown)
        except LogError as error:
            if error.kind is not LogErrorKind.UNWRITABLE or not database.is_file(url):
                raise
            # SQLite would write beside the file even to read it. Where it cannot, nobody else of ours writes either.
            database.refuse_pending(url)
            return cls(_connect(url, shown, immutable=True), shown)

    def close(self) -> None:
        """Close the database."""
        database.disconnect(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def sessions(self) -> list[SessionSummary]:
        """Every session, the first first.

        Raises:
            LogError: the log cannot be read.
        """
        with database.translated(self.where), self._connection.begin():
            return queries.summaries(self._connection)

    def session(self, key: int) -> SessionReport:
        """Everything stored of one session.

        Raises:
            LogError: MISSING when there is no such session; else the log cannot be read.
        """
        with database.translated(self.where), self._connection.begin():
            return queries.load(self._connection, key, self.where)


def _connect(url: URL, shown: str, *, immutable: bool = False) -> Connection:
    """A connection to what is known to be a log of ours."""
    connection = database.connect(url, readonly=True, busy_timeout_ms=database.BUSY_TIMEOUT_MS, immutable=immutable)
    try:
        with database.translated(shown):
            if not database.check(connection, shown):
                raise LogError(LogErrorKind.MISSING, shown, "is empty: the first `devicectl run` fills it")
            connection.rollback()
    except LogError:
        database.disconnect(connection)
        raise
    return connection
