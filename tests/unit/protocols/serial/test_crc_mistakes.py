"""Known mistakes behind a wrong checksum: each is told apart, and a right one or an unknown one is none of them."""

import binascii
import struct
from typing import Final

import pytest

from protocols.serial.crc_mistakes import crc_mistake

BODY: Final = bytes.fromhex("10 02 08 03 02 00 03 00 04 00 00 04 01 00 00 00")
"""The frame of docs/protocol.md, section 7: header and payload. Its checksum is 0x47378331."""
RIGHT: Final = 0x4737_8331


def bit_by_bit(data: bytes, polynomial: int = 0x82F6_3B78) -> int:
    """A reflected checksum, without a table: the second judge."""
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return crc ^ 0xFFFF_FFFF


MISTAKES: Final = {
    "zlib's": (binascii.crc32(BODY), "it is CRC-32, zlib's"),
    "its bytes turned": (struct.unpack(">I", struct.pack("<I", RIGHT))[0], "its bytes are in the wrong order"),
    "not complemented": (RIGHT ^ 0xFFFF_FFFF, "it is not complemented at the end"),
    "the payload alone": (bit_by_bit(BODY[12:]), "it is taken over the payload alone"),
    "the header alone": (bit_by_bit(BODY[:12]), "it is taken over the header alone"),
    "forgotten": (0, "it is 0, as if forgotten"),
}


@pytest.mark.parametrize(("received", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_told(received: int, sentence: str) -> None:
    assert crc_mistake(BODY, received).startswith(sentence)


@pytest.mark.parametrize("received", [RIGHT, 1, 0xFFFF_FFFF])
def test_any_other_checksum_is_no_known_mistake(received: int) -> None:
    assert bit_by_bit(BODY) == RIGHT
    assert crc_mistake(BODY, received) == ""
