"""The bytes of a recording, against ones made by hand from the specification, and as tshark reads them."""

import json
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.capture.blocks import encode_capture, interface_block, packet_block, section_block
from protocols.capture.packet import (
    FROM_DEVICE,
    MAX_COMMENT_BYTES,
    MAX_PACKET_BYTES,
    NO_DIRECTION,
    TO_DEVICE,
    CaptureError,
)

# Section header block, draft-ietf-opsawg-pcapng section 4.1; a comment of 15 bytes has one byte of padding.
SECTION = bytes.fromhex(
    "0a0d0d0a 34000000"  # type, total length 52
    "4d3c2b1a 0100 0000 ffffffffffffffff"  # byte order, version 1.0, length of the section unknown
    "0100 0f00 7b227265636f7264696e67223a317d 00"  # opt_comment, 15 bytes
    "0000 0000 34000000"
)
# Interface description block, section 4.2: link type 147, no limit; if_name "tcp", if_tsresol 6.
INTERFACE = bytes.fromhex(
    "01000000 28000000  9300 0000 00000000  0200 0300 746370 00  0900 0100 06 000000  0000 0000  28000000"
)
# Enhanced packet block, section 4.3: interface 0, time 2**32 + 5, 5 bytes, epb_flags outbound.
PACKET = bytes.fromhex(
    "06000000 34000000  00000000 01000000 05000000 05000000 05000000  0102030405 000000"
    "0200 0400 02000000  0000 0000  34000000"
)


def test_blocks_are_those_of_the_specification() -> None:
    assert section_block({}) == SECTION
    assert interface_block("tcp") == INTERFACE
    assert packet_block(2**32 + 5, 0, FROM_DEVICE, bytes([1, 2, 3, 4, 5])) == PACKET
    assert encode_capture({}, ["tcp"], [(2**32 + 5, 0, 2, bytes([1, 2, 3, 4, 5]))]) == SECTION + INTERFACE + PACKET


@pytest.mark.parametrize("size", range(9))
def test_each_block_is_a_multiple_of_four_and_says_its_length_twice(size: int) -> None:
    for block in (
        packet_block(0, 0, TO_DEVICE, b"x" * size),
        interface_block("x" * size),
        section_block({"a": "x" * size}),
    ):
        assert len(block) % 4 == 0
        assert struct.unpack("<I", block[4:8]) == struct.unpack("<I", block[-4:]) == (len(block),)


def test_a_header_with_more_in_its_comment_takes_the_same_place() -> None:
    first, last = section_block({"seed": 7}, 200), section_block({"seed": 7, "verdict": {"state": "completed"}}, 200)
    assert len(first) == len(last)
    assert json.loads(last[28:228])["verdict"] == {"state": "completed"}


def test_what_no_reader_would_take_is_not_written() -> None:
    with pytest.raises(CaptureError, match="^comment: .* expected at most 65535$"):
        section_block({"text": "x" * MAX_COMMENT_BYTES})
    with pytest.raises(CaptureError, match="^comment: .* expected at most 20$"):
        section_block({"text": "long"}, 20)
    with pytest.raises(CaptureError, match="^packet: 262145 bytes; expected at most 262144$"):
        packet_block(0, 0, TO_DEVICE, bytes(MAX_PACKET_BYTES + 1))


def test_tshark_reads_ports_directions_microseconds_and_comment(program: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "made.pcapng"
    packets = [
        (1_000_001, 0, TO_DEVICE, b"ask"),
        (1_000_250, 0, FROM_DEVICE, b"answer"),
        (2_000_000, 1, NO_DIRECTION, bytes(MAX_PACKET_BYTES)),
    ]
    path.write_bytes(encode_capture({"seed": 7, "verdict": None}, ["tcp:127.0.0.1:9", "events"], packets))
    names = ("frame.interface_name", "frame.time_epoch", "frame.packet_flags_direction", "frame.len")
    assert _fields(program, path, *names) == [
        ["tcp:127.0.0.1:9", "1.000001000", "0x00000001", "3"],
        ["tcp:127.0.0.1:9", "1.000250000", "0x00000002", "6"],
        ["events", "2.000000000", "0x00000000", "262144"],
    ]
    said = subprocess.run([program("capinfos"), "-k", path], capture_output=True, text=True, check=True).stdout
    assert '{"recording":1,"seed":7,"verdict":null}' in said


def _fields(program: Callable[[str], str], path: Path, *names: str) -> list[list[str]]:
    """Return the fields of each packet, as tshark has them."""
    wanted = [word for name in names for word in ("-e", name)]
    done = subprocess.run(
        [program("tshark"), "-r", path, "-T", "fields", *wanted], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]
