"""Real processes for the tests: started, waited for by condition and deadline, ended by their own id."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from firmware_sim.clock import monotonic
from tests.patience import MOMENT_S, deadline, patience

WITH_A_FULL_DEVICE: Final = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
DEVICECTL: Final = (sys.executable, "-m", "devicectl")
FIRMWARE_SIM: Final = (sys.executable, "-P", "-m", "firmware_sim")

KEYS: Final = [
    "session_id",
    "simulated",
    "seed",
    "device",
    "course",
    "state",
    "target_cores",
    "cores_counted",
    "cores_evacuated",
    "punctures",
    "cycles",
    "needles",
    "coverage_percent",
    "treated_area_cm2",
    "session_seconds",
    "wall_seconds",
    "reconciled",
    "alarms",
    "log",
]
"""Of the object that `devicectl run --json` prints, in their order."""


def devicectl(
    *arguments: str | Path, code: int | None = None, env: dict[str, str] | None = None, through: Sequence[str] = ()
) -> "subprocess.CompletedProcess[str]":
    """Run `devicectl` to its end; `code` is what it must exit with. Never a traceback, never an escape code.

    `through` is the beginning of a command that runs another one.
    """
    line = [*through, *DEVICECTL, *map(str, arguments)]
    done = subprocess.run(
        line,
        capture_output=True,
        text=True,
        timeout=patience(),
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )
    said = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in said, said
    assert "\x1b" not in said, "this is no terminal"
    assert code is None or done.returncode == code, said
    return done


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line on standard error, which is all that is said of an error."""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("devicectl: ") and lines[0].isprintable()
    return lines[0]


def wait_until(condition: Callable[[], bool], what: str, seconds: float = MOMENT_S) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it has not come within the deadline.
    """
    end = deadline(seconds)
    while not condition():
        assert monotonic() < end, f"{what}: not within {patience(seconds):g} s"
        select.select([], [], [], 0.01)


@contextlib.contextmanager
def started(line: Sequence[str | Path], **options: object) -> Iterator["subprocess.Popen[str]"]:
    """A process, which is killed at the end if it still runs."""
    process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
        list(map(str, line)), text=True, stdin=subprocess.DEVNULL, **options
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(patience())
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Read a process's output until `text` was in a line; what was read."""
    assert process.stdout is not None
    said = ""
    while text not in said:
        line = process.stdout.readline()
        assert line, f"it ended before it said {text!r}:\n{said}"
        said += line
    return said


def interrupt(process: "subprocess.Popen[str]") -> None:
    """Ctrl-C."""
    process.send_signal(signal.SIGINT)
