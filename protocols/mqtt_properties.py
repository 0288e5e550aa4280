"""Publications as the properties of MQTT 5, for the shells' client library; and why a broker says no.

Law: it imports the library's data classes alone, none that opens anything.
"""

from typing import Any, Final

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.mqtt import Publication

CONTENT_TYPE: Final = "application/json"
PAYLOAD_IS_TEXT: Final = 1
"""MQTT's Payload Format Indicator: UTF-8."""
_NOT_AUTHORIZED: Final = 0x87
SESSION_TAKEN_OVER: Final = 0x8E
_SENTENCES: Final = {
    0x84: "the broker does not speak MQTT 5",
    0x85: "the broker does not take this client's identifier",
    0x86: "the broker does not know this user name and password",
    _NOT_AUTHORIZED: "the broker does not let this user in",
    0x88: "the broker is not ready to serve",
    0x89: "the broker is busy",
    0x8A: "the broker has banned this client",
    SESSION_TAKEN_OVER: "another client has connected with the same identifier",
    0x95: "the broker takes no message of this size",
    0x97: "the broker's quota for this client is used up",
}
"""Reason code of CONNACK or DISCONNECT -> why, for people. [MQTT 5.0, section 2.4]"""


def why(code: int) -> str:
    """A broker's reason code in words; empty where the library's own have to do."""
    return _SENTENCES.get(code, "")


def denied(code: int) -> bool:
    """Whether a reason code of PUBACK or SUBACK says that the broker's access list forbids it.

    Mosquitto answers a subscription that it forbids with 0x80, unspecified, up to some versions.
    """
    return code >= 0x80


def to_properties(publication: Publication, packet: int = PacketTypes.PUBLISH) -> Properties:
    """What stands beside the body."""
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


def from_message(message: Any) -> Publication:
    """A publication from a message that the client library received."""
    properties, body = message.properties, message.payload
    return Publication(
        topic=str(message.topic),
        body=body if isinstance(body, bytes) else bytes(body or b""),
        qos=message.qos,
        retain=bool(message.retain),
        expiry_s=getattr(properties, "MessageExpiryInterval", None),
        response_topic=getattr(properties, "ResponseTopic", None),
        correlation_data=getattr(properties, "CorrelationData", None),
    )
