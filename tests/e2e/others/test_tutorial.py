"""docs/tutorial.md is carried out as it stands, in one folder: each program, each command, each line of output."""

import os
import re
import subprocess
import sysconfig
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.patience import patience

PAGE: Final = Path(__file__).parents[3] / "docs" / "tutorial.md"
SCRIPTS: Final = sysconfig.get_path("scripts")
INSTALL: Final = "python3 -m venv .venv\n. .venv/bin/activate\npip install . pytest pytest-asyncio\n"


def _blocks() -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def _run(commands: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": os.pathsep.join((SCRIPTS, os.environ["PATH"])), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        ["sh", "-e"], input=commands, cwd=folder, env=environment, capture_output=True, text=True, timeout=patience()
    )
    assert done.returncode == 0, f"{commands}{done.stdout}{done.stderr}"
    return done.stdout


def _columns(text: str) -> list[str]:
    """Lines with one blank between columns, however wide a terminal would make them."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_page_is_carried_out(tmp_path: Path) -> None:
    shown = 0
    for (kind, text), (after, expected) in pairwise([*_blocks(), ("", "")]):
        if kind == "python":
            name = text.split()[1]
            assert text.startswith(f"# {name}\n"), "a program begins with the name of its file"
            (tmp_path / name).write_text(text, encoding="utf-8")
        elif kind == "sh" and text != INSTALL:
            said = _columns(_run(text, tmp_path))
            assert after == "text", f"what does it show? {text}"
            for line in _columns(expected):
                found = [number for number, given in enumerate(said) if given.startswith(line)]
                assert found, f"{line!r} is not in {said}"
                said = said[found[0] + 1 :]
                shown += 1
    assert shown >= 10
