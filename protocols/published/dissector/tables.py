"""Tables of Lua: every message, record, enumeration and retained body, off the annotations that the codec is made from.

    MESSAGES[kind << 16 | id] = { name=..., snake=..., kind=..., id=..., least=..., fields={ ... } }
    RECORDS[kind]             = { name=..., snake=..., fields={ ... } }
    SNAPSHOTS[level]          = { name=..., snake=..., fields={ ... } }
    ENUMS[name]               = { [0]="OK", ... }

A field is { "cycle_no", "u32" } and what else is known: `unit`, `low` and `high` where its range is narrower than its
bytes, `enum`, `since`, `tail`, `records` where its bytes are journal records.

Law: pure, and the same text each time; a number that the models have is never typed here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final, get_args

from protocols.language import alarm_codes, interlocks
from protocols.language.enums import Kind, NeedleOutcome, WireEnum
from protocols.language.fields import MAX_PAYLOAD_SIZE, Field, Unit
from protocols.language.layouts import LAYOUTS
from protocols.language.message import Message
from protocols.language.messages import DeviceInfoDone
from protocols.language.records import KIND_OFFSET, RECORD_SIZE, RECORDS
from protocols.language.structs import Struct
from protocols.language.version import MAJOR, MINOR, PROTOCOL
from protocols.link import header
from protocols.link.port import BadReason
from protocols.mqtt.bodies import RECORD_FIELDS
from protocols.mqtt.status import Snapshot
from protocols.mqtt.topics import topic_name
from protocols.published.schemas import CATALOGUE, SNAPSHOTS
from protocols.serial.framing import CRC_SIZE, MAX_ENCODED_SIZE, RESIDUE
from protocols.text.notice import NOTICE

ALARM_CODE: Final = "alarm_code"
INTERLOCK: Final = "interlock"
MESSAGE_ID: Final = "message_id"
OUTCOME: Final = "needle_outcome"
NAMED_NUMBERS: Final = {"code": ALARM_CODE, ALARM_CODE: ALARM_CODE, INTERLOCK: INTERLOCK, MESSAGE_ID: MESSAGE_ID}
"""Field that is a number on the wire and has names -> the table of its names."""
OUTCOMES: Final = "outcomes"
"""Field with a `NeedleOutcome` in each four bits."""
BYTES: Final = "bytes"
"""An array of bytes, as Lua has it."""
_PLAIN: Final[dict[object, str]] = {str: "text", int: "int", bool: "bool", float: "f64"}
"""Type of Python in a retained body -> how Lua has it."""

_HEAD: Final = f"""\
-- {PROTOCOL}, the Handpiece Link Protocol, for Wireshark and tshark. {NOTICE}.
--
-- Made from the messages' models by `devicectl spec`; to change it, change the code. How it is used is in
-- docs/captures.md:
--
--     tshark -X lua_script:hlp1.lua -r run.pcapng -O hlp1
--
-- For the Lua of Wireshark, 5.1 to 5.4; it was tried with 5.2.
"""


def text() -> str:
    """All tables, as the beginning of the dissector."""
    parts = [
        _HEAD,
        *(f"local {name} = {_value(value)}" for name, value in _constants().items()),
        _table("ENUMS", ((f"[{_value(name)}]", members) for name, members in _enums().items())),
        _table("MESSAGES", ((f"[0x{_key(model):05x}]", _message(model)) for model in CATALOGUE)),
        _table("RECORDS", ((f"[{kind:d}]", _struct(model)) for kind, model in RECORDS.items())),
        _table("SNAPSHOTS", ((f"[{_value(level)}]", row) for level, row in _snapshots())),
    ]
    return "\n".join(parts) + "\n"


def _constants() -> dict[str, object]:
    return {
        "NOTICE": NOTICE,
        "PROTOCOL": PROTOCOL,
        "MAJOR": MAJOR,
        "MINOR": MINOR,
        "HEADER_SIZE": header.HEADER_SIZE,
        "CRC_SIZE": CRC_SIZE,
        "CRC_RESIDUE": RESIDUE,
        "MAX_ENCODED_SIZE": MAX_ENCODED_SIZE,
        "MAX_PAYLOAD_SIZE": MAX_PAYLOAD_SIZE,
        "RECORD_SIZE": RECORD_SIZE,
        "RECORD_KIND_OFFSET": KIND_OFFSET,
        "RETRANSMIT": header.RETRANSMIT,
        "REPLAYED": header.REPLAYED,
        "MUST_UNDERSTAND": header.MUST_UNDERSTAND,
        "BAD_REASONS": [reason.value for reason in BadReason],
    }


# --- enumerations --------------------------------------------------------------------------------------------------


def _enums() -> dict[str, dict[int, str]]:
    """Each table of names: the enumerations, and the numbers that are constants of a module."""
    kinds: list[type[IntEnum]] = [Kind, NeedleOutcome, *WireEnum.__subclasses__()]
    tables = {topic_name(kind.__name__): {member.value: member.name for member in kind} for kind in kinds}
    tables[ALARM_CODE] = {
        code: f"{alarm_codes.alarm_label(code)} {name}" for code, name in _named_in(alarm_codes).items()
    }
    tables[ALARM_CODE][0] = "none"
    tables[INTERLOCK] = {0: "NONE", **_named_in(interlocks)}
    tables[MESSAGE_ID] = {model.ID: model.__name__ for model in CATALOGUE if model.KIND is Kind.COMMAND}
    return {name: dict(sorted(members.items())) for name, members in tables.items()}


def _named_in(module: object) -> dict[int, str]:
    return {value: name for name, value in vars(module).items() if name.isupper() and isinstance(value, int)}


# --- structs -------------------------------------------------------------------------------------------------------


def _key(model: type[Message]) -> int:
    return model.KIND << 16 | model.ID


def _message(model: type[Message]) -> "_Row":
    row: dict[int | str, object] = {"kind": int(model.KIND), "id": model.ID, "least": LAYOUTS[model].least}
    if model.SINCE:
        row["since"] = model.SINCE
    return _Row({**row, **_struct(model)})


def _struct(model: type[Struct]) -> "_Row":
    names = {"name": model.__name__, "snake": topic_name(model.__name__)}
    if model is DeviceInfoDone:
        names["topic"] = "info"
    return _Row({**names, "fields": [_field(model, name, field) for name, field in model.FIELDS.items()]})


def _field(model: type[Struct], name: str, field: Field) -> "_Row":
    wire = field.wire
    said: dict[int | str, object] = {1: name, 2: BYTES if field.kind is bytes else wire.name.removesuffix("[]")}
    if wire.tail:
        said["tail"] = True
    if (model, name) in RECORD_FIELDS:
        said["records"] = True
    if issubclass(field.kind, WireEnum):
        said["enum"] = topic_name(field.kind.__name__)
    elif name in NAMED_NUMBERS:
        said["enum"] = NAMED_NUMBERS[name]
    elif name == OUTCOMES:
        said["nibbles"] = OUTCOME
    if field.unit:
        said["unit"] = field.unit
    if field.narrowed:
        said |= {"low": field.range.low, "high": field.range.high}
    if field.since:
        said["since"] = field.since
    return _Row(said)


def _snapshots() -> Iterator[tuple[str, "_Row"]]:
    for model in SNAPSHOTS:
        yield topic_name(model.__name__), _snapshot(model)


def _snapshot(model: type[Snapshot]) -> "_Row":
    fields = []
    for name, field in model.model_fields.items():
        unit = next((item.name for item in field.metadata if isinstance(item, Unit)), "")
        row = _Row({1: name, **_shape(name, field.annotation)})
        if unit:
            row["unit"] = unit
        fields.append(row)
    return _Row({"name": model.__name__, "snake": topic_name(model.__name__), "fields": fields})


def _shape(name: str, annotation: object) -> dict[int | str, object]:
    """Type of a field of a retained body, and what else Lua has to know of it."""
    if items := get_args(annotation):
        return {2: "list", "items": _snapshot(items[0])}
    if isinstance(annotation, type) and issubclass(annotation, WireEnum):
        return {2: "enum8", "enum": topic_name(annotation.__name__)}
    plain: dict[int | str, object] = {2: _PLAIN[annotation]}
    return {**plain, "enum": NAMED_NUMBERS[name]} if name in NAMED_NUMBERS else plain


# --- Lua -----------------------------------------------------------------------------------------------------------


class _Row(dict[int | str, object]):
    """A table of Lua by its keys, written in one line; those from 1 on that follow one another stand without."""


def _table(name: str, rows: Iterable[tuple[str, object]]) -> str:
    lines = [f"  {key} = {_value(row)}," for key, row in rows]
    return "\n".join([f"\nlocal {name} = {{", *lines, "}"])


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(_cells(value)) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(_value, value)) + "}"
    if isinstance(value, int | float):
        return f"{value:d}" if isinstance(value, int) else repr(value)
    raise TypeError(f"{value!r} has no form in Lua")


def _cells(row: Mapping[int | str, object]) -> Iterator[str]:
    place = 1
    for key, value in row.items():
        if key == place:
            place += 1
            yield _value(value)
        else:
            yield f"{key}={_value(value)}" if isinstance(key, str) else f"[{key:d}]={_value(value)}"
