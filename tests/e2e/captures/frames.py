"""Frames made by the encoder of the golden vectors, which shares no code with the product."""

from tests.vectors.make_vectors import body_of, head, sealed


def frame(kind: str, message_id: int, payload: bytes = b"", **header: int) -> bytes:
    """A frame with both its zeros; `header` has what is other than in the vectors."""
    return sealed(body_of(head(kind, message_id, len(payload), **header), payload))


def punch(**header: int) -> bytes:
    """PUNCH of cycle 1, 3 mm deep."""
    return frame("COMMAND", 0x0307, bytes.fromhex("01000000b80b00000000"), **header)


def punch_done(**header: int) -> bytes:
    """Its answer: three needles punctured."""
    return frame("REPLY", 0x0307, bytes.fromhex("01000000b80b07d0010000"), **header)


def refused(sentence: str, **header: int) -> bytes:
    """A refusal, E_STATE."""
    return frame("REPLY", 0x0012, b"\x05\x00" + bytes(8) + sentence.encode().ljust(120, b"\0"), **header)


def nak(sentence: str, **header: int) -> bytes:
    """A NAK, E_VERSION."""
    return frame("LINK", 0x0006, b"\x03" + bytes(10) + sentence.encode().ljust(120, b"\0"), **header)
