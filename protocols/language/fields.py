"""Wire types: what a field's annotation says about its bytes, unit and range.

A message's field is `Annotated[python type, WireType, constraints...]`; everything else (payload bytes,
JSON Schema, tables in the docs) is read off the annotation. All integers are little-endian and packed.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field

MAX_PAYLOAD_SIZE: Final = 224
"""Bytes. Header 12 + payload 224 + CRC 4 = 240 stay below COBS's block of 254, so stuffing always costs one byte."""
MIN_MAX_PAYLOAD_SIZE: Final = 131
"""Bytes. The largest message of one size, NAK: a host that takes less could not even read why it is refused."""


@dataclass(frozen=True, slots=True)
class WireType:
    """Form of one field in a payload: `name` for people, `code` for `struct`, `size` in bytes.

    `tail` marks an array that fills the rest of the payload; `size` is then that of one element.
    """

    name: str
    code: str
    size: int
    tail: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a field, as printed in tables; the field's name ends in it as well."""

    name: str


@dataclass(frozen=True, slots=True)
class Since:
    """The protocol minor that appended this field. Fields without it are as old as their message."""

    minor: int


def _fits(size: int) -> AfterValidator:
    def check(text: str) -> str:
        if "\0" in text:
            raise ValueError("text must not contain NUL")
        if len(text.encode()) > size:
            raise ValueError(f"text of {len(text.encode())} bytes does not fit {size} bytes of UTF-8")
        return text

    return AfterValidator(check)


U8 = Annotated[int, WireType("u8", "B", 1), Field(ge=0, le=0xFF)]
U16 = Annotated[int, WireType("u16", "H", 2), Field(ge=0, le=0xFFFF)]
U32 = Annotated[int, WireType("u32", "I", 4), Field(ge=0, le=0xFFFF_FFFF)]
U64 = Annotated[int, WireType("u64", "Q", 8), Field(ge=0, le=0xFFFF_FFFF_FFFF_FFFF)]
I32 = Annotated[int, WireType("i32", "i", 4), Field(ge=-0x8000_0000, le=0x7FFF_FFFF)]
F64 = Annotated[float, WireType("f64", "d", 8), Field(allow_inf_nan=False)]
Flag = Annotated[bool, WireType("bool", "?", 1)]
S16 = Annotated[str, WireType("s16", "16s", 16), _fits(16)]
S32 = Annotated[str, WireType("s32", "32s", 32), _fits(32)]
S120 = Annotated[str, WireType("s120", "120s", 120), _fits(120)]

EnumByte: Final = WireType("enum8", "B", 1)
"""Annotates a `WireEnum` field: one byte, unknown values become UNKNOWN."""

TailBytes = Annotated[bytes, WireType("u8[]", "B", 1, tail=True)]
TailU16 = Annotated[tuple[Annotated[int, Field(ge=0, le=0xFFFF)], ...], WireType("u16[]", "H", 2, tail=True)]
