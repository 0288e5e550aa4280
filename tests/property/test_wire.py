"""Encoding and decoding are inverse for every message, and decoding accepts exactly what validation accepts."""

import struct
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.language.enums import Code, Role
from protocols.language.errors import MessageError
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY, Message
from protocols.language.records import RECORD_SIZE, RECORDS, Record, decode_record, encode_record
from protocols.language.structs import Struct
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, decode_payload, encode_message
from tests.property.strategies import instances, payloads
from tests.unit.protocols.language.judge import by_pydantic
from tests.unit.protocols.serial.frames import encode_payload

MODELS = [model for model in REGISTRY.values() if model.__module__.startswith("protocols.")]
U16 = st.integers(0, 0xFFFF)


def judged(model: type[Struct], payload: bytes) -> dict[str, Any] | None:
    """What validation makes of the values in a payload; None where it refuses them. Written without the layout's own
    decoder: fields are cut out one by one, from their wire types.
    """
    found = layout(model)
    if len(payload) < found.least:
        return None
    fixed, tail = payload[: found.size].ljust(found.size, b"\0"), payload[found.size :]
    values: dict[str, Any] = {}
    offset = 0
    for name, wire in found.fields:
        (value,) = struct.unpack_from("<" + wire.code, fixed, offset)
        offset += wire.size
        if isinstance(value, bytes):
            try:
                value = value.rstrip(b"\0").decode()
            except UnicodeDecodeError:
                return None
        if wire.name == "enum8":
            value = model.FIELDS[name].kind(value)
        values[name] = value
    if found.tail is not None:
        if len(tail) % found.tail.size:
            return None
        values[found.tail_name] = tail if found.tail.size == 1 else struct.unpack(f"<{len(tail) // 2}H", tail)
    return by_pydantic(model, values)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_decoding_undoes_encoding(model: type[Message], data: st.DataObject) -> None:
    message = data.draw(instances(model))
    assert isinstance(message, Message)
    payload = encode_payload(message)
    again = decode_payload(model, payload)
    assert again == message
    assert encode_payload(again) == payload
    assert repr(again) == repr(message)
    # Such a message must be as good as any: it is what its class builds of its values, and pydantic sees no fault.
    assert model(**again.as_dict()) == message
    assert by_pydantic(model, again.as_dict()) == message.as_dict()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data(), seq=U16, link_id=U16, correlation_id=U16, flags=st.integers(0, 255))
@settings(max_examples=10)
def test_whole_frame(
    model: type[Message], data: st.DataObject, seq: int, link_id: int, correlation_id: int, flags: int
) -> None:
    message = data.draw(instances(model))
    assert isinstance(message, Message)
    wire = encode_message(message, seq=seq, link_id=link_id, correlation_id=correlation_id, flags=flags)
    (frame,) = FrameDecoder().feed(wire)
    assert isinstance(frame, Frame)
    header = frame.header
    assert (header.major, header.kind, header.message_id) == (1, model.KIND, model.ID)
    assert (header.seq, header.link_id, header.correlation_id) == (seq, link_id, correlation_id)
    assert (header.flags, header.node, header.payload_size) == (flags, 0, len(frame.payload))
    assert decode_message(frame) == message


@pytest.mark.parametrize("model", [*MODELS, *RECORDS.values()], ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=60)
def test_decoding_accepts_exactly_what_validation_accepts(model: type[Struct], data: st.DataObject) -> None:
    payload = data.draw(payloads(model))
    expected = judged(model, payload)
    try:
        found: Struct | None = decode_payload(model, payload)
    except MessageError as error:
        assert error.message == model.__name__
        found = None
    assert same(found, expected)


WRONG: Final[list[Any]] = [
    None, True, False, -1, 0, 1, 0xFF, 0x100, 0x1_0000, 1 << 32, 1 << 64, -(1 << 31) - 1, 10**400, 0.5, 3.0, 1e300,
    float("nan"), float("inf"), "", "7", "\0", "x" * 16, "x" * 17, "x" * 121, "ä" * 9, "\ud800", b"", b"x", (), (1,),
    (0x1_0000,), (-1,), (1.0,), (True,), ("1",), [1], Code.E_LINK, Code.UNKNOWN, Role.VIEWER, {}, object(),
]  # fmt: skip
"""Values that some field takes and most do not."""


@pytest.mark.parametrize("model", [*MODELS, *RECORDS.values()], ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=60)
def test_building_accepts_exactly_what_validation_accepts(model: type[Struct], data: st.DataObject) -> None:
    values = data.draw(instances(model)).as_dict()
    for name in data.draw(st.lists(st.sampled_from([*model.FIELDS, "more"]), max_size=2)):
        values[name] = data.draw(st.sampled_from(WRONG))
    for name in data.draw(st.sets(st.sampled_from(["", *values]), max_size=1)):
        values.pop(name, None)
    try:
        found: Struct | None = model(**values)
    except MessageError as error:
        assert error.message == model.__name__ and error.field is not None
        found = None
    assert same(found, by_pydantic(model, values))


def same(found: Struct | None, expected: dict[str, Any] | None) -> bool:
    """The same values of the same types; or refused by both."""
    if found is None or expected is None:
        return found is None and expected is None
    values = found.as_dict()
    return values == expected and [*map(type, values.values())] == [*map(type, expected.values())]


@pytest.mark.parametrize("model", RECORDS.values(), ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_record(model: type[Record], data: st.DataObject) -> None:
    record = data.draw(instances(model))
    assert isinstance(record, Record)
    raw = encode_record(record)
    assert len(raw) == RECORD_SIZE
    assert decode_record(raw) == record


@given(raw=st.binary(min_size=RECORD_SIZE, max_size=RECORD_SIZE), kind=st.integers(0, 12))
def test_any_32_bytes_are_a_record_or_refused(raw: bytes, kind: int) -> None:
    raw = raw[:8] + bytes((kind,)) + raw[9:]
    try:
        record = decode_record(raw)
    except MessageError:
        return
    assert (record is None) is (kind not in RECORDS)
    if record is not None:
        assert decode_record(encode_record(record)) == record
