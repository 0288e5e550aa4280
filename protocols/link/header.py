"""A message's header: who asks, what answers, on which link. The same on every wire."""

from typing import Final, NamedTuple

from protocols.language.enums import Kind

HEADER_SIZE: Final = 12
"""Bytes of the header in a serial frame; in JSON it is keys."""

# Flags of the header's second byte.
SIGNED: Final = 0x01
REPLY_WANTED: Final = 0x02
RETRANSMIT: Final = 0x04
REPLAYED: Final = 0x08
MUST_UNDERSTAND: Final = 0x30
"""Bits 4 and 5: a receiver that does not know them drops the frame and answers with a NAK. 6 and 7 are ignorable."""

fill: Final = tuple.__new__
"""Makes a named tuple of values known to be right in number, in half the time of its constructor."""


class Header(NamedTuple):
    """The twelve bytes before a payload."""

    major_and_kind: int
    flags: int
    message_id: int
    seq: int
    link_id: int
    correlation_id: int
    node: int
    payload_size: int

    @property
    def major(self) -> int:
        """The protocol's major version."""
        return self.major_and_kind >> 4

    @property
    def kind(self) -> int:
        """The kind's number; not every number is a `Kind`."""
        return self.major_and_kind & 0x0F


def kind_name(kind: int) -> str:
    """A kind's name for people, also where the number is not one."""
    return Kind(kind).name if kind in Kind._value2member_map_ else f"KIND_{kind}"
