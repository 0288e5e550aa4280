"""The serial wire: what the exchange sends and receives, as frames in a stream of bytes.

Law: this is the only thing the exchange knows of bytes. Another wire offers the same two methods over whatever it
carries (`Wire`), and the exchange above it stays the same.
"""

import struct
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

from protocols.diagnosis import Heard
from protocols.enums import Code
from protocols.errors import MessageError
from protocols.framing import (
    CRC_SIZE,
    HEADER_SIZE,
    MAJOR,
    MAX_ENCODED_SIZE,
    RESIDUE,
    BadFrame,
    DecodeError,
    FrameDecoder,
    Header,
    crc32c,
    fill,
    kind_name,
    unpack_header,
    unstuff,
)
from protocols.layouts import LAYOUTS
from protocols.message import REGISTRY, Message
from protocols.text import printable
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
    """What carries an exchange.

    `baud` is its speed in bits a second, 0 where that is not known or is no matter; what has one carries bytes.

    Where `beats_at_once` is true, a host beats as soon as it is welcomed, and the device when it hears that: on a wire
    whose heartbeats go another way than commands and answers do, both ends then know that it is open.
    """

    beats_at_once: ClassVar[bool]

    @property
    def baud(self) -> int:
        """Bits a second."""

    @property
    def heard(self) -> Heard | None:
        """Bytes that came and are no message; None where whatever carries the messages lets nothing else through."""

    def feed(self, data: In) -> list[Envelope | BadFrame]:
        """Everything that `data` completes."""

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Out:
        """One message, ready to send."""


SENTENCE_SIZE: Final = 120
"""Bytes of UTF-8 that a refusal's sentence may have."""


def sentence(text: str) -> str:
    """A text cut to what fits a refusal, on one line: it may quote what a peer wrote."""
    return printable(text).encode()[:SENTENCE_SIZE].decode(errors="ignore")


class SerialWire:
    """Frames over bytes."""

    beats_at_once: ClassVar[bool] = False

    def __init__(self, baud: int = 0) -> None:
        self.baud: Final = baud
        self.heard = Heard()
        self._decoder = FrameDecoder()

    def feed(self, data: bytes) -> list[Envelope | BadFrame]:
        """Everything that `data` completes, in order; linear in its length."""
        decoder = self._decoder
        if data.count(0) == 2 and data[0] == 0 == data[-1] and not decoder.kept and not decoder.discarding:
            whole = _whole_frame(data)
            if whole is not None:
                return [whole]
        found: list[Envelope | BadFrame] = []
        items = decoder.feed(data)
        self.heard.note(data, items, decoder.kept)
        for item in items:
            if isinstance(item, BadFrame):
                found.append(item)
                continue
            try:
                message = decode_message(item)
            except MessageError as error:
                found.append(Envelope(item.header, None, Problem(Code.E_ARGUMENT, sentence(str(error)))))
                continue
            problem = None if message is not None else _unknown(item.header)
            found.append(Envelope(item[0], message, problem))
        return found

    encode = staticmethod(encode_message)
    """One whole frame: `wire.encode_message` itself, which spares each frame a call."""


class _Decoders(dict[int, Callable[[bytes], BaseModel] | None]):
    """Major, kind and message id, as `first << 16 | id` -> what decodes the payload; None for what is not known."""

    def __missing__(self, key: int) -> Callable[[bytes], BaseModel] | None:
        model = REGISTRY.get((key >> 16 & 0x0F, key & 0xFFFF)) if key >> 20 == MAJOR else None
        made = None if model is None else LAYOUTS[model].decode
        if made is not None:  # what a peer makes up is not kept
            self[key] = made
        return made


_decoders: Final = _Decoders()


def _whole_frame(data: bytes) -> Envelope | None:
    """The message in one whole frame with its two zeros, in one go, as nearly all that come are.

    None where anything about it is not as it should be: then the long way finds out what.
    """
    try:
        body = unstuff(data[1:-1])
        if len(data) > MAX_ENCODED_SIZE + 2 or crc32c(body) != RESIDUE:
            return None
        header = fill(Header, unpack_header(body))
        if header[7] != len(body) - _AROUND_PAYLOAD:
            return None
        decode = _decoders[header[0] << 16 | header[2]]
        return None if decode is None else fill(Envelope, (header, decode(body[HEADER_SIZE:-CRC_SIZE]), None))
    except (DecodeError, struct.error, MessageError):
        return None


_AROUND_PAYLOAD: Final = HEADER_SIZE + CRC_SIZE


def _unknown(header: Header) -> Problem:
    text = f"{kind_name(header.kind)} message 0x{header.message_id:04x} is not known to this version"
    return Problem(Code.E_UNKNOWN_MESSAGE, text)
