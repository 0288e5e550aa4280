"""The session log's place as the command line meets it: not there, not ours, not to be written, full."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from devicectl.log.schema import SCHEMA_VERSION
from devicectl.log.store import SessionLog
from protocols.language.enums import DeviceState
from protocols.text.notice import NOTICE
from tests.e2e.processes import devicectl, one_line
from tests.e2e.sessions import PARAMETERS, assert_exact, assert_retracted_and_vented
from tests.integration.log.log_builders import a_start, a_stored_session, cycle_batch
from tests.patience import patience
from tests.programs import Served, environment, serve

ROOM_FOR_A_FEW_CYCLES = 100 * 1024
"""Bytes beside a log without a session: SQLite's two files, and what a session writes until its second cell."""
READS = (("list",), ("show", "1"), ("export", "1", "--format", "csv"))


def a_log(path: Path) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in statements:
            raw.execute(statement)


def fill(disk: Path, leave: int = 0) -> None:
    """Take the room of a disk, but for `leave` bytes."""
    there = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(there.f_bavail * there.f_frsize - leave))


# --- a user without a home ---------------------------------------------------------------------------------------

HOMELESS = """
import os, pwd, sys
def nobody(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = nobody
from devicectl.cli import call
sys.exit(call(sys.argv[1:]))
"""
"""As in a container that runs under a number without a name."""


def homeless(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    known = {name: value for name, value in environment().items() if not name.startswith(("HOME", "XDG_", "DEVICECTL"))}
    line = [sys.executable, "-P", "-c", HOMELESS, *arguments]
    done = subprocess.run(line, cwd=folder, env=known, capture_output=True, text=True, timeout=patience(), check=False)
    assert "Traceback" not in done.stderr
    return done


def test_a_user_without_a_home_may_name_a_log(tmp_path: Path) -> None:
    assert homeless("run", "--target-cores", "3", "--log", "log", folder=tmp_path).returncode == 0
    assert homeless("sessions", "list", "--log", "log", folder=tmp_path).returncode == 0


@pytest.mark.parametrize("arguments", [("run", "--target-cores", "3"), ("sessions", "list"), ("sessions", "show", "1")])
def test_a_user_without_a_home_is_told_to_name_a_log(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = homeless(*arguments, folder=tmp_path)
    assert done.returncode == 4
    (line,) = (line for line in done.stderr.splitlines() if line != NOTICE)
    assert "this user has no home to keep it in: name a file with --log or $DEVICECTL_LOG" in line
    assert list(tmp_path.iterdir()) == []


# --- a session that cannot be logged is not begun ----------------------------------------------------------------


@pytest.fixture(scope="module")
def device() -> Iterator[Served]:
    with serve("--tcp", "127.0.0.1:0", *PARAMETERS) as served:
        yield served


@pytest.fixture
def where(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A log of a kind that cannot be written."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "log"
    match kind:
        case "folder":
            path.mkdir()
        case "foreign":
            change(path, "CREATE TABLE recipes (name)")
        case "garbage":
            path.write_bytes(b"no database" * 1000)
        case "newer schema":
            a_log(path)
            change(path, f"UPDATE log_meta SET schema_version = {SCHEMA_VERSION + 1}")
        case "a file to be read only":
            a_log(path)
            path.chmod(0o444)
        case "a folder to be read only":
            folder.chmod(0o555)
        case "a folder that may not be entered":
            folder.chmod(0)
        case "full":
            disk: Path = request.getfixturevalue("small_disk")
            fill(disk)
            path = disk / "log"
    yield {"nowhere": "/nowhere/log", "url": "nosuch://x", "empty": ""}.get(kind, str(path))
    folder.chmod(0o755)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("nowhere", "must be a file in a writable folder"),
        ("url", "is no database URL"),
        ("empty", "names no file"),
        ("folder", "is a folder"),
        ("foreign", "not devicectl's log"),
        ("garbage", "is no SQLite database"),
        ("newer schema", f"has schema version {SCHEMA_VERSION + 1}, this program knows {SCHEMA_VERSION}"),
        ("a file to be read only", "must be a file that can be written"),
        ("a folder to be read only", "must be a file in a writable folder"),
        ("a folder that may not be entered", "it cannot be opened (Permission denied)"),
        ("full", "there is no space left"),
    ],
)
def test_a_log_that_cannot_be_written_is_exit_4_and_the_device_is_left_alone(
    where: str, said: str, held_to_modes: tuple[str, ...], device: Served
) -> None:
    before = seen_at(device)
    done = devicectl("run", "--log", where, "--device", device.urls[0], code=4, through=held_to_modes)
    assert one_line(done).startswith("devicectl: session log ") and said in done.stderr
    assert seen_at(device) == before


def seen_at(device: Served) -> tuple[object, ...]:
    """State, open session, last cycle and journal of a device."""
    welcome = assert_retracted_and_vented(device.tcp)
    return welcome.state, welcome.session_no, welcome.cycle_no, welcome.journal_head


# --- a disk that fills while a session is on ---------------------------------------------------------------------


def test_a_disk_that_fills_in_a_session_is_exit_4_and_the_device_is_left_safe(small_disk: Path) -> None:
    path = small_disk / "log.sqlite"
    SessionLog.open(path).close()
    fill(small_disk, leave=ROOM_FOR_A_FEW_CYCLES)
    six_cycles_a_cell = "--param=needles=8"
    with serve("--tcp", "127.0.0.1:0", *PARAMETERS, six_cycles_a_cell) as served:
        common = ("--json", "--log", path, "--device", served.urls[0])
        done = devicectl("run", "--target-cores", "10000", *common, code=4)
        assert "there is no space left" in done.stderr.splitlines()[-1]
        summary = json.loads(done.stdout)
        assert (summary["state"], summary["reconciled"]) == ("open", False) and summary["cycles"] > 0
        welcome = assert_retracted_and_vented(served.tcp)
        assert (welcome.state, welcome.session_no) == (DeviceState.SAFE, 1)
        shutil.copytree(small_disk, small_disk.parent / "copy")
        with SessionLog.open(small_disk.parent / "copy" / path.name) as log:
            assert welcome.journal_tail <= log.load(1).next_event_no, "only what is on disk was acknowledged"
        (small_disk / "ballast").unlink()
        done = devicectl("run", "--abandon", *common, code=0)
        assert json.loads(done.stdout)["cycles"] >= summary["cycles"]
    assert_exact(path, state="aborted")


# --- a log that may only be read ---------------------------------------------------------------------------------


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A log of one session, in a folder; neither may be written."""
    path = tmp_path / "archive" / "log.sqlite"
    path.parent.mkdir()
    a_log(path)
    lock(path.parent)
    yield path
    path.parent.chmod(0o755)


def lock(folder: Path) -> None:
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)


@pytest.mark.parametrize("command", READS, ids=lambda command: str(command[0]))
def test_a_log_that_may_only_be_read_is_read(
    read_only: Path, held_to_modes: tuple[str, ...], command: tuple[str, ...]
) -> None:
    done = devicectl("sessions", *command, "--log", read_only, code=0, through=held_to_modes)
    assert NOTICE in done.stdout and "SIM-0007" in done.stdout and done.stderr == ""
    assert [file.name for file in read_only.parent.iterdir()] == ["log.sqlite"]


def test_an_empty_wal_file_is_no_hindrance(read_only: Path, held_to_modes: tuple[str, ...]) -> None:
    read_only.parent.chmod(0o755)
    read_only.with_name("log.sqlite-wal").touch()
    lock(read_only.parent)
    assert "SIM-0007" in devicectl("sessions", "list", "--log", read_only, code=0, through=held_to_modes).stdout


def test_what_a_crash_left_beside_a_log_is_not_passed_over(read_only: Path, held_to_modes: tuple[str, ...]) -> None:
    """A copy of a log that was being written, taken without the file that SQLite makes for itself."""
    read_only.parent.chmod(0o755)
    read_only.chmod(0o644)
    with SessionLog.open(read_only) as log:
        log.store(log.begin(a_start(session_no=2)), cycle_batch(1, 1))
        copy = read_only.parent.parent / "copy"
        shutil.copytree(read_only.parent, copy, ignore=shutil.ignore_patterns("*-shm"))
    lock(copy)
    done = devicectl("sessions", "list", "--log", copy / "log.sqlite", code=4, through=held_to_modes)
    said = "its last entries are in log.sqlite-wal, and its folder may only be read: copy both to another one"
    assert done.stderr == f"devicectl: session log {copy / 'log.sqlite'}: {said}\n"
    copy.chmod(0o755)
    for file in copy.iterdir():
        file.chmod(0o644)
    listed = devicectl("sessions", "list", "--log", copy / "log.sqlite", code=0, through=held_to_modes).stdout
    assert len(listed.splitlines()) == 4


def test_a_log_that_may_not_be_read(read_only: Path, held_to_modes: tuple[str, ...]) -> None:
    read_only.chmod(0)
    done = devicectl("sessions", "list", "--log", read_only, code=4, through=held_to_modes)
    assert done.stderr == f"devicectl: session log {read_only}: access is denied: must be a file that can be read\n"


def test_a_log_in_a_folder_that_may_not_be_entered(read_only: Path, held_to_modes: tuple[str, ...]) -> None:
    read_only.parent.chmod(0)
    said = "it cannot be opened (Permission denied): must be a file in a writable folder"
    for command in READS:
        done = devicectl("sessions", *command, "--log", read_only, code=4, through=held_to_modes)
        assert done.stderr == f"devicectl: session log {read_only}: {said}\n"
