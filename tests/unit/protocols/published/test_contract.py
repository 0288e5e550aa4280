"""The judge of what passes a broker: it takes what the wires publish, and sees each thing that is otherwise."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState
from protocols.language.message import Message
from protocols.language.sides import Side
from protocols.mqtt.properties import CONTENT_TYPE, PAYLOAD_IS_TEXT
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from protocols.published import asyncapi, schemas
from tests.contract import Contract, Seen

TOPICS: Final = DeviceTopics("bench", "sim-7")
HOST: Final = HostWire(TOPICS, "host-1")
PUNCH: Final = M.Punch(cycle_no=1, depth_um=3000, deadline_ms=5000)
ALARM: Final = M.Alarm(
    code=1501, interlock=15, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE, uptime_ms=1, sentence="lost"
)


def seen(publication: Publication) -> Seen:
    sent = publication._asdict()
    del sent["bare"], sent["ignored"]  # which are no properties
    return Seen(content_type=CONTENT_TYPE, payload_format=PAYLOAD_IS_TEXT, **sent)


COMMAND: Final = seen(HOST.encode(PUNCH, 2, 1, 7, 0))


def answer(message: Message) -> Publication:
    wire = DeviceWire(TOPICS, "host-1")
    wire.feed(HOST.encode(PUNCH, 2, 1, 7, 0))
    return wire.encode(message, 3, 1, 7, 0)


def answered() -> Seen:
    return seen(answer(M.Received(expected_ms=5)))


def told() -> Seen:
    return seen(DeviceWire(TOPICS, "host-1").encode(ALARM, 4, 1, 0, 0))


def shown() -> Seen:
    return Seen(TOPICS.of("params"), b'{"version":1,"params":[]}', 1, True, CONTENT_TYPE, PAYLOAD_IS_TEXT)


def made() -> Contract:
    return Contract.of({side.value: asyncapi.document(side) for side in Side}, schemas.document())


def judged(*publications: Seen) -> list[str]:
    contract = made()
    return [text for one in publications for text in contract.differences(one)]


def body(one: Seen, **changed: Any) -> Seen:
    return replace(one, body=json.dumps(json.loads(one.body) | changed).encode())


def test_a_heartbeat_is_published_in_one_of_its_ways() -> None:
    wire, beat = HostWire(TOPICS, "host-1"), M.HostHeartbeat()
    first, second = (seen(wire.encode(beat, number, 1, 0, 0)) for number in (1, 2))
    assert (first.qos, second.qos) == (1, 0)
    assert judged(first, second) == []
    assert judged(replace(first, qos=2)) == [f"{first.topic}: QoS 2, not 0"]
    assert len(judged(replace(first, retain=True))) == 1


def test_what_the_wires_publish_is_taken() -> None:
    contract = made()
    for one in (COMMAND, answered(), told(), shown()):
        assert list(contract.differences(one)) == []
    assert contract.seen == {
        ("commandPunch", "Punch"),
        ("reply", "Received"),
        ("reply", "Alarm"),
        ("params", "Params"),
    }


CHANGES: Final[dict[str, tuple[Callable[[], Seen], str]]] = {
    "QoS": (lambda: replace(COMMAND, qos=0), "QoS 0, not 1"),
    "retained": (lambda: replace(COMMAND, retain=True), "retain True"),
    "not retained": (lambda: replace(shown(), retain=False), "retain False"),
    "no expiry": (lambda: replace(COMMAND, expiry_s=None), "expires after None s, not 2 s"),
    "a longer expiry": (lambda: replace(COMMAND, expiry_s=3), "expires after 3 s, not 2 s"),
    "an expiry where there is none": (lambda: replace(told(), expiry_s=1), "expires after 1 s, not None"),
    "content type": (lambda: replace(COMMAND, content_type="text/plain"), "content type text/plain"),
    "no content type": (lambda: replace(shown(), content_type=None), "content type None"),
    "payload format": (lambda: replace(COMMAND, payload_format=None), "payload format None"),
    "no response topic": (lambda: replace(COMMAND, response_topic=None), "response topic None"),
    "another device's": (
        lambda: replace(COMMAND, response_topic="handpiece/v1/bench/sim-8/reply/host-1"),
        "is another device's",
    ),
    "a response topic like no reply": (
        lambda: replace(COMMAND, response_topic=TOPICS.of("status")),
        "is not like",
    ),
    "a response topic beside an alarm": (
        lambda: replace(told(), response_topic=TOPICS.of("reply", "host-1")),
        "not None",
    ),
    "no correlation data": (lambda: replace(COMMAND, correlation_data=None), "no correlation data"),
    "correlation data beside an alarm": (lambda: replace(told(), correlation_data=b"0"), "where none is declared"),
    "correlation data of nobody": (lambda: replace(answered(), correlation_data=b"8"), "not that of command 7"),
    "an answer without": (lambda: replace(answered(), correlation_data=None), "not that of command 7"),
    "another command's answer": (lambda: seen(answer(M.ArmDone(vacuum_pa=-50_000))), "ArmDone is no answer to"),
    "an answer to nothing": (lambda: body(answered(), correlation_id=8), "not that of command 8"),
    "a topic of no channel": (lambda: replace(COMMAND, topic=TOPICS.of("command")), "on 0 channels"),
    "a command that there is not": (lambda: replace(COMMAND, topic=TOPICS.of("command", "jump")), "on 0 channels"),
    "a stream that there is not": (lambda: replace(told(), topic=TOPICS.of("telemetry", "all")), "on 0 channels"),
    "another message": (lambda: body(answered(), message="Punch"), "'Punch' is no message of reply"),
    "another command's body": (lambda: body(COMMAND, message="Arm"), "'Punch' was expected"),
    "a key more": (lambda: body(COMMAND, more=1), "'more' was unexpected"),
    "a key less": (lambda: replace(shown(), body=b'{"version":1}'), "'params' is a required property"),
    "no JSON": (lambda: replace(COMMAND, body=b"{"), "not a JSON object"),
    "no object": (lambda: replace(answered(), body=b"[]"), "not a JSON object"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_difference_is_seen(name: str) -> None:
    make, text = CHANGES[name]
    assert any(text in found for found in judged(COMMAND, make()))
