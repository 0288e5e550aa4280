"""Fields of messages and records: what an annotation says about a value's bytes, unit and range, and the check of it.

A field is `Annotated[python type, WireType, ...]`; everything else (payload bytes, JSON, schemas, tables in the docs)
is read off the annotation. All integers are little-endian and packed.

Law: a value passes `Field.check` exactly if the field's bytes can say it, and its range has it. A property test holds
that to pydantic's judgement of the same annotations.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin

MAX_PAYLOAD_SIZE: Final = 224
"""Bytes. Header 12 + payload 224 + CRC 4 = 240 stay below COBS's block of 254, so stuffing always costs one byte."""
MIN_MAX_PAYLOAD_SIZE: Final = 131
"""Bytes. The largest message of one size, NAK: a host that takes less could not even read why it is refused."""
MAX_SHOWN: Final = 40
"""Characters of a wrong value that an error shows."""


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
class Range:
    """The least and the greatest value of a number; a second one in an annotation narrows the first."""

    low: int | float
    high: int | float


UNLIMITED: Final = Range(-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a field, as printed in tables; the field's name ends in it as well."""

    name: str


@dataclass(frozen=True, slots=True)
class Since:
    """The protocol minor that appended this field. Fields without it are as old as their message."""

    minor: int


U8 = Annotated[int, WireType("u8", "B", 1), Range(0, 0xFF)]
U16 = Annotated[int, WireType("u16", "H", 2), Range(0, 0xFFFF)]
U32 = Annotated[int, WireType("u32", "I", 4), Range(0, 0xFFFF_FFFF)]
U64 = Annotated[int, WireType("u64", "Q", 8), Range(0, 0xFFFF_FFFF_FFFF_FFFF)]
I32 = Annotated[int, WireType("i32", "i", 4), Range(-0x8000_0000, 0x7FFF_FFFF)]
F64 = Annotated[float, WireType("f64", "d", 8), UNLIMITED]
"""Finite: neither an infinity nor NaN is a value."""
Flag = Annotated[bool, WireType("bool", "?", 1)]
S16 = Annotated[str, WireType("s16", "16s", 16)]
S32 = Annotated[str, WireType("s32", "32s", 32)]
S120 = Annotated[str, WireType("s120", "120s", 120)]

EnumByte: Final = WireType("enum8", "B", 1)
"""Annotates a `WireEnum` field: one byte, unknown values become UNKNOWN."""

TailBytes = Annotated[bytes, WireType("u8[]", "B", 1, tail=True)]
TailU16 = Annotated[tuple[int, ...], WireType("u16[]", "H", 2, tail=True), Range(0, 0xFFFF)]


class Field(NamedTuple):
    """One field, as its annotation declares it.

    `kind` is its type in Python; `range` that of a number, or of each in a tuple. `narrowed` says that the range is
    narrower than the bytes. `check` returns a value as a message holds it (a member of another enumeration as its
    number, a whole float as a float), and raises ValueError where the value is of another type or does not fit.
    """

    kind: type
    wire: WireType
    range: Range
    narrowed: bool
    unit: str
    since: int
    check: Callable[[object], object]


def read_field(annotation: Any) -> Field:
    """Return what an annotation declares.

    Raises:
        TypeError: it is not of a field, or says what no layout could hold to.
    """
    kind, *said = get_args(annotation) or (annotation,)
    kind = get_origin(kind) or kind
    wires = [item for item in said if isinstance(item, WireType)]
    ranges = [item for item in said if isinstance(item, Range)]
    units = [item.name for item in said if isinstance(item, Unit)]
    since = [item.minor for item in said if isinstance(item, Since)]
    if len(wires) != 1 or len(wires) + len(ranges) + len(units) + len(since) != len(said):
        raise TypeError(f"{annotation} is not a field: Annotated[type, WireType], with Range, Unit or Since")
    if kind not in (int, float) and len(ranges) > int(kind is tuple):
        raise TypeError(f"{annotation} is not a field: only a number by itself has another range than its bytes")
    limits = UNLIMITED
    for narrower in ranges:
        if not limits.low <= narrower.low <= narrower.high <= limits.high:
            raise TypeError(f"{annotation} is not a field: {narrower} is not within {limits}")
        limits = narrower
    return Field(
        kind=kind,
        wire=wires[0],
        range=limits,
        narrowed=len(ranges) > 1,
        unit=units[0] if units else "",
        since=since[0] if since else 0,
        check=_make_check(kind, wires[0].size, limits.low, limits.high),
    )


# --- checks, by type -----------------------------------------------------------------------------------------------


def _make_check(kind: type, size: int, low: int | float, high: int | float) -> Callable[[object], object]:
    if kind is int:
        return partial(_whole, low, high)
    if kind is tuple:
        return partial(_wholes, low, high)
    if kind is float:
        return partial(_number, low, high)
    if kind is str:
        return partial(_text, size)
    return partial(_member, kind)


def _whole(low: int | float, high: int | float, value: object) -> int:
    if type(value) is not int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{shown(value)} is not a whole number")
        value = int(value)
    if not low <= value <= high:
        raise ValueError(f"{shown(value)} is outside {low}..{high}")
    return value


def _wholes(low: int | float, high: int | float, value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise ValueError(f"{shown(value)} is not a tuple of whole numbers")
    return tuple([_whole(low, high, item) for item in value])


def _number(low: int | float, high: int | float, value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shown(value)} is not a finite number")
    if not low <= number <= high:
        raise ValueError(f"{number} is outside {low}..{high}")
    return number


def _text(size: int, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a text")
    if "\0" in value:
        raise ValueError("text must not contain NUL")
    try:
        encoded = len(value.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"{shown(value)} is not Unicode text: a surrogate stands alone") from error
    if encoded > size:
        raise ValueError(f"text of {encoded} bytes does not fit {size} bytes of UTF-8")
    return value


def _member(kind: type, value: object) -> object:
    if not isinstance(value, kind):
        raise ValueError(f"{shown(value)} is not of {kind.__name__}")
    return value


def shown(value: object) -> str:
    """Return a value as an error shows it."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of too many digits, or what holds one; what is nested too deep
        return f"a value too long to show, of {type(value).__name__},"
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
