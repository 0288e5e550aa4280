"""Test benches of others that drive the simulator as if it were a board, as the READMEs of their examples say."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.patience import patience
from tests.programs import FIRMWARE_SIM, ROOT, environment

EXAMPLES: Final = ROOT / "examples"
BIN: Final = Path(sys.executable).parent
RUN_TAKES: Final = 60.0
"""Seconds for a whole run of such a bench on an idle machine, at the very most."""


def _python(venv: str) -> Path:
    """Python of a bench's own environment; skips where `make boards` has not made it."""
    python = ROOT / venv / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"no {venv}: make boards")
    return python


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the example, as its user has it."""
    copy = tmp_path / "bench"
    shutil.copytree(EXAMPLES / request.param, copy, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    return copy


def _passed(line: list[str | Path], bench: Path, **extra: str) -> int:
    """Tests that passed in a run in which none did anything else."""
    path = f"{BIN}:{environment({})['PATH']}"
    done = subprocess.run(
        list(map(str, line)), capture_output=True, cwd=bench, env=environment({"PATH": path, **extra}),
        timeout=patience(RUN_TAKES),
    )  # fmt: skip
    said = (done.stdout + done.stderr).decode(errors="replace")
    summary = re.search(r"^(\d+) passed(?:, \d+ warnings?)? in ", said, re.MULTILINE)
    assert done.returncode == 0 and summary, said
    return int(summary[1])


@pytest.mark.parametrize("bench", ["labgrid"], indirect=True)
def test_labgrid_switches_its_power_and_runs_a_controller(bench: Path, tmp_path: Path) -> None:
    python = _python(".venv-labgrid")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    line: list[str | Path] = [python, "-m", "pytest", "-q", "--lg-env", "env.yaml"]
    assert _passed(line, bench, LG_HANDPIECE=address, LG_FILES=str(tmp_path)) == 3
    assert (tmp_path / "handpiece.nvm").exists() and (tmp_path / "sessions.sqlite").exists()


@pytest.mark.parametrize("bench", ["pytest_embedded"], indirect=True)
def test_pytest_embedded_has_it_as_its_device(bench: Path) -> None:
    python = _python(".venv-embedded")
    line: list[str | Path] = [*FIRMWARE_SIM, "exec", "--pty", "--link", "board", "--"]
    assert _passed([*line, python, "-m", "pytest", "-q", "--port=./board"], bench) == 2
