"""Whether this package's own `protocols` is the one that Python finds: a repository may have a folder of that name.

Law: it imports nothing of the package, which could not be imported where that is so.
"""

import importlib.util
from pathlib import Path
from typing import Final

import pytest

_OURS: Final = "serial_wire.py"


def hidden() -> str | None:
    """Where the `protocols` is that hides ours; None where nothing does."""
    found = importlib.util.find_spec("protocols")
    places = [Path(place) for place in (found.submodule_search_locations or [])] if found is not None else []
    if any((place / _OURS).is_file() for place in places):
        return None
    return str(places[0]) if places else "nowhere"


def require() -> None:
    """Fail the test with a sentence where `protocols` is another one's."""
    where = hidden()
    if where is not None:
        pytest.fail(
            f"{where} hides the package `protocols` that the handpiece is made with: use the fixture handpiece_url, "
            "whose simulator runs in a process of its own, or rename that folder",
            pytrace=False,
        )
