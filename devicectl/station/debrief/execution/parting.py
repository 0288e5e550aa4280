"""The moment at which two runs part: the first packet of their recordings that differs, in words."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from devicectl.campaign.recording import DEVICE_HEARD, DEVICE_SENT, HOST_HEARD, HOST_SENT, Recorded
from devicectl.station.debrief.drawings.axis import clock
from devicectl.station.debrief.facts import Parting
from protocols.language.message import REGISTRY
from protocols.link.header import Header, kind_name
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder

_WHO: Final = {
    HOST_SENT: "the host sends",
    DEVICE_HEARD: "the device hears",
    DEVICE_SENT: "the device sends",
    HOST_HEARD: "the host hears",
}
_EVENTS: Final = {
    "state": "the device comes to {state}",
    "needles": "the needles move",
    "pump": "the pump is switched",
    "stroke": "the needles of cycle {cycle_no} leave home",
    "fired": "the fault {kind} has its first effect",
    "ended": "the fault {kind} ends",
    "boot": "the device boots",
}
"""Event of a recording -> its words; the others are named as they are."""


def part(was: Sequence[Recorded], becomes: Sequence[Recorded], began: int) -> Parting | None:
    """Return where two recordings part, in the time of a lesson that began then; None where they never do."""
    for one, other in zip_longest(was, becomes):
        if one != other:
            at_us = min(packet.at_us for packet in (one, other) if packet is not None) - began
            return Parting(at_us, _in_words(one, began), _in_words(other, began))
    return None


def _in_words(packet: Recorded | None, began: int) -> str:
    if packet is None:
        return "nothing more happens"
    data = packet.data
    if isinstance(data, dict):
        words = _EVENTS.get(data["event"], data["event"].replace("_", " ")).format(**data)
    else:
        words = f"{_WHO[packet.where]} {_message(data)}"
    return f"{words} at {clock(packet.at_us - began)}"


def _message(data: bytes | Publication) -> str:
    """Return the name of the message that a piece has first."""
    header = _header(data)
    if header is None:
        return "bytes that are no message"
    model = REGISTRY.get((header.kind, header.message_id))
    name = f"0x{header.message_id:04x}" if model is None else model.__name__
    return f"{kind_name(header.kind).lower()} {name}"


def _header(data: bytes | Publication) -> Header | None:
    if isinstance(data, Publication):
        return decode_publication(data).header
    return next((found.header for found in FrameDecoder().feed(data) if isinstance(found, Frame)), None)
