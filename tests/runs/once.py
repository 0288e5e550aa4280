"""What several tests need and none may change: made once in a run, by whichever process needs it first.

How it works: the processes of a run share the parent of their folders. Who makes the marker there makes the rest; the
others wait for it, and fail as it failed.
"""

import os
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_sim.clock import monotonic
from tests.patience import MOMENT_S, deadline, patience


def once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object], *, seconds: float = MOMENT_S
) -> Path:
    """The path `name` that all processes of this run share, where `make` has put a folder or a file; nobody changes it.

    Raises:
        AssertionError: another process has failed to make it, or takes more than `seconds`.
    """
    base = factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    path, begun, done, failed = (common / f"{name}{mark}" for mark in ("", ".begun", ".done", ".failed"))
    try:
        begun.touch(exist_ok=False)
    except FileExistsError:
        _await(done, failed, seconds)
        return path
    try:
        make(path)
    except BaseException as error:  # whatever ended it is the end for all who wait
        failed.write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        raise
    done.touch()
    return path


def _await(done: Path, failed: Path, seconds: float) -> None:
    end = deadline(seconds)
    while not done.exists():
        assert not failed.exists(), f"{failed.stem} could not be made: {failed.read_text(encoding='utf-8')}"
        assert monotonic() < end, f"{done.stem}: not made within {patience(seconds):g} s"
        select.select([], [], [], 0.01)
