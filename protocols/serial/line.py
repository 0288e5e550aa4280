"""A serial line's speed in a round trip: when what is sent has gone out, and when what it asks for may be in.

    host    |== command ==|
    device                 |- heartbeat, alarm -|== answer ==|
                           ^ out                             ^ out + answer_us

Law: pure, and only of what this end knows: its own frames in order, and how long an answer can be.
"""

from typing import Final

from protocols.language.enums import Kind, Lane
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.layouts import LAYOUTS
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import Alarm, Event, Heartbeat, Refused, Welcome
from protocols.language.records import RECORD_SIZE
from protocols.language.units import SECOND, Micros
from protocols.link.header import HEADER_SIZE, Header
from protocols.link.line import Line
from protocols.serial.framing import CRC_SIZE

BITS_PER_BYTE: Final = 10
"""A start bit, eight bits and a stop bit."""
AROUND_PAYLOAD: Final = HEADER_SIZE + CRC_SIZE + 3
"""Bytes of a frame beside its payload: its own, the one of its stuffing and its zeros."""


def _frame_size(model: type[Message]) -> int:
    """The longest frame of a message."""
    layout = LAYOUTS[model]
    return AROUND_PAYLOAD + (layout.size if layout.tail is None else MAX_PAYLOAD_SIZE)


UNASKED_SIZE: Final = _frame_size(Alarm) + AROUND_PAYLOAD + LAYOUTS[Event].size + RECORD_SIZE + _frame_size(Heartbeat)
"""Bytes that a device may say before an answer: that something has gone wrong, its record, and a heartbeat."""


class _AnswerSizes(dict[type[Message], int]):
    """Command -> bytes of the longest frame that answers it, and of what may come before it unasked."""

    def __missing__(self, model: type[Message]) -> int:
        if model.LANE is Lane.LINK:
            size = _frame_size(Welcome)
        else:
            size = UNASKED_SIZE + max(_frame_size(Refused), _frame_size(REGISTRY[Kind.REPLY, model.ID]))
        self[model] = size
        return size


_answer_sizes: Final = _AnswerSizes()


class BaudLine(Line):
    """One direction out, and how long the other takes. `baud` is in bits a second, above 0."""

    def __init__(self, baud: int) -> None:
        self.us_per_byte = BITS_PER_BYTE * SECOND / baud
        self._free_at = 0.0

    def sent(self, size: int, now: Micros) -> None:
        """A frame of so many bytes goes out behind all that is still going out."""
        self._free_at = max(self._free_at, float(now)) + size * self.us_per_byte

    def out_us(self, now: Micros) -> int:
        """Time until all that was sent has gone out."""
        return max(0, round(self._free_at - now))

    def answer_us(self, command: Message) -> int:
        """Time that the longest answer may take, with what may come before it."""
        return round(_answer_sizes[command.__class__] * self.us_per_byte)

    def in_us(self, header: Header) -> int:
        """Time that a frame which came was under way on the line."""
        return round((AROUND_PAYLOAD + header.payload_size) * self.us_per_byte)
