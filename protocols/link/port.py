"""Port of an exchange: all that it needs of the wire below it.

Law: this is all that the exchange knows of bytes and topics. A new wire offers `Wire`, and the exchange stays the same.
"""

from collections.abc import Sized
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.link.header import Header
from protocols.link.line import Line
from protocols.text.escape import printable


class BadReason(StrEnum):
    """Reason why bytes between two zeros are no frame."""

    # In the order in which a receiver looks for them: the first that fits is told.
    OVERSIZE = "oversize"
    COBS = "cobs"
    SHORT = "short"
    CRC = "crc"
    LENGTH = "length"


class BadFrame(NamedTuple):
    """Bytes that are no frame. `raw` is what stood between the zeros, at most 241 bytes of it, still stuffed.

    `crc_expected` is computed over what came, `crc_received` is what came; both None unless the reason is CRC.
    """

    reason: BadReason
    raw: bytes
    crc_expected: int | None = None
    crc_received: int | None = None


# A value and no exception: what a peer sends never raises, and the header is needed for the answer to it.
class Problem(NamedTuple):
    """Reason why a frame with a good checksum holds no message; one that is not `of_now` proves no living peer."""

    code: Code
    sentence: str
    of_now: bool = True


class Envelope(NamedTuple):
    """One frame's header with its message, or with the problem that kept it from being one."""

    header: Header
    message: Message | None
    problem: Problem | None


Data = TypeVar("Data", bound=Sized)
"""One piece of what a wire carries: `bytes` on a serial line, a publication on MQTT."""


class Noise(Protocol):
    """Bytes that came on a wire and are no message. `size` is in bytes; 0 where nothing of the kind came."""

    size: int

    def clear(self) -> None:
        """Forget all: what came before explains nothing any more."""

    def explain(self) -> str:
        """A sentence about what spoils the messages; empty where nothing is known."""


class Wire(Protocol[Data]):
    """Carrier of an exchange.

    Where `beats_at_once` is true, a host beats as soon as it is welcomed, and the device when it hears that: on a wire
    whose heartbeats go another way than commands and answers do, both ends then know that it is open.
    """

    beats_at_once: ClassVar[bool]

    @property
    def line(self) -> Line:
        """Time that frames take on their way."""

    @property
    def heard(self) -> Noise | None:
        """Bytes that came and are no message; None where the transport lets nothing but messages through."""

    def feed(self, data: Data) -> list[Envelope | BadFrame]:
        """Everything that `data` completes."""

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Data:
        """One message, ready to send."""


AnyWire: TypeAlias = Wire[Any]
"""A wire of whatever its transport carries, for an owner that only passes its data on."""


# Cut by bytes and not by characters, since the wire's field has so many; a character that is cut in two is left out.
SENTENCE_SIZE: Final = 120
"""Bytes of UTF-8 that a refusal's sentence may have."""


def sentence(text: str) -> str:
    """A text cut to what fits a refusal, on one line: it may quote what a peer wrote."""
    return printable(text).encode()[:SENTENCE_SIZE].decode(errors="ignore")
