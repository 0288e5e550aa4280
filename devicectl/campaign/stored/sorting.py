"""Packets of a stored capture, sorted by who said them and put as judges read a trial: one whole frame a piece.

    campaign        the device's port and the host's, each a place of its own; the events are kept
    firmware-sim    all ports are of one device; with line faults each has a second end, at its host
    any other       each port is a wire of its own: what was said there was sent, and heard

Law: nothing in a file raises here. What cannot be read is counted; a message that its sender should not have made is a
breach. Frames of a link that was granted before the capture began are left out, since nobody knows what was before.
"""

import contextlib
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from devicectl.campaign.judges.frames import RECORD_SIZE, frames
from devicectl.campaign.judges.reading import Found
from devicectl.campaign.recording import DEVICE_HEARD, DEVICE_SENT, EVENT, HOST_HEARD, HOST_SENT, PROGRAM
from protocols.capture.contents import decode_object, decode_publication_of
from protocols.capture.packet import EVENTS, HOST_END, NO_DIRECTION, TO_DEVICE, CaptureError, JsonObject, Packet
from protocols.language.enums import Code
from protocols.language.errors import MessageError
from protocols.language.message import Message
from protocols.language.messages import Hello, JournalPage, Welcome
from protocols.language.version import MAJOR
from protocols.link.header import Header
from protocols.link.port import BadFrame
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message

OF_DEVICE: Final = "firmware-sim"
"""Program whose recordings have all ports of one device."""
Places = Mapping[str, tuple[str, ...]]
"""Sender -> places at which the judges are to read it."""
_TAPPED: Final[Places] = {"host": (HOST_SENT, DEVICE_HEARD), "device": (DEVICE_SENT, HOST_HEARD)}
_AT_DEVICE: Final[Places] = {"host": (DEVICE_HEARD,), "device": (DEVICE_SENT,)}
_AT_HOST: Final[Places] = {"host": (HOST_SENT,), "device": (HOST_HEARD,)}
_UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError, struct.error)
"""Errors of the judges' own decoder, on what nobody of ours would write."""


class Piece(NamedTuple):
    """One message, or an event. `link_id` is that of its frame, 0 where it is on none."""

    at_us: int
    places: tuple[str, ...]
    data: bytes | Publication | JsonObject
    link_id: int = 0
    greets: bool = False
    grants: tuple[int, int] | None = None
    """Link and epoch, of a WELCOME."""


@dataclass(slots=True)
class Sorted:
    """Pieces by the wire on which they were, in order, and what has come to nothing."""

    wires: dict[str, list[Piece]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    breaches: Found = field(default_factory=list)
    """Messages with a right checksum and a payload that they may not have."""
    fresh: bool = False
    """True if a served device began with an empty memory."""


class Sorter:
    """Sorts the packets of a capture by `program`, its maker."""

    def __init__(self, program: str) -> None:
        self.sorted = Sorted()
        self._of_trial = program == PROGRAM
        self._of_device = program == OF_DEVICE
        self._decoders: dict[tuple[str, str], FrameDecoder] = {}
        self._at_host: set[str] = set()
        """Ports whose other end, at the host, is recorded as well."""

    def take(self, name: str, packet: Packet) -> None:
        """Sort one packet of the interface of that name."""
        if name == EVENTS and packet.direction == NO_DIRECTION:
            self._event(packet)
        elif packet.direction == NO_DIRECTION:
            self.sorted.counts["packets without a direction"] += 1
        else:
            sender = "host" if packet.direction == TO_DEVICE else "device"
            wire, places = self._places(name)
            pieces = self.sorted.wires.setdefault(wire, [])
            pieces += self._pieces(name, sender, packet, places[sender])

    def _places(self, name: str) -> tuple[str, Places]:
        if self._of_trial:
            return "", _AT_HOST if name == "host" else _AT_DEVICE
        if not self._of_device:
            return name, _TAPPED
        if name.startswith(HOST_END):
            self._at_host.add(name)
            return "", _AT_HOST
        return "", _AT_DEVICE if HOST_END + name in self._at_host else _TAPPED

    def _event(self, packet: Packet) -> None:
        try:
            event = decode_object(packet)
        except CaptureError:
            event = {}
        if not isinstance(event.get("event"), str):
            self.sorted.counts["events without a name"] += 1
        elif self._of_trial:
            self.sorted.wires.setdefault("", []).append(Piece(packet.at_us, (EVENT,), event))
        elif self._of_device and event["event"] == "boot":
            self.sorted.fresh = event.get("memory", "") is None

    def _pieces(self, name: str, sender: str, packet: Packet, places: tuple[str, ...]) -> Iterator[Piece]:
        data = _data_of(packet)
        if self._of_trial:
            if _is_readable(data):
                yield Piece(packet.at_us, places, data)
            else:
                self.sorted.counts["pieces that cannot be read"] += 1
        elif isinstance(data, Publication):
            yield from self._publication(sender, data, packet.at_us, places)
        else:
            decoder = self._decoders.setdefault((name, sender), FrameDecoder())
            for item in decoder.feed(data):
                if isinstance(item, BadFrame):
                    self.sorted.counts[f"bad frames from the {sender}"] += 1
                else:
                    yield from self._frame(sender, item, packet.at_us, places)

    def _frame(self, sender: str, frame: Frame, at_us: int, places: tuple[str, ...]) -> Iterator[Piece]:
        try:
            message = decode_message(frame) if frame.header.major == MAJOR else None
        except MessageError as error:
            self.sorted.breaches.append((at_us, f"the {sender} sent {error}"))
            return
        if message is None:
            self.sorted.counts[f"unknown messages from the {sender}"] += 1
        else:
            yield from self._message(sender, message, frame.header, at_us, places)

    def _publication(self, sender: str, data: Publication, at_us: int, places: tuple[str, ...]) -> Iterator[Piece]:
        header, message, problem = decode_publication(data)
        if message is not None:
            # A retained command is never carried out (docs/mqtt.md).
            heard = tuple(place for place in places if not (data.retain and place == DEVICE_HEARD))
            yield from self._message(sender, message, header, at_us, heard)
        elif problem is not None and problem.code is Code.E_UNKNOWN_MESSAGE:
            self.sorted.counts[f"unknown messages from the {sender}"] += 1
        else:
            sentence = problem.sentence if problem is not None else "a body that is no message"
            self.sorted.breaches.append((at_us, f"the {sender} published what cannot be taken: {sentence}"))

    def _message(
        self, sender: str, message: Message, header: Header, at_us: int, places: tuple[str, ...]
    ) -> Iterator[Piece]:
        """Give a message as the frame that says it: what a later minor appended, and JSON's freedom, are gone."""
        try:
            if isinstance(message, JournalPage):
                _require_whole_records(message)
            frame = encode_message(message, header.seq, header.link_id, header.correlation_id, header.flags)
        except MessageError as error:
            self.sorted.breaches.append((at_us, f"the {sender} sent {error}"))
            return
        self.sorted.counts[f"messages from the {sender}"] += 1
        grants = (message.link_id, message.journal_epoch) if isinstance(message, Welcome) else None
        yield Piece(at_us, places, frame, header.link_id, isinstance(message, Hello), grants)


def _data_of(packet: Packet) -> bytes | Publication:
    if packet.data.startswith(b"{"):
        with contextlib.suppress(CaptureError):
            return decode_publication_of(packet)
    return packet.data


def _is_readable(data: bytes | Publication) -> bool:
    try:
        frames(data)
    except _UNREADABLE:
        return False
    return True


def _require_whole_records(page: JournalPage) -> None:
    rest = len(page.records) % RECORD_SIZE
    if rest:
        raise MessageError("JournalPage", "records", f"{rest} bytes are no whole record of {RECORD_SIZE}")
