"""The page of all messages, records and enumerations, off the annotations and docstrings of the code."""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum

from protocols.language.enums import Kind, NeedleOutcome, WireEnum
from protocols.language.fields import Field
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY, Message
from protocols.language.records import RECORDS, Record
from protocols.language.structs import Struct

PAGE_NAMES = {
    0x00: "link",
    0x01: "identity",
    0x02: "parameters",
    0x03: "procedure",
    0x04: "telemetry",
    0x05: "journal",
    0x06: "alarms",
    0x0F: "simulation",
}
_KIND_OFFSET = 8
_HEAD = """# Messages

Made from `protocols/`; to change it, change the code and run `python -m tests.architecture.docs.generate_docs`.
What the columns mean is in [protocol.md](../protocol.md).
"""


def page() -> str:
    """The whole page, as Markdown."""
    models = sorted(
        (m for m in REGISTRY.values() if m.__module__.startswith("protocols.")), key=lambda m: (m.ID, m.KIND)
    )
    parts = [_HEAD, "## Overview\n", _table(("id", "kind", "message", "lane", "bytes"), map(_overview, models))]
    for number, name in PAGE_NAMES.items():
        parts.append(f"## Page {number:02X}: {name}\n")
        parts += [_message(model) for model in models if number == model.ID >> 8]
    parts.append("## Journal records\n\nEach is 32 bytes, zero-padded; see `JournalPage`.\n")
    parts += [_section(f"{model.KIND:d} {model.__name__}", model) for model in RECORDS.values()]
    parts.append("## Enumerations\n\nOne byte each. A value that is not listed reads as UNKNOWN where there is one.\n")
    parts += [_enumeration(kind) for kind in _enumerations()]
    return "\n".join(parts)


def _overview(model: type[Message]) -> tuple[str, ...]:
    lane = "" if model.LANE is None else model.LANE.value
    return f"0x{model.ID:04X}", model.KIND.name, f"[{model.__name__}](#{_anchor(model)})", lane, _size(model)


def _anchor(model: type[Message]) -> str:
    return f"{model.KIND.name}-0x{model.ID:04X}-{model.__name__}".lower()


def _size(model: type[Struct]) -> str:
    found = layout(model)
    return f"{found.size}" if found.tail is None else f"{found.size} + tail"


def _message(model: type[Message]) -> str:
    return _section(f"{model.KIND.name} 0x{model.ID:04X} {model.__name__}", model, model.SINCE)


def _section(title: str, model: type[Struct], added: int = 0) -> str:
    rows = list(_rows(model))
    table = _table(("offset", "type", "field", "unit", "range"), rows) if rows else "No payload.\n"
    history = f"Since minor {added}.\n\n" if added else ""
    return f"### {title}\n\n{_prose(model)}\n\n{history}{table}"


def _prose(model: type[Struct]) -> str:
    """A docstring without the lines of its layout, which the table says better."""
    lines = (line.strip() for line in (model.__doc__ or "").splitlines())
    kept = [line for line in lines if line != "No payload." and not re.match(r"\d+ \S+ \w+( \||$)", line)]
    return "\n".join(kept).strip()


def _rows(model: type[Struct]) -> Iterator[tuple[str, ...]]:
    offset = 0
    for name, field in model.FIELDS.items():
        if issubclass(model, Record) and offset == _KIND_OFFSET:
            yield str(offset), "u8", "`kind`", "", f"{model.KIND:d}"
            offset += 1
        appended = f" (since minor {field.since})" if field.since else ""
        yield str(offset), field.wire.name, f"`{name}`{appended}", field.unit, _range(field)
        offset += field.wire.size


def _range(field: Field) -> str:
    """Bounds of a value beyond its width."""
    if issubclass(field.kind, WireEnum):
        return f"[{field.kind.__name__}](#{field.kind.__name__.lower()})"
    if field.narrowed:
        return f"{field.range.low:,} to {field.range.high:,}"
    return "finite" if field.wire.name == "f64" else ""


def _enumerations() -> list[type[IntEnum]]:
    return [Kind, NeedleOutcome, *WireEnum.__subclasses__()]


def _enumeration(kind: type[IntEnum]) -> str:
    rows = [(str(member.value), member.name) for member in kind]
    return f"### {kind.__name__}\n\n{_prose_of(kind.__doc__)}\n\n{_table(('value', 'name'), rows)}"


def _prose_of(text: str | None) -> str:
    return "\n".join(line.strip() for line in (text or "").splitlines()).strip()


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
