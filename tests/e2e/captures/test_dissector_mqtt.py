"""Bodies of MQTT in the dissector: publications of a broker's TCP connection, and those that a recording has."""

import json
import struct
from typing import Any, Final

import pytest

from protocols.capture.packet import FROM_DEVICE, TO_DEVICE
from protocols.mqtt.bodies import encode_body, record_of
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message
from tests import vectors
from tests.e2e.captures.shark import Item, Shark, Stream, recording, snake
from tests.e2e.captures.test_dissector_vectors import assert_fields

BASE: Final = "handpiece/v1/bench/sim-7/"
BROKER_PORT: Final = 1883


def text(value: str) -> bytes:
    return struct.pack(">H", len(value.encode())) + value.encode()


def connect() -> bytes:
    """A client's first packet: without it nobody knows which version of MQTT it speaks."""
    body = text("MQTT") + bytes([5, 2]) + struct.pack(">H", 60) + b"\0" + text("client")
    return bytes([0x10, len(body)]) + body


def publish(topic: str, body: bytes, qos: int = 0) -> bytes:
    """PUBLISH without properties."""
    content = text(topic) + (struct.pack(">H", 7) if qos else b"") + b"\0" + body
    size, length = len(content), b""
    while size > 127:
        length += bytes([size % 128 | 128])
        size //= 128
    return bytes([0x30 | qos << 1]) + length + bytes([size]) + content


def packets(shark: Shark, *publications: tuple[str, str, bytes]) -> list[Item]:
    """What the dissector makes of (sender, topic below the device's, body), after a CONNECT."""
    segments = [(sender, publish(BASE + topic, body)) for sender, topic, body in publications]
    return shark.packets(Stream(server=BROKER_PORT).capture(("client", connect()), *segments))[1:]


GOOD: Final[list[dict[str, Any]]] = [
    one for one in vectors.load("frames.json")["frames"] if one["outcome"] == "message"
]
RECORDS: Final = {"record", "records"}
"""Fields whose records bodies have as objects."""


def body_of(vector: dict[str, Any]) -> bytes:
    """The body of a vector's message, by the product: its values are held against the vector's."""
    (frame,) = FrameDecoder().feed(bytes.fromhex(vector["hex"]))
    assert isinstance(frame, Frame)
    message = decode_message(frame)
    assert message is not None
    return encode_body(message, seq=9, link_id=3, correlation_id=4, flags=vector["header"]["flags"])


@pytest.fixture(scope="module")
def bodies(shark: Shark) -> dict[str, Item]:
    """The packet of each good vector's message as a body, on the topic of its sender."""
    sent = [("server", "reply/me", body_of(vector)) for vector in GOOD]
    return dict(zip((vector["name"] for vector in GOOD), packets(shark, *sent), strict=True))


@pytest.mark.parametrize("vector", [pytest.param(one, id=one["name"]) for one in GOOD])
def test_message(vector: dict[str, Any], bodies: dict[str, Item]) -> None:
    packet = bodies[vector["name"]]
    assert packet.only("hlp1.message") == vector["message"]
    assert [packet.only(f"hlp1.{name}") for name in ("seq", "link_id", "correlation_id")] == ["9", "3", "4"]
    assert int(packet.only("hlp1.kind"), 0) == vector["header"]["kind"]
    fields = {name: value for name, value in vector["fields"].items() if name not in RECORDS}
    assert_fields(packet, f"hlp1.{snake(vector['message'])}", fields)
    for name in RECORDS & set(vector["fields"]):
        assert len(packet.shows("hlp1.record")) == len(vector["fields"][name]) // 64
    assert not {"bad_payload", "unknown_message", "bad_record"} & set(packet.experts())


def test_records_have_their_fields(shark: Shark) -> None:
    (vector,) = [one for one in vectors.load("records.json")["records"] if one["name"] == "Cycle"]
    payload = {"record": [record_of(bytes.fromhex(vector["hex"]))]}
    body = {"message": "Event", "seq": 1, "link_id": 1, "payload": payload}
    (packet,) = packets(shark, ("server", "event", json.dumps(body).encode()))
    assert_fields(packet, "hlp1.record.cycle", vector["fields"])
    assert packet.only("hlp1.record.kind") == "1"


def test_a_command_and_its_answer_are_linked(shark: Shark) -> None:
    asked = b'{"message":"Suction","seq":2,"link_id":3,"correlation_id":4,"payload":{"cycle_no":1}}'
    refused = {"code": "E_STATE", "interlock": 0, "expected": 0, "actual": 0, "sentence": "SUCTION: not in IDLE"}
    header = {"message": "Refused", "seq": 5, "link_id": 3, "correlation_id": 4, "flags": ["REPLAYED"]}
    answer = {**header, "payload": refused}
    command, reply = shark.packets(
        Stream(server=BROKER_PORT).capture(
            ("client", connect()),
            ("client", publish(f"{BASE}command/suction", asked, qos=1)),
            ("server", publish(f"{BASE}reply/me", json.dumps(answer).encode())),
        ),
        *("-R", "mqtt.topic or mqtt.msgtype"),
    )[1:]
    assert reply.only("hlp1.request_in") == "2" and command.only("hlp1.response_in") == "3"
    assert reply.told("refused") == ["SUCTION: not in IDLE"] and "replayed" in reply.experts()
    assert reply.only("hlp1.refused.code") == "5"


def test_retained_bodies_are_known_by_their_topics(shark: Shark) -> None:
    status = (
        b'{"notice":"n","simulated":true,"online":false,"birth_no":3,"reason":"lost","protocol":"HLP/1","minor":1,'
        b'"schema_id":4000000000,"boot_count":2}'
    )
    alarm = b'{"code":1501,"interlock":15,"priority":"HIGH","state":"LATCHED","uptime_ms":7,"sentence":"link lost"}'
    one, two, three = packets(
        shark,
        ("server", "status", status),
        ("server", "alarms", b'{"version":1,"alarms":[' + alarm + b"," + alarm.replace(b"1501", b"401") + b"]}"),
        ("server", "state", b'{"version":"one"}'),
    )
    assert one.only("hlp1.status.schema_id") == "4000000000" and one.only("hlp1.status.reason") == "lost"
    assert two.shows("hlp1.alarm_shown.code") == ["1501", "401"] and two.shows("hlp1.alarm_shown.state") == ["3", "3"]
    assert "MC-1501 LINK_LOST" in two.all("hlp1.alarm_shown.code")[0].text
    said = three.told("bad_payload")
    assert said[0] == "version is no number" and "state is missing" in said


SPOILED: Final = {
    '{"message":"Punch","payload":{"cycle_no":1,"depth_um":2}}': "deadline_ms is missing",
    '{"message":"Advance","payload":{"cycle_no":1,"steps":9}}': "steps is outside 1..8",
    '{"message":"Advance","payload":{"cycle_no":1.5,"steps":8}}': "cycle_no is no whole number",
    '{"message":"Advance","payload":[]}': "Advance is no object",
    '{"message":"ParamGet","payload":{"name":7}}': "name is no string",
    '{"message":"Echo","payload":{"data":"0"}}': "data has no bytes in hex",
    '{"message":"SessionOpen","payload":{"target_cores":1,"zones_cm2":1}}': "zones_cm2 is no list",
    '{"message":"Arm","payload":{}': "the body is not JSON: ",
    '{"message":"Arm","payload":' + "[" * 40: "the body is not JSON: deeper than 16",
    '["Arm"]': "the body is not JSON: no object",
    '"': "the body is not JSON: a string without an end",
}


@pytest.fixture(scope="module")
def spoiled(shark: Shark) -> dict[str, Item]:
    sent = [("client", "command/arm", body.encode()) for body in SPOILED]
    return dict(zip(SPOILED, packets(shark, *sent), strict=True))


@pytest.mark.parametrize("body", SPOILED)
def test_a_body_that_no_message_can_have_is_named(body: str, spoiled: dict[str, Item]) -> None:
    assert any(said.startswith(SPOILED[body]) for said in spoiled[body].told("bad_payload"))


def test_a_message_of_no_catalogue_and_one_without_a_name(shark: Shark) -> None:
    unknown, nameless = packets(
        shark,
        ("client", "command/arm", b'{"message":"Dance","payload":{}}'),
        ("client", "command/anesthesia_confirm", b'{"payload":{"zone":1,"confirmed_by":"\\u00e4\\ud83d\\ude00\\n"}}'),
    )
    assert unknown.experts() == ["unknown_message"]
    assert nameless.only("hlp1.message") == "AnesthesiaConfirm"
    assert (
        nameless.only("hlp1.anesthesia_confirm.confirmed_by") == "\u00e4\U0001f600 "
    )  # PDML's reader makes it of a line


def test_null_is_not_there_and_a_name_that_is_not_known_is_unknown(shark: Shark) -> None:
    (packet,) = packets(
        shark, ("server", "reply/me", b'{"message":"StopDone","seq":null,"link_id":1,"payload":{"state":"NEWER"}}')
    )
    assert packet.shows("hlp1.seq") == [] and packet.only("hlp1.link_id") == "1"
    assert packet.only("hlp1.stop_done.state") == "255"
    (packet,) = packets(shark, ("server", "reply/me", b'{"message":"StopDone","payload":{"state":null}}'))
    assert packet.told("bad_payload") == ["state is missing"]


def test_other_peoples_publications_are_left_alone(shark: Shark) -> None:
    capture = Stream(server=BROKER_PORT).capture(
        ("client", connect()), ("client", publish("home/kitchen", b'{"message":"hello"}'))
    )
    assert [row[0] for row in shark.fields(capture, "_ws.col.Protocol")] == ["MQTT", "MQTT"]


def test_a_recording_behind_a_broker_has_publications(shark: Shark) -> None:
    asked = b'{"message":"Suction","seq":22,"link_id":1,"correlation_id":21,"payload":{"cycle_no":7}}'
    answer = b'{"message":"Received","seq":1,"link_id":1,"correlation_id":21,"payload":{"expected_ms":900}}'
    publications = [{"topic": BASE + "command/suction", "body": asked.decode(), "response_topic": BASE + "reply/me"},
                    {"topic": BASE + "reply/me", "body": answer.decode()}]  # fmt: skip
    sent, said = (json.dumps(publication).encode() for publication in publications)
    event = b'{"event":"attach","port":"mqtt:me"}'
    command, reply, attach = shark.packets(
        recording(
            ("mqtt:me", TO_DEVICE, sent),
            ("mqtt:me", FROM_DEVICE, said),
            ("events", 0, event),
        )
    )
    assert command.only("hlp1.topic") == BASE + "command/suction" and command.only("hlp1.suction.cycle_no") == "7"
    assert command.only("hlp1.received_in") == "2" and reply.only("hlp1.request_in") == "1"
    assert attach.only("hlp1.recorded_event") == "attach" and attach.shows("hlp1.message") == []
