"""The serial wire: what the exchange sends and receives, as frames in a stream of bytes.

Law: this is the only thing the exchange knows of bytes. Another wire offers the same two methods over whatever it
carries (`Wire`), and the exchange above it stays the same.
"""

from typing import Final, NamedTuple, Protocol, TypeVar

from protocols.enums import Code
from protocols.errors import MessageError
from protocols.framing import BadFrame, FrameDecoder, Header, kind_name
from protocols.message import Message
from protocols.wire import decode_message, encode_message


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
            if isinstance(item, BadFrame):
                found.append(item)
                continue
            try:
                message = decode_message(item)
            except MessageError as error:
                found.append(Envelope(item.header, None, Problem(Code.E_ARGUMENT, sentence(str(error)))))
                continue
            problem = None if message is not None else _unknown(item.header)
            found.append(_fill(Envelope, (item[0], message, problem)))
        return found

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> bytes:
        """One whole frame.

        Raises:
            MessageError: the message's tail is too long for one frame.
        """
        return encode_message(message, seq=seq, link_id=link_id, correlation_id=correlation_id, flags=flags)


_fill: Final = tuple.__new__
"""Makes a named tuple of values known to be right in number, in half the time of its constructor."""


def _unknown(header: Header) -> Problem:
    text = f"{kind_name(header.kind)} message 0x{header.message_id:04x} is not known to this version"
    return Problem(Code.E_UNKNOWN_MESSAGE, text)
