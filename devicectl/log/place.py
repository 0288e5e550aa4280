"""Check that the files of an open log are still the ones that its name leads to.

Why: a file that was removed or moved stays open, and SQLite goes on writing into it, so each commit succeeds and nobody
finds it again. SQLite looks for that itself, but not in the mode with a -wal file. Where a system lets nobody remove a
file that is open, as Windows does, there is nothing to be found.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from devicectl.log.errors import LogError, LogErrorKind

BESIDE: Final = ("-wal", "-shm")
"""Files that SQLite puts beside an open log: what was committed last, and where in it each page is."""

_Identity = tuple[int, int]
"""Device and number of a file: the same for as long as it is that file, whatever its name."""


class Place:
    """Place of an open log: its files as they are now. A database that is no file has none."""

    def __init__(self, connection: Connection, named: str | None) -> None:
        """Look at the files of `connection`, and at what the path `named` leads to, if it was opened by one."""
        paths = [] if named is None else [Path(named).absolute()]
        file = database_file(connection)
        if file is not None:
            paths += [file, *(Path(f"{file}{end}") for end in BESIDE)]
        self._files = {path: found for path in paths if (found := _identity(path)) is not None}

    @property
    def is_file(self) -> bool:
        """True if the log is in a file."""
        return bool(self._files)

    def require(self, where: str) -> None:
        """See that every file is there.

        Raises:
            LogError: UNWRITABLE, as one was removed, moved or replaced.
        """
        for path, identity in self._files.items():
            found = _identity(path)
            if found != identity:
                what = "has gone" if found is None else "is another file now"
                reason = (
                    f"{path.name} {what}: nobody may move, remove or replace a log while a session is written to it"
                )
                raise LogError(LogErrorKind.UNWRITABLE, where, reason)


def database_file(connection: Connection) -> Path | None:
    """The file of a database of SQLite's, all links followed; None where there is none."""
    if connection.dialect.name != "sqlite":
        return None
    file = connection.connection.cursor().execute("PRAGMA database_list").fetchone()[2]
    return Path(file) if file else None


def _identity(path: Path) -> _Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
