"""Layouts of models in bytes: one `Layout` a class, compiled once from the annotations.

Law: `decode` builds only what pydantic would have built from the same values. It does not call pydantic, since a
struct's own widths already hold most constraints: each field brings a converter only where its wire type admits
more than its annotation (enums, text, narrower ranges, finite floats). A property test holds both paths equal.
"""

import math
import struct
from collections.abc import Callable, Iterable
from functools import cache, partial
from operator import itemgetter
from typing import Any, Final

from annotated_types import BaseMetadata, Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from protocols.language.enums import WireEnum
from protocols.language.errors import MessageError
from protocols.language.fields import MAX_PAYLOAD_SIZE, Since, WireType
from protocols.language.message import assemble

_Convert = Callable[[Any], object]
_Encode = Callable[[BaseModel], bytes]
_Numbers = tuple[Callable[[dict[str, object]], tuple[object, ...]], Callable[..., bytes]]


class Layout:
    """Layout of one model in bytes.

    `size` is that of the fixed fields in bytes, `least` the size at minor 0 (a shorter payload is malformed; one
    between is zero-filled, a longer one cut, since a later minor only appends). `encode` makes the payload of a
    built, hence valid, message, and raises MessageError where a tail makes it longer than a payload can be; `decode`
    makes a message of a payload. `numbers` is set where a message is nothing but numbers, as the frequent
    ones are: what takes them from `__dict__`, and what packs them.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        """Compile `model`.

        Raises:
            TypeError: its annotations cannot be a layout, or do not fit a payload.
        """
        self.model = model
        self.name = model.__name__
        self.fields: list[tuple[str, WireType]] = []
        self.tail: WireType | None = None
        self.tail_name = ""
        self.least = 0
        self.numbers: _Numbers | None = None
        self._converters: list[tuple[str, _Convert]] = []
        self._struct = struct.Struct("<")
        for name, field in model.model_fields.items():
            self._add(name, field)
        self.size = self._struct.size
        if self.size > MAX_PAYLOAD_SIZE:
            raise TypeError(f"{self.name}: {self.size} B do not fit a payload of {MAX_PAYLOAD_SIZE} B")
        self._names = tuple(name for name, _ in self.fields)
        self.encode: _Encode = self._make_encode()
        self.decode: Callable[[bytes], BaseModel] = self._make_decode()

    def _add(self, name: str, field: FieldInfo) -> None:
        wire = wire_type(field)
        if self.tail is not None:
            raise TypeError(f"{self.name}.{name}: nothing may follow the tail array")
        if wire.tail:
            self.tail, self.tail_name = wire, name
            return
        self._converters += [(name, convert) for convert in _converters(field, wire)]
        self.fields.append((name, wire))
        self._struct = struct.Struct(self._struct.format + wire.code)
        if since(field) == 0:
            self.least = self._struct.size

    def _make_encode(self) -> _Encode:
        fixed = self._encode_fixed()
        return fixed if self.tail is None else partial(self._encode_with_tail, fixed, self.tail)

    def _encode_fixed(self) -> _Encode:
        """The quickest way from a message to its fixed fields.

        They are taken from `__dict__`, where pydantic keeps them, since each attribute of a model costs twice that.
        """
        pack, names = self._struct.pack, self._names
        if not names:
            return lambda message: b""
        if len(names) == 1:
            (name,) = names
            if self.tail is None and not self.fields[0][1].code.endswith("s"):
                self.numbers = (lambda values: (values[name],)), pack
            return lambda message: pack(*_texts_encoded([message.__dict__[name]]))
        get = itemgetter(*names)
        if any(wire.code.endswith("s") for _, wire in self.fields):
            return lambda message: pack(*_texts_encoded(get(message.__dict__)))
        if self.tail is None:
            self.numbers = get, pack
        return lambda message: pack(*get(message.__dict__))

    def _encode_with_tail(self, encode_fixed: _Encode, wire: WireType, message: BaseModel) -> bytes:
        tail = getattr(message, self.tail_name)
        payload = encode_fixed(message) + (tail if wire.size == 1 else struct.pack(f"<{len(tail)}{wire.code}", *tail))
        if len(payload) > MAX_PAYLOAD_SIZE:
            raise MessageError(self.name, self.tail_name, f"payload of {len(payload)} B is over {MAX_PAYLOAD_SIZE} B")
        return payload

    def _make_decode(self) -> Callable[[bytes], BaseModel]:
        """Make the function that makes a message of a payload; a closure, since it runs for every frame received.

        It raises MessageError: too short, a tail of broken elements, or a field outside its range.
        """
        model, size, unpack, named = self.model, self.size, self._struct.unpack, _make_named(self._names)
        converters, tail_wire, tail_name = self._converters, self.tail, self.tail_name
        # Shared by all instances: they are frozen, so none of them can add to it.
        all_names = set(model.model_fields)

        def decode(payload: bytes) -> BaseModel:
            tail = b""
            if len(payload) != size:
                payload, tail = self._fit(payload)
            values = named(*unpack(payload))
            for name, convert in converters:
                try:
                    values[name] = convert(values[name])
                except ValueError as error:
                    raise MessageError(self.name, name, str(error)) from error
            if tail_wire is not None:
                values[tail_name] = self._decode_tail(tail_wire, tail)
            return assemble(model, values, all_names)

        return decode

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


def _make_named(names: tuple[str, ...]) -> Callable[..., dict[str, object]]:
    """Make a function that makes a dict of values in the order of `names`.

    `dict(zip(names, values))` takes four times as long, a tenth of all decoding; so a function of that many arguments
    is written as text, as `namedtuple` does it. The text is made of a class's own attribute names and nothing else.
    """
    cells = ", ".join(f"{name!r}: {name}" for name in names)
    named: Callable[..., dict[str, object]] = eval(f"lambda {', '.join(names)}: {{{cells}}}")
    return named


def wire_type(field: FieldInfo) -> WireType:
    """Return what a model's field says about its bytes."""
    return next(item for item in field.metadata if isinstance(item, WireType))


def since(field: FieldInfo) -> int:
    """The protocol minor that appended a field."""
    return next((item.minor for item in field.metadata if isinstance(item, Since)), 0)


def bounds(field: FieldInfo) -> tuple[list[int | float], list[int | float]]:
    """Return the least values and the greatest ones that a field's annotation names."""
    low = [item.ge for item in field.metadata if isinstance(item, Ge) and isinstance(item.ge, int | float)]
    high = [item.le for item in field.metadata if isinstance(item, Le) and isinstance(item.le, int | float)]
    return low, high


@cache
def _members(enum: type[WireEnum]) -> tuple[WireEnum, ...]:
    """Return the member for each value of a byte."""
    return tuple(map(enum, range(256)))


def _is_checked(constraint: BaseMetadata) -> bool:
    """True if `_converters` sees to a constraint. Before pydantic 2.13 "finite" is one without a class of its own."""
    return isinstance(constraint, Ge | Le) or getattr(constraint, "allow_inf_nan", None) is False


def _converters(field: FieldInfo, wire: WireType) -> list[_Convert]:
    """Return what must be done, in order, to a value of `wire` before it satisfies its annotation."""
    unknown = [item for item in field.metadata if isinstance(item, BaseMetadata) and not _is_checked(item)]
    if unknown:
        raise TypeError(f"{unknown[0]} is a constraint that a layout does not check")
    if isinstance(field.annotation, type) and issubclass(field.annotation, WireEnum):
        return [_members(field.annotation).__getitem__]
    if wire.code.endswith("s"):
        return [_to_text]
    low, high = bounds(field)
    if wire.code == "d":
        bounded = partial(_in_range, max(low, default=-math.inf), min(high, default=math.inf))
        return [_to_finite, bounded] if low or high else [_to_finite]
    # The first bound of an integer is its wire type's own width, which the struct holds already.
    return [partial(_in_range, max(low), min(high))] if len(low) > 1 or len(high) > 1 else []


def _texts_encoded(values: Iterable[object]) -> list[object]:
    return [value.encode() if isinstance(value, str) else value for value in values]


def _to_text(raw: bytes) -> str:
    text = raw.rstrip(b"\0")
    if b"\0" in text:
        raise ValueError("text goes on after its NUL")
    return text.decode()


def _to_finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return value


def _in_range(low: int | float, high: int | float, value: int | float) -> int | float:
    if not low <= value <= high:
        raise ValueError(f"{value} is outside {low}..{high}")
    return value


class _Layouts(dict[type[BaseModel], Layout]):
    """Every layout made so far. A missing one is compiled at its first use."""

    def __missing__(self, model: type[BaseModel]) -> Layout:
        made = self[model] = Layout(model)
        return made


LAYOUTS: Final = _Layouts()
"""Model -> its layout; look up by index, so that a missing one is compiled."""


def layout(model: type[BaseModel]) -> Layout:
    """The layout of a message or record class, compiled at its first use."""
    return LAYOUTS[model]
