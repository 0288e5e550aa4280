"""What a user gets from the wheel: the packages where pip put them, typed, with both programs.

`make wheel` runs this outside the source tree; there, nothing may come from the sources.
"""

import importlib.metadata
import importlib.resources
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.patience import patience

PACKAGES = ("protocols", "handpiece_shell", "firmware_sim", "devicectl")
PLUGIN = "pytest_handpiece.py"
SCRIPTS = Path(sysconfig.get_path("scripts"))


def _run(program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(SCRIPTS / program), *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=patience())


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package: str) -> None:
    assert importlib.resources.files(package).joinpath("py.typed").is_file()


@pytest.mark.skipif("INSTALLED_WHEEL" not in os.environ, reason="runs in `make wheel` alone")
@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_comes_from_the_sources(package: str) -> None:
    where = Path(str(importlib.resources.files(package)))
    assert where.parent == Path(sysconfig.get_path("purelib"))


def test_no_python_but_the_three_packages_and_the_plugin_is_installed() -> None:
    files = [file for file in importlib.metadata.distribution("devicectl").files or () if file.suffix == ".py"]
    # In a tree that was built, the list is that of its sources, which has the build's own as well.
    built = set() if "INSTALLED_WHEEL" in os.environ else {"build_tools", "setup.py"}
    assert {file.parts[0] for file in files if len(file.parts) > 1} <= {*PACKAGES, *built}
    # An editable install has a finder of its maker's beside it.
    assert {file.name for file in files if len(file.parts) == 1 and "__editable__" not in file.name} <= {PLUGIN, *built}
    assert importlib.util.find_spec(PLUGIN.removesuffix(".py")) is not None


@pytest.mark.parametrize("program", ["devicectl", "firmware-sim"])
def test_program_says_what_it_is(program: str, tmp_path: Path) -> None:
    done = _run(program, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "TRAINING SIMULATOR - NOT A MEDICAL DEVICE" in " ".join(done.stdout.split())


def test_short_session_runs_from_an_empty_folder(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    done = _run("devicectl", "run", "--seed", "7", "--target-cores", "60", "--json", "--log", str(log), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["state"] == "completed"
    assert summary["reconciled"] is True
    assert summary["simulated"] is True
    assert summary["cores_counted"] >= 60
    assert log.stat().st_size > 0


def test_what_another_language_needs_travels_with_the_package(tmp_path: Path) -> None:
    done = _run("devicectl", "spec", "--out", "spec", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "spec").iterdir()}
    assert {"hlp1.h", "hlp1.lua", "frames.json", "records.json", "schemas.json", "messages.md", "parameters.md"} < made
    assert {f"asyncapi-{side}.json" for side in ("host", "device")} < made


@pytest.mark.parametrize("line", [("devicectl", "--help"), ("devicectl", "run", "--help"), ("firmware-sim", "--help"),
                                  ("firmware-sim", "serve", "--help"), ("firmware-sim", "exec", "--help")])  # fmt: skip
def test_help_names_what_is_there(line: tuple[str, ...], tmp_path: Path) -> None:
    done = _run(line[0], *line[1:], cwd=tmp_path)
    assert done.returncode == 0 and "docs/" not in done.stdout and "tests/" not in done.stdout
