"""The files of the source tree, as the tests of the tree see them."""

import subprocess
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("protocols", "handpiece_shell", "firmware_sim", "devicectl")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file under version control or about to be, that is there; of an export, each that was not made there."""
    return _in_git() if (ROOT / ".git").exists() else of_export(ROOT)


def _in_git() -> tuple[Path, ...]:
    line = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(line, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return tuple(path for name in sorted(set(names) - {""}) if (path := ROOT / name).is_file())


def of_export(root: Path) -> tuple[Path, ...]:
    """Every file below a folder but for what a .gitignore names: plain names and endings, the root's at any depth."""

    def kept(path: Path) -> bool:
        anywhere, here = _patterns(root), _patterns(path.parent)
        parts = path.relative_to(root).parts
        made = any(fnmatch(part, pattern) for part in parts for pattern in anywhere)
        return path.is_file() and not made and not any(fnmatch(path.name, pattern) for pattern in here)

    return tuple(sorted(path for path in root.rglob("*") if kept(path)))


@cache
def _patterns(folder: Path) -> list[str]:
    path = folder / ".gitignore"
    return [line.rstrip("/") for line in path.read_text(encoding="utf-8").split()] if path.is_file() else []


def texts() -> Iterator[tuple[str, str]]:
    """Name in the tree and content of every tracked file that is text."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path.relative_to(ROOT).as_posix(), data.decode("utf-8")


def modules() -> Iterator[tuple[str, Path]]:
    """Dotted name and file of every module of the four packages."""
    for path in tracked():
        name = path.relative_to(ROOT)
        if name.parts[0] in PACKAGES and path.suffix == ".py":
            parts = name.with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def pure_names() -> list[str]:
    """Modules, and packages with all that is in them, that the import contract calls pure."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    (found,) = (contract["source_modules"] for contract in contracts if "are pure" in contract["name"])
    return list(found)
