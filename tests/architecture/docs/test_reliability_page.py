"""The page of promises: each has a figure, a command that is there, and its limits."""

import re
import shlex
from typing import Final

import pytest

from tests.architecture.tree import ROOT

PAGE: Final = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
OPTIONS: Final = (ROOT / "docs/generated/command_line.md").read_text(encoding="utf-8")
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not re.match(r"\| *(promise|speed|---)|\|---", line)
]
COMMANDS: Final = sorted({command for row in ROWS for command in re.findall(r"`([^`]+)`", row[-2])})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_row_has_a_promise_a_figure_a_command_and_its_limits(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)
    assert re.search(r"\d", row[1]) or "same" in row[1], "a figure"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_run(command: str) -> None:
    program, *words = shlex.split(command)
    match program:
        case "make":
            assert f"\n{words[0]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
        case "python":
            module = ROOT / words[1].replace(".", "/")
            assert words[0] == "-m"
            if words[1] == "pytest":
                assert (ROOT / words[-1]).exists()
            else:
                assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
        case "devicectl":
            section = re.search(rf"^## `?devicectl {words[0]}`?$.*?(?=^## |\Z)", OPTIONS, re.MULTILINE | re.DOTALL)
            assert section
            assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", section[0]))
        case _:
            pytest.fail(f"no such program: {program}")
