"""The serial wire: bytes to envelopes and back."""

import pytest

from protocols.enums import Code, Kind
from protocols.errors import MessageError
from protocols.framing import BadFrame, encode_frame
from protocols.messages import Advance, Arm, Echo, Punch
from protocols.serial_wire import SENTENCE_SIZE, Envelope, SerialWire, sentence

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
