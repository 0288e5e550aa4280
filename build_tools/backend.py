"""The build of setuptools, which also compiles the core where DEVICECTL_COMPILE=1 asks for it.

Law: without that variable it is setuptools and nothing else: no compiler, no further requirement, a pure wheel.
"""

import os
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

from compiled_core import TREE, wanted
from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

_PURE = "leave out DEVICECTL_COMPILE for the same program, slower, without a compiler"


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Requirements beyond setuptools: to compile, the mypy that the tests pin and the packages that bring the types."""
    if not wanted():
        return []
    _check_compiler()
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    mypy = next(line for line in project["optional-dependencies"]["test"] if line.startswith("mypy=="))
    return [mypy, *project["dependencies"]]


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """A pure wheel or, where asked for, one for this Python and system."""
    if wanted():
        _check_compiler()
    name: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    return name


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """An editable install, which runs the sources as they are."""
    if wanted():
        sys.exit(f"an editable install runs the sources and cannot be compiled; {_PURE}, or install without --editable")
    name: str = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    return name


def _check_compiler() -> None:
    """End with one sentence where there is nothing to compile with."""
    if os.name != "posix":
        return  # setuptools looks for Microsoft's compiler itself, and says so where there is none
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    program = compiler.split()[0]
    if shutil.which(program) is None:
        sys.exit(f"DEVICECTL_COMPILE needs a C compiler, and there is no {program}: install one, or {_PURE}")
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.is_file():
        sys.exit(f"DEVICECTL_COMPILE needs Python's headers, and there is no {header}: install them, or {_PURE}")
