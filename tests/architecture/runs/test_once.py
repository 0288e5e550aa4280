"""What is made once in a run is made by one process, and all others have it, or the reason why there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import patience
from tests.programs import environment
from tests.runs.once import once

FILE = """
import os, pathlib, pytest
from tests.runs.once import once

def make(path):
    with open({log!r}, "a") as log:
        log.write(f"{{os.getpid()}}\\n")
    {makes}

@pytest.mark.parametrize("no", range(12))
def test_it(no, tmp_path_factory):
    assert once(tmp_path_factory, "thing", make).read_text() == "made"
"""


@pytest.mark.parametrize(("processes", "fails"), [(0, False), (3, False), (3, True)])
def test_processes_of_a_run_make_it_once(processes: int, fails: bool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    makes = 'raise OSError("no room")' if fails else 'path.write_text("made")'
    (tmp_path / "test_it.py").write_text(FILE.format(log=str(log), makes=makes))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-p", "no:randomly", "-n", str(processes), "--basetemp", str(tmp_path / "base")]
    env = {name: value for name, value in environment().items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )
    assert len(log.read_text().splitlines()) == 1, done.stdout
    assert ("12 failed" if fails else "12 passed") in done.stdout, done.stdout
    assert done.stdout.count("AssertionError: thing could not be made: OSError: no room") >= 11 * fails


def test_another_call_has_what_the_first_has_made(tmp_path_factory: pytest.TempPathFactory) -> None:
    name = f"kept-{os.getpid()}"
    first = once(tmp_path_factory, name, Path.mkdir)
    assert first.is_dir() and once(tmp_path_factory, name, Path.mkdir) == first
