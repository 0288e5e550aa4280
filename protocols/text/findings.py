"""Findings of pydantic in a file that a user wrote, as sentences: where, and what would be right there.

Law: pure. A model's fields say what is right for them in their `description`, and nothing else is said about them.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError

from protocols.text.values import Steps


class Finding(NamedTuple):
    """One thing that is wrong: the steps to it, its value, what would be right; `of_key` where its key is wrong."""

    steps: Steps
    value: object
    right: str
    of_key: bool = False


def first_finding(error: ValidationError, root: type[BaseModel], noun: str) -> Finding:
    """Return the first of an error's findings in a file that is called `noun` and has the keys of `root`.

    A key that is none comes before one that is missing: it may be that one, with a slip of the pen.
    """
    found = error.errors(include_url=False)
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    steps = first["loc"]
    model, field = _locate(root, steps)
    known = ", ".join(model.model_fields)
    if first["type"] == "extra_forbidden":
        hint = did_you_mean(field, model.model_fields)
        return Finding(steps, first["input"], f"is no key of {noun} here: those are {known}{hint}", of_key=True)
    if first["type"] == "missing":
        return Finding(steps, None, f"is missing: must be {model.model_fields[field].description}", of_key=True)
    right = model.model_fields[field].description if field else f"a mapping with the keys {known}"
    return Finding(steps, first["input"], f"must be {right}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names what looks most like a word, "" if nothing does."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _locate(root: type[BaseModel], steps: Steps) -> tuple[type[BaseModel], str]:
    """Return the model that steps end in, and the field there; "" for the model as a whole."""
    model, field = root, ""
    for step in steps:
        inner = _model_of(model, field)
        if inner is not None:
            named = get_origin(model.model_fields[field].annotation) is dict
            model, field = inner, ""
            if named:  # the step is the name of an item
                continue
        elif _is_mapping(model, field):  # the step is the name of a plain value
            continue
        if isinstance(step, str):
            field = step
    return model, field


def _is_mapping(model: type[BaseModel], field: str) -> bool:
    return field in model.model_fields and get_origin(model.model_fields[field].annotation) is dict


def _model_of(model: type[BaseModel], field: str) -> type[BaseModel] | None:
    """Return the model of a field's value, or of each item of that; None where it has none."""
    if field not in model.model_fields:
        return None
    annotation = model.model_fields[field].annotation
    parts = (annotation, *get_args(annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)
