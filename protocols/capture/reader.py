"""A recording from bytes that anybody may have made or spoiled.

Law: whatever the bytes are, they are packets or one CaptureError, and no more of them is held than one block.
"""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from protocols.capture.blocks import (
    BYTE_ORDER,
    COMMENT,
    END_OF_OPTIONS,
    ENHANCED_PACKET,
    FLAGS,
    INTERFACE,
    MICROSECONDS,
    NAME,
    SECTION,
    TIME_RESOLUTION,
    USER0,
)
from protocols.capture.packet import (
    FROM_DEVICE,
    MAX_INTERFACES,
    MAX_PACKET_BYTES,
    VERSION,
    Capture,
    CaptureError,
    JsonObject,
    Packet,
)
from protocols.capture.seal import Seal
from protocols.language.units import SECOND

Read = Callable[[int], bytes]
"""Gives that many bytes, and fewer only where there are no more."""

MAX_BLOCK_BYTES: Final = 2 * MAX_PACKET_BYTES
"""A packet, and room for what other programs put beside it."""
_MIN_BLOCK_BYTES: Final = 12
_SIMPLE_PACKET: Final = 3
_OLD_PACKET: Final = 2
_POWER: Final = 0x7F
"""Bits of a resolution that are the power: of two where the other bit is set, else of ten. [if_tsresol]"""
_WHOLE: Final = "a recording up to its end"
_OURS: Final = "a recording of devicectl or firmware-sim"


def read_capture(read: Read, *, of_anybody: bool = False) -> Capture:
    """Return the recording whose bytes `read` gives. Its packets are read as they are asked for.

    `of_anybody` takes captures of other programs as well: without our comment, with interfaces that have no name, and
    with times in other units. Such a comment is empty.

    Raises:
        CaptureError: it does not begin as one; or later, from its packets, it does not go on as one.
    """
    blocks = _Blocks(read)
    comment = _comment(blocks.begin(), of_anybody=of_anybody)
    interfaces: list[str] = []
    return Capture(comment, interfaces, _sealed(comment, interfaces, _packets(blocks, interfaces, not comment)))


def _sealed(comment: JsonObject, interfaces: Sequence[str], packets: Iterator[Packet]) -> Iterator[Packet]:
    """Yield the packets, and hold all of them against the seal at the end."""
    seal = Seal()
    for packet in packets:
        seal.add(interfaces[packet.interface], packet)
        yield packet
    seal.check(comment)


class _Block(NamedTuple):
    """A block: `body` begins at byte `offset` of the file, and has its numbers in the byte order `order`."""

    kind: int
    offset: int
    body: bytes
    order: str

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Return the numbers that a body begins with."""
        fixed = struct.Struct(self.order + layout)
        if len(self.body) < fixed.size:
            raise self.wrong(0, f"a block of {len(self.body)} bytes", f"one of at least {fixed.size}")
        return fixed.unpack_from(self.body)

    def options(self, at: int) -> Iterator[tuple[int, int, bytes]]:
        """Give place, code and value of each option from `at` on."""
        head = struct.Struct(self.order + "HH")
        while at < len(self.body):
            if len(self.body) - at < head.size:
                raise self.wrong(at, "an option that is cut short", f"{head.size} bytes of its code and length")
            code, size = head.unpack_from(self.body, at)
            if code == END_OF_OPTIONS:
                return
            at += head.size
            if len(self.body) - at < size:
                raise self.wrong(
                    at, f"an option of {size} bytes that leaves its block", f"at most {len(self.body) - at}"
                )
            yield at, code, self.body[at : at + size]
            at += size + (-size & 3)

    def wrong(self, at: int, found: str, expected: str) -> CaptureError:
        """Return the error for the byte `at` of the body."""
        return CaptureError(f"byte {self.offset + at}", found, expected)


class _Blocks:
    """The blocks of a file, one after the other."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._offset = 0
        self._order = "<"

    def begin(self) -> _Block:
        """Return the section's header, which says in which byte order the rest is."""
        start = self._take(12)
        if len(start) < 4 or start[:4] != SECTION.to_bytes(4, "big"):  # the same in both byte orders
            raise CaptureError("byte 0", _looks_like(start), "pcapng, which begins with 0A 0D 0D 0A")
        if len(start) < 12:
            raise self._cut_short()
        orders = {BYTE_ORDER.to_bytes(4, "little"): "<", BYTE_ORDER.to_bytes(4, "big"): ">"}
        if start[8:] not in orders:
            raise CaptureError("byte 8", f"a byte order of {start[8:].hex(' ')}", "4D 3C 2B 1A or 1A 2B 3C 4D")
        self._order = orders[start[8:]]
        return self._rest(SECTION, start[4:8], start[8:])

    def __iter__(self) -> Iterator[_Block]:
        """Iterate over the blocks after it."""
        while start := self._take(8):
            if len(start) < 8:
                raise self._cut_short()
            (kind,) = struct.unpack(self._order + "I", start[:4])
            yield self._rest(kind, start[4:], b"")

    def _rest(self, kind: int, length: bytes, begun: bytes) -> _Block:
        """Return the block of whose body `begun` was read; `length` is its length as the file has it."""
        at = self._offset - 4 - len(begun)
        (total,) = struct.unpack(self._order + "I", length)
        if total % 4 or not _MIN_BLOCK_BYTES + len(begun) <= total <= MAX_BLOCK_BYTES:
            raise CaptureError(f"byte {at}", f"a block of {total} bytes", f"a multiple of 4 up to {MAX_BLOCK_BYTES}")
        wanted = total - 8 - len(begun)
        rest = self._take(wanted)
        if len(rest) < wanted:
            raise self._cut_short()
        if rest[-4:] != length:
            raise CaptureError(
                f"byte {self._offset - 4}", f"a block that ends in {rest[-4:].hex(' ')}", length.hex(" ")
            )
        return _Block(kind, at + 4, begun + rest[:-4], self._order)

    def _take(self, size: int) -> bytes:
        data = self._read(size)
        self._offset += len(data)
        return data

    def _cut_short(self) -> CaptureError:
        return CaptureError(f"byte {self._offset}", "the file ends in the middle of a block", _WHOLE)


def _looks_like(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start[:2] == b"\x1f\x8b":
        return "a file that gzip has compressed"
    if start[:4] in (bytes.fromhex(magic) for magic in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d")):
        return "a capture file of the older format pcap"
    return f"a file that begins with {start[:4].hex(' ').upper()}"


def _comment(section: _Block, *, of_anybody: bool) -> JsonObject:
    """Return the comment of ours; an empty one where there is none, and the capture may be `of_anybody`."""
    _, major, _, _ = section.unpack("IHHq")
    if major != 1:
        raise section.wrong(4, f"pcapng of version {major}", "version 1")
    at, text = next(((at, value) for at, code, value in section.options(16) if code == COMMENT), (16, b"null"))
    try:
        comment = json.loads(text)
    except (ValueError, RecursionError):
        comment = None
    if not isinstance(comment, dict) or "recording" not in comment:
        if of_anybody:
            return {}
        raise section.wrong(at, "a capture with no comment of ours", _OURS)
    version = comment["recording"]
    if version != VERSION or isinstance(version, bool):
        raise section.wrong(
            at, f"a recording of version {str(version)[:20]}", f"version {VERSION}, which this program reads"
        )
    return comment


def _packets(blocks: _Blocks, interfaces: list[str], of_anybody: bool) -> Iterator[Packet]:
    units: list[int] = []
    for block in blocks:
        if block.kind == ENHANCED_PACKET:
            packet = _packet(block, len(interfaces))
            per_second = units[packet.interface]
            yield packet if per_second == SECOND else packet._replace(at_us=packet.at_us * SECOND // per_second)
        elif block.kind == INTERFACE:
            if len(interfaces) == MAX_INTERFACES:
                raise block.wrong(0, "one interface more", f"at most {MAX_INTERFACES}")
            name, per_second = _interface(block, len(interfaces) if of_anybody else None)
            interfaces.append(name)
            units.append(per_second)
        elif block.kind == SECTION:
            raise block.wrong(0, "a second section", "one: a file is one recording")
        elif block.kind in (_SIMPLE_PACKET, _OLD_PACKET):
            raise block.wrong(0, f"a packet without time and direction (block type {block.kind})", "enhanced packets")
        # All others tell about the capture, such as names of hosts and counts: what other programs add.


def _interface(block: _Block, number: int | None) -> tuple[str, int]:
    """Return an interface's name and its units of time in a second; `number` is for one that may be anybody's."""
    link_type, _, _ = block.unpack("HHI")
    if link_type != USER0:
        raise block.wrong(0, f"an interface of link type {link_type}", f"{USER0}, USER0")
    name = None if number is None else f"interface {number}"
    per_second = SECOND
    for at, code, value in block.options(8):
        if code == TIME_RESOLUTION and value != bytes([MICROSECONDS]):
            if number is None or len(value) != 1:
                raise block.wrong(at, f"time stamps of resolution {value[:4].hex(' ')}", "06, microseconds")
            base, power = (2, value[0] & _POWER) if value[0] & ~_POWER else (10, value[0])
            per_second = base**power
        if code == NAME:
            name = value.decode(errors="replace")
    if name is None:
        raise block.wrong(8, "an interface without a name", "the port's")
    return name, per_second


def _packet(block: _Block, interfaces: int) -> Packet:
    interface, high, low, size, original = block.unpack("IIIII")
    if interface >= interfaces:
        raise block.wrong(0, f"a packet of interface {interface}", f"one of the {interfaces} before it")
    at = 20 + size + (-size & 3)
    if at > len(block.body):
        raise block.wrong(12, f"a packet of {size} bytes that leaves its block", f"at most {len(block.body) - 20}")
    if size != original:
        raise block.wrong(12, f"{size} bytes of a packet of {original}", "all of them")
    direction = 0
    for place, code, value in block.options(at):
        if code == FLAGS and len(value) == 4:
            direction = struct.unpack(block.order + "I", value)[0] & 3
            if direction > FROM_DEVICE:
                raise block.wrong(place, "a packet of direction 3", "0 none, 1 to the device, 2 from it")
    return Packet(high << 32 | low, interface, direction, block.body[20 : 20 + size])
