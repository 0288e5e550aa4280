"""A program with one defect: a module's text is changed as it is loaded, and the tree stays as it is.

    python -m tests.soak.twins.mutated FILE < MUTANT        records a probe of the device with the defect in FILE

MUTANT is a JSON list: the module's path in the tree, its text, the replacement.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import cast

from tests.architecture.tree import ROOT


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module with another text; nothing is read from or written to a cache."""

    def __init__(self, fullname: str, path: str, text: str, replacement: str) -> None:
        super().__init__(fullname, path)
        self._change = text, replacement

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        """Compile the changed text."""
        content = Path(self.path).read_text(encoding="utf-8")
        assert content.count(self._change[0]) == 1
        return compile(content.replace(*self._change), self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module before anybody else does."""

    def __init__(self, path: str, text: str, replacement: str) -> None:
        self._name = path.removesuffix(".py").replace("/", ".")
        self._loader = _Loader(self._name, str(ROOT / path), text, replacement)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Give the changed module, where it is asked for."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._loader.path, loader=self._loader)


def main() -> None:
    """Put the defect in, and record."""
    file, text, replacement = cast("list[str]", json.load(sys.stdin))
    finder = _Finder(file, text, replacement)
    assert finder._name not in sys.modules, "the module was loaded without its defect"
    sys.meta_path.insert(0, finder)
    from tests.soak.twins.probe import probe

    line = probe()
    assert finder._name in sys.modules, f"the probe does not load {file}"
    Path(sys.argv[1]).write_bytes(line.file())


if __name__ == "__main__":
    main()
