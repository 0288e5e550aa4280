"""Publications as the properties of MQTT 5, for the shells' client library; and why a broker says no.

Law: it imports the library's data classes alone, none that opens anything.
"""

from typing import Final, Protocol

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.mqtt.wire import Publication

CONTENT_TYPE: Final = "application/json"
PAYLOAD_IS_TEXT: Final = 1
"""MQTT's Payload Format Indicator: UTF-8."""
NO_MATCHING_SUBSCRIBERS: Final = 0x10
"""Code in a PUBACK: the broker took it, and nobody listens there. Not every broker says so."""
_NOT_AUTHORIZED: Final = 0x87
SESSION_TAKEN_OVER: Final = 0x8E
NO_RETAIN: Final = "the broker retains nothing, and status has to be retained (Mosquitto: retain_available true)"
NO_QOS_1: Final = "the broker takes QoS 0 alone, and commands need QoS 1 (Mosquitto: max_qos 1)"
_SENTENCES: Final = {
    0x81: "the broker took what came for no MQTT 5",
    0x82: "the broker took what came for an error of the protocol",
    0x84: "the broker does not speak MQTT 5",
    0x85: "the broker does not take this client's identifier",
    0x86: "the broker does not know this user name and password",
    _NOT_AUTHORIZED: "the broker does not let this user in",
    0x88: "the broker is not ready to serve",
    0x89: "the broker is busy",
    0x8A: "the broker has banned this client",
    0x8B: "the broker is shutting down",
    0x8D: "the broker has heard nothing for too long",
    SESSION_TAKEN_OVER: "another client has connected with the same identifier",
    0x8F: "the broker does not take this filter of topics",
    0x90: "the broker does not take this name of a topic",
    0x93: "the broker is sent more than it takes at once",
    0x95: "the broker takes no message of this size",
    0x96: "the broker is sent messages too fast",
    0x97: "the broker's quota for this client is used up",
    0x98: "the broker's administrator has ended the connection",
    0x99: "the broker does not take this body",
    0x9A: NO_RETAIN,
    0x9B: NO_QOS_1,
    0x9C: "the broker asks for another server to be used",
    0x9D: "the broker has moved to another server",
    0x9F: "the broker is connected to too often",
    0xA0: "the broker lets no connection last longer",
    0xA2: "the broker takes no subscription with a wildcard, and command/+ is one",
}
"""Reason code -> why, for people. [MQTT 5.0, section 2.4]"""
_OF_RIGHTS: Final = (0x80, 0x83, _NOT_AUTHORIZED)
"""Codes of PUBACK and SUBACK that speak of access, or do not say of what: Mosquitto answers a subscription that it
forbids with 0x80, unspecified, up to some versions."""


def why(code: int) -> str:
    """A broker's reason code in words; empty where the library's own have to do."""
    return _SENTENCES.get(code, "")


class Received(Protocol):
    """A message as the client library brings it, and paho below that."""

    qos: int
    retain: bool
    properties: Properties | None

    @property
    def topic(self) -> object:
        """Its topic; `str` makes a text of it."""

    @property
    def payload(self) -> object:
        """Its body."""


def denied(code: int) -> bool:
    """True if a reason code of PUBACK or SUBACK is a no."""
    return code >= 0x80


def denial(code: int, what: str) -> str:
    """Sentence that says no to `what`, such as "publish to a/b"."""
    if code in _OF_RIGHTS:
        return f"the broker's access list does not let this user {what}"
    return f"the broker does not let this client {what}: {why(code) or f'reason code 0x{code:02x}'}"


def lacking(granted: object) -> str:
    """Reason why a broker cannot carry this protocol, by the properties of its CONNACK; empty where it can."""
    if getattr(granted, "MaximumQoS", 1) < 1:
        return NO_QOS_1
    return "" if getattr(granted, "RetainAvailable", 1) else NO_RETAIN


def packet_size(publication: Publication, properties: Properties) -> int:
    """Bytes of the PUBLISH that carries it."""
    packed = len(properties.pack())  # type: ignore[no-untyped-call]
    rest = 2 + len(publication.topic.encode()) + (2 if publication.qos else 0) + packed + len(publication.body)
    return 1 + (max(rest.bit_length(), 1) + 6) // 7 + rest


def to_properties(publication: Publication, packet: int = PacketTypes.PUBLISH) -> Properties:
    """Make the properties that go with the body."""
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # the library's own
    properties.ContentType = CONTENT_TYPE
    properties.PayloadFormatIndicator = PAYLOAD_IS_TEXT
    if publication.expiry_s is not None:
        properties.MessageExpiryInterval = publication.expiry_s
    if publication.response_topic is not None:
        properties.ResponseTopic = publication.response_topic
    if publication.correlation_data is not None:
        properties.CorrelationData = publication.correlation_data
    return properties


def from_message(message: Received) -> Publication:
    """A publication from a message that the client library received."""
    properties, body = message.properties, message.payload
    return Publication(
        topic=str(message.topic),
        body=bytes(body) if isinstance(body, bytes | bytearray) else b"",
        qos=message.qos,
        retain=bool(message.retain),
        expiry_s=getattr(properties, "MessageExpiryInterval", None),
        response_topic=getattr(properties, "ResponseTopic", None),
        correlation_data=getattr(properties, "CorrelationData", None),
        bare=properties is None or properties.isEmpty(),  # type: ignore[no-untyped-call]
    )
