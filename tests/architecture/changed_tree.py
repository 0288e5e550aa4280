"""A copy of the tree with a change in it: to show how many places a change touches, and that the rest follows.

    tree = ChangedTree(tmp_path)
    tree.append("protocols/language/interlocks.py", "HUMIDITY: Final = 24\\n")
    assert tree.places == {"protocols/language/interlocks.py"}
    assert tree.run("from protocols.language import interlocks; print(interlocks.HUMIDITY)") == "24\\n"

Law: an edit names text that is there exactly once, so that a test fails where the place that it names has moved.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.architecture.tree import ROOT, tracked

COPIED: Final = ("protocols", "handpiece_shell", "firmware_sim", "devicectl", "tests", "docs", "examples")
"""Folders of the copy; with them go the files at the top."""


class ChangedTree:
    """The tracked files of the tree below `folder`; `places` are the files that were changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: set[str] = set()
        for path in tracked():
            name = path.relative_to(ROOT)
            if len(name.parts) == 1 or name.parts[0] in COPIED:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def add(self, name: str, *, after: str, text: str) -> None:
        """Put `text` behind the one place at which the file `name` has `after`."""
        self.replace(name, after, after + text)

    def append(self, name: str, text: str) -> None:
        """Put `text` at the end of the file `name`."""
        path = self.folder / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
        self.places.add(name)

    def replace(self, name: str, old: str, new: str) -> None:
        """Put `new` in place of `old`, which the file `name` has once."""
        path = self.folder / name
        content = path.read_text(encoding="utf-8")
        assert content.count(old) == 1, f"{name} has {content.count(old)} times, and not once: {old!r}"
        path.write_text(content.replace(old, new), encoding="utf-8")
        self.places.add(name)

    def create(self, name: str, content: str) -> None:
        """Put a new file there."""
        path = self.folder / name
        assert not path.exists(), f"{name} is there already"
        path.write_text(content, encoding="utf-8")
        self.places.add(name)

    def run(self, code: str) -> str:
        """Run Python `code` on the changed tree, in a process of its own; what it prints."""
        return self._call("-c", code)

    def test(self, *arguments: str) -> str:
        """Run tests of the changed tree; pytest's report."""
        return self._call("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments)

    def _call(self, *arguments: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout
