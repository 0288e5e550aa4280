"""Everything that passes the broker in a whole session, judged by the committed AsyncAPI documents."""

import json
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from devicectl.session.machine import State
from firmware_sim.clock import monotonic
from protocols.language import messages as M
from protocols.language.enums import ByeReason, Code, Kind, Role, Stream
from protocols.language.message import Message
from protocols.mqtt.properties import from_message, to_properties
from protocols.mqtt.wire import HostWire, Publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message
from tests import vectors
from tests.brokers import HOST, TOPICS, Mosquitto
from tests.client import Client
from tests.contract import Contract, Seen
from tests.e2e.processes import wait_until
from tests.e2e.sessions import PARAMETERS, When, assert_exact, whole_session
from tests.patience import patience
from tests.programs import serve

VIEWER: Final = "viewer-1"


@contextmanager
def subscribed(
    mosquitto: Mosquitto, topics: list[str], take: Callable[[Any], None], name: str = ""
) -> Iterator[paho.Client]:
    """A client that hands on what is published on `topics`, as it was published; the library's own thread reads."""
    ready: queue.SimpleQueue[None] = queue.SimpleQueue()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5)
    client.on_message = lambda client, userdata, message: take(message)
    client.on_subscribe = lambda *_: ready.put(None)
    client.connect(HOST, mosquitto.port)
    client.loop_start()
    try:
        options = SubscribeOptions(qos=2, retainAsPublished=True)
        client.subscribe([(topic, options) for topic in topics])
        ready.get(timeout=patience())
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def as_seen(message: Any) -> Seen:
    properties = message.properties
    return Seen(
        topic=message.topic,
        body=bytes(message.payload),
        qos=message.qos,
        retain=bool(message.retain),
        content_type=getattr(properties, "ContentType", None),
        payload_format=getattr(properties, "PayloadFormatIndicator", None),
        expiry_s=getattr(properties, "MessageExpiryInterval", None),
        response_topic=getattr(properties, "ResponseTopic", None),
        correlation_data=getattr(properties, "CorrelationData", None),
    )


class Capture:
    """What an independent subscriber saw, in the broker's order; the library's thread appends and the test reads."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def take(self, message: Any) -> None:
        self.seen.append(as_seen(message))

    def has(self, channel: str, text: bytes) -> bool:
        topic = TOPICS.of(channel)
        return any(one.topic == topic and text in one.body for one in list(self.seen))


# --- a viewer -----------------------------------------------------------------------------------------------------


class MqttChannel:
    """Publications to and from a broker."""

    def __init__(self, incoming: "queue.SimpleQueue[Publication]") -> None:
        self.client: paho.Client | None = None
        self.incoming = incoming

    def send(self, data: Publication) -> None:
        assert self.client is not None
        properties = to_properties(data, PacketTypes.PUBLISH)
        self.client.publish(data.topic, data.body, data.qos, data.retain, properties)

    def receive(self, seconds: float) -> list[Publication]:
        try:
            return [self.incoming.get(timeout=max(seconds, 0.001))]
        except queue.Empty:
            return []


class ViewerWire(HostWire):
    """Takes what the channel gives: any number of publications."""

    def feed(self, data: Any) -> Any:
        return [item for publication in data for item in super(ViewerWire, self).feed(publication)]


@contextmanager
def viewer(mosquitto: Mosquitto) -> Iterator[Client]:
    incoming: queue.SimpleQueue[Publication] = queue.SimpleQueue()
    channel = MqttChannel(incoming)

    def take(message: Any) -> None:
        incoming.put(from_message(message))

    with subscribed(mosquitto, [TOPICS.of("reply", VIEWER), TOPICS.of("telemetry", "+")], take, VIEWER) as client:
        channel.client = client
        yield Client(channel, host_id=2, role=Role.VIEWER, wire=ViewerWire(TOPICS, VIEWER))


def commands() -> Iterator[Message]:
    """One of each command that there is, off the golden vectors; their values mean nothing to this device."""
    for vector in vectors.load("frames.json")["frames"]:
        if vector["outcome"] == "message" and vector["header"]["kind"] == Kind.COMMAND:
            frame = FrameDecoder().feed(bytes.fromhex(vector["hex"]))[0]
            assert isinstance(frame, Frame)
            message = decode_message(frame)
            assert message is not None
            yield message


def watch(host: Client) -> None:
    """While the controller is kept from beating: ask for telemetry, be refused, and see the device alarm."""
    host.link()
    nak = M.Nak(code=Code.E_ARGUMENT, seq=1, expected=0, actual=0, sentence="a test has nothing to complain of")
    host.channel.send(ViewerWire(TOPICS, VIEWER).encode(nak, 0xFFFF, host.exchange.link_id, 0, 0))
    assert isinstance(host.ask(M.StreamSet(stream=Stream.STATE, interval_ms=20)), M.StreamSetDone)
    host.await_told(M.TelemetryState)
    refused = host.ask(M.Arm())
    assert isinstance(refused, M.Refused) and refused.code is Code.E_AUTH
    host.pump(lambda: any(isinstance(message, M.Alarm) for message in host.told))


def ask_everything(host: Client) -> None:
    """Every command there is, and one of another link; take leave, and at last cut the power, which ends the link."""
    host.link()  # anew: it has been silent since it watched, maybe for longer than its lease
    answers = [host.ask(command) for command in commands() if not isinstance(command, M.PowerCut)]
    assert sum(isinstance(answer, M.Refused) for answer in answers) > 10
    strays = host.exchange.statistics.strays
    host.channel.send(ViewerWire(TOPICS, VIEWER).encode(M.Arm(), 0xFFFF, 0xFFFF, 0xFFFF, 0))
    host.pump(lambda: host.exchange.statistics.strays > strays)  # a NAK to what is no command of this link
    host.exchange.bye(ByeReason.CLOSING, monotonic())
    host.pump(lambda: True)
    host.link()
    assert isinstance(host.ask(M.PowerCut(for_ms=1)), M.PowerCutDone)


# --- tests --------------------------------------------------------------------------------------------------------

PROCEDURE: Final = ("SessionOpen", "Arm", "Reposition", "Punch", "Suction", "Advance", "Count", "SessionClose")
ON_REPLY: Final = {"Welcome", "Received", "Refused", "Alarm", "Nak", "Bye", *(f"{name}Done" for name in PROCEDURE)}
"""What a device says at least to one of its hosts in such a session."""


def assert_will(contract: Contract, spoken: Seen) -> None:
    """It is as the device's document has it, but for the numbers of its connection."""
    will = contract.documents["device"]["servers"]["loopback"]["bindings"]["mqtt"]["lastWill"]
    assert (spoken.qos, spoken.retain) == (will["qos"], will["retain"])
    assert spoken.topic.endswith(will["topic"].rpartition("}")[2])
    found, said = json.loads(spoken.body), json.loads(will["message"])
    assert {key for key in found.keys() | said.keys() if found.get(key) != said.get(key)} <= {"birth_no", "boot_count"}


def assert_first_heartbeats(seen: list[Seen]) -> None:
    """At either end the first of each link is of QoS 1, and no other."""
    said: dict[tuple[str, int], list[int]] = {}
    for one in seen:
        if "/heartbeat" in one.topic:
            said.setdefault((one.topic, json.loads(one.body)["link_id"]), []).append(one.qos)
    assert len(said) >= 8 and all(qos == [1] + [0] * (len(qos) - 1) for qos in said.values()), said


@pytest.mark.asyncio
async def test_a_whole_session_is_as_the_documents_say(mosquitto: Mosquitto, tmp_path: Path) -> None:
    capture, contract, log = Capture(), Contract.committed(), tmp_path / "log.sqlite"
    nvm = f"--nvm={tmp_path / 'nvm'}"
    with subscribed(mosquitto, [TOPICS.of("#")], capture.take):
        with serve("--mqtt", mosquitto.url(), "--seed", "2", nvm, *PARAMETERS) as served:
            with viewer(mosquitto) as host:
                summary = await whole_session(mosquitto.url(), log, When((State.COUNTING, lambda: watch(host))))
                assert summary.succeeded and "MC-1501" in summary.alarms
                ask_everything(host)
            served.kill()
            wait_until(lambda: capture.has("status", b'"lost"'), "the broker speaks the will")
        with serve("--mqtt", mosquitto.url(), nvm) as served, viewer(mosquitto) as host:
            host.link()
            assert served.stop() == 0
            wait_until(lambda: capture.has("status", b'"closed"'), "the device takes its leave")
            wait_until(lambda: capture.has(f"reply/{VIEWER}", b'"Bye"'), "and says so to its host")
    assert_exact(log)

    wrong = [text for one in capture.seen for text in contract.differences(one)]
    assert not wrong, "\n".join(wrong[:20])
    assert_first_heartbeats(capture.seen)
    assert_will(contract, next(one for one in capture.seen if b'"lost"' in one.body))
    channels = {name for document in contract.documents.values() for name in document["channels"]}
    assert {name for name, _ in contract.seen} == channels
    assert {message for channel, message in contract.seen if channel == "reply"} >= ON_REPLY


def test_a_retained_command_to_a_device_that_is_there_is_refused(mosquitto: Mosquitto) -> None:
    """The broker says of a publication that it hands on at once that it was to be retained, since it is asked to."""
    capture = Capture()
    channels = ("alarms", f"reply/{VIEWER}")
    with (
        serve("--mqtt", mosquitto.url()),
        viewer(mosquitto) as host,
        subscribed(mosquitto, [TOPICS.of(name) for name in channels], capture.take) as other,
    ):
        before = host.link().state
        stop = ViewerWire(TOPICS, VIEWER).encode(M.Stop(), 0xFFFF, host.exchange.link_id, 0xFFFF, 0)
        other.publish(stop.topic, stop.body, stop.qos, True, to_properties(stop, PacketTypes.PUBLISH))
        wait_until(lambda: capture.has(f"reply/{VIEWER}", b'"correlation_id":65535'), "the device answers")
        (answer,) = (json.loads(one.body) for one in capture.seen if b'"correlation_id":65535' in one.body)
        assert (answer["message"], answer["payload"]["code"]) == ("Refused", "E_ARGUMENT")
        assert "a retained command is never carried out" in answer["payload"]["sentence"]
        wait_until(lambda: capture.has("alarms", b'"code":1502'), "MC-1502 is shown")
        host.pump(lambda: any(isinstance(told, M.Alarm) and told.code == 1502 for told in host.told))
        assert host.link().state is before
