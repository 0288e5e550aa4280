"""What `docs/protocol.md` says in figures is what the code does."""

import re
from pathlib import Path

from firmware_sim.commands.queries import records_per_page
from protocols.language.checksum import crc32c
from protocols.language.enums import Code
from protocols.language.fields import MAX_PAYLOAD_SIZE, MIN_MAX_PAYLOAD_SIZE
from protocols.language.messages import Suction
from protocols.link.budget import MAX_LINKS_PER_SECOND, MAX_NAKS_PER_SECOND
from protocols.link.port import BadReason
from protocols.serial.framing import MAX_ENCODED_SIZE, Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message
from tests.unit.protocols.serial.frames import encode_frame

TEXT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def hex_after(word: str) -> bytes:
    """The bytes that stand behind a word in the example."""
    match = re.search(rf"\b{word} +((?:[0-9a-f]{{2}} ?)+)", TEXT.partition("## 7. A frame by hand")[2])
    assert match is not None
    return bytes.fromhex(match[1])


def test_the_frame_by_hand() -> None:
    body = hex_after("header") + hex_after("payload")
    assert f"0x{crc32c(body):08x}" in TEXT
    assert hex_after("crc") == crc32c(body).to_bytes(4, "little")
    wire = hex_after("wire")
    assert wire == encode_message(Suction(cycle_no=1), seq=2, link_id=3, correlation_id=4, flags=2)
    (frame,) = FrameDecoder().feed(wire)
    assert isinstance(frame, Frame)
    assert decode_message(frame) == Suction(cycle_no=1)


def test_every_code_and_reason_is_explained() -> None:
    for code in Code:
        assert code.name in TEXT or code in (Code.OK, Code.UNKNOWN), code
    for reason in BadReason:
        assert f"| {reason.value} |" in TEXT


def test_sizes_and_limits() -> None:
    sizes = len(encode_frame(0, 1, b"")), len(encode_frame(0, 1, bytes(224)))
    assert f"is {sizes[0]} to {sizes[1]} bytes on the wire" in TEXT
    assert f"more than {MAX_ENCODED_SIZE} of them" in TEXT
    assert f"the host takes, {MIN_MAX_PAYLOAD_SIZE} to {MAX_PAYLOAD_SIZE} bytes" in TEXT
    assert (records_per_page(MIN_MAX_PAYLOAD_SIZE), records_per_page(MAX_PAYLOAD_SIZE)) == (3, 6)
    assert "three in 131 bytes and six in 224" in TEXT
    assert MAX_NAKS_PER_SECOND == 10
    assert "At most ten NAKs a second" in TEXT
    assert MAX_LINKS_PER_SECOND == 10
    assert "at most ten links a second" in TEXT
