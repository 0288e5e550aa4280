"""Message <-> payload bytes, by structs compiled once from the annotations.

Law: `decode` builds only what pydantic would have built from the same values. It does not call pydantic, since a
struct's own widths already hold most constraints: each field brings a converter only where its wire type admits
more than its annotation (enums, text, narrower ranges, finite floats). A property test holds both paths equal.
"""

import math
import struct
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, Final, TypeVar

import google_crc32c
from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic_core import to_json

from protocols.enums import WireEnum
from protocols.errors import MessageError
from protocols.fields import MAX_PAYLOAD_SIZE, Since, WireType
from protocols.message import REGISTRY, Message
from protocols.records import RECORD_SIZE, RECORDS, Record

_Model = TypeVar("_Model", bound=BaseModel)
_Convert = Callable[[Any], Any]

# The four slots of a pydantic model. Filling them is what `model_construct` does, five times slower.
_set_dict: Final = BaseModel.__dict__["__dict__"].__set__
_set_fields_set: Final = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra: Final = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private: Final = BaseModel.__dict__["__pydantic_private__"].__set__


class Layout:
    """How one model stands in bytes.

    `size` is that of the fixed fields in bytes, `least` the size at minor 0 (a shorter payload is malformed; one
    between is zero-filled, a longer one cut, since a later minor only appends).
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model
        self.name = model.__name__
        self.fields: list[tuple[str, WireType]] = []
        self.tail: WireType | None = None
        self.tail_name = ""
        converters: list[tuple[int, str, _Convert]] = []
        encoders: list[tuple[int, _Convert]] = []
        self.least = 0
        code = "<"
        for name, field in model.model_fields.items():
            wire = next(item for item in field.metadata if isinstance(item, WireType))
            if self.tail is not None:
                raise TypeError(f"{self.name}.{name}: nothing may follow the tail array")
            if wire.tail:
                self.tail, self.tail_name = wire, name
                continue
            convert = _converter(field.annotation, wire, field.metadata)
            if convert is not None:
                converters.append((len(self.fields), name, convert))
            if wire.code.endswith("s"):
                encoders.append((len(self.fields), str.encode))
            self.fields.append((name, wire))
            code += wire.code
            if not any(isinstance(item, Since) and item.minor > 0 for item in field.metadata):
                self.least = struct.calcsize(code)
        self._struct = struct.Struct(code)
        self.size = self._struct.size
        self._converters, self._encoders = tuple(converters), tuple(encoders)
        self._names = tuple(name for name, _ in self.fields)
        # Shared by all instances: they are frozen, so none of them can add to it.
        self._all_names = set(model.model_fields)
        self._get = attrgetter(*self._names) if self._names else None

    def encode(self, message: BaseModel) -> bytes:
        """The payload of a built, hence valid, message.

        Raises:
            MessageError: the tail makes it longer than a payload can be.
        """
        if self._get is None:
            payload = b""
        elif len(self._names) == 1 or self._encoders:
            values = [getattr(message, name) for name in self._names]
            for index, convert in self._encoders:
                values[index] = convert(values[index])
            payload = self._struct.pack(*values)
        else:
            payload = self._struct.pack(*self._get(message))
        if self.tail is None:
            return payload
        tail = getattr(message, self.tail_name)
        payload += tail if self.tail.size == 1 else struct.pack(f"<{len(tail)}{self.tail.code}", *tail)
        if len(payload) > MAX_PAYLOAD_SIZE:
            raise MessageError(self.name, self.tail_name, f"payload of {len(payload)} B is over {MAX_PAYLOAD_SIZE} B")
        return payload

    def decode(self, payload: bytes) -> BaseModel:
        """The message in a payload of any length.

        Raises:
            MessageError: too short, a tail of broken elements, or a field outside its range.
        """
        size = self.size
        tail = b""
        if len(payload) != size:
            if len(payload) < self.least:
                raise MessageError(self.name, None, f"payload of {len(payload)} B, needs {self.least} B")
            payload, tail = payload[:size].ljust(size, b"\0"), payload[size:]
        values: Any = self._struct.unpack(payload)
        if self._converters:
            values = list(values)
            for index, name, convert in self._converters:
                try:
                    values[index] = convert(values[index])
                except ValueError as error:
                    raise MessageError(self.name, name, str(error)) from error
        attributes = dict(zip(self._names, values))  # noqa: B905 - both come from one struct
        if self.tail is not None:
            attributes[self.tail_name] = self._decode_tail(self.tail, tail)
        message: BaseModel = self.model.__new__(self.model)
        _set_dict(message, attributes)
        _set_fields_set(message, self._all_names)
        _set_extra(message, None)
        _set_private(message, None)
        return message

    def _decode_tail(self, wire: WireType, tail: bytes) -> bytes | tuple[int, ...]:
        if wire.size == 1:
            return tail
        count, rest = divmod(len(tail), wire.size)
        if rest:
            raise MessageError(self.name, self.tail_name, f"{len(tail)} B are no whole number of {wire.size}-B elements")
        return struct.unpack(f"<{count}{wire.code}", tail)


def _converter(annotation: Any, wire: WireType, metadata: list[Any]) -> _Convert | None:
    """What must be done to a value of `wire` before it satisfies its annotation; None when nothing."""
    if isinstance(annotation, type) and issubclass(annotation, WireEnum):
        return tuple(annotation(value) for value in range(256)).__getitem__
    if wire.code.endswith("s"):
        return _to_text
    if wire.code == "d":
        return _to_finite
    low = [item.ge for item in metadata if isinstance(item, Ge)]
    high = [item.le for item in metadata if isinstance(item, Le)]
    return partial(_in_range, max(low), min(high)) if len(low) > 1 or len(high) > 1 else None


def _to_text(raw: bytes) -> str:
    text = raw.rstrip(b"\0")
    if b"\0" in text:
        raise ValueError("text goes on after its NUL")
    return text.decode()


def _to_finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return value


def _in_range(low: Any, high: Any, value: Any) -> Any:
    if not low <= value <= high:
        raise ValueError(f"{value} is outside {low}..{high}")
    return value


_layouts: Final[dict[type[BaseModel], Layout]] = {}


def layout(model: type[BaseModel]) -> Layout:
    """The layout of a message or record class, compiled at its first use."""
    found = _layouts.get(model)
    if found is None:
        found = _layouts[model] = Layout(model)
    return found


def encode_payload(message: Message) -> bytes:
    """A message's payload, 0 to 224 bytes.

    Raises:
        MessageError: its tail array is too long for one frame.
    """
    return (_layouts.get(message.__class__) or layout(message.__class__)).encode(message)


def decode_payload(model: type[_Model], payload: bytes) -> _Model:
    """A message of the class `model` from its payload.

    Raises:
        MessageError: payload and model do not fit; names the field.
    """
    return (_layouts.get(model) or layout(model)).decode(payload)  # type: ignore[return-value]


_RECORD_KIND_OFFSET: Final = 8


def encode_record(record: Record) -> bytes:
    """A journal record as its 32 bytes."""
    body = layout(record.__class__).encode(record)
    head = body[:_RECORD_KIND_OFFSET]
    return (head + bytes((record.KIND,)) + body[_RECORD_KIND_OFFSET:]).ljust(RECORD_SIZE, b"\0")


def decode_record(raw: bytes) -> Record | None:
    """A journal record from its 32 bytes; None for a kind that this version does not know.

    Raises:
        MessageError: not 32 bytes, or a field outside its range.
    """
    if len(raw) != RECORD_SIZE:
        raise MessageError("Record", None, f"{len(raw)} B, needs {RECORD_SIZE} B")
    model = RECORDS.get(raw[_RECORD_KIND_OFFSET])
    if model is None:
        return None
    return decode_payload(model, raw[:_RECORD_KIND_OFFSET] + raw[_RECORD_KIND_OFFSET + 1 : layout(model).size + 1])


def schema(minor: int) -> list[dict[str, Any]]:
    """Every message's (id, kind, name, fields with wire types) at a protocol minor, in order of (id, kind)."""
    rows = []
    for (kind, message_id), model in sorted(REGISTRY.items(), key=lambda item: (item[0][1], item[0][0])):
        fields = []
        for name, field in model.model_fields.items():
            since = next((item.minor for item in field.metadata if isinstance(item, Since)), 0)
            if since <= minor:
                fields.append([name, next(item.name for item in field.metadata if isinstance(item, WireType))])
        rows.append({"id": message_id, "kind": kind, "name": model.__name__, "fields": fields})
    return rows


_schema_ids: Final[dict[int, int]] = {}


def schema_id(minor: int) -> int:
    """CRC-32C of the canonical JSON of `schema(minor)`: what both ends compare in HELLO. Never 0."""
    found = _schema_ids.get(minor)
    if found is None:
        found = _schema_ids[minor] = google_crc32c.value(to_json(schema(minor))) or 1
    return found
