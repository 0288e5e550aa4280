"""A recording in memory, and the one error of a file that is none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from protocols.language.errors import ProtocolError

VERSION: Final = 1
"""Version of what is in the comment and in the events; a reader takes no other."""
EVENTS: Final = "events"
"""Name of the interface whose packets are on no wire."""
HOST_END: Final = "host:"
"""Before the name of a port whose line has faults: the other end of that line, where the host is."""
MAX_PACKET_BYTES: Final = 262_144
"""Bytes that Wireshark takes of one packet. [wireshark, wiretap/wtap.h: WTAP_MAX_PACKET_SIZE_STANDARD]"""
MAX_COMMENT_BYTES: Final = 0xFFFF
"""Bytes whose number fits in the length of an option."""
MAX_INTERFACES: Final = 65_536

NO_DIRECTION: Final = 0
TO_DEVICE: Final = 1
FROM_DEVICE: Final = 2
"""Directions as `epb_flags` has them: none, inbound, outbound; the device is the one that is listened at."""
DIRECTIONS: Final = {"host": TO_DEVICE, "device": FROM_DEVICE}
"""Sender, as taps have it -> direction."""


JsonObject = dict[str, Any]
"""Object as JSON has it; the reader of one checks what is in it."""


class CaptureError(ProtocolError, ValueError):
    """Bytes that are no recording: `where` they are wrong, what was `found` there, and what was `expected`."""

    def __init__(self, where: str, found: str, expected: str) -> None:
        self.where = where
        self.found = found
        self.expected = expected
        super().__init__(f"{where}: {found}; expected {expected}")


class Packet(NamedTuple):
    """Words of one end, or one event. `interface` is a place in the list of interfaces."""

    at_us: int
    """Microseconds since the recording began."""
    interface: int
    direction: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Capture:
    """A recording. `interfaces` of one that is read grows as its packets come."""

    comment: JsonObject
    """No "verdict" in it, or None, means that the recording never came to its end."""
    interfaces: Sequence[str]
    packets: Iterable[Packet]
