"""The serial wire: what the exchange sends and receives, as frames in a stream of bytes.

Law: this is the only thing the exchange knows of bytes. Another wire offers the same two methods over whatever it
carries (`Wire`), and the exchange above it stays the same.
"""

from typing import Final, NamedTuple, Protocol, TypeVar

from protocols import messages as _messages
from protocols.enums import Code
from protocols.errors import MessageError
from protocols.framing import BadFrame, FrameDecoder, Header, encode_frame, kind_name
from protocols.message import REGISTRY, Message
from protocols.wire import decode_payload, encode_payload

assert _messages.__name__, "importing the catalogue is what fills REGISTRY"


class Problem(NamedTuple):
    """Why a frame with a good checksum holds no message."""

    code: Code
    sentence: str


class Envelope(NamedTuple):
    """One frame's header with its message, or with the problem that kept it from being one."""

    header: Header
    message: Message | None
    problem: Problem | None


Out = TypeVar("Out", covariant=True)
"""What a wire sends: `bytes` on a serial line."""

In = TypeVar("In", contravariant=True)
"""What a wire is fed: `bytes` on a serial line."""


class Wire(Protocol[In, Out]):
    """What carries an exchange."""

    def feed(self, data: In) -> list[Envelope | BadFrame]:
        """Everything that `data` completes."""

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Out:
        """One message, ready to send."""


SENTENCE_SIZE: Final = 120
"""Bytes of UTF-8 that a refusal's sentence may have."""


def sentence(text: str) -> str:
    """A text cut to what fits a refusal."""
    return text.encode()[:SENTENCE_SIZE].decode(errors="ignore").replace("\0", " ")


class SerialWire:
    """Frames over bytes."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()

    def feed(self, data: bytes) -> list[Envelope | BadFrame]:
        """Everything that `data` completes, in order; linear in its length."""
        found: list[Envelope | BadFrame] = []
        for item in self._decoder.feed(data):
            if item.__class__ is BadFrame:
                found.append(item)  # type: ignore[arg-type]
                continue
            header, payload = item
            found.append(_open(header, payload))  # type: ignore[arg-type]
        return found

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> bytes:
        """One whole frame."""
        return encode_frame(
            message.KIND,
            message.ID,
            encode_payload(message),
            seq=seq,
            link_id=link_id,
            correlation_id=correlation_id,
            flags=flags,
        )


def _open(header: Header, payload: bytes) -> Envelope:
    model = REGISTRY.get((header.major_and_kind & 0x0F, header.message_id))
    if model is None:
        text = f"{kind_name(header.kind)} message 0x{header.message_id:04x} is not known to this version"
        return Envelope(header, None, Problem(Code.E_UNKNOWN_MESSAGE, text))
    try:
        return Envelope(header, decode_payload(model, payload), None)
    except MessageError as error:
        return Envelope(header, None, Problem(Code.E_ARGUMENT, sentence(str(error))))
