"""What a run has left behind is known by its mark, and nothing else is ended."""

import os
import signal
from pathlib import Path

import pytest

from devicectl.conformance.controller.left import ROUNDS, end_marked


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Signals that were sent, in place of sending them."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("devicectl.conformance.controller.left.os.kill", lambda pid, number: sent.append((pid, number)))
    return sent


def a_process(folder: Path, pid: int | str, *environment: str) -> None:
    """Make what the system shows of a process."""
    (folder / str(pid)).mkdir()
    (folder / str(pid) / "environ").write_bytes(b"".join(entry.encode() + b"\0" for entry in environment))


def test_only_what_has_the_mark_is_ended(tmp_path: Path, killed: list[tuple[int, int]]) -> None:
    a_process(tmp_path, 11, "PATH=/bin", "RUN=a1")
    a_process(tmp_path, 12, "RUN=a12")
    a_process(tmp_path, 13, "OTHER_RUN=a1")
    a_process(tmp_path, 14)
    a_process(tmp_path, "self", "RUN=a1")
    a_process(tmp_path, os.getpid(), "RUN=a1")
    (tmp_path / "15").mkdir()  # one that has ended meanwhile
    assert end_marked("RUN", "a1", tmp_path) == 1
    assert killed == [(11, signal.SIGKILL)]


def test_what_a_child_starts_meanwhile_is_ended_too_and_not_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(pid: int, number: int) -> None:
        a_process(tmp_path, pid + 1, "RUN=a1")

    monkeypatch.setattr("devicectl.conformance.controller.left.os.kill", kill)
    a_process(tmp_path, 20, "RUN=a1")
    assert end_marked("RUN", "a1", tmp_path) == ROUNDS


def test_a_system_that_shows_no_processes(tmp_path: Path) -> None:
    assert end_marked("RUN", "a1", tmp_path / "none") == 0
