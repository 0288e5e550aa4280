"""Contents of a packet that is no piece of bytes: a publication, or an event, as JSON."""

import json
from collections.abc import Mapping
from typing import Final

from protocols.capture.blocks import encode_json
from protocols.capture.packet import CaptureError, JsonObject, Packet
from protocols.mqtt.wire import Publication

_KINDS: Final = (str, bytes, int, bool, int | None, str | None, bytes | None, bool, str)
"""Types of a publication's fields, in their order."""


def encode_data(data: "bytes | Publication") -> bytes:
    """Return what a port carried, for a packet: bytes as they are, a publication as JSON without what is not set."""
    if isinstance(data, bytes):
        return data
    said = {name: value for name, value in data._asdict().items() if value != Publication._field_defaults.get(name)}
    body = said.pop("body")
    try:
        said["body"] = body.decode()
    except UnicodeDecodeError:
        said["body_hex"] = body.hex()
    if data.correlation_data is not None:
        said["correlation_data"] = data.correlation_data.hex()
    return encode_json(said)


def decode_publication_of(packet: Packet) -> Publication:
    """Return the publication in a packet.

    Raises:
        CaptureError: there is none in it.
    """
    said = decode_object(packet)
    try:
        if "body_hex" in said:
            said["body"] = bytes.fromhex(said.pop("body_hex"))
        else:
            said["body"] = said["body"].encode()
        if "correlation_data" in said:
            said["correlation_data"] = bytes.fromhex(said["correlation_data"])
        publication = Publication(**said)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_publication(packet) from error
    if not all(isinstance(value, kinds) for value, kinds in zip(publication, _KINDS, strict=True)):
        raise _no_publication(packet)
    return publication


def _no_publication(packet: Packet) -> CaptureError:
    return CaptureError(where_of(packet), "a JSON object that is no publication", "one with topic, body and properties")


def encode_event(event: str, values: Mapping[str, object]) -> bytes:
    """Return an event, for a packet: its name and what belongs to it."""
    return encode_json({"event": event, **values})


def decode_object(packet: Packet) -> JsonObject:
    """Return the JSON object in a packet.

    Raises:
        CaptureError: there is none in it.
    """
    try:
        value = json.loads(packet.data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise CaptureError(where_of(packet), f"{packet.data[:20]!r}", "a JSON object")
    return value


def where_of(packet: Packet) -> str:
    """Return the words that say which packet it is."""
    seconds, micros = divmod(packet.at_us, 1_000_000)
    return f"packet at {seconds}.{micros:06d} s"
