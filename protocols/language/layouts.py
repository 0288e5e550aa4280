"""Layouts of structs in bytes: one `Layout` a class, compiled once from its fields.

Law: `decode` builds only what the class itself would have built from the same values. It does not check every field,
since a payload's own widths already hold most: each field brings a converter only where its wire type admits more than
the field does (enums, text, narrower ranges, finite floats). A property test holds both paths equal.
"""

import struct
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Final

from protocols.language.enums import WireEnum
from protocols.language.errors import MessageError
from protocols.language.fields import MAX_PAYLOAD_SIZE, Field, WireType
from protocols.language.structs import Struct, Values

_Convert = Callable[[Any], object]
_Encode = Callable[[Struct], bytes]
_Decode = Callable[[bytes], Struct]

_fill: Final = Values.__new__
"""Makes a struct of values that are known to be right, in their order."""


class Layout:
    """Layout of one class of structs in bytes.

    `size` is that of the fixed fields in bytes, `least` the size at minor 0 (a shorter payload is malformed; one
    between is zero-filled, a longer one cut, since a later minor only appends). `encode` makes the payload of a
    built, hence valid, message, and raises MessageError where a tail makes it longer than a payload can be; `decode`
    makes a message of a payload. `numbers` is the `struct` format where a message is nothing but numbers, as the
    frequent ones are: then the message is what the format packs.
    """

    def __init__(self, model: type[Struct]) -> None:
        """Compile `model`.

        Raises:
            TypeError: its fields cannot be a layout, or do not fit a payload.
        """
        self.model = model
        self.name = model.__name__
        self.fields: list[tuple[str, WireType]] = []
        self.tail: WireType | None = None
        self.tail_name = ""
        self.least = 0
        self._converters: list[tuple[int, str, _Convert]] = []
        self._struct = struct.Struct("<")
        for name, field in model.FIELDS.items():
            self._add(name, field)
        self.size = self._struct.size
        if self.size > MAX_PAYLOAD_SIZE:
            raise TypeError(f"{self.name}: {self.size} B do not fit a payload of {MAX_PAYLOAD_SIZE} B")
        self._has_texts = any(wire.code.endswith("s") for _, wire in self.fields)
        self.numbers = self._format_of_numbers()
        self.encode: _Encode = self._make_encode()
        self.decode: _Decode = self._make_decode()

    def _add(self, name: str, field: Field) -> None:
        wire = field.wire
        if self.tail is not None:
            raise TypeError(f"{self.name}.{name}: nothing may follow the tail array")
        if wire.tail:
            self.tail, self.tail_name = wire, name
            return
        self._converters += [(len(self.fields), name, convert) for convert in _converters(field)]
        self.fields.append((name, wire))
        self._struct = struct.Struct(self._struct.format + wire.code)
        if field.since == 0:
            self.least = self._struct.size

    def _format_of_numbers(self) -> str | None:
        return self._struct.format[1:] if self.tail is None and not self._has_texts else None

    def _make_encode(self) -> _Encode:
        pack = self._struct.pack
        if self.tail is not None:
            return partial(self._encode_with_tail, self.tail)
        if self._has_texts:
            return lambda message: pack(*_texts_encoded(message))
        return lambda message: pack(*message)

    def _encode_with_tail(self, wire: WireType, message: Struct) -> bytes:
        *fixed, tail = message
        payload = self._struct.pack(*_texts_encoded(fixed))
        payload += tail if wire.size == 1 else struct.pack(f"<{len(tail)}{wire.code}", *tail)
        if len(payload) > MAX_PAYLOAD_SIZE:
            raise MessageError(self.name, self.tail_name, f"payload of {len(payload)} B is over {MAX_PAYLOAD_SIZE} B")
        return payload

    def _make_decode(self) -> _Decode:
        """Make the function that makes a message of a payload; a closure, since it runs for every frame received.

        It raises MessageError: too short, a tail of broken elements, or a field outside its range.
        """
        model, size, unpack = self.model, self.size, self._struct.unpack
        converters, tail_wire = self._converters, self.tail

        def decode(payload: bytes) -> Struct:
            tail = b""
            if len(payload) != size:
                payload, tail = self._fit(payload)
            values = list(unpack(payload))
            for index, name, convert in converters:
                try:
                    values[index] = convert(values[index])
                except ValueError as error:
                    raise MessageError(self.name, name, str(error)) from error
            if tail_wire is not None:
                values.append(self._decode_tail(tail_wire, tail))
            return _fill(model, values)

        def decode_numbers(payload: bytes) -> Struct:
            return _fill(model, unpack(payload if len(payload) == size else self._fit(payload)[0]))

        return decode if converters or tail_wire is not None else decode_numbers

    def _fit(self, payload: bytes) -> tuple[bytes, bytes]:
        """A payload as exactly its fixed fields, and what comes after them."""
        if len(payload) < self.least:
            raise MessageError(self.name, None, f"payload of {len(payload)} B, needs {self.least} B")
        return payload[: self.size].ljust(self.size, b"\0"), payload[self.size :]

    def _decode_tail(self, wire: WireType, tail: bytes) -> bytes | tuple[int, ...]:
        if wire.size == 1:
            return tail
        count, rest = divmod(len(tail), wire.size)
        if rest:
            raise MessageError(self.name, self.tail_name, f"{len(tail)} B are not whole elements of {wire.size} B")
        return struct.unpack(f"<{count}{wire.code}", tail)


@cache
def _members(enum: type[WireEnum]) -> tuple[WireEnum, ...]:
    """Return the member for each value of a byte."""
    return tuple(map(enum, range(256)))


def _converters(field: Field) -> list[_Convert]:
    """Return what must be done, in order, to a value unpacked from bytes before the field can hold it."""
    if issubclass(field.kind, WireEnum):
        return [_members(field.kind).__getitem__]
    converters: list[_Convert] = [_to_text] if field.kind is str else []
    # A struct's width is the range of a number; but a float's bytes have NaN and infinities.
    return [*converters, field.check] if field.narrowed or field.kind is float else converters


def _texts_encoded(values: Iterable[object]) -> list[object]:
    return [value.encode() if isinstance(value, str) else value for value in values]


def _to_text(raw: bytes) -> str:
    text = raw.rstrip(b"\0")
    if b"\0" in text:
        raise ValueError("text goes on after its NUL")
    return text.decode()


class _Layouts(dict[type[Struct], Layout]):
    """Every layout made so far. A missing one is compiled at its first use."""

    def __missing__(self, model: type[Struct]) -> Layout:
        made = self[model] = Layout(model)
        return made


LAYOUTS: Final = _Layouts()
"""Class -> its layout; look up by index, so that a missing one is compiled."""


def layout(model: type[Struct]) -> Layout:
    """The layout of a message or record class, compiled at its first use."""
    return LAYOUTS[model]
