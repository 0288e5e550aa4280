"""What made a link impossible is named: for each thing that lines and strangers do to bytes, and for nothing else."""

import zlib
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.language.enums import Kind
from protocols.link.port import BadReason
from protocols.serial.diagnosis import (
    MAX_DROPPED_TWICE,
    MAX_SAMPLES,
    MAX_SHOWN,
    Finding,
    Heard,
    as_text,
    cause,
    line_change,
    shown,
)
from protocols.serial.framing import MAX_ENCODED_SIZE, pack_crc, pack_header, stuff
from protocols.serial.wire import SerialWire
from tests.unit.protocols.serial.frames import encode_frame

Spoil = Callable[[bytes], bytes]
FRAME: Final = encode_frame(Kind.LINK, 1, bytes(range(60)) + b"\xff\x03\x1a\x1c\x11\x13", seq=5, correlation_id=9)


def heard(*pieces: bytes) -> Heard:
    wire = SerialWire()
    for piece in pieces:
        wire.feed(piece)
    return wire.heard


def found(*pieces: bytes) -> Finding:
    finding = cause(heard(*pieces))
    assert finding is not None
    return finding


def without(value: int) -> Spoil:
    return lambda frame: frame.replace(bytes([value]), b"", 1)


SPOILS: Final[list[tuple[str, Spoil]]] = [
    ("doubled_ff", lambda frame: frame.replace(b"\xff", b"\xff\xff")),
    ("lf_as_cr_lf", lambda frame: frame.replace(b"\n", b"\r\n")),
    ("cr_as_lf", lambda frame: frame.replace(b"\r", b"\n")),
    ("lf_as_cr", lambda frame: frame.replace(b"\n", b"\r")),
    ("cr_dropped", without(0x0D)),
    ("signal_byte", without(0x03)),
]


def frames_with(value: int, count: int = 5) -> list[bytes]:
    """Frames with exactly one byte `value`, as on a line of many frames most of those that have one are."""
    bodies = [bytes([0x21 + number, value, 0x41, 0x42, 0x43]) for number in range(count)]
    frames = [
        encode_frame(Kind.LINK, 0x0101, body, seq=0x0808, link_id=0x0808, correlation_id=0x0808) for body in bodies
    ]
    return [frame for frame in frames if frame.count(value) == 1]


@pytest.mark.parametrize(("code", "spoil"), SPOILS, ids=[code for code, _ in SPOILS])
def test_what_a_line_did_is_proven_by_the_checksum(code: str, spoil: Spoil) -> None:
    value = {"doubled_ff": 0xFF, "lf_as_cr_lf": 0x0A, "lf_as_cr": 0x0A, "signal_byte": 0x03}.get(code, 0x0D)
    frames = frames_with(value)
    assert frames and all(spoil(frame) != frame for frame in frames)
    assert found(*map(spoil, frames)).code == code
    assert cause(heard(*frames)) is None, "nothing was spoiled"


@pytest.mark.parametrize("value", [0x11, 0x13])
def test_flow_control_that_swallows_xon_and_xoff(value: int) -> None:
    finding = found(*map(without(value), frames_with(value)))
    assert finding.code == "flow_control" and "XON" in finding.sentence


def test_flow_control_that_swallows_both_in_one_frame() -> None:
    frame = encode_frame(Kind.LINK, 0x0101, b"\x21\x11\x41\x13\x42", seq=0x0808, link_id=0x0808)
    assert found(frame.translate(None, b"\x11\x13")).code == "flow_control"
    long = encode_frame(Kind.LINK, 0x0101, b"\x21\x11\x41\x13\x42" + b"\x41" * MAX_DROPPED_TWICE, seq=0x0808)
    assert found(long.translate(None, b"\x11\x13")).code != "flow_control", "that would take too long"


def test_a_cr_that_came_as_lf_among_others() -> None:
    frame = encode_frame(Kind.LINK, 0x0101, b"\n\r\n\r\n\n", seq=1)
    assert found(frame.replace(b"\r", b"\n")).code == "cr_as_lf"


def test_more_of_them_than_there_are_ways_to_try_is_no_proof_and_no_long_search() -> None:
    assert found(encode_frame(Kind.LINK, 0x0101, b"\r" * 200, seq=1).replace(b"\r", b"\n")).code == "bad_crc"


def test_the_first_bytes_of_telnet() -> None:
    for piece in (b"\xff\xfd\x18\xff\xfb\x01", b"\xff\xfb\x2c\xff\xfd\x00", b"\xff\xfe\x01", b"\xff\xfc\x03"):
        finding = found(piece)
        assert finding.code == "telnet"
        assert finding.sentence.startswith(
            "the first bytes are Telnet negotiation: this port speaks Telnet or RFC 2217"
        )
    assert found(b"\xff\x41\x42\0").code == "no_frame"
    assert found(b"\x85\xfb\x01").code == "no_frame"


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        (b"Port already in use\r\n", "Port already in use"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n", "HTTP/1.1 400 Bad Request Content-Length: 0"),
        (b'{"hello": 1}\0', '{"hello": 1}'),
        (b"Port already in use\r\n" * 30, "Port already in use"),
        (b"\r\nlogin:\tme\r\n", "login: me"),
        ("Gerät belegt".encode(), "Gerät belegt"),
        (b"a" * 300, "a" * (MAX_SHOWN - 3) + "..."),
        ("Gerät".encode()[:-1] + "ß".encode()[:1], "Gerä"),
    ],
)
def test_a_text(piece: bytes, text: str) -> None:
    assert found(piece) == ("text", f"a text came: {text}")


def test_what_cannot_be_printed_is_never_shown_as_text() -> None:
    for piece in (b"\x1b[2Jhello", b"abc", b"\x01\x02\x03\x04", "\u202eevil".encode(), b"\x85\x90\xf1\xf0\xf2\xf3"):
        assert as_text(piece) == "" and shown(heard(piece)) == f"hex {piece.hex(' ')}"
    assert len(shown(heard(b"\x01" * 500))) <= MAX_SHOWN + 4


def test_a_text_before_frames_with_a_wrong_checksum_is_not_what_is_wrong() -> None:
    spoiled = FRAME[:-5] + bytes([FRAME[-5] ^ 0x55 or 1]) + FRAME[-4:]
    assert found(b"boot: ready\r\n", spoiled).code == "bad_crc"
    assert found(b"boot: ready\r\n", b"\0\x05\0").code == "text"


def test_seven_bits() -> None:
    seven = bytes(byte & 0x7F for byte in encode_frame(Kind.LINK, 1, b"\xf1\xf2\xf3", seq=0x8182))
    assert found(seven) == ("seven_bits", f"{len(seven)} bytes came, all below 0x80: is the line set to 7 bits?")
    assert found(b"\0" + b"\x01" * 11 + b"\x80\0").code != "seven_bits", "one is above"
    assert found(b"\x01" * 5).code == "no_frame", "too few to tell"


def test_seven_bits_with_even_parity() -> None:
    narrow = [byte & 0x7F for byte in FRAME]
    even = bytes(byte | (byte.bit_count() % 2) << 7 for byte in narrow)
    assert max(even) >= 0x80
    finding = found(even)
    assert finding.code == "seven_bits" and "even parity" in finding.sentence


def wrong_crc(number: int, checksum: Callable[[bytes], int] = lambda body: 0x1234_5678) -> bytes:
    body = pack_header(0x10, 0, 1, number, 0, number, 0, 3) + b"\xa1\xa2\xa3"
    return b"\0" + stuff(body + pack_crc(checksum(body))) + b"\0"


def test_a_wrong_checksum() -> None:
    assert found(wrong_crc(1)) == ("bad_crc", "1 frame came, its CRC is wrong")
    assert found(*map(wrong_crc, range(1, 11))) == ("bad_crc", "10 frames came, the CRC of each is wrong")
    assert found(wrong_crc(1), b"\0\x05\0", wrong_crc(2)) == ("bad_crc", "3 frames came, the CRC of 2 is wrong")
    finding = found(*(wrong_crc(number, zlib.crc32) for number in (1, 2)))
    assert finding.sentence.startswith("2 frames came, the CRC of each is wrong: it is CRC-32, zlib's")
    assert found(wrong_crc(1, zlib.crc32), b"boot: ready\0").code == "bad_crc"


def test_a_known_mistake_is_no_line_of_seven_bits() -> None:
    body = pack_header(0x10, 0, 1, 1, 0, 1, 0, 3) + b"\x21\x22\x23"
    frame = b"\0" + stuff(body + pack_crc(0)) + b"\0"
    assert max(frame) < 0x80 and found(frame).code == "bad_crc" and line_change(heard(frame)) is None


def test_bytes_of_no_kind() -> None:
    assert found(b"\x05").sentence.startswith("1 byte came, and no frame among them: are speed and parity right")
    finding = found(b"\x85\x90\xf1", b"\0\x91\0")
    assert finding.code == "no_frame" and finding.sentence.startswith("6 bytes came, ")


def test_nothing_to_explain() -> None:
    assert cause(Heard()) is None
    assert cause(heard(b"\0\0\0")) is None
    assert line_change(Heard()) is None


def test_what_is_kept_is_bounded_and_the_first() -> None:
    first = b"\x85\x90\0"
    kept = heard(first, *[b"\xf0" * 300 + b"\0"] * 100)
    assert kept.samples[0].raw == b"\x85\x90"
    assert len(kept.samples) == MAX_SAMPLES and kept.bad.total() == 101
    assert all(len(bad.raw) <= MAX_ENCODED_SIZE for bad in kept.samples)


def test_two_connections_add_up_and_what_is_cleared_is_gone() -> None:
    one, two = heard(b"\x85\x90\0"), heard(b"\x91\0" * 20 + b"\x92")
    one.absorb(two)
    assert one.bad == {BadReason.SHORT: 0, BadReason.COBS: 21} or one.bad.total() == 21
    assert len(one.samples) == MAX_SAMPLES and one.size == 44 and one.waiting == b"\x92"
    one.absorb(heard(b"\x93"))
    assert one.waiting == b"\x92"
    one.clear()
    assert one == Heard()


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_whatever_comes_is_explained_in_one_printable_line(pieces: list[bytes]) -> None:
    finding = cause(heard(*pieces))
    assert finding is None or (finding.sentence.isprintable() and len(finding.sentence) < 240)
