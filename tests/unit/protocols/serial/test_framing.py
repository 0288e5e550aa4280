"""Frames: the bytes as the specification draws them, what is refused, and the bounds on memory and work."""

import random
from collections.abc import Iterator

import pytest

from protocols.language.checksum import crc32c
from protocols.language.enums import Kind
from protocols.link.header import MUST_UNDERSTAND, REPLAYED, REPLY_WANTED, RETRANSMIT, SIGNED, kind_name
from protocols.link.port import BadFrame, BadReason
from protocols.serial.framing import MAX_ENCODED_SIZE, Frame, FrameDecoder
from tests.native import reaches_inside
from tests.unit.protocols.serial.frames import encode_frame, seal

MEBIBYTE = 1 << 20
GOOD = encode_frame(Kind.COMMAND, 0x0308, b"\x01\0\0\0", seq=2, link_id=3, correlation_id=4, flags=REPLY_WANTED)


class CountedBytes(bytes):
    """Bytes that count how much of them is cut out or searched, so that work is a number and not a time."""

    touched = 0
    longest_cut = 0

    def __getitem__(self, key: object) -> bytes:  # type: ignore[override]
        assert isinstance(key, slice)
        piece = CountedBytes(bytes.__getitem__(self, key))
        CountedBytes.touched += len(piece)
        return piece

    def split(self, separator: bytes | None = None, most: int = -1) -> list[bytes]:  # type: ignore[override]
        CountedBytes.touched += len(self)
        CountedBytes.longest_cut = max(CountedBytes.longest_cut, len(self))
        return bytes.split(self, separator, most)


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    CountedBytes.touched = CountedBytes.longest_cut = 0
    yield


def test_bytes_of_a_frame() -> None:
    body = bytes.fromhex("10 02 0803 0200 0300 0400 00 04 01000000")
    assert seal(body) == GOOD
    # No zero inside, so the first code byte counts to the first zero of the body, at offset 5.
    assert GOOD[:8] == bytes.fromhex("00 06 10 02 08 03 02 02")
    assert GOOD.endswith(b"\0")


def test_a_frame_is_one_byte_longer_than_its_content_and_two_zeros() -> None:
    for size in (0, 1, 100, 223, 224):
        for payload in (bytes(size), b"\xff" * size):
            assert len(encode_frame(Kind.BULK, 1, payload)) == 12 + size + 4 + 1 + 2
    assert len(encode_frame(Kind.BULK, 1, b"\x01" * 224)) - 2 == MAX_ENCODED_SIZE


def test_header_is_read_back() -> None:
    (frame,) = FrameDecoder().feed(GOOD)
    assert isinstance(frame, Frame)
    assert frame.header == (0x10, REPLY_WANTED, 0x0308, 2, 3, 4, 0, 4)
    assert (frame.header.major, frame.header.kind) == (1, Kind.COMMAND)
    assert frame.payload == b"\x01\0\0\0"


def test_flags_do_not_overlap() -> None:
    flags = [SIGNED, REPLY_WANTED, RETRANSMIT, REPLAYED, MUST_UNDERSTAND]
    assert sum(flags) == 0x3F
    assert MUST_UNDERSTAND == 0x30


def test_bad_frame_shows_both_checksums() -> None:
    body = bytes.fromhex("10 02 0803 0200 0300 0400 00 04 01000000")
    stuffed = seal(body)[1:-2] + b"\x7f"
    (bad,) = FrameDecoder().feed(stuffed + b"\0")
    assert isinstance(bad, BadFrame)
    assert bad.reason is BadReason.CRC
    assert bad.raw == stuffed
    assert bad.crc_expected == crc32c(body)
    assert bad.crc_received is not None
    assert bad.crc_received ^ crc32c(body) == (stuffed[-1] ^ seal(body)[-2]) << 24


@pytest.mark.parametrize("size", [MAX_ENCODED_SIZE - 1, MAX_ENCODED_SIZE, MAX_ENCODED_SIZE + 1, 4096, 4097, 10_000])
def test_oversize_is_reported_once_with_its_beginning(size: int) -> None:
    decoder = FrameDecoder()
    noise = bytes(1 + index % 255 for index in range(size))
    found = decoder.feed(noise)
    if size <= MAX_ENCODED_SIZE:
        assert found == []
        assert len(decoder.kept) == size
        return
    assert found == [BadFrame(BadReason.OVERSIZE, noise[:MAX_ENCODED_SIZE])]
    assert len(decoder.kept) == 0
    assert decoder.feed(noise) == []
    assert decoder.feed(b"\0") == []
    assert [type(item) for item in decoder.feed(GOOD)] == [Frame]
    assert [type(item) for at in range(len(GOOD)) for item in decoder.feed(GOOD[at : at + 1])] == [Frame]


def test_zeros_alone_are_nothing() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(bytes(10_000)) == []
    assert decoder.feed(b"") == []
    assert len(decoder.kept) == 0


@pytest.mark.parametrize("kind", ["random", "zeros", "no zeros", "a zero every 242"])
@pytest.mark.parametrize("piece", [MEBIBYTE, 4096, 1000])
@reaches_inside
def test_a_mebibyte_of_garbage_hides_nothing_and_costs_linear_work(kind: str, piece: int) -> None:
    noise = {
        "random": random.Random(7).randbytes(MEBIBYTE),
        "zeros": bytes(MEBIBYTE),
        "no zeros": b"\x55" * MEBIBYTE,
        "a zero every 242": (b"\x55" * 241 + b"\0") * (MEBIBYTE // 242),
    }[kind]
    decoder = FrameDecoder()
    for start in range(0, len(noise), piece):
        for item in decoder.feed(CountedBytes(noise[start : start + piece])):
            assert isinstance(item, BadFrame)
            assert len(item.raw) <= MAX_ENCODED_SIZE
        assert len(decoder.kept) <= MAX_ENCODED_SIZE
    assert [type(item) for item in decoder.feed(GOOD)][-1] is Frame
    # Each byte is cut out of a long piece once and searched once; the rest is a kept beginning a piece.
    assert len(noise) <= CountedBytes.touched <= 2 * len(noise) + 1000
    # A list of pieces is as long as the zeros are many, so no more than this is cut in one go.
    assert CountedBytes.longest_cut <= 4096 + MAX_ENCODED_SIZE


def test_feeding_byte_by_byte_costs_no_more_than_a_frame_each() -> None:
    decoder = FrameDecoder()
    found = [item for byte in b"\x55" * 5000 for item in decoder.feed(bytes((byte,)))]
    assert [item.reason for item in found if isinstance(item, BadFrame)] == [BadReason.OVERSIZE]
    assert decoder.feed(GOOD)[-1].__class__ is Frame


def test_kind_name_of_every_nibble() -> None:
    assert [kind_name(kind) for kind in range(8)] == [kind.name for kind in Kind]
    assert kind_name(8) == "KIND_8"
    assert kind_name(15) == "KIND_15"
