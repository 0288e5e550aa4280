"""Everything that can be wrong with a log's file: one error each, one line, and nothing that was committed is lost."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from devicectl.log import connection as database
from devicectl.log import paths
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.reader import LogReader
from devicectl.log.schema import SCHEMA_VERSION
from devicectl.log.store import SessionLog
from tests.integration.log.log_builders import a_start, a_stored_session, cycle_batch

MORE_THAN_FITS = 1024 * 1024
"""Bytes: more than the small disk has."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[SessionLog]:
    with SessionLog.open(path, busy_timeout_ms=0) as opened:
        yield opened


def refused(where: str | Path, kind: LogErrorKind, *, reading: bool = True) -> str:
    """Both ways of opening it are refused in the same way; the sentence."""
    sentences = set()
    for opener in (SessionLog, LogReader) if reading else (SessionLog,):
        with pytest.raises(LogError) as caught:
            opener.open(where)
        assert caught.value.kind is kind
        assert "\n" not in str(caught.value) and str(caught.value).startswith("session log ")
        sentences.add(caught.value.reason)
    assert len(sentences) == 1
    return sentences.pop()


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in statements:
            raw.execute(statement)


# --- what is there is not ours


def test_another_program_s_database_is_left_as_it_was(path: Path) -> None:
    sql(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert "is a database, but not devicectl's log" in refused(path, LogErrorKind.FOREIGN)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("rows", ["", "INSERT INTO log_meta VALUES ('otherctl', 1)"])
def test_another_program_s_log_meta(path: Path, rows: str) -> None:
    statements = ["CREATE TABLE log_meta (app TEXT, schema_version INT)", *([rows] if rows else [])]
    sql(path, *statements)
    refused(path, LogErrorKind.FOREIGN)


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        (SCHEMA_VERSION + 1, LogErrorKind.NEWER_SCHEMA),
        (99, LogErrorKind.NEWER_SCHEMA),
        (0, LogErrorKind.UNKNOWN_SCHEMA),
    ],
)
def test_another_version_s_log_is_left_as_it_was(path: Path, version: int, kind: LogErrorKind) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)
    sql(path, f"UPDATE log_meta SET schema_version = {version}")
    before = path.read_bytes()
    assert f"schema version {version}" in refused(path, kind)
    assert path.read_bytes() == before


def test_a_log_from_before_the_first_release_is_left_as_it_was(path: Path) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)
    sql(path, "ALTER TABLE sessions DROP COLUMN core_diameter_um")
    before = path.read_bytes()
    said = "has no core_diameter_um: it was made before the first release"
    assert said in refused(path, LogErrorKind.UNKNOWN_SCHEMA)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello, world\n" * 100, b"\0" * 4096, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, LogErrorKind.CORRUPT)
    assert path.read_bytes() == content


def test_a_damaged_log_says_so_and_is_kept(path: Path) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)
        log.store(log.begin(a_start()), cycle_batch(1, 500))
    pages = bytearray(path.read_bytes())
    pages[4096 * 3 :] = b"\xa5" * (len(pages) - 4096 * 3)
    path.write_bytes(pages)
    with pytest.raises(LogError) as caught, LogReader.open(path) as reader:
        reader.session(2)
    assert caught.value.kind is LogErrorKind.CORRUPT and "is damaged" in caught.value.reason
    assert path.read_bytes() == pages


def test_an_empty_file_becomes_a_log(path: Path) -> None:
    path.touch()
    with SessionLog.open(path) as log:
        assert a_stored_session(log) == 1


def test_a_name_that_needs_quoting_in_a_url(tmp_path: Path) -> None:
    path = tmp_path / "my log?#%41;&=\u20ac.sqlite"
    with SessionLog.open(path) as log:
        a_stored_session(log)
    with LogReader.open(path) as reader:
        assert len(list(reader.sessions())) == 1
    assert path in tmp_path.iterdir()


# --- where it is cannot be written


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert "must be a file in a writable folder" in refused(
        tmp_path / "no" / "log.sqlite", LogErrorKind.UNWRITABLE, reading=False
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder(path: Path) -> None:
    path.write_text("")
    refused(path / "log.sqlite", LogErrorKind.UNWRITABLE, reading=False)


def test_a_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir()
    assert refused(path, LogErrorKind.UNWRITABLE) == "is a folder: must be a file in it"


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_a_name_that_no_file_can_have(prefix: str) -> None:
    assert "(File name too long)" in refused(prefix + "a" * 300, LogErrorKind.UNWRITABLE)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for where in ("/dev/null", tmp_path / "pipe"):
        assert refused(where, LogErrorKind.UNWRITABLE) == "is no regular file: name another one"


def test_a_path_from_a_working_folder_that_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    said = "it cannot be opened (No such file or directory): must be a file in a writable folder"
    assert refused("log.sqlite", LogErrorKind.UNWRITABLE, reading=False) == said
    with pytest.raises(LogError) as caught:
        LogReader.open("log.sqlite")
    assert caught.value.kind is LogErrorKind.MISSING


def test_a_log_that_may_only_be_read(path: Path) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)
    with pytest.raises(LogError) as caught:
        SessionLog.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert caught.value.kind is LogErrorKind.UNWRITABLE and "it may only be read" in caught.value.reason
    with LogReader.open(path) as reader:
        assert len(list(reader.sessions())) == 1


def test_the_reader_cannot_write(path: Path) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)
    with LogReader.open(path) as reader, pytest.raises(LogError, match="may only be read"):
        SessionLog(reader._connection, str(path), None).begin(a_start())


@pytest.mark.parametrize(
    "where",
    [
        "",
        "a\0b",
        "nonsense://",
        "://",
        "sqlite//x://",
        "sqlite:///x?timeout=soon",
        "sqlite://host/x",
        "mysql://h:port/x",
    ],
)
def test_a_bad_url(where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LogError) as caught:
        SessionLog.open(where)
    assert caught.value.kind is LogErrorKind.UNWRITABLE and "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["log.sqlite\r", "lo\ng", "lo\x1b[2Jg", "sqlite:///log.sqlite\r", "\x85log"])
def test_a_name_with_a_control_character(where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As it comes from an environment file with CRLF: no file of that name is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LogError, match="has a control character") as caught:
        SessionLog.open(where)
    assert str(caught.value).isprintable() and list(tmp_path.iterdir()) == []


def test_an_option_of_a_url_that_means_nothing(path: Path) -> None:
    said = refused(f"sqlite:///{path}?foo=bar", LogErrorKind.UNWRITABLE)
    assert said.startswith("foo means nothing in its URL; ") and "timeout" in said
    assert not path.exists()


def test_a_driver_that_is_not_installed_and_no_password_is_shown() -> None:
    with pytest.raises(LogError, match="needs a database driver that is not installed") as caught:
        SessionLog.open("oracle+cx_oracle://me:secret@host/db")
    assert "secret" not in str(caught.value) and "oracle+cx_oracle://...: " in str(caught.value)


@pytest.mark.parametrize("place", ["[::1/x", "host:port/x", "host:port/x?a@b"])
@pytest.mark.parametrize("password", ["hunter2", "hunter2/", "hunter2@h:"])
def test_no_password_is_shown_of_what_is_no_url(place: str, password: str) -> None:
    with pytest.raises(LogError, match="is no database URL|where none belongs") as caught:
        SessionLog.open(f"postgresql://me:{password}@{place}")
    assert "hunter2" not in str(caught.value) and "session log postgresql://...: " in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://h:bad/db?user=u&password=hunter2", "postgresql://...: "),
        ("oracle+cx_oracle://h/d?password=hunter2", "oracle+cx_oracle://...: "),
        ("oracle+cx_oracle://h/d?pasword=hunter2", "oracle+cx_oracle://...: "),
        ("oracle+cx_oracle://mehunter2@h/d", "oracle+cx_oracle://...: "),
        ("oracle+cx_oracle://h/dpassword=hunter2", "oracle+cx_oracle://...: "),
    ],
)
def test_no_password_is_shown_of_a_part_of_another_meaning(url: str, shown: str) -> None:
    with pytest.raises(LogError) as caught:
        SessionLog.open(url)
    assert "hunter2" not in str(caught.value) and f"session log {shown}" in str(caught.value)


def test_nothing_to_read(path: Path) -> None:
    with pytest.raises(LogError) as caught:
        LogReader.open(path)
    assert caught.value.kind is LogErrorKind.MISSING and not path.exists()
    path.touch()
    with pytest.raises(LogError, match="is empty") as caught:
        LogReader.open(path)
    assert caught.value.kind is LogErrorKind.MISSING


# --- another process writes


LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locker(path: Path, log: SessionLog) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the write lock until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_locked_log_says_so_and_goes_on_when_it_is_free(
    log: SessionLog, path: Path, locker: subprocess.Popen[str]
) -> None:
    for act in (
        lambda: log.begin(a_start()),
        lambda: log.note(1, []),
        lambda: SessionLog.open(path, busy_timeout_ms=0),
    ):
        with pytest.raises(LogError) as caught:
            act()
        assert caught.value.kind is LogErrorKind.LOCKED and "another process" in caught.value.reason
    locker.communicate()
    key = a_stored_session(log)
    assert log.load(key).summary.reconciled


def test_a_log_that_is_being_written_can_be_read(path: Path, log: SessionLog) -> None:
    a_stored_session(log)
    key = log.begin(a_start())
    with LogReader.open(path) as reader:
        log.store(key, cycle_batch(1, 2))
        assert [summary.counts.cycles for summary in reader.sessions()] == [4, 2]
        log.store(key, cycle_batch(3, 2))
        assert [summary.counts.cycles for summary in reader.sessions()] == [4, 4]


def test_two_writers_of_one_session_cannot_both_win(path: Path, log: SessionLog) -> None:
    key = log.begin(a_start())
    with SessionLog.open(path) as other:
        log.store(key, cycle_batch(1, 3))
        other.store(key, cycle_batch(1, 3))
        other.store(key, cycle_batch(4, 1))
        with pytest.raises(LogError, match="is at event 5"):
            log.store(key, cycle_batch(6, 1))
    assert log.load(key).counts.cycles == 4


def test_both_who_find_no_tables_get_the_same_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds an empty file, and the first has made the tables before it holds the write lock."""
    check = database.check
    looks = iter([True])

    def first_empty(connection: Connection, where: str) -> int | None:
        return None if next(looks, False) else check(connection, where)

    with SessionLog.open(path) as first:
        monkeypatch.setattr(database, "check", first_empty)
        with SessionLog.open(path) as second:
            assert [first.begin(a_start()), second.begin(a_start())] == [1, 2]


def test_a_log_that_is_locked_is_not_read_past_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 0)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA locking_mode=EXCLUSIVE")
        raw.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LogError) as caught:
            LogReader.open(path)
    assert caught.value.kind is LogErrorKind.LOCKED


def test_what_a_url_says_of_a_file_is_sqlite_s_affair(path: Path) -> None:
    with pytest.raises(LogError) as caught:
        LogReader.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert caught.value.kind is LogErrorKind.UNWRITABLE and "it cannot be opened" in caught.value.reason


def test_a_new_file_that_another_process_is_making_is_left_to_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made_and_locked_meanwhile(connection: Connection, where: str) -> None:
        path.touch()
        raise LogError(LogErrorKind.LOCKED, where, "another process is writing to it")

    monkeypatch.setattr(database, "prepare", made_and_locked_meanwhile)
    with pytest.raises(LogError, match="another process"):
        SessionLog.open(path)
    assert path.exists()


# --- the disk is full


def fill(log: SessionLog, key: int) -> int:
    """Store batches until one is refused; how many records were stored before it."""
    for first in range(1, 100_000, 16):
        try:
            log.store(key, cycle_batch(first, 16))
        except LogError as error:
            assert error.kind is LogErrorKind.FULL and "no space left" in error.reason
            return first - 1
    raise AssertionError("the disk never filled")


def test_a_full_database_keeps_what_was_committed_and_goes_on_with_space(log: SessionLog, path: Path) -> None:
    key = log.begin(a_start())
    raw = log._connection.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA max_page_count = 40")
    stored = fill(log, key)
    assert stored > 0 and len(log.load(key).records) == stored
    with LogReader.open(path) as reader:
        assert reader.session(key).counts.cycles == stored == reader.session(key).next_event_no - 1
    raw.execute("PRAGMA max_page_count = 4000")
    log.store(key, cycle_batch(stored + 1, 16))
    assert log.load(key).counts.cycles == stored + 16


def test_a_full_disk_keeps_what_was_committed(small_disk: Path) -> None:
    path = small_disk / "log.sqlite"
    with SessionLog.open(path) as log:
        key = log.begin(a_start())
        stored = fill(log, key)
        assert stored > 0
        assert len(log.load(key).records) == stored
    shutil.copytree(small_disk, small_disk.parent / "copy")
    with LogReader.open(small_disk.parent / "copy" / "log.sqlite") as reader:
        assert reader.session(key).counts.cycles == stored


def test_no_room_for_a_new_log(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "ballast").write_bytes(bytes(MORE_THAN_FITS))
    with pytest.raises(LogError) as caught:
        SessionLog.open(small_disk / "log.sqlite")
    assert caught.value.kind is LogErrorKind.FULL


@pytest.mark.parametrize("room", [0, 8 * 1024, 20 * 1024, 48 * 1024])
def test_of_a_new_log_that_found_no_room_nothing_is_left(small_disk: Path, room: int) -> None:
    there = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(there.f_bavail * there.f_frsize - room))
    with pytest.raises(LogError):
        SessionLog.open(small_disk / "log.sqlite")
    assert [file.name for file in small_disk.iterdir()] == ["ballast"]


def test_a_file_that_was_there_is_left_where_there_is_no_room(small_disk: Path) -> None:
    path = small_disk / "log.sqlite"
    path.touch()
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "ballast").write_bytes(bytes(MORE_THAN_FITS))
    refused(path, LogErrorKind.FULL, reading=False)
    assert path.read_bytes() == b""


LIMITED = """
import resource, sys
from devicectl.log.errors import LogError
from devicectl.log.store import SessionLog
from tests.integration.log.log_builders import a_start, cycle_batch
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
log = SessionLog.open(sys.argv[1])
key = log.begin(a_start())
try:
    for first in range(1, 100_000, 16):
        log.store(key, cycle_batch(first, 16))
except LogError as error:
    print(error.kind, first - 1)
"""


def test_a_file_size_limit_keeps_what_was_committed(path: Path) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    kind, stored = done.stdout.split()
    assert kind in (LogErrorKind.UNWRITABLE, LogErrorKind.FULL) and int(stored) > 0
    with LogReader.open(path) as reader:
        assert reader.session(1).counts.cycles == int(stored)


# --- where the log is when nobody says


def test_the_option_then_the_variable_then_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "user_log_path", lambda: tmp_path / "mine" / "sessions.sqlite")
    monkeypatch.delenv("DEVICECTL_LOG", raising=False)
    assert paths.default_log_path() == str(tmp_path / "mine" / "sessions.sqlite")
    monkeypatch.setenv("DEVICECTL_LOG", "sqlite:///there")
    assert paths.default_log_path() == "sqlite:///there"
    assert paths.default_log_path("here") == "here"
    assert paths.default_log_path("") == ""
    monkeypatch.setenv("DEVICECTL_LOG", "")
    assert paths.default_log_path() == str(tmp_path / "mine" / "sessions.sqlite")


def test_the_user_s_own_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "user_log_path", lambda: tmp_path / "a" / "b" / "sessions.sqlite")
    with SessionLog.open(tmp_path / "a" / "b" / "sessions.sqlite") as log:
        assert a_stored_session(log) == 1


def test_the_user_s_own_folder_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("")
    monkeypatch.setattr(database, "user_log_path", lambda: tmp_path / "a" / "b" / "sessions.sqlite")
    with pytest.raises(LogError, match="its folder cannot be made") as caught:
        SessionLog.open(tmp_path / "a" / "b" / "sessions.sqlite")
    assert caught.value.kind is LogErrorKind.UNWRITABLE


def test_the_user_s_own_folder_is_named_after_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths.user_log_path().name == "sessions.sqlite" and paths.user_log_path().parent.name == "devicectl"
