"""Layouts by docs/protocol.md, section 2: bytes of each wire type, and what is refused whole with the field's name."""

import struct
from typing import Any, Final

import pytest

from protocols.language import messages as M
from protocols.language.enums import ByeReason, Code, DeviceState
from protocols.language.errors import MessageError
from protocols.language.layouts import LAYOUTS, layout
from protocols.language.records import Cycle

ENCODED: Final[dict[str, tuple[Any, str]]] = {
    "nothing": (M.Arm(), ""),
    "u8": (M.AlarmList(index=200), "c8"),
    "u32 u16 u32": (M.Punch(cycle_no=1, depth_um=3_000, deadline_ms=5_469), "01000000 b80b 5d150000"),
    "i32": (M.ArmDone(vacuum_pa=-2), "feffffff"),
    "enum8": (M.Bye(reason=ByeReason.REBOOT), "03"),
    "f64 after s32": (M.ParamSet(name="a", value=-0.5), "61" + "00" * 31 + "000000000000e0bf"),
    "a text that fills its field": (M.ParamGet(name="x" * 32), "78" * 32),
    "u8[]": (M.Echo(data=b"\x00\xff"), "00ff"),
    "an empty tail": (M.Echo(data=b""), ""),
    "u16[]": (
        M.SessionOpen(target_cores=1, coverage_bp=600, depth_um=3_000, zones_cm2=(1, 258)),
        "01000000 5802 b80b 0100 0201",
    ),
}


@pytest.mark.parametrize(("message", "hex_bytes"), ENCODED.values(), ids=ENCODED)
def test_a_message_is_these_bytes_and_comes_back_from_them(message: Any, hex_bytes: str) -> None:
    payload = bytes.fromhex(hex_bytes)
    assert layout(type(message)).encode(message) == payload
    assert layout(type(message)).decode(payload) == message


def test_a_bool_is_sent_as_0_or_1_and_anything_but_0_reads_as_true() -> None:
    made = layout(M.Heartbeat)
    for byte, held in ((0, False), (1, True), (2, True), (255, True)):
        payload = bytes([2, 0, byte]) + bytes(made.size - 3)
        message = made.decode(payload)
        assert isinstance(message, M.Heartbeat) and message.trigger_held is held
        assert made.encode(message)[2] == int(held)


def test_an_enumerator_of_a_later_version_reads_as_unknown() -> None:
    message = layout(M.Progress).decode(bytes([200]) + bytes(8))
    assert isinstance(message, M.Progress) and message.state is DeviceState.UNKNOWN


@pytest.mark.parametrize(
    ("model", "payload", "field"),
    [
        (M.Punch, bytes(9), None),
        (M.SessionOpen, struct.pack("<IHHB", 1, 600, 3_000, 5), "zones_cm2"),
        (M.SessionOpen, struct.pack("<IHH", 1, 399, 3_000), "coverage_bp"),
        (M.SessionOpen, struct.pack("<IHH", 1, 801, 3_000), "coverage_bp"),
        (M.Advance, struct.pack("<IB", 1, 0), "steps"),
        (M.Advance, struct.pack("<IB", 1, 9), "steps"),
        (M.AnesthesiaStart, struct.pack("<BI32s", 0, 86_401, b"a"), "age_s"),
        (M.ParamGet, b"a\0b".ljust(32, b"\0"), "name"),
        (M.ParamGet, b"\xff".ljust(32, b"\0"), "name"),
        (M.ParamSet, b"a".ljust(32, b"\0") + struct.pack("<d", float("nan")), "value"),
        (M.ParamSet, b"a".ljust(32, b"\0") + struct.pack("<d", float("inf")), "value"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "" if isinstance(value, bytes) else str(value),
)
def test_what_is_malformed_is_refused_whole_with_the_fields_name(model: Any, payload: bytes, field: str | None) -> None:
    with pytest.raises(MessageError) as caught:
        layout(model).decode(payload)
    assert (caught.value.message, caught.value.field) == (model.__name__, field)


def test_a_range_holds_its_ends() -> None:
    for steps in (1, 8):
        assert layout(M.Advance).decode(struct.pack("<IB", 1, steps)) == M.Advance(cycle_no=1, steps=steps)


def test_fields_that_a_later_version_appended_are_passed_over() -> None:
    punch = M.Punch(cycle_no=1, depth_um=3_000, deadline_ms=5_469)
    made = layout(M.Punch)
    assert made.decode(made.encode(punch) + b"later") == punch


def test_a_tail_that_makes_a_payload_too_long_is_not_encoded() -> None:
    assert len(layout(M.Echo).encode(M.Echo(data=bytes(224)))) == 224
    with pytest.raises(MessageError, match="payload of 225 B is over 224 B") as caught:
        layout(M.Echo).encode(M.Echo(data=bytes(225)))
    assert caught.value.field == "data"


def test_a_layout_says_how_long_it_is() -> None:
    assert (layout(M.Nak).size, layout(M.Nak).least, layout(M.Nak).tail) == (131, 131, None)
    opened = layout(M.SessionOpen)
    assert (opened.size, opened.tail_name, [name for name, _ in opened.fields]) == (
        8, "zones_cm2", ["target_cores", "coverage_bp", "depth_um"],
    )  # fmt: skip


def test_a_layout_is_compiled_once() -> None:
    assert layout(M.Punch) is layout(M.Punch) is LAYOUTS[M.Punch]
    assert layout(Cycle).size == 31, "a record without its kind"


def test_what_is_decoded_equals_and_hashes_like_what_was_built() -> None:
    nak = M.Nak(code=Code.E_LINK, seq=5, expected=0, actual=7, sentence="no")
    again = layout(M.Nak).decode(layout(M.Nak).encode(nak))
    assert again == nak and hash(again) == hash(nak) and repr(again) == repr(nak)
