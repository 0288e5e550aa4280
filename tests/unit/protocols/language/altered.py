"""Messages and records with other values in some fields, and values to build one of."""

from typing import Any, TypeVar

from protocols.language.structs import Struct

AnyStruct = TypeVar("AnyStruct", bound=Struct)


def altered(struct: AnyStruct, **values: Any) -> AnyStruct:
    """The same with other values in some fields, which nothing checks."""
    assert values.keys() <= struct.FIELDS.keys()
    return struct.unchecked(**{**struct.as_dict(), **values})


def zeros(struct: type[Struct]) -> dict[str, Any]:
    """0 for each field, to be replaced where it is no number."""
    return dict.fromkeys(struct.FIELDS, 0)
