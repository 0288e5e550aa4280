"""Hypothesis strategies for messages and records, read off their annotations; and for payload bytes near the lawful."""

from typing import Any

from hypothesis import strategies as st

from protocols.language.enums import WireEnum
from protocols.language.fields import MAX_PAYLOAD_SIZE, Field
from protocols.language.layouts import layout
from protocols.language.records import RECORD_SIZE, RECORDS, Record, encode_record
from protocols.language.structs import Struct
from protocols.mqtt.bodies import RECORD_FIELDS
from tests.unit.protocols.language.altered import altered


def values_of(field: Field, room: int) -> st.SearchStrategy[Any]:
    """Every lawful value of a field; a tail array takes at most `room` bytes."""
    wire = field.wire
    if issubclass(field.kind, WireEnum):
        return st.sampled_from(field.kind)
    if wire.name == "u8[]":
        return st.binary(max_size=room)
    if wire.name == "u16[]":
        return st.lists(st.integers(0, 0xFFFF), max_size=room // 2).map(tuple)
    if wire.code.endswith("s"):
        text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=wire.size)
        return text.filter(lambda value: len(value.encode()) <= wire.size)
    if wire.code == "d":
        return st.floats(allow_nan=False, allow_infinity=False)
    if wire.code == "?":
        return st.booleans()
    return st.integers(int(field.range.low), int(field.range.high))


def instances(model: type[Struct]) -> st.SearchStrategy[Struct]:
    """Lawful messages of one class."""
    room = MAX_PAYLOAD_SIZE - layout(model).size
    return st.builds(model, **{name: values_of(field, room) for name, field in model.FIELDS.items()})


def payloads(model: type[Struct]) -> st.SearchStrategy[bytes]:
    """Bytes for one class: wild ones, ones of the right size, and lawful ones with a few bytes changed."""
    size = layout(model).size
    exact = st.binary(min_size=size, max_size=size)
    damaged = st.builds(
        _damage, instances(model).map(layout(model).encode), st.lists(st.integers(0, 0xFFFF), max_size=3)
    )
    return st.one_of(st.binary(max_size=MAX_PAYLOAD_SIZE), exact, damaged)


def _damage(payload: bytes, hits: list[int]) -> bytes:
    """Each hit is a place (low bits) and what is written there (high byte)."""
    raw = bytearray(payload)
    for hit in hits:
        if raw:
            raw[(hit & 0xFF) % len(raw)] = hit >> 8
    return bytes(raw)


def bodied(model: type[Struct]) -> st.SearchStrategy[Any]:
    """Lawful messages of one class as JSON carries them: what holds journal records holds whole ones."""
    whole = [name for owner, name in RECORD_FIELDS if owner is model]
    if not whole:
        return instances(model)
    records = st.one_of(
        st.sampled_from(list(RECORDS.values())).flatmap(instances).map(_as_record),
        st.binary(min_size=RECORD_SIZE, max_size=RECORD_SIZE),
    )
    raw = st.lists(records, max_size=6).map(b"".join)
    return st.builds(lambda message, value: altered(message, **{whole[0]: value}), instances(model), raw)


def _as_record(record: Struct) -> bytes:
    assert isinstance(record, Record)
    return encode_record(record)
