"""The seal of a recording: whatever is changed in packets or comment breaks it, and nothing else does."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from protocols.capture.blocks import encode_capture
from protocols.capture.packet import CaptureError, Packet
from protocols.capture.reader import read_capture
from protocols.capture.seal import Seal

NAMES = ["tcp", "events"]
PACKETS = [Packet(5, 0, 1, b"ask"), Packet(9, 1, 0, b"{}"), Packet(9, 0, 2, b"answer")]


def sealed() -> dict[str, Any]:
    """The comment of these packets, as a reader has it."""
    seal = Seal()
    for packet in PACKETS:
        seal.add(NAMES[packet.interface], packet)
    return {**seal.close({"seed": 7, "verdict": {"word": "right"}})}


def read(comment: dict[str, Any], names: list[str], packets: list[Packet]) -> list[Packet]:
    return list(read_capture(io.BytesIO(encode_capture(comment, names, packets)).read).packets)


def test_what_was_sealed_is_read() -> None:
    comment = sealed()
    assert (comment["packets"], comment["crc32"]) == (3, "88a2c16c")
    assert read(comment, NAMES, PACKETS) == PACKETS


def test_what_has_no_seal_is_read() -> None:
    assert read({"seed": 7}, NAMES, PACKETS) == PACKETS


@pytest.mark.parametrize("left", [0, 1, 2])
def test_one_that_was_cut_short_is_an_error_at_its_end(left: int) -> None:
    with pytest.raises(CaptureError, match=f"its end: {left} packets; expected 3, as its comment says: it was cut"):
        read(sealed(), NAMES, PACKETS[:left])


EDITS: dict[str, Callable[[dict[str, Any], list[str], list[Packet]], object]] = {
    "comment": lambda comment, names, packets: comment.update(seed=8),
    "key": lambda comment, names, packets: comment.update(more=1),
    "name": lambda comment, names, packets: names.insert(0, "pty"),
    "time": lambda comment, names, packets: packets.insert(0, packets.pop(0)._replace(at_us=4)),
    "direction": lambda comment, names, packets: packets.insert(0, packets.pop(0)._replace(direction=2)),
    "interface": lambda comment, names, packets: packets.insert(0, packets.pop(0)._replace(interface=1)),
    "data": lambda comment, names, packets: packets.insert(0, packets.pop(0)._replace(data=b"Ask")),
    "order": lambda comment, names, packets: packets.reverse(),
    "sum": lambda comment, names, packets: comment.update(crc32="00000000"),
}


@pytest.mark.parametrize("name", EDITS)
def test_one_that_was_edited_is_an_error_at_its_end(name: str) -> None:
    comment, names, packets = sealed(), list(NAMES), list(PACKETS)
    EDITS[name](comment, names, packets)
    with pytest.raises(CaptureError, match="its end: another CRC-32 than its comment has; expected the same"):
        read(comment, names, packets)
