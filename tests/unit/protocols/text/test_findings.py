"""Pydantic's findings as sentences: the steps, the value, and what would be right there."""

from typing import Annotated, Any, Final

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.text.findings import Finding, first_finding


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(description="a whole number")


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field("", description="a text")
    one: Inner | None = Field(None, description="a mapping")
    more: list[Inner] = Field([], description="a list of sizes")
    numbers: Annotated[list[int], Field(description="a list of whole numbers")] = []


FOUND: Final[dict[str, tuple[Any, Finding]]] = {
    "value": ({"name": 3}, Finding(("name",), 3, "must be a text")),
    "no mapping": (3, Finding((), 3, "must be a mapping with the keys name, one, more, numbers")),
    "inner": ({"one": {"size": "x"}}, Finding(("one", "size"), "x", "must be a whole number")),
    "inner as a whole": ({"one": 3}, Finding(("one",), 3, "must be a mapping")),
    "item": ({"more": [{"size": "x"}]}, Finding(("more", 0, "size"), "x", "must be a whole number")),
    "item as a whole": ({"more": [3]}, Finding(("more", 0), 3, "must be a mapping with the keys size")),
    "plain item": ({"numbers": [1, "x"]}, Finding(("numbers", 1), "x", "must be a list of whole numbers")),
    "missing": ({"more": [{}]}, Finding(("more", 0, "size"), None, "is missing: must be a whole number", of_key=True)),
    "stray": (
        {"far": 3},
        Finding(("far",), 3, "is no key of a file here: those are name, one, more, numbers", of_key=True),
    ),
    "slip": (
        {"one": {"sice": 3, "size": 1}},
        Finding(("one", "sice"), 3, "is no key of a file here: those are size; did you mean size?", of_key=True),
    ),
}


@pytest.mark.parametrize(("values", "finding"), FOUND.values(), ids=FOUND)
def test_a_finding_is_a_sentence_with_its_steps(values: Any, finding: Finding) -> None:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(values)
    assert first_finding(caught.value, Whole, "a file") == finding
