"""A recording that is read: all of what was written, or one error that says where the bytes are wrong."""

import io
import json
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.capture.blocks import encode_capture, interface_block, packet_block, section_block
from protocols.capture.packet import Capture, CaptureError, Packet
from protocols.capture.reader import MAX_BLOCK_BYTES, read_capture

TINY = encode_capture({"seed": 7}, ["tcp", "events"], [(5, 0, 1, b"ask"), (9, 1, 0, b"{}")])
SECTION, TCP, EVENTS = section_block({"seed": 7}), interface_block("tcp"), interface_block("events")
ASK = packet_block(5, 0, 1, b"ask")

packets = st.lists(
    st.builds(
        Packet,
        at_us=st.integers(0, 2**64 - 1),
        interface=st.integers(0, 2),
        direction=st.integers(0, 2),
        data=st.binary(max_size=70),
    ),
    max_size=8,
)


def read(data: bytes) -> Capture:
    """Read all of it."""
    capture = read_capture(io.BytesIO(data).read)
    return Capture(capture.comment, capture.interfaces, list(capture.packets))


@given(packets, st.dictionaries(st.text(), st.text()), st.lists(st.text(max_size=9), min_size=3, max_size=3))
def test_what_was_written_is_read(packets: list[Packet], said: dict[str, str], names: list[str]) -> None:
    interfaces = [name.encode(errors="replace").decode() for name in names]
    read_back = read(encode_capture({"said": said}, names, packets))
    assert read_back == Capture({"recording": 1, "said": said}, interfaces, packets)


def test_a_port_that_comes_later_is_read() -> None:
    data = SECTION + TCP + ASK + EVENTS + packet_block(9, 1, 0, b"{}")
    assert read(data).interfaces == ["tcp", "events"]


def test_a_padded_comment_without_a_verdict_is_read_and_has_none() -> None:
    assert read(section_block({"seed": 7}, 4096)).comment.get("verdict") is None


def test_packets_are_read_as_they_are_asked_for() -> None:
    capture = read_capture(io.BytesIO(TINY + b"rest").read)
    taken = iter(capture.packets)
    assert next(taken) == Packet(5, 0, 1, b"ask")
    assert next(taken) == Packet(9, 1, 0, b"{}")
    with pytest.raises(CaptureError, match="middle of a block"):
        next(taken)


def test_the_other_byte_order_is_read() -> None:
    data = struct.pack(">IIIHHqHH16sII", 0x0A0D0D0A, 52, 0x1A2B3C4D, 1, 0, -1, 1, 15, b'{"recording":1}', 0, 52)
    data += struct.pack(">IIHHIHH4sII", 1, 32, 147, 0, 0, 2, 3, b"tcp\0", 0, 32)
    data += struct.pack(">IIIIIII4sHHIII", 6, 48, 0, 1, 5, 3, 3, b"ask\0", 2, 4, 2, 0, 48)
    assert read(data) == Capture({"recording": 1}, ["tcp"], [Packet(2**32 + 5, 0, 2, b"ask")])


def test_blocks_that_other_programs_add_are_passed_over() -> None:
    statistics = struct.pack("<IIIIII", 5, 24, 0, 0, 0, 24)
    assert read(SECTION + TCP + statistics + ASK).packets == [Packet(5, 0, 1, b"ask")]


def with_comment(text: bytes) -> bytes:
    """A section with a comment that nobody of ours would write."""
    return changed(section_block({}, 80), 28, text.ljust(80))


def changed(data: bytes, at: int, value: bytes) -> bytes:
    """`data` with other bytes at one place."""
    return data[:at] + value + data[at + len(value) :]


WRONG = {
    "empty": (b"", "byte 0: an empty file; expected pcapng, which begins with 0A 0D 0D 0A"),
    "text": (b"<?xml version", "byte 0: a file that begins with 3C 3F 78 6D; expected pcapng"),
    "old pcap": (bytes.fromhex("d4c3b2a1") + bytes(20), "byte 0: a capture file of the older format pcap"),
    "header cut": (SECTION[:10], "byte 10: the file ends in the middle of a block"),
    "byte order": (changed(SECTION, 8, b"abcd"), "byte 8: a byte order of 61 62 63 64"),
    "major": (changed(SECTION, 12, b"\2"), "byte 12: pcapng of version 2; expected version 1"),
    "foreign": (with_comment(b'{"seed": 7}'), "byte 28: a capture with no comment of ours"),
    "no json": (with_comment(b"by hand"), "byte 28: a capture with no comment of ours"),
    "deep json": (with_comment(b"[" * 80), "byte 28: a capture with no comment of ours"),
    "newer": (with_comment(b'{"recording": 2}'), "byte 28: a recording of version 2; expected version 1"),
    "true": (with_comment(b'{"recording": true}'), "byte 28: a recording of version True"),
    "option": (changed(SECTION, 26, b"\xff\xff"), "byte 28: an option of 65535 bytes that leaves its block"),
    "cut": (TINY[:-3], f"byte {len(TINY) - 3}: the file ends in the middle of a block"),
    "length": (changed(TINY, len(SECTION) + 4, b"\x0b"), f"byte {len(SECTION) + 4}: a block of 11 bytes"),
    "huge": (
        SECTION + struct.pack("<II", 6, MAX_BLOCK_BYTES + 4),
        f"byte {len(SECTION) + 4}: a block of {MAX_BLOCK_BYTES + 4} bytes; expected a multiple of 4 up to",
    ),
    "end length": (changed(SECTION, len(SECTION) - 4, b"\0"), f"byte {len(SECTION) - 4}: a block that ends in 00"),
    "short block": (SECTION + struct.pack("<III", 6, 12, 12), f"byte {len(SECTION) + 8}: a block of 0 bytes"),
    "link type": (changed(SECTION + TCP, len(SECTION) + 8, b"\1"), "an interface of link type 1; expected 147, USER0"),
    "nanoseconds": (
        changed(SECTION + TCP, len(SECTION + TCP) - 12, b"\x09"),
        "time stamps of resolution 09; expected 06, microseconds",
    ),
    "no name": (
        SECTION + struct.pack("<IIHHII", 1, 20, 147, 0, 0, 20),
        f"byte {len(SECTION) + 16}: an interface without a name; expected the port's",
    ),
    "interface": (SECTION + ASK, "a packet of interface 0; expected one of the 0 before it"),
    "sliced": (changed(SECTION + TCP + ASK, len(SECTION + TCP) + 24, b"\4"), "3 bytes of a packet of 4; expected all"),
    "caplen": (
        changed(SECTION + TCP + ASK, len(SECTION + TCP) + 20, b"\xff"),
        "a packet of 255 bytes that leaves its block; expected at most 16",
    ),
    "direction": (SECTION + TCP + packet_block(0, 0, 3, b""), "a packet of direction 3; expected 0 none"),
    "simple packet": (SECTION + TCP + struct.pack("<IIII", 3, 16, 0, 16), "a packet without time and direction"),
    "two": (SECTION + SECTION, f"byte {len(SECTION) + 8}: a second section; expected one: a file is one recording"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place(name: str) -> None:
    data, said = WRONG[name]
    with pytest.raises(CaptureError) as caught:
        read(data)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_interfaces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.capture.reader.MAX_INTERFACES", 2)
    assert len(read(SECTION + TCP * 2).interfaces) == 2
    with pytest.raises(CaptureError, match="one interface more; expected at most 2"):
        read(SECTION + TCP * 3)


def test_a_block_is_never_asked_for_beyond_its_bound() -> None:
    asked: list[int] = []
    source = io.BytesIO(SECTION + struct.pack("<II", 6, 0xFFFF_FFFC) + bytes(100))

    def read_noting(size: int) -> bytes:
        asked.append(size)
        return source.read(size)

    with pytest.raises(CaptureError):
        list(read_capture(read_noting).packets)
    assert max(asked) <= MAX_BLOCK_BYTES


Spoil = Callable[[bytes], bytes]


def _flip(at: int, bit: int) -> Spoil:
    return lambda data: changed(data, at % len(data), bytes([data[at % len(data)] ^ 1 << bit])) if data else data


def _cut(at: int) -> Spoil:
    return lambda data: data[: at % (len(data) + 1)]


def _insert(at: int, more: bytes) -> Spoil:
    return lambda data: data[: at % (len(data) + 1)] + more + data[at % (len(data) + 1) :]


places = st.integers(0, 10_000)
spoilers = st.one_of(
    st.builds(_flip, places, st.integers(0, 7)),
    st.builds(_cut, places),
    st.builds(_insert, places, st.binary(max_size=9)),
)


@given(packets, st.lists(spoilers, min_size=1, max_size=4))
def test_a_spoiled_file_is_a_recording_or_one_error(packets: list[Packet], spoilers: list[Spoil]) -> None:
    data = encode_capture({"seed": 7}, ["a", "b", "c"], packets)
    for spoil in spoilers:
        data = spoil(data)
    try:
        capture = read(data)
    except CaptureError as error:
        assert json.dumps(str(error))
    else:
        assert all(packet.interface < len(capture.interfaces) for packet in capture.packets)


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_header_are_packets_or_one_error(data: bytes) -> None:
    try:
        read(SECTION + TCP + data)
    except CaptureError as error:
        assert error.where.startswith("byte ")


# --- captures of other programs ----------------------------------------------------------------------------------


def foreign(options: bytes, ticks: int) -> bytes:
    """A capture without a comment: one interface with these options, one packet at a time in its units."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    size = 20 + len(options)
    return (
        section
        + struct.pack("<IIHHI", 1, size, 147, 0, 0)
        + options
        + struct.pack("<I", size)
        + packet_block(ticks, 0, 1, b"ask")
    )


@pytest.mark.parametrize(
    ("resolution", "ticks", "at_us"),
    [(None, 1_500_000, 1_500_000), (9, 1_500_000_999, 1_500_000), (3, 1_500, 1_500_000), (0x8A, 1_536, 1_500_000)],
)
def test_a_capture_of_anybody_has_times_in_its_own_units(resolution: int | None, ticks: int, at_us: int) -> None:
    options = b"" if resolution is None else struct.pack("<HHB3xHH", 9, 1, resolution, 0, 0)
    capture = read_capture(io.BytesIO(foreign(options, ticks)).read, of_anybody=True)
    assert list(capture.packets) == [Packet(at_us, 0, 1, b"ask")]
    assert (capture.comment, capture.interfaces) == ({}, ["interface 0"])


def test_what_anybody_may_leave_out_a_recording_of_ours_may_not() -> None:
    with pytest.raises(CaptureError, match="no comment of ours"):
        read(foreign(b"", 5))
    nameless = SECTION + foreign(b"", 5)[28:]
    with pytest.raises(CaptureError, match="without a name"):
        list(read_capture(io.BytesIO(nameless).read, of_anybody=True).packets)
    nanoseconds = SECTION + foreign(struct.pack("<HHB3xHH", 9, 1, 9, 0, 0), 5)[28:]
    with pytest.raises(CaptureError, match="expected 06, microseconds"):
        list(read_capture(io.BytesIO(nanoseconds).read, of_anybody=True).packets)


def test_a_resolution_that_is_none_is_an_error() -> None:
    with pytest.raises(CaptureError, match="expected 06, microseconds"):
        list(read_capture(io.BytesIO(foreign(struct.pack("<HHHxxHH", 9, 2, 9, 0, 0), 5)).read, of_anybody=True).packets)
