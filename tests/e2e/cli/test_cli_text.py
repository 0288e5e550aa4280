"""What a person reads: in whatever encoding, and whoever wrote it."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from protocols.text.notice import NOTICE
from tests.e2e.processes import DEVICECTL, devicectl, started
from tests.integration.log.log_builders import a_finish, a_start, a_stored_session, cycle_batch
from tests.patience import patience

STEERING = "\x1b[2J\x9b31m\u202e\x07"
COURSE = "J\xf6rg \u65e5\u672c \U0001f9ea"
FEW = ("--target-cores", "12", "--device", "sim://?seed=7&anesthesia_wait_s=1")
OUTPUTS = (
    ("list",),
    ("show", "1"),
    ("show", "2"),
    ("export", "2", "--format", "csv"),
    ("export", "2", "--format", "jsonl"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with a course that few encodings have, and with a device that would steer a terminal."""
    path = tmp_path / "log.sqlite"
    with SessionLog.open(path) as log:
        a_stored_session(log, course=COURSE)
        odd = log.begin(a_start(session_no=2, device=STEERING, device_model=STEERING, versions={"model": STEERING}))
        log.store(odd, cycle_batch(1, 3), [Note("warning", 1_500_000, f"n{STEERING}", f"d{STEERING}\n2", None)])
        log.finish(odd, a_finish(state="faulted"))
    return path


def bytes_of(*arguments: str | Path, code: int = 0, encoding: str = "utf-8") -> bytes:
    """Standard output of `devicectl` in an encoding."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    line = [*DEVICECTL, *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, env=environment, stdin=subprocess.DEVNULL, timeout=patience())
    assert done.returncode == code and b"Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("command", OUTPUTS, ids=" ".join)
def test_nothing_that_is_printed_of_a_log_steers_a_terminal(
    path: Path, command: tuple[str, ...], encoding: str
) -> None:
    said = bytes_of("sessions", *command, "--log", path, encoding=encoding)
    exported = command[0] == "export"
    text = said.decode("utf-8" if exported else encoding)
    assert [line for line in text.splitlines() if not line.replace("\t", "").isprintable()] == []
    assert NOTICE in text


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_an_export_is_the_same_bytes_wherever_it_goes(path: Path, tmp_path: Path, format: str, encoding: str) -> None:
    file = tmp_path / "export"
    export: tuple[str | Path, ...] = ("sessions", "export", "1", "--format", format, "--log", path)
    said = bytes_of(*export, "-o", file, encoding=encoding).decode(encoding)
    assert said.splitlines() == [NOTICE, f"session 1 written to {file}"]
    assert bytes_of(*export, encoding=encoding) == file.read_bytes()
    assert COURSE.encode() in file.read_bytes()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_what_an_encoding_lacks_is_replaced(path: Path, encoding: str) -> None:
    shown = COURSE.encode(encoding, "replace").decode(encoding)
    listed = bytes_of("sessions", "list", "--log", path, encoding=encoding).decode(encoding)
    assert listed.splitlines()[2].split("\t")[2] == shown


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
@pytest.mark.parametrize("how", [(), ("--explain",)], ids=["plain", "explain"])
def test_a_session_does_not_depend_on_what_can_be_printed_of_it(
    tmp_path: Path, encoding: str, how: tuple[str, ...]
) -> None:
    """The second session of a course is remarked on, and the remark names the course."""
    common: tuple[str | Path, ...] = ("run", *FEW, *how, "--course", COURSE, "--log", tmp_path / "log.sqlite")
    bytes_of(*common, "--date", "2026-03-01", encoding=encoding)
    said = bytes_of(*common, "--date", "2026-03-02", encoding=encoding).decode(encoding)
    course = COURSE.encode(encoding, "replace").decode(encoding)
    assert f"course {course}: 2026-03-02 is 1 day after session 1" in " ".join(said.split())
    assert "session completed, reconciled" in said
    listed = devicectl("sessions", "list", "--log", tmp_path / "log.sqlite", code=0).stdout.splitlines()
    assert [line.split("\t")[4] for line in listed[2:]] == ["completed", "completed"]


@pytest.mark.parametrize("encoding", ["latin-1"])
@pytest.mark.parametrize("command", [("run", *FEW), ("sessions", "list"), ("sessions", "show", "1")], ids=" ".join)
def test_on_a_terminal_of_another_encoding_spinner_and_boxes_are_ascii(
    path: Path, command: tuple[str, ...], encoding: str
) -> None:
    said = on_a_terminal(*command, "--log", str(path), encoding=encoding)
    drawn = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", said)
    drawn = drawn.replace(COURSE.encode(encoding, "replace"), b"").replace(b"sim://?", b"")
    assert b"?" not in drawn, "a part of what is drawn was not ASCII"
    assert not [byte for byte in drawn if byte >= 0x80]
    assert (b"completed" if command[0] == "run" else b"+-") in drawn or b"---" in drawn


def on_a_terminal(*arguments: str, encoding: str) -> bytes:
    """What is written to a terminal of an encoding, which is wide."""
    mine, theirs = pty.openpty()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "PYTHONUTF8")},
        "PYTHONIOENCODING": encoding,
        "TERM": "xterm",
        "COLUMNS": "150",
    }
    with started([*DEVICECTL, *arguments], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(mine, 65536)
            except OSError:
                break
            if not piece:
                break
            said += piece
        assert process.wait(patience()) == 0, said
    os.close(mine)
    return said
