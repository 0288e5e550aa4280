"""Checks that Python finds this package's own `protocols`: a repository may have one of the same name.

Law: it imports nothing of the package, which could not be imported where that is so.
"""

import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Final

import pytest

_OURS: Final = "published/vectors/frames.json"
"""A file that no other `protocols` has, and that is there however the package was built."""


def hidden() -> str | None:
    """Return the path of the `protocols` that hides ours in this process, None if none does."""
    return _another(importlib.util.find_spec("protocols"))


def has_another(path: str) -> bool:
    """Return true if the folder `path` has a `protocols` that is not ours, which Python would import."""
    return _another(PathFinder.find_spec("protocols", [path])) is not None


def _another(found: ModuleSpec | None) -> str | None:
    places = list(found.submodule_search_locations or []) if found is not None else []
    if found is None or any((Path(place) / _OURS).is_file() for place in places):
        return None
    return places[0] if places else found.origin


def require() -> None:
    """Fail the test with a sentence where `protocols` is another one's."""
    where = hidden()
    if where is not None:
        pytest.fail(
            f"{where} hides the package `protocols` that the handpiece is made with: use the fixture handpiece_url, "
            "whose simulator runs in a process of its own, or rename it",
            pytrace=False,
        )
