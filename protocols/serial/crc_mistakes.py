"""Known mistakes behind a wrong checksum: the writer of a first host has to be told of them most often."""

import zlib
from collections.abc import Callable
from typing import Final

from protocols.language.checksum import crc32c
from protocols.link.header import HEADER_SIZE
from protocols.serial.framing import CRC_SIZE

_CRC_MISTAKES: Final[tuple[tuple[str, Callable[[bytes], int]], ...]] = (
    ("it is CRC-32, zlib's; CRC-32C has the polynomial 0x1EDC6F41", zlib.crc32),
    ("its bytes are in the wrong order; the low byte comes first", lambda body: _swapped(crc32c(body))),
    ("it is not complemented at the end", lambda body: crc32c(body) ^ 0xFFFF_FFFF),
    ("it is taken over the payload alone; the header belongs to it", lambda body: crc32c(body[HEADER_SIZE:])),
    ("it is taken over the header alone; the payload belongs to it", lambda body: crc32c(body[:HEADER_SIZE])),
    ("it is 0, as if forgotten", lambda body: 0),
)
"""Mistakes that many make once, and the checksum that each of them gives."""


def crc_mistake(body: bytes, received: int) -> str:
    """Return the known mistake that made the checksum `received` of header and payload; empty where none did."""
    return next((mistake for mistake, checksum in _CRC_MISTAKES if checksum(body) == received), "")


def _swapped(crc: int) -> int:
    return int.from_bytes(crc.to_bytes(CRC_SIZE, "little"), "big")
