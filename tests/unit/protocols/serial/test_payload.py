"""Payloads: refusals that name their field, tolerance toward other minors, and what a layout will not compile."""

import copy
import math
import pickle
import struct
from typing import Annotated, Any

import pytest

from protocols.language.enums import AlarmPriority, Code, DeviceState, Kind
from protocols.language.errors import MessageError, ProtocolError
from protocols.language.fields import F64, S16, S120, U8, U16, U32, EnumByte, Range, Since, TailBytes, TailU16
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import Arm, Echo, Hello, ParamSet, Punch, SessionOpen, Suction, TelemetryState
from protocols.language.schema import schema, schema_id
from protocols.language.structs import Struct
from protocols.language.version import MINOR
from protocols.link.header import RETRANSMIT, Header
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, decode_payload, encode_message
from tests.unit.protocols.serial.frames import encode_frame, encode_payload

PUNCH = Punch(cycle_no=7, depth_um=3000, deadline_ms=0xFFFF_FFFF)


class Grown(Message):
    """Minor 0 had `first`; minor 1 appended a number, minor 2 a text."""

    first: U16
    second: Annotated[U8, Since(1)]
    third: Annotated[S16, Since(2)]


class Bounded(Message):
    """A float with a range of its own, and one with a lower bound only."""

    share: Annotated[F64, Range(0.0, 1.0)]
    ratio: Annotated[F64, Range(0.5, math.inf)]


def test_payload_is_packed_little_endian_in_order() -> None:
    assert encode_payload(PUNCH) == bytes.fromhex("07000000 b80b ffffffff")
    assert decode_payload(Punch, encode_payload(PUNCH)) == PUNCH


def test_message_without_fields_is_an_empty_payload() -> None:
    assert encode_payload(Arm()) == b""
    assert decode_payload(Arm, b"") == Arm()


def test_decoded_message_behaves_as_a_built_one() -> None:
    message = decode_payload(Punch, encode_payload(PUNCH))
    assert hash(message) == hash(PUNCH)
    assert copy.deepcopy(message) == pickle.loads(pickle.dumps(message)) == PUNCH
    assert repr(message) == repr(PUNCH) == "Punch(cycle_no=7, depth_um=3000, deadline_ms=4294967295)"
    assert message.as_dict() == PUNCH.as_dict() == {"cycle_no": 7, "depth_um": 3000, "deadline_ms": 0xFFFF_FFFF}


def test_enumerators_become_members() -> None:
    zeros = decode_payload(TelemetryState, bytes(layout(TelemetryState).size))
    assert zeros.state is DeviceState.OFF
    raw = bytes(4) + b"\xc8" + bytes(layout(TelemetryState).size - 5)
    assert decode_payload(TelemetryState, raw).state is DeviceState.UNKNOWN


def test_refusal_names_message_field_and_reason() -> None:
    payload = encode_payload(ParamSet(name="lease_armed_ms", value=1.0))
    with pytest.raises(MessageError, match=r"^ParamSet\.value: nan is not a finite number$") as caught:
        decode_payload(ParamSet, payload[:32] + struct.pack("<d", float("nan")))
    assert (caught.value.message, caught.value.field) == ("ParamSet", "value")
    assert isinstance(caught.value, ProtocolError)
    with pytest.raises(MessageError, match=r"^ParamSet: payload of 39 B, needs 40 B$"):
        decode_payload(ParamSet, payload[:-1])
    with pytest.raises(MessageError, match=r"^Hello\.max_payload_size: 130 is outside 131\.\.224$"):
        decode_payload(Hello, bytes(20) + b"\x82" + bytes(4))
    assert decode_payload(Hello, bytes(20) + b"\x83" + bytes(4)).max_payload_size == 131


def test_a_payload_of_a_later_minor_is_cut() -> None:
    assert decode_payload(Punch, encode_payload(PUNCH) + b"later") == PUNCH


def test_a_payload_of_an_earlier_minor_is_filled_with_zeros() -> None:
    assert layout(Grown).least == 2
    assert layout(Grown).size == 19
    assert decode_payload(Grown, b"\x01\x02") == Grown(first=0x0201, second=0, third="")
    assert decode_payload(Grown, b"\x01\x02\x03") == Grown(first=0x0201, second=3, third="")
    assert decode_payload(Grown, b"\x01\x02\x03ab") == Grown(first=0x0201, second=3, third="ab")
    with pytest.raises(MessageError, match="payload of 1 B, needs 2 B"):
        decode_payload(Grown, b"\x01")


@pytest.mark.parametrize(("share", "ratio", "field"), [(-0.1, 1.0, "share"), (1.1, 1.0, "share"), (0.5, 0.4, "ratio")])
def test_floats_keep_to_their_range(share: float, ratio: float, field: str) -> None:
    good = struct.pack("<dd", 1.0, 1e300)
    assert decode_payload(Bounded, good) == Bounded(share=1.0, ratio=1e300)
    with pytest.raises(MessageError) as caught:
        decode_payload(Bounded, struct.pack("<dd", share, ratio))
    assert caught.value.field == field
    with pytest.raises(MessageError, match="inf is not a finite number"):
        decode_payload(Bounded, struct.pack("<dd", 0.5, float("inf")))


def test_tail_fills_the_payload_and_no_more() -> None:
    assert encode_payload(Echo(data=b"\x01" * 224)) == b"\x01" * 224
    with pytest.raises(MessageError, match=r"^Echo\.data: payload of 225 B is over 224 B$"):
        encode_payload(Echo(data=bytes(225)))
    plan: dict[str, Any] = {"target_cores": 1, "coverage_bp": 400, "depth_um": 500}
    full = SessionOpen(**plan, zones_cm2=tuple(range(108)))
    assert decode_payload(SessionOpen, encode_payload(full)) == full
    with pytest.raises(MessageError, match=r"^SessionOpen\.zones_cm2: payload of 226 B"):
        encode_message(SessionOpen(**plan, zones_cm2=(0,) * 109), seq=1)
    with pytest.raises(MessageError, match=r"^SessionOpen\.zones_cm2: 1 B are not whole elements of 2 B$"):
        decode_payload(SessionOpen, encode_payload(full)[:9])


@pytest.mark.parametrize(
    "message", [PUNCH, Arm(), Suction(cycle_no=1), Echo(data=b"\0x"), ParamSet(name="n", value=1.0)]
)
def test_whole_frame_is_the_frame_of_the_payload(message: Any) -> None:
    numbers = {"seq": 0xFFFF, "link_id": 3, "correlation_id": 4, "flags": RETRANSMIT}
    wire = encode_frame(message.KIND, message.ID, encode_payload(message), **numbers)
    assert encode_message(message, **numbers) == wire
    (frame,) = FrameDecoder().feed(wire)
    assert isinstance(frame, Frame)
    assert decode_message(frame) == message


def test_unknown_kind_or_id_is_no_message() -> None:
    header = Header(0x10 | Kind.BULK, 0, Punch.ID, 1, 2, 3, 0, 10)
    assert decode_message(Frame(header, encode_payload(PUNCH))) is None
    assert decode_message(Frame(header._replace(major_and_kind=0x10, message_id=0x7FF0), b"")) is None
    assert decode_message(Frame(header._replace(major_and_kind=0x10), encode_payload(PUNCH))) == PUNCH


def test_layout_is_compiled_once() -> None:
    assert layout(Punch) is layout(Punch)


class AfterTail(Message):
    """A field after a tail array could not be found."""

    tail: TailBytes
    late: U8


class TooLong(Message):
    """240 bytes do not fit a payload of 224."""

    one: S120
    two: S120


@pytest.mark.parametrize(
    ("model", "reason"),
    [(AfterTail, "nothing may follow the tail"), (TooLong, "240 B do not fit")],
)
def test_unlawful_layouts_do_not_compile(model: type[Struct], reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        layout(model)


class Tail(Message):
    """Nothing but a tail of numbers."""

    numbers: TailU16


def test_tail_alone() -> None:
    assert layout(Tail).encode(Tail(numbers=(1, 0xFFFF))) == b"\x01\x00\xff\xff"
    assert decode_payload(Tail, b"\x01\x00\xff\xff") == Tail(numbers=(1, 0xFFFF))


class One(Message):
    """One text alone, which has a path of its own."""

    text: S16


class Mixed(Message):
    """Text beside numbers and enumerators."""

    code: Annotated[Code, EnumByte]
    text: S16
    priority: Annotated[AlarmPriority, EnumByte]
    number: U32


def test_text_is_padded_and_stripped() -> None:
    assert layout(One).encode(One(text="ä")) == "ä".encode() + bytes(14)
    mixed = Mixed(code=Code.E_LINK, text="x" * 16, priority=AlarmPriority.HIGH, number=5)
    assert decode_payload(Mixed, layout(Mixed).encode(mixed)) == mixed


@pytest.mark.parametrize("text", ["a\0b", "\0", "x" * 17, "ä" * 9])
def test_text_that_does_not_fit_cannot_be_built(text: str) -> None:
    with pytest.raises(MessageError):
        One(text=text)


def test_schema_lists_every_message_in_order() -> None:
    rows = schema(0)
    assert [(row["id"], row["kind"]) for row in rows] == sorted((row["id"], row["kind"]) for row in rows)
    punch = next(row for row in rows if row["name"] == "Punch")
    assert punch == {
        "id": 0x0307,
        "kind": 0,
        "name": "Punch",
        "fields": [["cycle_no", "u32"], ["depth_um", "u16"], ["deadline_ms", "u32"]],
    }


def test_schema_of_a_minor_has_only_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY, (Kind.BULK, 0x7FF1), Grown)
    names = [[name for name, _ in schema(minor)[-1]["fields"]] for minor in range(3)]
    assert names == [["first"], ["first", "second"], ["first", "second", "third"]]


def test_schema_of_a_minor_has_only_its_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema(0), schema(1)
    monkeypatch.setattr(Grown, "SINCE", 1)
    monkeypatch.setitem(REGISTRY, (Kind.BULK, 0x7FF1), Grown)
    assert schema(0) == before[0]
    fields = [["first", "u16"], ["second", "u8"]]
    assert schema(1) == [*before[1], {"id": 0x7FF1, "kind": Kind.BULK, "name": "Grown", "fields": fields}]


def test_every_message_and_field_is_of_a_minor_that_there_is() -> None:
    for model in REGISTRY.values():
        assert 0 <= model.SINCE <= MINOR
        assert all(model.SINCE <= field.since <= MINOR for field in model.FIELDS.values() if field.since)


def test_schema_id_is_of_the_minor_and_never_zero() -> None:
    assert 0 < schema_id(0) <= 0xFFFF_FFFF
    assert schema_id(0) == schema_id(0)
    assert schema_id(0) == 0x25CF_6302, "hosts of minor 0 are out there"
    assert schema(MINOR) == schema(255) and len(schema(MINOR)) > len(schema(0))
    assert schema_id(MINOR) != schema_id(0)
