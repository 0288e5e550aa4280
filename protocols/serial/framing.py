"""Serial frames: `00 | COBS(header 12 | payload 0..224 | CRC-32C 4) | 00`, and the decoder that finds them in bytes.

Law: nothing that a peer sends raises here. A corrupt frame is a `BadFrame` value; a frame with a good CRC is a
`Frame`, whatever it says, and is judged by the exchange. Time is linear in the bytes fed, and no more than
`MAX_ENCODED_SIZE` bytes are kept between calls.

There is a zero at both ends: after noise, the next good frame is found even if the noise swallowed its neighbour's
closing zero. Neighbours may share one.
"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from cobs import cobs

from protocols.language.checksum import crc32c
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.link.header import HEADER_SIZE, Header, fill
from protocols.link.port import BadFrame, BadReason

CRC_SIZE: Final = 4
MAX_ENCODED_SIZE: Final = HEADER_SIZE + MAX_PAYLOAD_SIZE + CRC_SIZE + 1
"""Bytes between the two zeros: 241, so a frame never exceeds 243 bytes on the wire."""

HEADER_FORMAT: Final = "<BBHHHHBB"
_HEADER: Final = struct.Struct(HEADER_FORMAT)
_CRC: Final = struct.Struct("<I")
RESIDUE: Final = 0x4867_4BC7
"""CRC-32C of any bytes followed by their own CRC-32C, little-endian: so a frame is checked whole, without a cut."""

_SLICE_SIZE: Final = 4096
"""Bytes cut at zeros in one go: a megabyte of zeros must not become a list of a million pieces."""

stuff: Final[Callable[[bytes], bytes]] = cobs.encode
DecodeError: Final[type[Exception]] = cobs.DecodeError
unstuff: Final[Callable[[bytes], bytes]] = cobs.decode

pack_header: Final = _HEADER.pack
"""The header's 12 bytes from its eight fields, in the order of `Header`."""

pack_crc: Final = _CRC.pack
"""A CRC-32C's four bytes."""

unpack_header: Final = _HEADER.unpack_from
"""The header's eight fields from the bytes that begin with it."""


class Frame(NamedTuple):
    """A frame whose CRC and length were right."""

    header: Header
    payload: bytes


class FrameDecoder:
    """Finds frames in a stream of bytes that comes in pieces of any size.

    `kept` is what may be the beginning of a frame; `discarding` is set in the midst of what is too long to be one.
    """

    def __init__(self) -> None:
        """Start as after a zero: what comes first may be a frame."""
        self.kept = b""
        self.discarding = False

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Everything that `data` completes, in order."""
        if len(data) > _SLICE_SIZE:
            starts = range(0, len(data), _SLICE_SIZE)
            return [item for start in starts for item in self.feed(data[start : start + _SLICE_SIZE])]
        pieces = data.split(b"\0")
        if self.kept:
            pieces[0] = self.kept + pieces[0]
        elif self.discarding:
            if len(pieces) == 1:
                return []
            pieces[0] = b""
            self.discarding = False
        self.kept = kept = pieces.pop()
        found = []
        for piece in pieces:
            if piece:
                found.append(_decode(piece))
        if len(kept) > MAX_ENCODED_SIZE:
            found.append(_decode(kept))
            self.kept = b""
            self.discarding = True
        return found


def _decode(stuffed: bytes) -> Frame | BadFrame:
    if len(stuffed) > MAX_ENCODED_SIZE:
        return BadFrame(BadReason.OVERSIZE, stuffed[:MAX_ENCODED_SIZE])
    try:
        body = unstuff(stuffed)
    except DecodeError:
        return BadFrame(BadReason.COBS, stuffed)
    if len(body) < HEADER_SIZE + CRC_SIZE:
        return BadFrame(BadReason.SHORT, stuffed)
    if crc32c(body) != RESIDUE:
        (received,) = _CRC.unpack(body[-CRC_SIZE:])
        return BadFrame(BadReason.CRC, stuffed, crc32c(body[:-CRC_SIZE]), received)
    header = fill(Header, unpack_header(body))
    if header.payload_size != len(body) - HEADER_SIZE - CRC_SIZE:
        return BadFrame(BadReason.LENGTH, stuffed)
    return fill(Frame, (header, body[HEADER_SIZE:-CRC_SIZE]))
