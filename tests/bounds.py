"""Names the versions that `make bounds` tests with, and judges whether they are what was installed.

    python -m tests.bounds lowest           the dependencies, as requirements: of these uv takes the lowest
    python -m tests.bounds newest           the tests' own packages without their pins, as overrides
    python -m tests.bounds check-lowest     fails where another version of a dependency is installed

Law: the standard library alone, and no Python newer than the package wants.
"""

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).parents[1] / "pyproject.toml"


def bounds(requirements: list[str]) -> dict[str, str]:
    """Return the lowest version of each dependency by its name.

    Raises:
        ValueError: one has none, so that any version would do.
    """
    found = {line: re.match(r"([\w-]+)>=([\d.]+)", line) for line in requirements}
    unbound = [line for line, match in found.items() if match is None]
    if unbound:
        raise ValueError(f"no lowest version: {', '.join(unbound)}")
    return {match[1]: match[2] for match in found.values() if match is not None}


def is_lowest(installed: str, bound: str) -> bool:
    """Return whether a version is the bound, which may leave out zeros at its end."""
    return re.fullmatch(re.escape(bound) + r"(\.0)*", installed) is not None


def main() -> None:
    """Print what the argument names, or exit with what is not as it should be."""
    project: dict[str, Any] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    match sys.argv[1]:
        case "lowest":
            print(*project["dependencies"], sep="\n")
        case "newest":
            print(*(re.split("[=<>]", line)[0] for line in project["optional-dependencies"]["pytest"]), sep="\n")
        case "check-lowest":
            lowest = bounds(project["dependencies"])
            higher = [
                f"{name} {version(name)}" for name, least in lowest.items() if not is_lowest(version(name), least)
            ]
            sys.exit(f"not the lowest: {', '.join(higher)}" if higher else None)


if __name__ == "__main__":
    main()
