"""Judges the branch coverage of the pure core, package by package, after `make coverage` has measured it.

    python -m tests.architecture.outside.pure_coverage

Law: which modules are pure is written once, in the import contract of pyproject.toml.
"""

import io
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from coverage import Coverage

ROOT: Final = Path(__file__).parents[3]
BOUND: Final = 100.0
"""Percent of lines and branches. A branch that no test reaches is dead, or a promise that nothing holds."""


def pure(project: dict[str, Any]) -> list[str]:
    """Return the pure packages and modules: what the contract of that name lists, a package by its parts."""
    contracts = project["tool"]["importlinter"]["contracts"]
    (names,) = (contract["source_modules"] for contract in contracts if "are pure" in contract["name"])
    return sorted(part for name in names for part in _parts(name))


def _parts(name: str) -> Iterator[str]:
    """Yield a top package's own packages and modules; of anything else, itself."""
    folder = ROOT / name
    if not folder.is_dir():
        yield name
        return
    for path in folder.iterdir():
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file():
            yield f"{name}.{path.stem}"


def percent(measured: Coverage, name: str) -> float:
    """Return how much of a package or module was covered, lines and branches together."""
    place = ROOT / name.replace(".", "/")
    include = f"{place}/*" if place.is_dir() else f"{place}.py"
    return measured.report(include=[include], file=io.StringIO(), skip_covered=False)


def faults(found: dict[str, float]) -> list[str]:
    """Return what is below the bound."""
    return [f"{name}: {value:.2f} %, bound {BOUND} %" for name, value in found.items() if value < BOUND]


def main() -> None:
    """Print each package's figure; exit with what is not as it should be."""
    measured = Coverage()
    measured.load()
    found = {
        name: percent(measured, name) for name in pure(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))
    }
    print(*(f"{value:7.2f} %  {name}" for name, value in found.items()), sep="\n")
    sys.exit("\n".join(faults(found)) or None)


if __name__ == "__main__":
    main()
