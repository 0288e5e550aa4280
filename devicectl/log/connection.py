"""Opening the log's database, and turning what goes wrong with it into a `LogError`.

Law: nothing is written into a file before it is known to be ours or empty. On SQLite every transaction takes the
write lock at its beginning (so it cannot fail half way for want of it) and is synced to disk before commit returns.
"""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    StaticPool,
    create_engine,
    event,
    insert,
    inspect,
    literal_column,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.migration import migrate
from devicectl.log.paths import user_log_path
from devicectl.log.schema import APP, SCHEMA_VERSION, columns_of, log_meta, metadata, sessions
from protocols.text.names import has_control
from protocols.text.url_text import show_scheme

BUSY_TIMEOUT_MS: Final = 2_000
"""Time that a commit waits for another process. A batch holds the lock for about a millisecond; a person waits."""

HEADER_BYTES: Final = 4_096
"""A file of SQLite's without a table: one page."""

_LIKE_A_URL: Final = re.compile(r"\w\w+:/|.*:.*@|.*\?.*pas\w*=", re.DOTALL | re.IGNORECASE)
"""A database URL that has lost a part, if no file has that name."""
_SQLITE_OPTIONS: Final = frozenset(
    {"timeout", "isolation_level", "detect_types", "check_same_thread", "cached_statements"}
)
"""Options of SQLite URLs, after the ?; SQLAlchemy ignores any other. With `uri` SQLite has its own."""
_SQLITE_KINDS: Final = {
    sqlite3.SQLITE_BUSY: (LogErrorKind.LOCKED, "another process is writing to it: end that one, or use another --log"),
    sqlite3.SQLITE_LOCKED: (LogErrorKind.LOCKED, "it is locked in this process: use another --log"),
    sqlite3.SQLITE_FULL: (LogErrorKind.FULL, "there is no space left: make room, or use another --log"),
    sqlite3.SQLITE_READONLY: (LogErrorKind.UNWRITABLE, "it may only be read: must be a file that can be written"),
    sqlite3.SQLITE_CANTOPEN: (LogErrorKind.UNWRITABLE, "it cannot be opened: must be a file in a writable folder"),
    sqlite3.SQLITE_PERM: (LogErrorKind.UNWRITABLE, "access is denied: must be a file that can be written"),
    sqlite3.SQLITE_IOERR: (LogErrorKind.UNWRITABLE, "the disk cannot read or write it: check the disk and its space"),
    sqlite3.SQLITE_CONSTRAINT: (LogErrorKind.MISSING, "has no such session or lesson: it must be begun first"),
    sqlite3.SQLITE_NOTADB: (LogErrorKind.CORRUPT, "it is no SQLite database: name another file"),
    sqlite3.SQLITE_CORRUPT: (LogErrorKind.CORRUPT, "it is damaged: keep it for repair and use another --log"),
}
"""SQLite's primary result code -> our kind and what would be right."""

_SQLSTATE_KINDS: Final[dict[str | None, tuple[LogErrorKind, str]]] = {
    "23503": _SQLITE_KINDS[sqlite3.SQLITE_CONSTRAINT],
    "25006": _SQLITE_KINDS[sqlite3.SQLITE_READONLY],
    "53100": _SQLITE_KINDS[sqlite3.SQLITE_FULL],
}
"""The same by the standard's codes, as PostgreSQL gives them: foreign key, read-only transaction, disk full."""


def parse_where(where: str | Path) -> URL:
    """The database's URL from a path or a SQLAlchemy URL.

    Raises:
        LogError: it is neither.
    """
    text = str(where)
    if not text or "\0" in text:
        raise LogError(LogErrorKind.UNWRITABLE, repr(text), "names no file: must be a path or a database URL")
    if has_control(text):
        shown = show_scheme(text) if "://" in text else ascii(text)
        reason = "has a control character, such as the end of a line: must be a path or a database URL"
        raise LogError(LogErrorKind.UNWRITABLE, shown, reason)
    if "://" not in text:
        if _LIKE_A_URL.match(text) and not os.path.lexists(text):
            raise _bad_url(text)
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _bad_url(text) from None  # its own words quote the URL
    if url.get_backend_name() != "sqlite" and _is_ambiguous(url, text):
        reason = "has one of @ : = ? where none belongs: in a password they are written %40 %3A %3D %3F, and a / is %2F"
        raise LogError(LogErrorKind.UNWRITABLE, show_scheme(text), reason)
    if url.get_backend_name() == "sqlite" and "uri" not in url.query:
        for name in url.query.keys() - _SQLITE_OPTIONS:
            reason = f"{name} means nothing in its URL; {', '.join(sorted(_SQLITE_OPTIONS))} do"
            raise LogError(LogErrorKind.UNWRITABLE, show(url), reason)
    return url


def _is_ambiguous(url: URL, text: str) -> bool:
    """True if a part of a server's URL may have a piece of the password in it."""
    parts = f"{url.host}{url.database}"
    return "@" in parts or "=" in parts or ":" in f"{url.database}" or "@" in text.partition("?")[2]


def connect(url: URL, *, readonly: bool, busy_timeout_ms: int, immutable: bool = False) -> Connection:
    """The only connection of an engine of its own. It may pass from thread to thread but serves one at a time.

    With `immutable` a file is read without a lock and without its -wal file: only where nobody can write it.

    Raises:
        LogError: the database or its driver is not there, or the URL says what it does not understand.
    """
    shown = show(url)
    try:
        with translated(shown):
            engine = _make_engine(url, readonly=readonly, immutable=immutable, busy_timeout_ms=busy_timeout_ms)
            return engine.connect()
    except (ArgumentError, ValueError, TypeError):
        raise _bad_url(str(url)) from None
    except OSError as error:  # a relative path, and the working folder has been removed
        raise _not_opened(shown, error) from error
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        reason = f"needs a database driver that is not installed: {error}"
        raise LogError(LogErrorKind.UNWRITABLE, show_scheme(str(url)), reason) from error


def disconnect(connection: Connection) -> None:
    """Close the connection and its engine."""
    connection.close()
    connection.engine.dispose()


def _bad_url(text: str) -> LogError:
    reason = "is no database URL: must be like sqlite:////folder/file, or a path"
    return LogError(LogErrorKind.UNWRITABLE, show_scheme(text), reason)


def _make_engine(url: URL, *, readonly: bool, immutable: bool, busy_timeout_ms: int) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, poolclass=StaticPool)
    engine = create_engine(
        _readonly_url(url, immutable=immutable) if readonly and is_file(url) else url,
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": busy_timeout_ms / 1_000},
    )
    _take_over_transactions(engine, "BEGIN" if readonly else "BEGIN IMMEDIATE")
    return engine


def _readonly_url(url: URL, *, immutable: bool) -> URL:
    how = {"immutable": "1"} if immutable else {"mode": "ro"}
    return URL.create("sqlite", database=Path(url.database or "").absolute().as_uri(), query={**how, "uri": "true"})


def _take_over_transactions(engine: Engine, begin: str) -> None:
    """Begin transactions ourselves: Python's sqlite3 begins them late, and none before a CREATE TABLE."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def is_file(url: URL) -> bool:
    """Return true if the database is a file of SQLite's and the URL has no options."""
    return url.get_backend_name() == "sqlite" and bool(url.database) and not url.query


def named_file(where: str | Path) -> str | None:
    """The path of the file that a path or a SQLAlchemy URL leads to; None where it is no file.

    Raises:
        LogError: it is neither.
    """
    url = parse_where(where)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    if "uri" in url.query:  # SQLite's own kind of URL
        return unquote(urlsplit(str(url.database)).path)
    return url.database


def refuse_pending(url: URL) -> None:
    """Refuse a file that cannot be read since its folder cannot be written, with a reason that SQLite does not give.

    A log has a -wal file beside it while a process writes it, and after a crash. It has the last commits, and SQLite
    reads it through a third file, which it must create.

    Raises:
        LogError: there is such a file with something in it, or the log itself may not be read.
    """
    path = Path(url.database or "")
    if not os.access(path, os.R_OK):
        raise LogError(LogErrorKind.UNWRITABLE, show(url), "access is denied: must be a file that can be read")
    pending = Path(f"{path}-wal")
    if pending.exists() and pending.stat().st_size:
        reason = f"its last entries are in {pending.name}, and its folder may only be read: copy both to another one"
        raise LogError(LogErrorKind.UNWRITABLE, show(url), reason)


def refuse_no_file(url: URL) -> None:
    """Refuse a path that is no file: SQLite's own answer reads like a broken disk.

    Where nothing is there, SQLite may make a file.

    Raises:
        LogError: it is a folder, a pipe or a device, or nobody can tell.
    """
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    try:
        mode = os.stat(url.database).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _not_opened(show(url), error) from error
    if stat.S_ISDIR(mode):
        raise LogError(LogErrorKind.UNWRITABLE, show(url), "is a folder: must be a file in it")
    if not stat.S_ISREG(mode):
        raise LogError(LogErrorKind.UNWRITABLE, show(url), "is no regular file: name another one")


def _not_opened(where: str, error: OSError) -> LogError:
    reason = f"it cannot be opened ({error.strerror}): must be a file in a writable folder"
    return LogError(LogErrorKind.UNWRITABLE, where, reason)


def make_folder(url: URL) -> None:
    """Make the user's own data directory when the log is to be there. Any other folder must be there already.

    Raises:
        LogError: it cannot be made.
    """
    try:
        own = user_log_path()
    except LogError:  # another one is named
        return
    if url.database != str(own):
        return
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogError(LogErrorKind.UNWRITABLE, show(url), f"its folder cannot be made: {error.strerror}") from error


def is_new_file(url: URL) -> bool:
    """Return true if a database that is opened for writing is a file that does not exist yet."""
    return is_file(url) and not os.path.lexists(url.database or "")


def remove_unfinished(url: URL) -> None:
    """Remove a new file that could not be set up, as on a full disk, and what SQLite has put beside it.

    Not where there is anything in it: then another process has set it up meanwhile.
    """
    path, pending, shared = (Path(f"{url.database}{end}") for end in ("", "-wal", "-shm"))
    with suppress(OSError):
        if path.stat().st_size <= HEADER_BYTES and not (pending.exists() and pending.stat().st_size):
            for one in (path, pending, shared):
                one.unlink(missing_ok=True)


def prepare(connection: Connection, where: str) -> None:
    """Check that the database is ours or empty; make the tables in an empty one, and migrate an earlier version's.

    Raises:
        LogError: it is another program's, or a later version's.
    """
    version = check(connection, where)
    connection.rollback()
    if connection.dialect.name == "sqlite":
        _set_durable(connection)
    if version is None:
        with connection.begin():
            # Asked again under the write lock: another process may have made the tables meanwhile.
            if check(connection, where) is None:
                metadata.create_all(connection)
                connection.execute(insert(log_meta).values(app=APP, schema_version=SCHEMA_VERSION))
    elif version < SCHEMA_VERSION:
        migrate(connection, where, lambda: check(connection, where))
    # What may only be read is found out now, and not when a session has been opened on a device.
    connection.rollback()
    connection.execute(update(log_meta).values(app=APP))
    connection.rollback()


def _set_durable(connection: Connection) -> None:
    """WAL lets a reader look while a session is written; FULL syncs each commit, so power loss takes none back."""
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")


def check(connection: Connection, where: str) -> int | None:
    """The schema version of the log that the database holds, at most this program's; None when it is empty.

    Raises:
        LogError: it holds something else.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if log_meta.name not in tables:
        raise _foreign(where)
    rows = connection.execute(select(log_meta)).all()
    if [row.app for row in rows] != [APP]:
        raise _foreign(where)
    version = rows[0].schema_version
    if version > SCHEMA_VERSION:
        reason = f"has schema version {version}, this program knows {SCHEMA_VERSION}: update it, or use another --log"
        raise LogError(LogErrorKind.NEWER_SCHEMA, where, reason)
    if version < 1:
        reason = f"has schema version {version}, which never was: this program knows 1 to {SCHEMA_VERSION}"
        raise LogError(LogErrorKind.UNKNOWN_SCHEMA, where, reason)
    # An empty answer has the names of its columns, in a tenth of the time that reflection takes.
    there = connection.execute(select(literal_column("*")).select_from(sessions).limit(0)).keys()
    missing = [column.name for column in columns_of(sessions, version) if column.name not in there]
    if missing:
        reason = f"has no {missing[0]}: it was made before the first release; use another --log"
        raise LogError(LogErrorKind.UNKNOWN_SCHEMA, where, reason)
    return int(version)


def _foreign(where: str) -> LogError:
    return LogError(LogErrorKind.FOREIGN, where, f"is a database, but not {APP}'s log: name another file")


@contextmanager
def translated(where: str, driver_error: type[Exception] = sqlite3.Error) -> Iterator[None]:
    """Turn the exceptions of SQLAlchemy and of the database's driver into `LogError`."""
    try:
        yield
    except (DBAPIError, driver_error) as error:
        raise _translate(error, where) from error


def _translate(error: Exception, where: str) -> LogError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    found = _SQLITE_KINDS.get(code) or _SQLSTATE_KINDS.get(getattr(cause, "sqlstate", None))
    if found is not None:
        kind, reason = found
        return LogError(kind, where, reason)
    text = " ".join(str(cause).split())
    return LogError(LogErrorKind.UNWRITABLE, where, f"the database refuses: {text}")


def show(url: URL) -> str:
    """The database's place for people: a path where it is one, and never a password, in whatever part it came to be.

    The user's name is hidden too: it may have a part of the password, where the colon between them was mistyped.
    """
    if url.get_backend_name() == "sqlite" and not url.query:
        return url.database or "in memory"
    user = "" if url.username is None and url.password is None else "***@"
    place = URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()
    return place.replace("://", f"://{user}", 1) + ("?..." if url.query else "")
