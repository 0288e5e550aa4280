"""From an earlier schema version to this one: one transaction, after a backup.

Law: whatever goes wrong, the log stays as it was. The write lock is taken before the backup is made, so that the backup
has everything that the log had; nobody else can write between the two. On a server a backup is the server's affair.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Index, insert, select, update

from devicectl.log import schema
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.place import database_file
from devicectl.log.totals import fold

SESSIONS_AT_ONCE: Final = 100
"""Sessions whose totals one statement folds: what the database sorts for it fits into its memory."""


def migrate(connection: Connection, where: str, version_of: Callable[[], int | None]) -> None:
    """Bring a log of an earlier version to this one, unless another process has done so meanwhile.

    `version_of` says, under the write lock, which one it has.

    Raises:
        LogError: there can be no backup.
    """
    with connection.begin():
        connection.execute(select(schema.log_meta).with_for_update())  # on a server; on SQLite the lock is held
        version = version_of()
        assert version is not None, "a log's tables are there for good"
        if version >= schema.SCHEMA_VERSION:
            return
        with _backed_up(connection, where, version):
            _add_what_is_new(connection, version)
            if version < schema.SINCE[schema.totals]:
                _fill_totals(connection)
            connection.execute(update(schema.log_meta).values(schema_version=schema.SCHEMA_VERSION))


def _add_what_is_new(connection: Connection, version: int) -> None:
    for item in (item for item, since in schema.SINCE.items() if since > version):
        if isinstance(item, Column):
            kind = item.type.compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {item.table.name} ADD COLUMN {item.name} {kind}")
        elif isinstance(item, Index):
            item.create(connection)
    schema.metadata.create_all(connection)


def _fill_totals(connection: Connection) -> None:
    ended = select(schema.sessions.c.key).where(schema.sessions.c.state != "open").order_by(schema.sessions.c.key)
    keys = list(connection.execute(ended).scalars())
    for first in range(0, len(keys), SESSIONS_AT_ONCE):
        rows = fold(connection, keys[first : first + SESSIONS_AT_ONCE])
        connection.execute(insert(schema.totals), rows)


@contextmanager
def _backed_up(connection: Connection, where: str, version: int) -> Iterator[None]:
    """A copy of the log's file beside it, synced to the disk; it goes again if what follows fails."""
    path = database_file(connection)
    if path is None:
        yield
        return
    try:
        backup = _new_file(path, version)
        try:
            _copy(path, backup)
            yield
        except BaseException:
            with suppress(OSError):
                backup.unlink()
            raise
    except OSError as error:
        reason = f"its backup cannot be written beside it ({error.strerror}): make room, or use another --log"
        raise LogError(LogErrorKind.UNWRITABLE, where, reason) from error


def _new_file(path: Path, version: int) -> Path:
    """An empty file beside the log that was not there, such as log.sqlite.schema-1, as private as the log."""
    mode = path.stat().st_mode & 0o777
    for number in count(1):
        backup = Path(f"{path}.schema-{version}" + (f"-{number}" if number > 1 else ""))
        with suppress(FileExistsError):
            os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            return backup
    raise AssertionError("there is always another number")


def _copy(path: Path, backup: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    for one in (backup, backup.parent):
        with suppress(PermissionError):  # a folder cannot be opened everywhere
            descriptor = os.open(one, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
