"""The contracts of pyproject.toml hold, and no module escapes them."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from typing import Any, Final

import pytest
from importlinter.cli import lint_imports

from tests.architecture.tree import ROOT, modules, pure_names

SHELLS: Final = (
    "devicectl",
    "devicectl.__main__",
    "devicectl.campaign",
    "devicectl.cli",
    "devicectl.clock",
    "devicectl.conformance",
    "devicectl.drivers",
    "devicectl.handpiece",
    "devicectl.log",
    "devicectl.monitor",
    "devicectl.monitor.line",
    "devicectl.monitor.screen",
    "devicectl.monitor.spy",
    "devicectl.monitor.watching",
    "devicectl.plan_file",
    "devicectl.real_time",
    "devicectl.simulation",
    "devicectl.station",
    "devicectl.testing",
    "devicectl.transports",
    "firmware_sim",
    "firmware_sim.__main__",
    "firmware_sim.cli",
    "firmware_sim.clock",
    "firmware_sim.memory_file",
    "firmware_sim.powering",
    "firmware_sim.serve",
    "firmware_sim.twin_program",
    "handpiece_shell",
)
"""Modules, and packages with all that is in them, that may touch the world. Every other module is pure."""

CONFIGURATION: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _within(name: str, package: str) -> bool:
    # A root package stands for its own __init__ alone, or nothing in it would have to be named.
    return name == package or (package not in ("devicectl", "firmware_sim") and name.startswith(f"{package}."))


def test_import_contracts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_every_module_is_pure_or_a_shell() -> None:
    known = (*pure_names(), *SHELLS)
    strays = [name for name, _ in modules() if not any(_within(name, package) for package in known)]
    assert not strays, "name them in the contract of the pure modules in pyproject.toml; SHELLS is for what does I/O"


def test_no_list_names_a_module_that_is_gone() -> None:
    there = {name for name, _ in modules()}
    assert not [name for name in (*pure_names(), *SHELLS) if name not in there]


def _imported() -> set[str]:
    """The packages that the product's modules name in an import, but for Python's and its own."""
    found = set()
    for _, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"devicectl", "firmware_sim", "handpiece_shell", "protocols"}


def test_what_is_imported_is_asked_for_by_name() -> None:
    """Not through a dependency that has it today: that one may go, and its own range need not be ours."""
    project = CONFIGURATION["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["broker"], *extras["station"]]
    asked_for = {re.split(r"[^\w-]", line)[0].lower() for line in lines}
    distributions = importlib.metadata.packages_distributions()
    # Whoever uses the fixtures has pytest; pydantic pins its core to itself; uvloop is an extra of that name, which
    # the tests run without; distributed and aalpy are the extras `cluster` and `learn`, whose lack is said in one line.
    exempt = {"aalpy", "distributed", "pytest", "pydantic_core", "uvloop"}
    needed = {name: {one.lower() for one in distributions.get(name, ())} for name in _imported() - exempt}
    assert not {name for name, providers in needed.items() if not providers & asked_for}


def test_a_clock_is_read_in_two_modules_only() -> None:
    """Which ruff's banned-api cannot see: `import time` itself."""
    allowed = {"devicectl/clock.py", "firmware_sim/clock.py"}
    readers = {
        path.relative_to(ROOT).as_posix()
        for _, path in modules()
        if any(line.split("#")[0].split() in (["import", "time"],) for line in path.read_text("utf-8").splitlines())
    }
    assert readers <= allowed


def test_a_crc_is_computed_by_one_module() -> None:
    """So that another implementation of it can be put in its place: decision 3."""
    users = [path.relative_to(ROOT).as_posix() for _, path in modules() if "google_crc32c" in path.read_text("utf-8")]
    assert users == ["protocols/language/checksum.py"]
