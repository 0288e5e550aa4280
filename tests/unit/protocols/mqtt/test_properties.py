"""Properties of MQTT 5 as the client library has them, and a broker's no in words."""

from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.mqtt.properties import (
    NO_QOS_1,
    NO_RETAIN,
    denial,
    denied,
    from_message,
    lacking,
    packet_size,
    to_properties,
    why,
)
from protocols.mqtt.wire import Publication

COMMAND = Publication("a/command/arm", b"{}", expiry_s=2, response_topic="a/reply/me", correlation_data=b"21")


def none_set() -> Properties:
    return Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]


def names_and_values(properties: Properties) -> dict[str, object]:
    return dict(properties.json())  # type: ignore[no-untyped-call]


def test_a_publications_properties_are_those_of_mqtt_5() -> None:
    assert names_and_values(to_properties(COMMAND)) == {
        "PayloadFormatIndicator": 1,
        "MessageExpiryInterval": 2,
        "ContentType": "application/json",
        "ResponseTopic": "a/reply/me",
        "CorrelationData": "3231",
    }


def test_what_a_publication_does_not_have_is_not_set() -> None:
    assert names_and_values(to_properties(Publication("a", b"{}"))) == {
        "PayloadFormatIndicator": 1,
        "ContentType": "application/json",
    }
    assert names_and_values(to_properties(Publication("a", b"{}", expiry_s=0)))["MessageExpiryInterval"] == 0


def test_a_will_has_properties_of_its_own() -> None:
    assert to_properties(Publication("a", b"{}"), PacketTypes.WILLMESSAGE).packetType == PacketTypes.WILLMESSAGE


def test_what_the_library_brings_is_the_publication_that_was_sent() -> None:
    came = SimpleNamespace(topic="a/command/arm", payload=b"{}", qos=1, retain=0, properties=to_properties(COMMAND))
    assert from_message(came) == COMMAND


@pytest.mark.parametrize("properties", [None, none_set()], ids=["MQTT 3.1.1", "a bridge"])
def test_a_message_without_any_property_is_bare(properties: Properties | None) -> None:
    came = SimpleNamespace(topic="a", payload=bytearray(b"x"), qos=0, retain=1, properties=properties)
    assert from_message(came) == Publication("a", b"x", qos=0, retain=True, bare=True)


def test_a_payload_that_is_no_bytes_is_an_empty_body() -> None:
    came = SimpleNamespace(topic="a", payload=None, qos=0, retain=0, properties=to_properties(COMMAND))
    assert from_message(came).body == b""


# --- sizes


def test_the_size_is_that_of_the_whole_packet() -> None:
    """Fixed header, topic with its length, packet id at QoS 1, properties with their length, body."""
    properties = none_set()
    assert packet_size(Publication("ab", b"12345", qos=0), properties) == 1 + 1 + (2 + 2) + 1 + 5
    assert packet_size(Publication("ab", b"12345", qos=1), properties) == 1 + 1 + (2 + 2) + 2 + 1 + 5
    assert packet_size(Publication("\u00e4", b"", qos=0), properties) == 1 + 1 + (2 + 2) + 1


@pytest.mark.parametrize(("rest", "length_bytes"), [(127, 1), (128, 2), (16_383, 2), (16_384, 3)])
def test_the_remaining_length_takes_as_many_bytes_as_mqtt_says(rest: int, length_bytes: int) -> None:
    properties = none_set()
    publication = Publication("a", bytes(rest - 4), qos=0)
    assert packet_size(publication, properties) == 1 + length_bytes + rest


# --- a no


@pytest.mark.parametrize(("code", "no"), [(0x00, False), (0x10, False), (0x7F, False), (0x80, True), (0x87, True)])
def test_a_code_from_80_on_is_a_no(code: int, no: bool) -> None:
    assert denied(code) is no


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87])
def test_a_no_about_rights_names_the_access_list(code: int) -> None:
    assert denial(code, "publish to a/b") == "the broker's access list does not let this user publish to a/b"


def test_any_other_no_has_its_reason_or_its_code() -> None:
    assert denial(0x97, "publish to a") == (
        "the broker does not let this client publish to a: the broker's quota for this client is used up"
    )
    assert denial(0xEE, "read a").endswith("read a: reason code 0xee")


def test_a_code_without_a_sentence_has_none() -> None:
    assert why(0x00) == why(0x80) == ""
    assert why(0x86) == "the broker does not know this user name and password"


@pytest.mark.parametrize(
    ("granted", "reason"),
    [
        ({}, ""),
        ({"MaximumQoS": 1, "RetainAvailable": 1}, ""),
        ({"MaximumQoS": 0}, NO_QOS_1),
        ({"RetainAvailable": 0}, NO_RETAIN),
        ({"MaximumQoS": 0, "RetainAvailable": 0}, NO_QOS_1),
    ],
)
def test_a_broker_has_to_take_qos_1_and_to_retain(granted: dict[str, Any], reason: str) -> None:
    assert lacking(SimpleNamespace(**granted)) == reason
