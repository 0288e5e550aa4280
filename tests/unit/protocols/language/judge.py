"""Pydantic's judgement of the values of a message or record.

Law: its models are made of what the fields declare, and know nothing of the product's own checks.
"""

from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from protocols.language import fields
from protocols.language.structs import Struct


def by_pydantic(struct: type[Struct], values: dict[str, Any]) -> dict[str, Any] | None:
    """The values as pydantic holds them; None where it refuses them."""
    try:
        return _model(struct).model_validate(values).model_dump()
    except ValidationError:
        return None


@cache
def _model(struct: type[Struct]) -> type[BaseModel]:
    strict = ConfigDict(extra="forbid", strict=True)
    declared: dict[str, Any] = {name: (_annotation(field), ...) for name, field in struct.FIELDS.items()}
    return create_model(struct.__name__, __config__=strict, **declared)


def _annotation(field: fields.Field) -> Any:
    low, high = field.range.low, field.range.high
    if field.kind is int:
        return Annotated[int, Field(ge=low, le=high)]
    if field.kind is tuple:
        return tuple[Annotated[int, Field(ge=low, le=high)], ...]
    if field.kind is float:
        return Annotated[float, Field(allow_inf_nan=False, ge=low, le=high)]
    return Annotated[str, AfterValidator(_Fits(field.wire.size))] if field.kind is str else field.kind


class _Fits:
    """Takes a text without NUL of at most `size` bytes."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, text: str) -> str:
        if "\0" in text or len(text.encode()) > self.size:
            raise ValueError("it does not fit")
        return text
