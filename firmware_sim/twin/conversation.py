"""A recording as a conversation: the frames of host and device at each port, in their order.

It may have been made at either end of the line. At the device's end its first packet is a boot, and events tell what
was done to the device; at the host's end there are frames alone.

Law: a recording that no twin can be made of is refused with one sentence, which says why and what would be right.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from firmware_sim.errors import SimulatorError
from protocols.capture.contents import decode_object, where_of
from protocols.capture.packet import (
    EVENTS,
    FROM_DEVICE,
    HOST_END,
    TO_DEVICE,
    Capture,
    JsonObject,
    Packet,
)
from protocols.language.checksum import crc32c
from protocols.language.enums import Kind
from protocols.language.errors import MessageError
from protocols.language.message import Message
from protocols.language.messages import FaultInject, PowerCut, Refused
from protocols.language.units import SECOND
from protocols.link.header import REPLAYED, Header, kind_name
from protocols.link.port import BadFrame
from protocols.serial.framing import Frame, FrameDecoder, pack_crc, pack_header, stuff
from protocols.serial.payload import decode_message

HOST: Final = "host"
DEVICE: Final = "device"
_SENDERS: Final = {TO_DEVICE: HOST, FROM_DEVICE: DEVICE}
MAX_DAYS: Final = 40
DAY: Final = 86_400 * SECOND
_MAX_FRAMES: Final = 2_000_000
"""Frames that are held at once: some forty sessions of 10,000 cores."""


class TwinError(SimulatorError):
    """A recording that no twin can be made of; its text is one line."""


class Said(NamedTuple):
    """A frame that one end sent; `message` is None where this version does not know it or its payload does not fit.

    `place` is the number of its packet in the recording: of two at one microsecond it says which came first.
    """

    at_us: int
    sender: str
    header: Header
    message: Message | None
    frame: bytes
    place: int = 0

    @property
    def name(self) -> str:
        """Name of the message."""
        if self.message is None:
            return f"{kind_name(self.header.kind)} 0x{self.header.message_id:04x}"
        return type(self.message).__name__

    @property
    def replayed(self) -> bool:
        """True for an answer that was given before."""
        return bool(self.header.flags & REPLAYED)


class Piece(NamedTuple):
    """Frames, and bytes that are none, that came to the device at one moment."""

    at_us: int
    place: int
    port: str
    items: list[Frame | BadFrame]


class Called(NamedTuple):
    """A call to the device that is on no wire."""

    at_us: int
    place: int
    event: JsonObject


Step = Piece | Called


class Conversation(NamedTuple):
    """All of a recording: `steps` is what the device heard, `said` what both ends said at each port.

    `boot` is the packet of a recording that was made at the device's end, None at the host's.
    """

    comment: JsonObject
    boot: Packet | None
    steps: list[Step]
    said: dict[str, list[Said]]
    end_us: int
    packets: int
    frames: int

    def of_device(self) -> Iterator[Said]:
        """All frames of the device, port by port."""
        return (said for frames in self.said.values() for said in frames if said.sender == DEVICE)


def encode_frame(header: Header, payload: bytes) -> bytes:
    """Return a frame with both its zeros."""
    body = pack_header(*header) + payload
    return b"\0%b\0" % stuff(body + pack_crc(crc32c(body)))


def said_of(at_us: int, sender: str, frame: Frame, place: int = 0) -> Said:
    """Return a frame as what an end said."""
    try:
        message = decode_message(frame)
    except MessageError:
        message = None
    return Said(at_us, sender, frame.header, message, encode_frame(frame.header, frame.payload), place)


def read_conversation(capture: Capture) -> Conversation:
    """Read a recording to its end.

    Raises:
        TwinError: no twin can be made of it.
        CaptureError: it is no recording, or was cut short or edited.
    """
    reader = _Reader(capture)
    for packet in capture.packets:
        reader.take(packet, capture.interfaces[packet.interface])
    return reader.conversation()


class _Reader:
    """A recording that is being read, packet by packet."""

    def __init__(self, capture: Capture) -> None:
        self._comment = capture.comment
        self._boot: Packet | None = None
        self._steps: list[Step] = []
        self._said: dict[str, list[Said]] = {}
        self._decoders: dict[tuple[str, str], FrameDecoder] = {}
        self._end_us = 0
        self._times_us: tuple[int, int] | None = None
        self._place = 0
        self._bytes = {HOST: 0, DEVICE: 0}
        self._frames = {HOST: 0, DEVICE: 0}

    def take(self, packet: Packet, name: str) -> None:
        """Take one packet of the interface `name`."""
        self._place += 1
        first_us, last_us = self._times_us or (packet.at_us, packet.at_us)
        self._times_us = first_us, last_us = min(first_us, packet.at_us), max(last_us, packet.at_us)
        if last_us - first_us > MAX_DAYS * DAY:
            raise TwinError(f"more than {MAX_DAYS} days lie between two packets: a device's clock turns over after 49")
        if name.startswith(HOST_END):
            raise TwinError("its line has faults: a twin is made of a device without any")
        if name == EVENTS:
            self._take_event(packet, first=self._place == 1)
            return
        sender = _SENDERS.get(packet.direction)
        if sender is None:
            raise TwinError(f"{where_of(packet)} says not who sent it: a twin needs packets with a direction")
        if packet.data.startswith(b"{"):
            raise TwinError("it is of a session over MQTT: a twin is made of a serial line or TCP")
        self._end_us = max(self._end_us, packet.at_us)
        self._take_bytes(packet, name, sender)

    def _take_event(self, packet: Packet, *, first: bool) -> None:
        event = decode_object(packet)
        kind = event.get("event")
        if first and kind == "boot":
            self._boot = packet
        elif kind == "scenario" and event.get("faults"):
            raise TwinError("its device had the faults of a scenario: a twin is made of a device without any")
        elif kind == "attach" and "client" in event:
            raise TwinError("it is of a session over MQTT: a twin is made of a serial line or TCP")
        elif kind in ("attach", "detach", "set_alarm", "close"):
            self._steps.append(Called(packet.at_us, self._place, event))

    def _take_bytes(self, packet: Packet, port: str, sender: str) -> None:
        decoder = self._decoders.setdefault((port, sender), FrameDecoder())
        items = decoder.feed(packet.data)
        said = self._said.setdefault(port, [])
        self._bytes[sender] += len(packet.data)
        for item in items:
            if isinstance(item, Frame):
                self._frames[sender] += 1
                said.append(said_of(packet.at_us, sender, item, self._place))
        if sender == HOST and items:
            self._steps.append(Piece(packet.at_us, self._place, port, items))
        if sum(self._frames.values()) > _MAX_FRAMES:
            raise TwinError(f"it has more than {_MAX_FRAMES:,} frames: a twin is made of fewer")

    def conversation(self) -> Conversation:
        """Return all of it."""
        self._refuse()
        frames = sum(self._frames.values())
        return Conversation(self._comment, self._boot, self._steps, self._said, self._end_us, self._place, frames)

    def _refuse(self) -> None:
        if not any(self._bytes.values()):
            raise TwinError("nothing was said in it: a twin needs a host and a device that answers it")
        for sender, other in ((HOST, DEVICE), (DEVICE, HOST)):
            if not self._bytes[sender]:
                raise TwinError(f"it has the {other}'s direction alone: a twin needs both")
        for sender, count in self._frames.items():
            if not count:
                size = self._bytes[sender]
                raise TwinError(
                    f"no frame is in the {size} bytes of its {sender}: it is another protocol, or of another speed"
                )
        for frames in self._said.values():
            self._refuse_faults(frames)

    def _refuse_faults(self, frames: list[Said]) -> None:
        """Refuse faults that came over the link: what a device does under them is no property of the device."""
        about = {
            said.header.correlation_id: said for said in frames if isinstance(said.message, FaultInject | PowerCut)
        }
        for said in frames:
            asked = about.get(said.header.correlation_id)
            answered = said.sender == DEVICE and said.header.kind == Kind.REPLY
            if asked is not None and answered and not isinstance(said.message, Refused):
                seconds = asked.at_us / 1e6
                raise TwinError(f"a fault was injected at {seconds:.6f} s: a twin is made of a device without any")
