"""The compiled core, where it is what is installed: all of it is native, and does what its sources do."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import compiled_core
import pytest

from handpiece_shell.version import is_compiled, version_text
from tests.patience import patience

SOURCES = os.environ.get("PURE_SOURCES", "")
"""The tree that the installed wheel was compiled from."""

pytestmark = pytest.mark.skipif(not SOURCES, reason="runs in `make compiled` alone")


def _modules() -> list[str]:
    return [path.removesuffix(".py").replace("/", ".") for path in compiled_core.core(Path(SOURCES))]


def test_every_module_of_the_core_is_native() -> None:
    read = {name: str(importlib.import_module(name).__file__) for name in _modules()}
    assert len(read) > 50
    assert {name: file for name, file in read.items() if file.endswith(".py")} == {}


def test_the_build_says_what_it_is() -> None:
    assert is_compiled()
    assert version_text().endswith(" (compiled core)")


@pytest.mark.parametrize(
    "url",
    [
        "sim://?seed=7",
        "sim://?seed=8&sensor_false_negative_p=0.02&partial_p=0.2&clog_hazard=0.005",
        "sim://?seed=9&baud=19200",
    ],
    ids=["default", "faults", "slow line"],
)
def test_the_trace_is_that_of_the_sources_to_the_byte(url: str, tmp_path: Path) -> None:
    compiled = _trace(url, tmp_path / "compiled", "")
    assert len(compiled) > 100_000
    assert compiled == _trace(url, tmp_path / "pure", SOURCES)


def test_a_memory_in_a_file_is_gone_on_with_in_the_same_way(tmp_path: Path) -> None:
    """A new memory has an epoch that is drawn: so both go on with the one that a session before has left."""
    url = "sim://?seed=10&nvm=device.nvm"
    _trace(url, tmp_path / "before", SOURCES)
    for name in ("compiled", "pure"):
        (tmp_path / name).mkdir()
        shutil.copy(tmp_path / "before" / "device.nvm", tmp_path / name)
    compiled = _trace(url, tmp_path / "compiled", "")
    assert len(compiled) > 100_000
    assert compiled == _trace(url, tmp_path / "pure", SOURCES)


def _trace(url: str, folder: Path, sources: str) -> bytes:
    """The trace of a session of 1,000 cores, by the sources or, without any, by what is installed."""
    folder.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if sources:
        environment["PYTHONPATH"] = sources
    program = "import sys; from handpiece_shell import version; from devicectl.cli import main; " + (
        f"assert version.is_compiled() is {not sources}; sys.exit(main())"
    )
    line = ["run", "--device", url, "--target-cores", "1000", "--trace", "trace", "--log", "log.sqlite"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (folder / "trace").read_bytes()
