"""Serial frames: `00 | COBS(header 12 | payload 0..224 | CRC-32C 4) | 00`, and the decoder that finds them in bytes.

Law: nothing that a peer sends raises here. A corrupt frame is a `BadFrame` value; a frame with a good CRC is a
`Frame`, whatever it says, and is judged by the exchange. Time is linear in the bytes fed, and no more than
`MAX_ENCODED_SIZE` bytes are kept between calls.

A zero stands at both ends: after noise, the next good frame is found even if the noise swallowed its neighbour's
closing zero. Neighbours may share one.
"""

import struct
from enum import StrEnum
from typing import Final, NamedTuple

import google_crc32c
from cobs import cobs

from protocols.enums import Kind
from protocols.fields import MAX_PAYLOAD_SIZE

MAJOR: Final = 1
HEADER_SIZE: Final = 12
CRC_SIZE: Final = 4
MAX_ENCODED_SIZE: Final = HEADER_SIZE + MAX_PAYLOAD_SIZE + CRC_SIZE + 1
"""Bytes between the two zeros: 241, so a frame never exceeds 243 bytes on the wire."""

# Flags of the header's second byte.
SIGNED: Final = 0x01
REPLY_WANTED: Final = 0x02
RETRANSMIT: Final = 0x04
REPLAYED: Final = 0x08
MUST_UNDERSTAND: Final = 0x30
"""Bits 4 and 5: a receiver that does not know them drops the frame and answers with a NAK. 6 and 7 are ignorable."""

_HEADER: Final = struct.Struct("<BBHHHHBB")
_CRC: Final = struct.Struct("<I")


class Header(NamedTuple):
    """The twelve bytes before a payload, as they stand."""

    major_and_kind: int
    flags: int
    message_id: int
    seq: int
    link_id: int
    correlation_id: int
    node: int
    payload_size: int

    @property
    def major(self) -> int:
        """The protocol's major version."""
        return self.major_and_kind >> 4

    @property
    def kind(self) -> int:
        """The kind's number; not every number is a `Kind`."""
        return self.major_and_kind & 0x0F


class Frame(NamedTuple):
    """A frame whose CRC and length were right."""

    header: Header
    payload: bytes


class BadReason(StrEnum):
    """Why bytes between two zeros are no frame."""

    OVERSIZE = "oversize"
    COBS = "cobs"
    SHORT = "short"
    CRC = "crc"
    LENGTH = "length"


class BadFrame(NamedTuple):
    """Bytes that are no frame. `raw` is what stood between the zeros, at most 241 bytes of it, still stuffed.

    `crc_expected` is computed over what came, `crc_received` is what came; both None unless the reason is CRC.
    """

    reason: BadReason
    raw: bytes
    crc_expected: int | None = None
    crc_received: int | None = None


def encode_frame(
    kind: int,
    message_id: int,
    payload: bytes,
    *,
    seq: int = 0,
    link_id: int = 0,
    correlation_id: int = 0,
    flags: int = 0,
) -> bytes:
    """One whole frame with both its zeros, 19 to 243 bytes. The payload is at most 224 bytes, as `wire` makes it."""
    body = _HEADER.pack(MAJOR << 4 | kind, flags, message_id, seq, link_id, correlation_id, 0, len(payload)) + payload
    return b"\0" + cobs.encode(body + _CRC.pack(google_crc32c.value(body))) + b"\0"


class FrameDecoder:
    """Finds frames in a stream of bytes that comes in pieces of any size."""

    def __init__(self) -> None:
        self._kept = b""
        self._discarding = False

    @property
    def buffered(self) -> int:
        """Bytes kept for the next call; never above `MAX_ENCODED_SIZE`."""
        return len(self._kept)

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Everything that `data` completes, in order."""
        found: list[Frame | BadFrame] = []
        start = 0
        while (end := data.find(0, start)) >= 0:
            if self._discarding:
                self._discarding = False
            elif end > start or self._kept:
                piece = self._kept + data[start : min(end, start + MAX_ENCODED_SIZE + 1)]
                found.append(_decode(piece))
                self._kept = b""
            start = end + 1
        if not self._discarding and start < len(data):
            self._kept += data[start : start + MAX_ENCODED_SIZE + 1]
            if len(self._kept) > MAX_ENCODED_SIZE:
                found.append(_decode(self._kept))
                self._kept = b""
                self._discarding = True
        return found


def _decode(stuffed: bytes) -> Frame | BadFrame:
    if len(stuffed) > MAX_ENCODED_SIZE:
        return BadFrame(BadReason.OVERSIZE, stuffed[:MAX_ENCODED_SIZE])
    try:
        body = cobs.decode(stuffed)
    except cobs.DecodeError:
        return BadFrame(BadReason.COBS, stuffed)
    end = len(body) - CRC_SIZE
    if end < HEADER_SIZE:
        return BadFrame(BadReason.SHORT, stuffed)
    expected = google_crc32c.value(body[:end])
    (received,) = _CRC.unpack_from(body, end)
    if expected != received:
        return BadFrame(BadReason.CRC, stuffed, expected, received)
    header = Header._make(_HEADER.unpack_from(body))
    if header.payload_size != end - HEADER_SIZE:
        return BadFrame(BadReason.LENGTH, stuffed)
    return Frame(header, body[HEADER_SIZE:end])


def kind_name(kind: int) -> str:
    """A kind's name for people, also where the number is not one."""
    return Kind(kind).name if kind in Kind._value2member_map_ else f"KIND_{kind}"
