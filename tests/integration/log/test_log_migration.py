"""A log of an earlier schema version: read as it is, and brought to this one where it is written."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from devicectl.log import migration, schema
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from tests.integration.log.log_builders import a_start, a_stored_session, cycle_batch

FIRST_VERSION = (
    "DROP TABLE acts",
    "DROP TABLE lessons",
    "DROP TABLE totals",
    "DROP INDEX sessions_of_course",
    "ALTER TABLE notes DROP COLUMN cycle_no",
    "ALTER TABLE notes DROP COLUMN logged_wall",
    "UPDATE log_meta SET schema_version = 1",
)
"""From this version back to the first one."""
NOTE = Note("action", 1_600, "pause", "", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log as version 1 left it: two sessions that ended, and one that is open."""
    path = tmp_path / "log.sqlite"
    with SessionLog.open(path) as log:
        log.note(a_stored_session(log, course="spring"), [NOTE])
        a_stored_session(log, session_no=2)
        log.store(log.begin(a_start(session_no=3)), cycle_batch(1, 2))
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in FIRST_VERSION:
            raw.execute(statement)
    return path


def structure(path: Path) -> dict[str, list[Any]]:
    """Each table's columns and indexes, whatever stands before or after another."""
    columns = 'SELECT name, type, "notnull", pk FROM pragma_table_info(?)'
    with closing(sqlite3.connect(path)) as raw:
        tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        indexes = sorted(raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))
        return {"": indexes, **{table: sorted(raw.execute(columns, (table,))) for table in tables}}


def contents(path: Path) -> dict[str, list[Any]]:
    tables = ("sessions", "records", "cycles", "notes")
    with closing(sqlite3.connect(path)) as raw:
        return {table: list(raw.execute(f"SELECT * FROM {table}")) for table in tables}


def test_a_reader_reads_it_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    with LogReader.open(path) as reader:
        assert [summary.counts.cycles for summary in reader.sessions()] == [4, 4, 2]
        report = reader.session(1)
    assert report.summary.reconciled and report.notes == (NOTE,) and report.note_walls == (None,)
    assert path.read_bytes() == before and not list(path.parent.glob("*.schema-1"))


def test_a_writer_brings_it_to_this_version_and_keeps_a_copy(path: Path, tmp_path: Path) -> None:
    before = contents(path)
    SessionLog.open(path).close()
    SessionLog.open(tmp_path / "fresh").close()
    assert structure(path) == structure(tmp_path / "fresh")
    backup = path.with_name("log.sqlite.schema-1")
    assert contents(backup) == before
    with closing(sqlite3.connect(backup)) as raw:
        assert raw.execute("SELECT schema_version FROM log_meta").fetchall() == [(1,)]
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    after = contents(path)
    assert {**after, "notes": [row[: len(before["notes"][0])] for row in after["notes"]]} == before
    with LogReader.open(backup) as old, LogReader.open(path) as new:
        assert list(old.sessions()) == list(new.sessions())
        assert [old.session(key) for key in (1, 2, 3)] == [new.session(key) for key in (1, 2, 3)]


def test_what_has_ended_has_its_totals_then(path: Path) -> None:
    SessionLog.open(path).close()
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute("SELECT * FROM totals ORDER BY session_key").fetchall()
    assert rows == [(1, 5, 4, 4, 0, 0, 12, 8, 1), (2, 5, 4, 4, 0, 0, 12, 8, 1)]


def test_more_sessions_than_are_folded_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "SESSIONS_AT_ONCE", 1)
    test_what_has_ended_has_its_totals_then(path)


def test_what_the_log_has_already_is_not_added(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a version between: of what came since the first, only what came since that one."""
    monkeypatch.setitem(schema.SINCE, schema.notes.c.detail, 1)
    test_what_has_ended_has_its_totals_then(path)


def test_a_migrated_log_is_not_migrated_again(path: Path) -> None:
    for _ in range(2):
        with SessionLog.open(path) as log:
            assert a_stored_session(log) > 3
    assert [copy.name for copy in path.parent.glob("*.schema-1*")] == ["log.sqlite.schema-1"]


def test_a_log_without_a_session(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    SessionLog.open(path).close()
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in FIRST_VERSION:
            raw.execute(statement)
    with SessionLog.open(path) as log:
        assert a_stored_session(log) == 1


def test_an_earlier_copy_is_not_written_over(path: Path) -> None:
    path.with_name("log.sqlite.schema-1").write_text("somebody's")
    SessionLog.open(path).close()
    assert path.with_name("log.sqlite.schema-1").read_text() == "somebody's"
    with LogReader.open(path.with_name("log.sqlite.schema-1-2")) as reader:
        assert reader.count() == 3


def test_the_copy_is_as_private_as_the_log(path: Path) -> None:
    path.chmod(0o600)
    SessionLog.open(path).close()
    assert path.with_name("log.sqlite.schema-1").stat().st_mode & 0o777 == 0o600


def no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def damaged(*_: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize(
    ("step", "fails", "said"),
    [
        ("_new_file", no_room, "its backup cannot be written beside it (No space left on device)"),
        ("_copy", no_room, "its backup cannot be written beside it (No space left on device)"),
        ("_copy", damaged, "disk I/O error"),
        ("_add_what_is_new", damaged, "disk I/O error"),
        ("_fill_totals", damaged, "disk I/O error"),
    ],
)
def test_whatever_fails_the_log_stays_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str, fails: Callable[..., None], said: str
) -> None:
    before, tables = contents(path), structure(path)
    with monkeypatch.context() as patch:
        patch.setattr(migration, step, fails)
        with pytest.raises(LogError, match=said.replace("(", "\\(").replace(")", "\\)")) as caught:
            SessionLog.open(path)
    assert caught.value.kind is LogErrorKind.UNWRITABLE
    assert (contents(path), structure(path)) == (before, tables)
    assert not list(path.parent.glob("*.schema-1*")), "a copy of what did not change"
    with SessionLog.open(path) as log:
        assert log.load(1).summary.reconciled


def test_two_that_come_at_once_do_it_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one has seen an earlier version, and has waited for the first one's lock since."""
    real = migration.migrate

    def after_another(connection: Any, where: str, version_of: Callable[[], int | None]) -> None:
        monkeypatch.setattr("devicectl.log.connection.migrate", real)
        SessionLog.open(path).close()
        real(connection, where, version_of)

    monkeypatch.setattr("devicectl.log.connection.migrate", after_another)
    with SessionLog.open(path) as log:
        assert log.load(1).summary.reconciled
    assert [copy.name for copy in path.parent.glob("*.schema-1*")] == ["log.sqlite.schema-1"]
