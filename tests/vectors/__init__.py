"""The golden vectors, as the installed product has them."""

import json
from importlib import resources
from typing import Any


def load(name: str) -> Any:
    """The content of `frames.json` or `records.json`."""
    return json.loads(resources.files("protocols").joinpath("published", "vectors", name).read_text(encoding="utf-8"))
