"""Processes that a run has left behind: daemons and the like, which have a session and a process group of their own.

How it works: the command's environment has a mark that is drawn for the run, and whatever it starts inherits that. What
the system shows in /proc is looked through for it. A child that forgets its environment is not found, and elsewhere
than on Linux none is.

Law: nothing is ended but what has the mark.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROUNDS: Final = 5
"""Looks at most: a process that is not ended yet may start another one."""


def end_marked(name: str, mark: str, processes: Path = Path("/proc")) -> int:
    """Kill each process in whose environment the variable `name` is `mark`; returns how many were found."""
    ended: set[int] = set()
    for _ in range(ROUNDS):
        fresh = set(_marked(f"{name}={mark}".encode(), processes)) - ended
        if not fresh:
            break
        for pid in fresh:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended |= fresh
    return len(ended)


def _marked(entry: bytes, processes: Path) -> Iterator[int]:
    try:
        names = os.listdir(processes)
    except OSError:
        return
    for name in names:
        if name.isdecimal() and int(name) != os.getpid():
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if entry in (processes / name / "environ").read_bytes().split(b"\0"):
                    yield int(name)
