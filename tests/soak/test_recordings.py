"""Recordings of campaigns, runs and served devices are executed again elsewhere, and every packet is equal.

`make nightly` does it with 200, also with each other Python that is found: `--pythons` names them.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.patience import patience
from tests.programs import environment
from tests.soak.recordings import MAKERS

MANY: Final = 200
LONG_S: Final = 1_200
HERE: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once for each other Python."""
    if "other_python" in metafunc.fixturenames:
        metafunc.parametrize("other_python", metafunc.config.getoption("--pythons").split(), indirect=True)


@pytest.fixture
def other_python(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another Python with the package's dependencies, in an environment of its own; skips where there is none."""
    place, uv = tmp_path / "python", (sys.executable, "-m", "uv")
    made = called(*uv, "venv", "--no-python-downloads", "--python", request.param, str(place))
    if made.returncode:
        pytest.skip(f"no Python {request.param} was found: {made.stderr.strip().splitlines()[-1]}")
    python = str(place / "bin" / "python")
    version = called(python, "-c", "import sys; print(*sys.version_info[:2], sep='.')").stdout.strip()
    if version == HERE:
        pytest.skip(f"{request.param} is Python {HERE}, which runs the tests")
    installed = called(*uv, "pip", "install", "--python", python, "-r", "pyproject.toml")
    assert installed.returncode == 0, installed.stderr
    return python


def called(*line: str, **extra: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        line,
        capture_output=True,
        text=True,
        timeout=patience(LONG_S),
        env=environment(extra),
        cwd=Path(__file__).parents[2],
        check=False,
    )


def make(python: str, folder: Path, count: int, seed: int) -> None:
    done = called(python, "-P", "-m", "tests.soak.recordings", "make", str(folder), str(count), str(seed))
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("*.pcapng"))) == count


def assert_repeats(python: str, folder: Path) -> None:
    done = called(python, "-P", "-m", "tests.soak.recordings", "replay", str(folder), PYTHONHASHSEED="7")
    print(done.stdout)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "count", [len(MAKERS), pytest.param(MANY, marks=[pytest.mark.nightly, pytest.mark.timeout(3_600)])]
)
def test_another_process_repeats_every_packet(tmp_path: Path, count: int) -> None:
    make(sys.executable, tmp_path / "made", count, 1)
    assert_repeats(sys.executable, tmp_path / "made")


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_pythons_repeat_every_packet_of_each_other(tmp_path: Path, other_python: str) -> None:
    make(sys.executable, tmp_path / "ours", MANY, 1)
    assert_repeats(other_python, tmp_path / "ours")
    make(other_python, tmp_path / "theirs", MANY, 1)
    assert_repeats(sys.executable, tmp_path / "theirs")
