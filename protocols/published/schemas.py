"""JSON Schemas of every body on MQTT's topics, off the same annotations as the bytes of the serial wire.

A schema is what this version sends: each key that it writes, and no other. A reader passes over keys that it does not
know, takes enumerators that it does not know as UNKNOWN and missing numbers as 0, so that it can live with a newer
sender; a reader that validates drops `additionalProperties`, `enum` and `required` first.

They use only what means the same in draft-07, which AsyncAPI builds on, and in draft 2020-12.

Law: pure; each call makes a new dict of plain values, in the same order every time.
"""

import re
from typing import Any, Final, get_args

from protocols.language import messages as M
from protocols.language.enums import Kind, WireEnum
from protocols.language.fields import MAX_PAYLOAD_SIZE, Field, Unit, WireType
from protocols.language.layouts import LAYOUTS
from protocols.language.message import Message
from protocols.language.records import RECORD_SIZE, RECORDS, Record
from protocols.language.structs import Struct
from protocols.language.version import PROTOCOL
from protocols.mqtt.bodies import MAX_WIDE_DIGITS, RECORD_FIELDS, WIDE
from protocols.mqtt.status import Alarms, Params, Snapshot, State, Status
from protocols.text.notice import NOTICE

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
CATALOGUE: Final = tuple(
    sorted((getattr(M, name) for name in M.__all__), key=lambda model: (model.ID, model.KIND, model.__name__))
)
"""Every message, by id and kind."""
SNAPSHOTS: Final[tuple[type[Snapshot], ...]] = (Status, State, Alarms, Params)
"""Bodies of retained topics that are no messages. The body of `info` is the payload of DEVICE_INFO's answer."""
ANY_RECORD: Final = "JournalRecord"
_RAW_RECORD: Final = "RawRecord"
_LAYOUT_LINE: Final = re.compile(r"\d+ \S+ \w+( \||$)")
_NO_NUL: Final = "^[^\\u0000]*$"
_HEX: Final = "^([0-9a-f]{2})*$"
_HEADER_NUMBER: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 0xFFFF}


def payload_name(model: type[Message]) -> str:
    """Return the name of the schema of a message's payload."""
    return f"{model.__name__}Payload"


def described(documented: type) -> str:
    """A docstring without the lines of a layout in bytes."""
    lines = (line.strip() for line in (documented.__doc__ or "").splitlines())
    kept = [line for line in lines if line != "No payload." and not _LAYOUT_LINE.match(line)]
    return "\n".join(kept).strip()


def document() -> Schema:
    """One JSON Schema, of any body; `$defs` has each by itself."""
    made = definitions("#/$defs/")
    bodies = [*(model.__name__ for model in (*CATALOGUE, *SNAPSHOTS)), payload_name(M.DeviceInfoDone), ANY_RECORD]
    return {
        "$schema": DIALECT,
        "title": f"Bodies of {PROTOCOL} over MQTT 5",
        "description": f"{NOTICE}\n\nWhat is sent on each topic is in asyncapi-host.json and asyncapi-device.json.",
        "oneOf": [_ref("#/$defs/", name) for name in sorted(bodies)],
        "$defs": made,
    }


def definitions(place: str) -> dict[str, Schema]:
    """Every schema by name, in the alphabet's order; they refer to each other at `place`, such as `#/$defs/`.

    Each has its name as its title as well: a generator that has followed a reference no longer knows where it led.
    """
    maker = _Maker(place)
    for message in CATALOGUE:
        maker.add_message(message)
    for record in RECORDS.values():
        maker.add_record(record)
    maker.add_any_record()
    for snapshot in SNAPSHOTS:
        maker.add_snapshot(snapshot)
    return {name: {"title": name, **schema} for name, schema in sorted(maker.made.items())}


class _Maker:
    """Makes schemas that refer to each other at `place`."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.made: dict[str, Schema] = {}

    def _add(self, name: str, schema: Schema) -> Schema:
        """Enter a schema; returns where it is.

        Raises:
            TypeError: another one has this name.
        """
        if self.made.setdefault(name, schema) != schema:
            raise TypeError(f"two schemas are called {name}")
        return _ref(self.place, name)

    def add_message(self, model: type[Message]) -> None:
        """A message's body, and its payload by itself."""
        payload = self._add(payload_name(model), _object(described(model), self._properties(model)))
        properties = {"message": _constant(model.__name__), **_header(model), "payload": payload}
        required = [key for key in properties if key not in _optional(model)]
        self._add(model.__name__, _object(described(model), properties, required))

    def add_record(self, model: type[Record]) -> None:
        """A journal record; its kind is in `record`."""
        properties = {"record": _constant(model.__name__), **self._properties(model)}
        self._add(f"{model.__name__}Record", _object(described(model), properties))

    def add_any_record(self) -> None:
        """Add the schema of any record, and of one that the sender cannot show."""
        raw = {"raw": _hex(RECORD_SIZE, RECORD_SIZE)}
        told = "A record of a kind that its sender does not know, or that it cannot show without loss."
        names = [f"{model.__name__}Record" for model in RECORDS.values()]
        refs = [_ref(self.place, name) for name in names]
        self._add(ANY_RECORD, {"oneOf": [*refs, self._add(_RAW_RECORD, _object(told, raw))]})

    def add_snapshot(self, model: type[Snapshot]) -> Schema:
        """Enter the body of a retained topic, or a part of one; returns where it is."""
        properties = {}
        for name, field in model.model_fields.items():
            unit = next((item.name for item in field.metadata if isinstance(item, Unit)), "")
            properties[name] = _with_unit(self._plain(field.annotation), unit)
        return self._add(model.__name__, _object(described(model), properties))

    def _properties(self, model: type[Struct]) -> dict[str, Schema]:
        return {name: self._property(model, name, field) for name, field in model.FIELDS.items()}

    def _property(self, model: type[Struct], name: str, field: Field) -> Schema:
        if (model, name) in RECORD_FIELDS:
            return self._records(model)
        if issubclass(field.kind, WireEnum):
            return self._plain(field.kind)
        return _with_unit(_tail(model, field.wire) if field.wire.tail else _fixed(field), field.unit)

    def _records(self, model: type[Struct]) -> Schema:
        most = 1 if model is M.Event else (MAX_PAYLOAD_SIZE - LAYOUTS[model].size) // RECORD_SIZE
        least = {"minItems": 1} if model is M.Event else {}
        return {"type": "array", **least, "maxItems": most, "items": _ref(self.place, ANY_RECORD)}

    def _plain(self, annotation: Any) -> Schema:
        """A type of Python that no annotation narrows, as snapshots have them."""
        if annotation in _PLAIN:
            return dict(_PLAIN[annotation])
        if items := get_args(annotation):
            return {"type": "array", "items": self._plain(items[0])}
        if issubclass(annotation, WireEnum):
            return self._add(annotation.__name__, _enumeration(annotation))
        if issubclass(annotation, Snapshot):
            return self.add_snapshot(annotation)
        raise TypeError(f"{annotation} has no schema")


# --- envelopes -----------------------------------------------------------------------------------------------------


def _header(model: type[Message]) -> dict[str, Schema]:
    """Return the properties beside the payload, in place of a frame's header."""
    properties: dict[str, Schema] = {
        "seq": _described(
            {"type": "integer", "minimum": 0, "maximum": 0xFFFF},
            "One more for each new message of its sender; kept in a retry.",
        )
    }
    if model is not M.Hello:
        properties["link_id"] = _described(_HEADER_NUMBER, "The link's number, as WELCOME gave it.")
    if _is_asked(model) or model is M.Nak:
        text = "Names a request, rising; its answers carry the same."
        properties["correlation_id"] = _described(_HEADER_NUMBER, text)
    if flag := _flag(model):
        text = f"[{flag!r}] where {_FLAG_MEANS[flag]}; else left out.".replace("'", '"')
        properties["flags"] = _described(
            {"type": "array", "items": _constant(flag), "minItems": 1, "maxItems": 1}, text
        )
    return properties


def _optional(model: type[Message]) -> set[str]:
    """Return the keys that a message's body may lack: numbers that are 0, and flags."""
    if model is M.Nak:
        return {"link_id", "correlation_id"}  # of a message that had none
    return {"flags", "correlation_id"} if model is M.Refused else {"flags"}


def _is_asked(model: type[Message]) -> bool:
    return model.KIND in (Kind.COMMAND, Kind.REPLY, Kind.PROGRESS) or model in (M.Hello, M.Welcome)


def _flag(model: type[Message]) -> str | None:
    if model.KIND is Kind.COMMAND or model is M.Hello:
        return "RETRANSMIT"
    return "REPLAYED" if model.KIND is Kind.REPLY or model is M.Welcome else None


_FLAG_MEANS: Final = {
    "RETRANSMIT": "this was sent before",
    "REPLAYED": "this answer was given before and nothing was done for it now",
}


# --- values --------------------------------------------------------------------------------------------------------

_PLAIN: Final[dict[object, Schema]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number"},
    str: {"type": "string"},
}


def _fixed(field: Field) -> Schema:
    """A field of fixed size."""
    wire = field.wire
    if wire.code.endswith("s"):
        # There are at most as many characters as bytes; no keyword counts bytes.
        text: Schema = {"type": "string", "maxLength": wire.size, "pattern": _NO_NUL}
        return _described(text, f"At most {wire.size} bytes of UTF-8.")
    if wire.code == "?":
        return {"type": "boolean"}
    if wire.code == WIDE:
        return _described({"type": "string", "pattern": f"^[0-9]{{1,{MAX_WIDE_DIGITS}}}$"}, "A u64's decimal digits.")
    if wire.code == "d":
        return {"type": "number", **(_range(field) if field.narrowed else {})}
    return {"type": "integer", **_range(field)}


def _range(field: Field) -> Schema:
    return {"minimum": field.range.low, "maximum": field.range.high}


def _tail(model: type[Struct], wire: WireType) -> Schema:
    """An array that fills what room the fixed fields leave in a payload."""
    room = MAX_PAYLOAD_SIZE - LAYOUTS[model].size
    if wire.size == 1:
        return _hex(0, room)
    items: Schema = {"type": "integer", "minimum": 0, "maximum": 256**wire.size - 1}
    return {"type": "array", "maxItems": room // wire.size, "items": items}


def _hex(least: int, most: int) -> Schema:
    text = f"{most} bytes" if least == most else f"Up to {most} bytes"
    shortest = {"minLength": 2 * least} if least else {}
    schema: Schema = {"type": "string", **shortest, "maxLength": 2 * most, "pattern": _HEX}
    return _described(schema, f"{text} in hex, two digits each.")


def _constant(text: str) -> Schema:
    return {"type": "string", "const": text}


def _enumeration(kind: type[WireEnum]) -> Schema:
    unknown = "UNKNOWN is what a name reads as that is not listed; a command that carries it is refused."
    return {"description": f"{described(kind)}\n\n{unknown}", "type": "string", "enum": [one.name for one in kind]}


def _object(text: str, properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    return {
        "description": text,
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _with_unit(schema: Schema, unit: str) -> Schema:
    return _described(schema, f"Unit: {unit}.") if unit else schema


def _described(schema: Schema, text: str) -> Schema:
    return {**schema, "description": " ".join(filter(None, (schema.get("description"), text)))}


def _ref(place: str, name: str) -> Schema:
    """Stands alone always: beside it, draft-07 would see nothing else."""
    return {"$ref": place + name}
