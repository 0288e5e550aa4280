"""The serial wire: bytes to envelopes and back."""

import pytest

from protocols.language.enums import Code, Kind
from protocols.language.errors import MessageError
from protocols.language.messages import Advance, Arm, Echo, Punch
from protocols.link.port import SENTENCE_SIZE, BadFrame, BadReason, Envelope, sentence
from protocols.serial import wire as serial_wire
from protocols.serial.framing import pack_header, stuff, unstuff
from protocols.serial.wire import SerialWire
from tests import vectors
from tests.unit.protocols.serial.frames import encode_frame, seal

PUNCH = Punch(cycle_no=1, depth_um=2, deadline_ms=3)


def test_message_comes_through_with_its_header() -> None:
    data = SerialWire().encode(PUNCH, 11, 22, 33, 2)
    (found,) = SerialWire().feed(data)
    assert isinstance(found, Envelope)
    assert found.message == PUNCH and found.problem is None
    header = found.header
    assert (header.seq, header.link_id, header.correlation_id, header.flags) == (11, 22, 33, 2)


def test_pieces_and_neighbours() -> None:
    wire, data = SerialWire(), SerialWire().encode(PUNCH, 1, 2, 3, 0)
    found = [item for byte in data + data for item in wire.feed(bytes((byte,)))]
    assert len(found) == 2 and found[0] == found[1]
    bad, good = wire.feed(b"noise" + data)
    assert isinstance(bad, BadFrame) and isinstance(good, Envelope)


VECTORS = vectors.load("frames.json")["frames"]


def in_one_piece(data: bytes) -> list[Envelope | BadFrame]:
    return SerialWire().feed(data)


def byte_by_byte(data: bytes) -> list[Envelope | BadFrame]:
    wire = SerialWire()
    return [item for byte in data for item in wire.feed(bytes((byte,)))]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_frame_that_comes_whole_is_judged_as_one_that_comes_byte_by_byte(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"])
    (found,) = in_one_piece(data)
    assert [found] == byte_by_byte(data)
    assert isinstance(found, BadFrame) is (vector["outcome"] == "bad frame")
    if isinstance(found, BadFrame):
        assert found.reason == vector["reason"]


@pytest.mark.parametrize("message", [PUNCH, Arm(), Echo(data=bytes(range(200)))], ids=lambda one: type(one).__name__)
def test_no_frame_that_comes_whole_is_taken_with_a_wrong_checksum(message: Punch | Arm | Echo) -> None:
    """Each bit of header, payload and checksum, turned before it is stuffed."""
    body = unstuff(SerialWire().encode(message, 1, 2, 3, 0)[1:-1])
    for bit in range(8 * len(body)):
        wrong = bytearray(body)
        wrong[bit // 8] ^= 1 << bit % 8
        (found,) = in_one_piece(b"\0" + stuff(bytes(wrong)) + b"\0")
        assert isinstance(found, BadFrame) and found.reason is BadReason.CRC


@pytest.mark.parametrize("size", [0, 11, 13, 255])
def test_no_frame_that_comes_whole_is_taken_with_a_wrong_size(size: int) -> None:
    payload = b"\1" * 12
    first = 1 << 4 | Kind.COMMAND
    data = seal(pack_header(first, 0, Punch.ID, 1, 2, 3, 0, size) + payload)
    (found,) = in_one_piece(data)
    assert isinstance(found, BadFrame) and found.reason is BadReason.LENGTH


def test_a_whole_frame_behind_half_a_one_ends_that() -> None:
    wire, data = SerialWire(), SerialWire().encode(PUNCH, 1, 2, 3, 0)
    assert wire.feed(b"noise") == []
    bad, good = wire.feed(data)
    assert isinstance(bad, BadFrame) and bad.raw == b"noise" and isinstance(good, Envelope)


def test_a_whole_frame_ends_what_is_too_long() -> None:
    wire, data = SerialWire(), SerialWire().encode(PUNCH, 1, 2, 3, 0)
    (bad,) = wire.feed(b"x" * 300)
    assert isinstance(bad, BadFrame) and bad.reason is BadReason.OVERSIZE
    for piece in (data, data[1:]):  # the second one shares its neighbour's zero
        (good,) = wire.feed(piece)
        assert isinstance(good, Envelope)


def test_nothing_comes_of_nothing() -> None:
    assert in_one_piece(b"") == in_one_piece(b"\0") == in_one_piece(b"\0\0") == []


def test_what_a_peer_makes_up_is_not_kept() -> None:
    before = len(serial_wire._decoders)
    for message_id in range(0x7000, 0x7100):
        in_one_piece(encode_frame(Kind.BULK, message_id, b""))
    assert len(serial_wire._decoders) == before


def test_unknown_message_is_a_problem() -> None:
    for kind, name in ((Kind.COMMAND, "COMMAND"), (Kind.BULK, "BULK"), (12, "KIND_12")):
        (found,) = SerialWire().feed(encode_frame(kind, 0x7ABC, b"\1\2"))
        assert isinstance(found, Envelope) and found.message is None and found.problem is not None
        assert found.problem.code is Code.E_UNKNOWN_MESSAGE
        assert name in found.problem.sentence and "0x7abc" in found.problem.sentence


@pytest.mark.parametrize("payload", [b"", b"\0" * 4, b"\0\0\0\0\x09"])
def test_payload_that_does_not_fit_is_a_problem(payload: bytes) -> None:
    (found,) = SerialWire().feed(encode_frame(Kind.COMMAND, Advance.ID, payload))
    assert isinstance(found, Envelope) and found.message is None and found.problem is not None
    assert found.problem.code is Code.E_ARGUMENT and "Advance" in found.problem.sentence


def test_empty_payload_is_a_message() -> None:
    (found,) = SerialWire().feed(encode_frame(Kind.COMMAND, Arm.ID, b""))
    assert isinstance(found, Envelope) and found.message == Arm()


def test_too_long_a_tail_is_not_encoded() -> None:
    with pytest.raises(MessageError):
        SerialWire().encode(Echo(data=b"x" * 225), 1, 2, 3, 0)


def test_sentence_is_cut_between_characters_and_is_one_line_without_nul() -> None:
    assert sentence("short") == "short"
    assert sentence("a\0b\n\x1b[2J\u202e") == r"a\x00b\n\x1b[2J\u202e"
    assert sentence("x" * 121) == "x" * SENTENCE_SIZE
    cut = sentence("x" + "\N{EURO SIGN}" * 60)
    assert cut == "x" + "\N{EURO SIGN}" * 39 and len(cut.encode()) == 118
