"""A program with one defect: a module's text is changed as it is loaded, and the tree stays as it is."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

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
        self.name = _name(path)
        self._loader = _Loader(self.name, str(ROOT / path), text, replacement)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Give the changed module, where it is asked for."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._loader.path, loader=self._loader)


def put_in(file: str, text: str, replacement: str) -> None:
    """Have a module of this tree, which nobody has loaded yet, loaded with another text."""
    finder = _Finder(file, text, replacement)
    assert finder.name not in sys.modules, f"{file} was loaded without its defect"
    sys.meta_path.insert(0, finder)


def is_in(file: str) -> bool:
    """Return True if the module was loaded."""
    return _name(file) in sys.modules


def _name(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")
