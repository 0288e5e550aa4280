"""Fields: what an annotation declares, and what a value must be. A property test holds the checks to pydantic's."""

from typing import Annotated, Any

import pytest

from protocols.language.enums import Code, Role
from protocols.language.fields import (
    F64,
    MAX_SHOWN,
    S16,
    U8,
    U16,
    EnumByte,
    Flag,
    Range,
    Since,
    TailBytes,
    TailU16,
    Unit,
    WireType,
    read_field,
)


def test_an_annotation_declares_bytes_unit_range_and_minor() -> None:
    field = read_field(Annotated[U16, Unit("ms"), Range(1, 9), Since(3)])
    assert (field.kind, field.wire, field.unit, field.since) == (int, WireType("u16", "H", 2), "ms", 3)
    assert (field.range, field.narrowed) == (Range(1, 9), True)
    plain = read_field(U16)
    assert (plain.unit, plain.since, plain.range, plain.narrowed) == ("", 0, Range(0, 0xFFFF), False)
    assert read_field(TailU16).kind is tuple
    assert read_field(Annotated[Code, EnumByte]).kind is Code


@pytest.mark.parametrize(
    "annotation",
    [
        int, list[int], Annotated[int, Range(0, 1)], Annotated[U8, "even"], Annotated[U8, WireType("u16", "H", 2)],
        Annotated[U8, Range(0, 256)], Annotated[U8, Range(-1, 9)], Annotated[U8, Range(9, 1)],
        Annotated[TailU16, Range(1, 9)], Annotated[S16, Range(1, 9)], Annotated[Flag, Range(0, 1)],
    ],
)  # fmt: skip
def test_what_no_layout_could_hold_to_is_no_field(annotation: Any) -> None:
    with pytest.raises(TypeError, match="is not a field"):
        read_field(annotation)


@pytest.mark.parametrize(
    ("annotation", "value", "held"),
    [
        (U8, Code.E_LINK, 4),
        (F64, 3, 3.0),
        (Annotated[F64, Range(0.5, 1.0)], 1, 1.0),
        (Annotated[Code, EnumByte], Code.E_LINK, Code.E_LINK),
        (Flag, True, True),
        (S16, "ä" * 8, "ä" * 8),
        (TailBytes, b"\0", b"\0"),
        (TailU16, (0, Code.E_LINK), (0, 4)),
    ],
)
def test_a_value_is_held_as_its_field_s_type(annotation: Any, value: object, held: object) -> None:
    field = read_field(annotation)
    found = field.check(value)
    assert found == held and type(found) is type(held)


@pytest.mark.parametrize(
    ("annotation", "value", "error"),
    [
        (U8, True, "True is not a whole number"),
        (U8, 1.0, "1.0 is not a whole number"),
        (U8, -1, "-1 is outside 0..255"),
        (Annotated[U8, Range(1, 8)], 9, "9 is outside 1..8"),
        (F64, "1", "'1' is not a finite number"),
        (F64, False, "False is not a finite number"),
        (F64, float("nan"), "nan is not a finite number"),
        (F64, 10**400, f"1{'0' * (MAX_SHOWN - 4)}... is not a finite number"),
        (Annotated[F64, Range(0.0, 1.0)], 1.5, "1.5 is outside 0.0..1.0"),
        (Flag, 1, "1 is not of bool"),
        (S16, b"x", "b'x' is not a text"),
        (S16, "a\0", "text must not contain NUL"),
        (S16, "a\ud800", r"'a\ud800' is not Unicode text: a surrogate stands alone"),
        (S16, "ä" * 9, "text of 18 bytes does not fit 16 bytes of UTF-8"),
        (TailBytes, "00", "'00' is not of bytes"),
        (TailU16, [1], "[1] is not a tuple of whole numbers"),
        (TailU16, (0x1_0000,), "65536 is outside 0..65535"),
        (Annotated[Code, EnumByte], 4, "4 is not of Code"),
        (Annotated[Code, EnumByte], Role.VIEWER, "<Role.VIEWER: 0> is not of Code"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(annotation: Any, value: object, error: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_field(annotation).check(value)
    assert str(caught.value) == error


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_too_long_for_python_to_show_is_refused_with_its_range(sign: int) -> None:
    with pytest.raises(ValueError, match=r"^a value too long to show, of int, is outside 0\.\.255$"):
        read_field(U8).check(sign * 10**5000)


def test_what_is_nested_too_deep_for_python_to_show_is_refused() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ValueError, match=r"^a value too long to show, of list, is not a whole number$"):
        read_field(U8).check(nested)
