"""`devicectl run` where nothing is that POSIX systems alone have: `sim://` and TCP need none of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import environment, serve

POSIX_ONLY: Final = ("fcntl", "termios", "pty", "tty", "grp", "pwd", "resource")
WITHOUT: Final = (
    f"import sys; sys.modules.update(dict.fromkeys({POSIX_ONLY!r})); "
    "from devicectl.cli import call; sys.exit(call(sys.argv[1:]))"
)


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """`devicectl run` in a process that can import none of `POSIX_ONLY`."""
    line = [sys.executable, "-P", "-c", WITHOUT, "run", "--json", *map(str, arguments)]
    return subprocess.run(
        line, capture_output=True, text=True, timeout=patience(), stdin=subprocess.DEVNULL, env=environment()
    )


def assert_completed(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["state"], summary["reconciled"]) == ("completed", True)


def test_a_session_in_virtual_time(tmp_path: Path) -> None:
    assert_completed(run("--target-cores", "30", "--log", tmp_path / "log.sqlite"))


def test_a_session_over_tcp(tmp_path: Path) -> None:
    with serve("--tcp", "127.0.0.1:0", *PARAMETERS) as device:
        url = device.urls[0]
        assert_completed(run("--target-cores", "6", "--device", url, "--log", tmp_path / "log.sqlite"))


def test_a_memory_file_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run("--device", f"sim://?nvm={tmp_path / 'memory'}", "--log", tmp_path / "log.sqlite")
    assert done.returncode == 2 and done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("devicectl: ")
    assert "nvm: this system cannot lock a file" in done.stderr.splitlines()[-1]
