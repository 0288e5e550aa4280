"""Wires of the probe: messages to bytes or publications and back, with a header in which each field may be wrong.

Law: it decodes with the layouts of the language alone. What comes in is a value, whatever it is.
"""

from typing import Final, NamedTuple, Protocol

from protocols.language.checksum import crc32c
from protocols.language.errors import MessageError
from protocols.language.layouts import LAYOUTS
from protocols.language.message import Message
from protocols.language.version import MAJOR
from protocols.link.header import Header
from protocols.link.port import BadFrame
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire, Publication
from protocols.serial.diagnosis import Heard as Noise
from protocols.serial.framing import FrameDecoder, pack_crc, pack_header, stuff
from protocols.serial.payload import decode_message

Piece = bytes | Publication
"""A piece that a transport carries in one go."""


def size_of(piece: Piece) -> int:
    """Return the bytes that a piece carries."""
    return len(piece) if isinstance(piece, bytes) else len(piece.body)


class Item(NamedTuple):
    """One frame or body that came: `problem` says why it holds no message; `header` is None where it is none at all."""

    header: Header | None
    message: Message | None
    problem: str
    payload: bytes = b""


class Wire(Protocol):
    """Form of messages on the way to a device."""

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Piece:
        """Make one whole piece."""

    def feed(self, piece: Piece) -> list[Item]:
        """Decode all that a piece completes."""

    def explain(self) -> str:
        """Say what the bytes may be that were no frame; empty where there were none."""


class BytesWire:
    """Frames over bytes. `bad` has the last pieces that were no frame."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._noise = Noise()
        self.bad: list[BadFrame] = []

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> bytes:
        """Make one frame."""
        payload = LAYOUTS[type(message)].encode(message)
        return frame(header_of(message, seq, link_id, correlation_id, flags, len(payload)), payload)

    def feed(self, piece: Piece) -> list[Item]:
        """Decode the frames that a piece completes."""
        assert isinstance(piece, bytes), "a wire of bytes carries nothing else"
        found = self._decoder.feed(piece)
        self._noise.note(piece, found, self._decoder.kept)
        items = []
        for one in found:
            if isinstance(one, BadFrame):
                self.bad.append(one)
                del self.bad[:-MAX_BAD]
                items.append(Item(None, None, f"bytes that are no frame: {one.reason.value}"))
                continue
            try:
                message = decode_message(one)
            except MessageError as error:
                items.append(Item(one.header, None, str(error), one.payload))
                continue
            items.append(Item(one.header, message, "" if message is not None else "an unknown message", one.payload))
        return items

    def explain(self) -> str:
        """Say what else the bytes may be."""
        return self._noise.explain()


MAX_SHOWN: Final = 40
"""Bytes of a body that a report shows."""
MAX_BAD: Final = 50
"""Bad frames that are kept; a device that floods sends any number."""


class TopicsWire:
    """Publications on the topics of one device."""

    def __init__(self, topics: DeviceTopics, client: str) -> None:
        self._host = HostWire(topics, client)
        self.topics = topics
        self.client = client
        self._bad_bodies = 0
        self._last_bad = b""

    def encode(self, message: Message, seq: int, link_id: int, correlation_id: int, flags: int) -> Publication:
        """Make one publication."""
        return self._host.encode(message, seq, link_id, correlation_id, flags)

    def feed(self, piece: Piece) -> list[Item]:
        """Decode a publication; one of another link gives nothing."""
        assert isinstance(piece, Publication), "a broker carries nothing else"
        items = []
        for one in self._host.feed(piece):
            if isinstance(one, BadFrame):
                items.append(Item(None, None, "a body that is no message"))
            else:
                problem = one.problem.sentence if one.problem is not None else ""
                items.append(Item(one.header, one.message, problem))
        if any(item.message is None for item in items):
            self._bad_bodies, self._last_bad = self._bad_bodies + 1, piece.body[:MAX_SHOWN]
        return items

    def explain(self) -> str:
        """Say how many bodies were no message, and how the last one began."""
        if not self._bad_bodies:
            return ""
        return f"bodies that are no message: {self._bad_bodies}, the last one {self._last_bad!r}"


def header_of(
    message: Message, seq: int, link_id: int, correlation_id: int, flags: int, size: int, node: int = 0
) -> Header:
    """Return the header of a message, as a right end makes it."""
    return Header(MAJOR << 4 | message.KIND, flags, message.ID, seq, link_id, correlation_id, node, size)


def frame(header: Header, payload: bytes) -> bytes:
    """Make a frame with a right checksum of any header and payload, whether they fit each other or not."""
    body = pack_header(*header) + payload
    return b"\0" + stuff(body + pack_crc(crc32c(body))) + b"\0"


def payload_of(message: Message) -> bytes:
    """Return the payload of a message."""
    return LAYOUTS[type(message)].encode(message)
