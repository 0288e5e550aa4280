"""Frames and payloads by their parts, for tests: also those that no end sends."""

from protocols.language.checksum import crc32c
from protocols.language.layouts import LAYOUTS
from protocols.language.message import Message
from protocols.language.version import MAJOR
from protocols.serial.framing import pack_crc, pack_header, stuff


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
    """One whole frame with both its zeros, whether any message is meant by it or not."""
    first = MAJOR << 4 | kind
    return seal(pack_header(first, flags, message_id, seq, link_id, correlation_id, 0, len(payload)) + payload)


def seal(body: bytes) -> bytes:
    """Header and payload as a whole frame: with the CRC, stuffed, between its zeros."""
    return b"\0%b\0" % stuff(body + pack_crc(crc32c(body)))


def encode_payload(message: Message) -> bytes:
    """A message's payload.

    Raises:
        MessageError: its tail array is too long for one frame.
    """
    return LAYOUTS[message.__class__].encode(message)
