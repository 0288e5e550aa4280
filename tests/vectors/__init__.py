"""The golden vectors, as the installed product has them."""

import json
from importlib import resources
from typing import Any, Final


def load(name: str) -> Any:
    """The content of `frames.json` or `records.json`."""
    return json.loads(resources.files("protocols").joinpath("published", "vectors", name).read_text(encoding="utf-8"))


PHRASES: Final = {
    "too short": "needs",
    "bad UTF-8": "utf-8",
    "text after NUL": "after its NUL",
    "out of range": "outside",
    "not finite": "not a finite number",
    "odd tail": "whole elements",
}
"""Reason of a vector whose payload is bad -> what our own words for it have in them."""
