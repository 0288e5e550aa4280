"""The map of the test helpers, tests/README.md, names each of them."""

import re
from typing import Final

from tests.architecture.tree import ROOT, tracked

NO_HELPERS: Final = re.compile(r".*__init__\.py|vectors/.*|architecture/docs/.*")
"""Packages, and programs that write vectors and pages."""


def test_each_helper_is_on_the_map() -> None:
    page = (ROOT / "tests/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w/]+\.py", page))
    helpers = [
        path.relative_to(ROOT / "tests").as_posix()
        for path in tracked()
        if path.is_relative_to(ROOT / "tests") and path.suffix == ".py" and not path.name.startswith("test_")
    ]
    shared = [name for name in helpers if not NO_HELPERS.fullmatch(name)]
    assert not [name for name in shared if name not in named], "say in tests/README.md what it is for"
