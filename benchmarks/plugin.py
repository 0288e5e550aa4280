"""Cost of the pytest plugin to a repository that does not use it: pytest collects its tests, with it and without."""

import subprocess
import sys
import timeit
from pathlib import Path
from typing import Final

TESTS: Final = 200
"""Tests of a small repository: enough for a cost by the test to show beside the start of pytest."""


def _collect(folder: Path, *options: str) -> float:
    """Seconds of one `pytest --collect-only`, from start to exit."""
    line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
    start = timeit.default_timer()
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    taken = timeit.default_timer() - start
    if done.returncode != 0:
        raise RuntimeError(f"pytest ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return taken


def measure(rounds: int, folder: Path) -> list[tuple[float, float]]:
    """Seconds with and without it, a pair a round."""
    place = folder / "somebody"
    place.mkdir()
    (place / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    (place / "test_own.py").write_text(
        "".join(f"def test_{number}(): assert {number} >= 0\n" for number in range(TESTS)), encoding="utf-8"
    )
    _collect(place)  # what is compiled once
    return [(_collect(place), _collect(place, "-p", "no:handpiece")) for _ in range(rounds)]
