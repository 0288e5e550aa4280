"""The examples, run as their first lines say: scripts of the async API, and a user's whole repository for CI."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml

from protocols.text.notice import NOTICE
from tests.e2e.sessions import QUERY
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, ROOT, environment

EXAMPLES: Final = ROOT / "examples"
SCRIPTS: Final = ("count_cores.py", "drive_station.py", "two_handpieces.py", "watch_alarms.py")
MOST_LINES: Final = 40

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="an installed wheel has no examples")


def run(*line: str | Path, cwd: Path | None = None, **extra: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        list(map(str, line)), capture_output=True, text=True, timeout=patience(), cwd=cwd, env=environment(extra)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) <= MOST_LINES
    said = run(sys.executable, EXAMPLES / name).stdout.splitlines()
    assert said[0] == NOTICE and len(said) > 1


def test_what_the_scripts_say() -> None:
    assert "completed: " in run(sys.executable, EXAMPLES / "count_cores.py").stdout
    both = run(sys.executable, EXAMPLES / "two_handpieces.py").stdout.splitlines()[1:]
    assert [re.sub(r"\d+ cores", "N cores", line) for line in both] == [
        "SIM-00000001: completed, N cores, reconciled: True",
        "SIM-00000002: aborted, N cores, reconciled: True",
    ]
    alarms = run(sys.executable, EXAMPLES / "watch_alarms.py").stdout
    assert re.search(r"^after \d+ punches: MC-0601 ACTIVE: ", alarms, re.MULTILINE)


@pytest.mark.parametrize("transport", ["pty", "tcp"])
def test_a_host_of_ones_own(transport: str, tmp_path: Path) -> None:
    if transport == "pty" and os.name != "posix":
        pytest.skip("this system has no pseudo-terminals")
    port = tmp_path / "100 %41"  # in its URL: 100%20%2541
    at = ("--pty", "--link", port) if transport == "pty" else ("--tcp", "127.0.0.1:0")
    said = run(*FIRMWARE_SIM, "exec", *at, "--", sys.executable, EXAMPLES / "own_host.py").stdout
    assert said.startswith(NOTICE) and "3 needles of 400 um, state IDLE" in said


# --- a user's repository -----------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    copy = tmp_path / "my-controller"
    shutil.copytree(EXAMPLES / "ci", copy, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    return copy


@pytest.mark.parametrize("scheme", ["sim", "sim+pty", "sim+tcp", "sim+mqtt"])
def test_one_file_over_every_transport(repository: Path, program: Callable[[str], str], scheme: str) -> None:
    """Not a line of it changes."""
    if scheme == "sim+mqtt":
        program("mosquitto")
    url = f"{scheme}://?{QUERY}"
    line = [sys.executable, "-m", "pytest", "-p", "no:randomly", "--handpiece-seed", "7", "--handpiece-url", url]
    assert re.search(r"\b6 passed in ", run(*line, cwd=repository).stdout)


def test_its_workflow_is_short_and_true(repository: Path) -> None:
    text = (repository / ".github" / "workflows" / "test.yml").read_text()
    assert len(text.splitlines()) <= 15
    (job,) = yaml.safe_load(text)["jobs"].values()
    (line,) = [step["run"] for step in job["steps"] if step.get("run", "").startswith("pytest ")]
    options = line.split()[1:]
    run(sys.executable, "-m", "pytest", "--collect-only", "-q", *options, cwd=repository)
