"""Every message's and record's docstring says its byte layout, and says it rightly."""

import re

import pytest

from protocols.language import messages
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY
from protocols.language.records import RECORDS, Record
from protocols.language.structs import Struct

_CELL = re.compile(r"^(\d+) (\S+) (\w+)$")


def documented(model: type[Struct]) -> list[tuple[int, str, str]]:
    """(offset, wire type, field) of each cell in the layout lines of a docstring."""
    cells = []
    for line in (model.__doc__ or "").splitlines():
        if re.match(r"\s*\d+ \S+ \w+( \||$)", line):
            for cell in filter(None, (part.strip() for part in line.split("|"))):
                match = _CELL.match(cell)
                assert match is not None, f"{model.__name__}: {cell!r} is no cell of a layout"
                cells.append((int(match[1]), match[2], match[3]))
    return cells


def actual(model: type[Struct]) -> list[tuple[int, str, str]]:
    """The same, off the compiled layout; a record's kind stands in its byte 8."""
    found = layout(model)
    cells = []
    offset = 0
    for name, wire in found.fields:
        if issubclass(model, Record) and offset == 8:
            cells.append((offset, "u8", "kind"))
            offset += 1
        cells.append((offset, wire.name, name))
        offset += wire.size
    if found.tail is not None:
        cells.append((offset, found.tail.name, found.tail_name))
    return cells


@pytest.mark.parametrize("model", [*REGISTRY.values(), *RECORDS.values()], ids=lambda model: model.__name__)
def test_docstring_is_the_layout(model: type[Struct]) -> None:
    assert documented(model) == actual(model)
    if not actual(model):
        assert "No payload." in (model.__doc__ or "")


def test_every_message_is_exported() -> None:
    catalogue = [model for model in REGISTRY.values() if model.__module__.startswith("protocols.")]
    assert sorted(model.__name__ for model in catalogue) == sorted(messages.__all__)
