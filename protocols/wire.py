"""Messages and journal records as bytes, and the schema that both ends compare.

Law: a built message is valid, so encoding checks nothing but the length of a tail; what a peer sent is decoded to a
valid message or refused with a MessageError, never to anything between.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

import protocols.messages  # noqa: F401 - fills REGISTRY, so that the schema never depends on who imported what
from protocols.errors import MessageError
from protocols.framing import MAJOR, Frame, crc32c, pack_crc, pack_header, stuff
from protocols.layouts import LAYOUTS, Layout, since, wire_type
from protocols.message import REGISTRY, Message
from protocols.records import KIND_OFFSET, RECORD_SIZE, RECORDS, Record

_Model = TypeVar("_Model", bound=BaseModel)


def layout(model: type[BaseModel]) -> Layout:
    """The layout of a message or record class, compiled at its first use."""
    return LAYOUTS[model]


def encode_payload(message: Message) -> bytes:
    """A message's payload, 0 to 224 bytes.

    Raises:
        MessageError: its tail array is too long for one frame.
    """
    return LAYOUTS[message.__class__].encode(message)


def decode_payload(model: type[_Model], payload: bytes) -> _Model:
    """A message of the class `model` from its payload.

    Raises:
        MessageError: payload and model do not fit; names the field.
    """
    return LAYOUTS[model].decode(payload)  # type: ignore[return-value]


_Body = Callable[[Message, int, int, int, int], bytes]


class _Bodies(dict[type[Message], _Body]):
    """For each message class, what makes header and payload of (message, flags, seq, link id, correlation id)."""

    def __missing__(self, model: type[Message]) -> _Body:
        made = self[model] = _make_body(model)
        return made


def _make_body(model: type[Message]) -> _Body:
    found = LAYOUTS[model]
    first, message_id, size, encode = MAJOR << 4 | model.KIND, model.ID, found.size, found.encode

    def any_body(message: Message, flags: int, seq: int, link_id: int, correlation_id: int) -> bytes:
        payload = encode(message)
        return pack_header(first, flags, message_id, seq, link_id, correlation_id, 0, len(payload)) + payload

    if found.numbers is None:
        return any_body
    get, pack = found.numbers

    def body_of_numbers(message: Message, flags: int, seq: int, link_id: int, correlation_id: int) -> bytes:
        head = pack_header(first, flags, message_id, seq, link_id, correlation_id, 0, size)
        return head + pack(*get(message.__dict__))

    return body_of_numbers


_bodies: Final = _Bodies()


def encode_message(message: Message, seq: int, link_id: int = 0, correlation_id: int = 0, flags: int = 0) -> bytes:
    """A message as one whole frame with both its zeros: `encode_frame` of `encode_payload`, in one step.

    Raises:
        MessageError: its tail array is too long for one frame.
    """
    body = _bodies[message.__class__](message, flags, seq, link_id, correlation_id)
    # As `framing.seal` does it; written out, since a call is a twentieth of the whole.
    return b"\0%b\0" % stuff(body + pack_crc(crc32c(body)))


def decode_message(frame: Frame) -> Message | None:
    """The message in a frame; None where this version does not know its kind and id.

    Raises:
        MessageError: the payload does not fit the message; names the field.
    """
    header = frame.header
    model = REGISTRY.get((header.major_and_kind & 0x0F, header.message_id))
    return None if model is None else LAYOUTS[model].decode(frame.payload)  # type: ignore[return-value]


def encode_record(record: Record) -> bytes:
    """A journal record as its 32 bytes."""
    body = layout(record.__class__).encode(record)
    head = body[:KIND_OFFSET]
    return (head + bytes((record.KIND,)) + body[KIND_OFFSET:]).ljust(RECORD_SIZE, b"\0")


def decode_record(raw: bytes) -> Record | None:
    """A journal record from its 32 bytes; None for a kind that this version does not know.

    Raises:
        MessageError: not 32 bytes, or a field outside its range.
    """
    if len(raw) != RECORD_SIZE:
        raise MessageError("Record", None, f"{len(raw)} B, needs {RECORD_SIZE} B")
    model = RECORDS.get(raw[KIND_OFFSET])
    if model is None:
        return None
    return decode_payload(model, raw[:KIND_OFFSET] + raw[KIND_OFFSET + 1 : layout(model).size + 1])


def schema(minor: int) -> list[dict[str, Any]]:
    """Every message's (id, kind, name, fields with wire types) at a protocol minor, in order of (id, kind)."""
    rows = []
    for (kind, message_id), model in sorted(REGISTRY.items(), key=lambda item: (item[0][1], item[0][0])):
        fields = []
        for name, field in model.model_fields.items():
            if since(field) <= minor:
                fields.append([name, wire_type(field).name])
        rows.append({"id": message_id, "kind": kind, "name": model.__name__, "fields": fields})
    return rows


@cache
def schema_id(minor: int) -> int:
    """CRC-32C of the canonical JSON of `schema(minor)`: what both ends compare in HELLO. Never 0."""
    return crc32c(to_json(schema(minor))) or 1
