"""Blocks of a recording as bytes: pcapng, little-endian, as draft-ietf-opsawg-pcapng has it.

A section header whose comment is padded to a fixed size can be written again in its place, once the verdict is known.
"""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from protocols.capture.packet import MAX_COMMENT_BYTES, MAX_PACKET_BYTES, VERSION, CaptureError

SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
ENHANCED_PACKET: Final = 6
BYTE_ORDER: Final = 0x1A2B3C4D
USER0: Final = 147
"""Link type of what only its own user can read. [LINKTYPE_USER0]"""
MICROSECONDS: Final = 6
"""Negative power of ten of a time stamp's unit."""

END_OF_OPTIONS: Final = 0
COMMENT: Final = 1
NAME: Final = 2
FLAGS: Final = 2
TIME_RESOLUTION: Final = 9

_UNKNOWN_LENGTH: Final = -1
_HEAD: Final = struct.Struct("<II")
_OPTION: Final = struct.Struct("<HH")
_TOTAL: Final = struct.Struct("<I")
_PACKET_HEAD: Final = struct.Struct("<IIIIIII")
_PACKET_TAIL: Final = struct.Struct("<HHIHHI")
_PACKET_AROUND: Final = _PACKET_HEAD.size + _PACKET_TAIL.size
_PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")
"""Bytes after a length whose remainder by four is the index."""


def section_block(comment: Mapping[str, object], size: int | None = None) -> bytes:
    """Return the header of a section, with `comment` as JSON, padded with spaces to `size` bytes.

    Raises:
        CaptureError: it is too long for its place.
    """
    text = encode_json({"recording": VERSION, **comment})
    room = MAX_COMMENT_BYTES if size is None else size
    if len(text) > room:
        raise CaptureError("comment", f"{len(text)} bytes", f"at most {room}")
    body = struct.pack("<IHHq", BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
    return _block(SECTION, body + _options((COMMENT, text.ljust(size or 0))))


def interface_block(name: str) -> bytes:
    """Return the description of an interface, with no limit on its packets."""
    named = (NAME, name.encode(errors="replace")[:MAX_COMMENT_BYTES])
    return _block(
        INTERFACE, struct.pack("<HHI", USER0, 0, 0) + _options(named, (TIME_RESOLUTION, bytes([MICROSECONDS])))
    )


def packet_block(at_us: int, interface: int, direction: int, data: bytes) -> bytes:
    """Return a packet.

    Raises:
        CaptureError: it is larger than what other programs take.
    """
    size = len(data)
    if size > MAX_PACKET_BYTES:
        raise CaptureError("packet", f"{size} bytes", f"at most {MAX_PACKET_BYTES}")
    padding = _PADDING[size & 3]
    total = _PACKET_AROUND + size + len(padding)
    head = _PACKET_HEAD.pack(ENHANCED_PACKET, total, interface, at_us >> 32, at_us & 0xFFFF_FFFF, size, size)
    return b"".join((head, data, padding, _PACKET_TAIL.pack(FLAGS, 4, direction, END_OF_OPTIONS, 0, total)))


def encode_capture(
    comment: Mapping[str, object], interfaces: Sequence[str], packets: Iterable[tuple[int, int, int, bytes]]
) -> bytes:
    """Return a whole recording, whose verdict is known. Packets are `Packet`, or tuples of the same.

    Raises:
        CaptureError: the comment or a packet is too large.
    """
    blocks = [section_block(comment), *map(interface_block, interfaces)]
    blocks += [packet_block(*packet) for packet in packets]
    return b"".join(blocks)


def encode_json(value: object) -> bytes:
    """Return `value` as JSON in ASCII, without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def _options(*options: tuple[int, bytes]) -> bytes:
    parts = [_OPTION.pack(code, len(value)) + value + _PADDING[len(value) & 3] for code, value in options]
    return b"".join((*parts, _OPTION.pack(END_OF_OPTIONS, 0)))


def _block(kind: int, body: bytes) -> bytes:
    total = _HEAD.size + len(body) + _TOTAL.size
    return _HEAD.pack(kind, total) + body + _TOTAL.pack(total)
