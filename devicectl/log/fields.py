"""Fields of `SessionStart` as the log stores them: read from its annotations, so that each is declared once.

Law: no SQL. `schema` makes columns of these fields, `queries` reads them back, exports and reports list them.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache, lru_cache
from operator import itemgetter
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from devicectl.session.entries import Kept, SessionStart
from devicectl.session.plan import Plan

DISTINCT: Final = 64
"""Plans and versions that are remembered: a log of thousands of sessions has few different ones."""


Convert = Callable[[Any], object]
"""Turns a value of one kind, which its row of `_FORMS` names, into another."""


class Form(Enum):
    """Form in which a value is stored."""

    FLAG = "yes or no"
    SMALL = "integer of 31 bits"
    WIDE = "integer of 63 bits"
    TEXT = "text"
    DIGITS = "integer, as decimal digits"
    DAY = "date"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `SessionStart`; `to_column` and `from_column` turn its value into a column's and back."""

    name: str
    form: Form
    optional: bool
    kept: Kept
    to_column: Convert
    from_column: Convert


def _same(value: object) -> object:
    return value


def _plan_to_column(plan: Plan) -> str:
    return plan.model_dump_json()


@lru_cache(maxsize=DISTINCT)
def _plan_from_column(text: str) -> Plan:
    return Plan.model_validate_json(text)


def _mapping_to_column(mapping: Mapping[str, str]) -> str:
    return json.dumps(mapping, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=DISTINCT)
def _mapping_from_column(text: str) -> Mapping[str, str]:
    found: dict[str, str] = json.loads(text)
    return found


_FORMS: Final[dict[object, tuple[Form, Convert, Convert]]] = {
    bool: (Form.FLAG, _same, _same),
    int: (Form.WIDE, _same, _same),
    str: (Form.TEXT, _same, _same),
    date: (Form.DAY, _same, _same),
    Plan: (Form.JSON, _plan_to_column, _plan_from_column),
    Mapping[str, str]: (Form.JSON, _mapping_to_column, _mapping_from_column),
}
"""Type of a field -> its form, the way into a column and the way back."""


def _field(name: str, annotated: object) -> Field:
    annotation, kept = get_args(annotated)
    optional = NoneType in get_args(annotation)
    kind = next(one for one in get_args(annotation) if one is not NoneType) if optional else annotation
    assert optional or kept.since == 1, f"{name}: logs of before version {kept.since} have none, so it must be optional"
    form, to_column, from_column = _FORMS[kind]
    if kept.digits:
        form, to_column, from_column = Form.DIGITS, str, int
    elif kept.small:
        form = Form.SMALL
    return Field(name, form, optional, kept, to_column, from_column)


FIELDS: Final = tuple(
    _field(name, annotated) for name, annotated in get_type_hints(SessionStart, include_extras=True).items()
)
"""Every field, in the order of the class."""
LATER: Final = tuple(field for field in FIELDS if field.kept.since > 1)
"""Those that came after the first version. Tables have them last, so that earlier columns keep their place."""


def to_columns(start: SessionStart) -> dict[str, object]:
    """Return a session's start as columns by name."""
    values = {field: getattr(start, field.name) for field in FIELDS}
    return {field.name: None if value is None else field.to_column(value) for field, value in values.items()}


@cache
def reader_of(names: tuple[str, ...]) -> Callable[[Sequence[object]], SessionStart]:
    """Return what reads a session's start from a row with columns of these names; a field without a column is None.

    The places of the fields are found once: a list has a hundred thousand rows.
    """
    places = {name: place for place, name in enumerate(names)}
    take = itemgetter(*(places.get(field.name, -1) for field in FIELDS))
    converted = [(index, field.from_column) for index, field in enumerate(FIELDS) if field.from_column is not _same]

    def read(values: Sequence[object]) -> SessionStart:
        found: list[Any] = [*take((*values, None))]
        for index, convert in converted:
            if found[index] is not None:
                found[index] = convert(found[index])
        return SessionStart(*found)

    return read


def to_plain(start: SessionStart, fields: Iterable[Field] = FIELDS) -> dict[str, object]:
    """Return fields by name, as values for JSON."""
    return {field.name: _plain(getattr(start, field.name)) for field in fields}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Plan):
        return value.model_dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else value
