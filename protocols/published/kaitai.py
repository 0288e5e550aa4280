"""`hlp1.ksy`: frames, payloads and journal records for Kaitai Struct, off the annotations that the codec is made from.

It describes a frame as it is without its zeros and its byte stuffing. Neither COBS nor CRC-32C can be said in Kaitai's
language; a process of one's own would have to be written, and imported, before any parser made of this even loads.

Law: pure, and the same text each time. An id is right in every language that the compiler writes.
"""

import json
import keyword
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final

from protocols.language import alarm_codes
from protocols.language.enums import Kind, NeedleOutcome, RecordKind, WireEnum
from protocols.language.fields import Field
from protocols.language.message import Message
from protocols.language.messages import Event
from protocols.language.records import RECORD_SIZE, RECORDS, Record
from protocols.language.structs import Struct
from protocols.language.version import MAJOR, MINOR, PROTOCOL
from protocols.link.header import HEADER_SIZE
from protocols.mqtt.bodies import RECORD_FIELDS
from protocols.mqtt.topics import topic_name
from protocols.published.schemas import CATALOGUE, described
from protocols.text.notice import NOTICE

Node = Mapping[str, object] | Sequence[object] | str | int | float | bool
TYPES: Final = {"B": "u1", "H": "u2", "I": "u4", "Q": "u8", "i": "s4", "d": "f8"}
"""`struct` code -> Kaitai's type."""
_ELSEWHERE: Final = (
    "catch class default delete do enum event for int interface internal lock new out params ref switch this"
)
RESERVED: Final = frozenset((*keyword.kwlist, *_ELSEWHERE.split()))
"""Words of Python and of other languages that the compiler writes: a field that is called so has a longer id."""
_FINITE: Final = "_ - _ == 0"
"""False for NaN and the infinities alone."""
_DOC: Final = f"""\
{PROTOCOL}, the Handpiece Link Protocol, minor {MINOR}: one frame without its zeros and its byte stuffing.
{NOTICE}.

On the wire a frame is 00, COBS of these bytes, 00. Undo COBS first, and hold the CRC-32C in the last four bytes against
the rest: neither can be said here. A text goes up to its first NUL; that nothing follows it is not checked here.
Made from the models of the messages: to change it, change the code.
"""


def text() -> str:
    """The whole description, as YAML."""
    return f"# {NOTICE}\n" + "\n".join(_lines(_document(), 0)) + "\n"


def _document() -> dict[str, object]:
    return {
        "meta": {
            "id": "hlp1",
            "title": f"{PROTOCOL}, the Handpiece Link Protocol",
            "license": "MIT",
            "ks-version": 0.9,
            "endian": "le",
        },
        "doc": _DOC,
        "seq": [
            {"id": "header", "type": "header"},
            {"id": "payload", "size": "header.payload_size", "type": _switch("header.message_key", _by_key())},
            {"id": "crc", "type": "u4", "doc": "CRC-32C of all bytes before it."},
        ],
        "types": {**_header(), **_messages(), **_records()},
        "enums": {topic_name(kind.__name__): _members(kind) for kind in _enums()} | {"alarm_code": _alarm_codes()},
    }


def _switch(on: str, cases: Mapping[str, str]) -> dict[str, object]:
    return {"switch-on": on, "cases": dict(cases)}


def _by_key() -> dict[str, str]:
    return {f"0x{model.KIND << 16 | model.ID:05x}": topic_name(model.__name__) for model in CATALOGUE}


# --- header --------------------------------------------------------------------------------------------------------

_FLAGS: Final = (
    ("ignorable", "b2", "A receiver that does not know such a bit takes the frame as if it were clear."),
    ("must_understand", "b2", "A receiver that does not know such a bit does not act on the frame."),
    ("is_replayed", "b1", "This answer was given before: nothing was done for it now."),
    ("is_retransmit", "b1", "This frame was sent before."),
    ("is_reply_wanted", "b1", "The sender waits for an answer."),
    ("is_signed", "b1", "Reserved."),
)
"""Flags of the header's second byte, from the highest bit."""


def _header() -> dict[str, object]:
    numbers = [{"id": name, "type": "u2"} for name in ("message_id", "seq", "link_id", "correlation_id")]
    fields = [
        {"id": "major", "type": "b4", "valid": MAJOR},
        {"id": "kind", "type": "b4", "enum": "kind"},
        *({"id": name, "type": kind, "doc": doc} for name, kind, doc in _FLAGS),
        *numbers,
        {"id": "node", "type": "u1"},
        {"id": "payload_size", "type": "u1"},
    ]
    key = {"value": "kind.to_i << 16 | message_id", "doc": "Name of the message: its kind and its id."}
    doc = f"The {HEADER_SIZE} bytes before each payload."
    return {"header": {"doc": doc, "seq": fields, "instances": {"message_key": key}}}


# --- messages and records ------------------------------------------------------------------------------------------


def _messages() -> dict[str, object]:
    return {topic_name(model.__name__): _struct(model, _about(model)) for model in CATALOGUE}


def _about(model: type[Message]) -> str:
    since = f"\n\nSince minor {model.SINCE}." if model.SINCE else ""
    return f"{model.KIND.name} 0x{model.ID:04X}. {described(model)}{since}"


def _records() -> dict[str, object]:
    cases = {f"record_kind::{kind.name.lower()}": f"record_{topic_name(model.__name__)}" for kind, model in _kinds()}
    head = [_cell(Record, name, field) for name, field in Record.FIELDS.items()]
    kind = {"id": "kind", "type": "u1", "enum": "record_kind"}
    body = {"id": "body", "size-eos": True, "type": _switch("kind", cases)}
    any_record = {"doc": f"A record of the journal, {RECORD_SIZE} bytes.", "seq": [*head, kind, body]}
    own = {f"record_{topic_name(model.__name__)}": _struct(model, described(model)) for _, model in _kinds()}
    return {"journal_record": any_record, **own}


def _kinds() -> list[tuple[RecordKind, type[Record]]]:
    return [(RecordKind(kind), model) for kind, model in RECORDS.items()]


def _struct(model: type[Struct], doc: str) -> dict[str, object]:
    """A type: the fields of a message, or of a record without those that every record has."""
    own = {
        name: field for name, field in model.FIELDS.items() if not (issubclass(model, Record) and name in Record.FIELDS)
    }
    made: dict[str, object] = {"doc": doc, "seq": [_cell(model, name, field) for name, field in own.items()]}
    flags = {_id(name): {"value": f"{_id(name)}_byte != 0"} for name, field in own.items() if field.kind is bool}
    return {**made, "instances": flags} if flags else made


def _cell(model: type[Struct], name: str, field: Field) -> dict[str, object]:
    cell: dict[str, object] = {"id": f"{_id(name)}_byte" if field.kind is bool else _id(name)}
    cell |= _form(model, name, field)
    if field.unit:
        cell["doc"] = f"Unit: {field.unit}."
    if field.since:
        cell["if"] = "not _io.eof"
    return cell


def _form(model: type[Struct], name: str, field: Field) -> dict[str, object]:
    wire = field.wire
    if (model, name) in RECORD_FIELDS:
        once = {} if model is Event else {"repeat": "eos"}
        return {"size": RECORD_SIZE, "type": "journal_record", **once}
    if field.kind is bytes:
        return {"size-eos": True}
    if field.kind is str:
        return {"size": wire.size, "type": "strz", "encoding": "UTF-8"}
    if field.kind is bool:
        return {"type": "u1"}
    form: dict[str, object] = {"type": TYPES[wire.code]}
    if issubclass(field.kind, WireEnum):
        form["enum"] = topic_name(field.kind.__name__)
    if wire.tail:
        form["repeat"] = "eos"
    if field.kind is float:
        form["valid"] = {"expr": _FINITE}
    if field.narrowed:
        form["valid"] = {"min": field.range.low, "max": field.range.high}
    return form


def _id(name: str) -> str:
    """Return a field's id."""
    return f"{name}_value" if name in RESERVED else name


# --- enumerations --------------------------------------------------------------------------------------------------


def _enums() -> list[type[IntEnum]]:
    return [Kind, NeedleOutcome, *WireEnum.__subclasses__()]


def _members(kind: type[IntEnum]) -> dict[str, object]:
    return {str(member.value): member.name.lower() for member in kind}


def _alarm_codes() -> dict[str, object]:
    pairs = vars(alarm_codes).items()
    return {str(value): name.lower() for name, value in pairs if name.isupper() and isinstance(value, int)}


# --- YAML ----------------------------------------------------------------------------------------------------------


def _lines(node: Mapping[str, object], depth: int) -> Iterator[str]:
    """A mapping as block style, two spaces a level; a short list of scalars never comes here."""
    pad = "  " * depth
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield f"{pad}{key}:" if value else f"{pad}{key}: {{}}"
            yield from _lines(value, depth + 1)
        elif isinstance(value, list):
            yield f"{pad}{key}:" if value else f"{pad}{key}: []"
            for item in value:
                first, *rest = _lines(item, depth + 2)
                yield f"{pad}  - {first.lstrip()}"
                yield from rest
        elif isinstance(value, str) and "\n" in value:
            yield f"{pad}{key}: |"
            yield from (f"{pad}  {line}".rstrip() for line in value.rstrip("\n").split("\n"))
        else:
            yield f"{pad}{key}: {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = value.replace("_", "").isalnum() and not value[0].isdigit() and value not in _YAML_WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return str(value)


_YAML_WORDS: Final = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])
"""Words that YAML takes for something else than a text."""
