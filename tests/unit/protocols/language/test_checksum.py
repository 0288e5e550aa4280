"""The checksum, by published check values: CRC-32C is in iSCSI (RFC 3720, appendix B.4) and many catalogues."""

import pytest

from protocols.language.checksum import crc32c

CHECKS = [
    (b"", 0x0000_0000),
    (b"123456789", 0xE306_9283),
    (bytes(32), 0x8A91_36AA),
    (b"\xff" * 32, 0x62A8_AB43),
    (bytes(range(32)), 0x46DD_794E),
    (bytes(range(31, -1, -1)), 0x113F_DB5C),
    (bytes.fromhex("10020803020003000400000401000000"), 0x4737_8331),
]
"""The last one is the frame of docs/protocol.md, section 7."""


@pytest.mark.parametrize(("data", "expected"), CHECKS)
def test_the_checksum_is_castagnolis(data: bytes, expected: int) -> None:
    assert crc32c(data) == expected


def test_a_checksum_and_its_data_leave_the_same_rest_always() -> None:
    """By which a receiver may check a frame in one pass, as many do."""
    rests = {crc32c(data + crc.to_bytes(4, "little")) for data, crc in CHECKS}
    assert rests == {0x4867_4BC7}
