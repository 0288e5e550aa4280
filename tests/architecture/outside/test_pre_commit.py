"""The hooks of .pre-commit-config.yaml bring what `make test` uses, in the same versions."""

import re
import tomllib
from typing import Any, Final

import yaml

from tests.architecture.tree import ROOT

REPOSITORIES: Final[list[dict[str, Any]]] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))[
    "repos"
]
HOOKS: Final[dict[str, dict[str, Any]]] = {hook["id"]: hook for found in REPOSITORIES for hook in found["hooks"]}
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: Final[dict[str, list[str]]] = PROJECT["optional-dependencies"]


def test_hooks_need_neither_another_repository_nor_our_venv() -> None:
    assert {found["repo"] for found in REPOSITORIES} == {"local"}
    assert {hook["language"] for hook in HOOKS.values()} == {"python"}


def test_hooks_are_the_commands_of_make() -> None:
    """But for the files: a hook is given those that are committed."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipes = "".join(re.findall(r"^(?:lint|typecheck):.*\n((?:\t.+\n)+)", makefile, re.MULTILINE))
    made = {line.removesuffix(" .").replace(" --check", "") for line in re.findall(r"\$\(BIN\)/(.+)", recipes)}
    assert made == {hook["entry"].removesuffix(" --force-exclude") for hook in HOOKS.values()}


def test_tools_have_the_versions_of_the_tests() -> None:
    for hook in ("ruff-check", "ruff-format", "lint-imports"):
        (tool,) = HOOKS[hook]["additional_dependencies"]
        assert tool in EXTRAS["test"]


def test_mypy_sees_what_the_code_imports() -> None:
    """Without one of them it would take its types for unknown, and be of another mind than `make typecheck`."""
    judged = [line for line in EXTRAS["test"] if re.match(r"import-linter==|mypy==|psycopg\[|types-", line)]
    wanted = [*PROJECT["dependencies"], *EXTRAS["broker"], *EXTRAS["pytest"], *judged]
    assert sorted(HOOKS["mypy"]["additional_dependencies"]) == sorted(wanted)
