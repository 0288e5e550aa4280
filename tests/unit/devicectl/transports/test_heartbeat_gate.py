"""The first heartbeats of a link behind a broker: how they are published, and what a host takes until one is there."""

from typing import Final

import pytest

from devicectl.transports.heartbeat_gate import MAX_HELD, HeartbeatGate
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.messages import DeviceInfo, Heartbeat, HostHeartbeat, Nak, Received, Welcome
from protocols.language.units import Micros
from protocols.link.device_end import DeviceEnd
from protocols.link.happenings import Greeted, Linked, Told
from protocols.link.host_end import HostEnd
from protocols.mqtt.bodies import decode_body
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from tests.unit.protocols.link.exchange_pair import HEARTBEAT_US, LINK, heartbeat, hello, welcome

TOPICS: Final = DeviceTopics("bench", "sim-7")
NOW: Final = Micros(0)
NAK: Final = Nak(code=Code.E_BUSY, seq=1, expected=0, actual=0, sentence="no")

Host = HostEnd[Publication]
Device = DeviceEnd[Publication]


def said(message: Message, link_id: int = LINK) -> Publication:
    """What a device publishes to the client `me`."""
    return DeviceWire(TOPICS, "me").encode(message, 1, link_id, 3, 0)


ANSWER: Final = said(Received(expected_ms=5))
BEAT: Final = said(heartbeat())


@pytest.fixture
def gate() -> HeartbeatGate:
    return HeartbeatGate(TOPICS, "me")


# --- the gate ----------------------------------------------------------------------------------------------------


def test_answers_wait_for_the_first_heartbeat(gate: HeartbeatGate) -> None:
    granted = said(welcome())
    assert not gate.welcomed and gate.take(granted) == [granted]
    assert gate.welcomed and gate.take(ANSWER) == []
    assert gate.take(BEAT) == [ANSWER, BEAT]
    assert gate.open and not gate.welcomed
    assert gate.take(ANSWER) == [ANSWER], "and no longer"


@pytest.mark.parametrize(
    "beat",
    [said(heartbeat(), LINK + 1), BEAT._replace(retain=True), BEAT._replace(body=b"{"), BEAT._replace(body=b"")],
    ids=["of another link", "retained", "garbage", "empty"],
)
def test_what_is_no_heartbeat_of_this_link_opens_nothing(gate: HeartbeatGate, beat: Publication) -> None:
    gate.take(said(welcome()))
    assert gate.take(beat) == [beat] and gate.take(ANSWER) == [] and gate.welcomed


def test_a_heartbeat_before_the_welcome_opens_nothing(gate: HeartbeatGate) -> None:
    assert gate.take(BEAT) == [BEAT] and not gate.open and not gate.welcomed


def test_a_refused_hello_waits_for_nothing(gate: HeartbeatGate) -> None:
    refused = said(NAK, 0)
    assert gate.take(refused) == [refused] and not gate.welcomed


def test_the_last_welcome_counts(gate: HeartbeatGate) -> None:
    """One that answers an earlier HELLO may come before it."""
    late, now = said(welcome(link_id=6), 6), said(welcome())
    assert gate.take(late) == [late] and gate.take(now) == [now]
    gate.take(said(heartbeat(), 6))
    assert gate.welcomed
    gate.take(BEAT)
    assert gate.open


def test_a_hello_that_was_sent_twice_waits_for_no_second_first_heartbeat(gate: HeartbeatGate) -> None:
    granted = said(welcome())
    for one in (granted, BEAT):
        gate.take(one)
    gate.close()
    assert gate.take(granted) == [granted] and gate.open and not gate.welcomed
    gate.close()
    gate.take(said(welcome(link_id=6), 6))
    assert gate.welcomed, "another link has to beat first"


def test_a_first_heartbeat_counts_that_comes_while_the_same_hello_is_on_its_way_again(gate: HeartbeatGate) -> None:
    granted = said(welcome())
    gate.take(granted)
    gate.close()
    assert gate.take(BEAT) == [BEAT] and not gate.open
    assert gate.take(granted) == [granted] and gate.open


def test_telemetry_passes(gate: HeartbeatGate) -> None:
    gate.take(said(welcome()))
    told = Publication(TOPICS.of("telemetry", "state"), b"{}")
    assert gate.take(told) == [told]


def test_a_new_hello_closes_it(gate: HeartbeatGate) -> None:
    for one in (said(welcome()), ANSWER, BEAT):
        gate.take(one)
    gate.close()
    assert gate.take(said(welcome(link_id=8), 8)) and gate.take(ANSWER) == [] and gate.welcomed
    assert gate.take(BEAT) == [BEAT], "that of the link before"
    second = said(heartbeat(), 8)
    assert gate.take(second) == [ANSWER, second]


def test_what_is_kept_back_is_bounded(gate: HeartbeatGate) -> None:
    gate.take(said(welcome()))
    for _ in range(2 * MAX_HELD):
        gate.take(ANSWER)
    assert len(gate.take(BEAT)) == MAX_HELD + 1


# --- the wires and the exchange ----------------------------------------------------------------------------------


def read(end: Host | Device) -> list[tuple[type, int]]:
    """What an end has to publish, as message and QoS."""
    return [(type(decode_body(one.body, None, "").message), one.qos) for one in end.take()]


def ends() -> tuple[Host, Device]:
    """A host that has said HELLO, and a device that has granted a link; nothing has arrived of that yet."""
    host: Host = HostEnd(HostWire(TOPICS, "me"))
    device: Device = DeviceEnd(DeviceWire(TOPICS, "me"), lambda _: heartbeat())
    host.hello(hello(), NOW)
    (greeting,) = host.take()
    (greeted,) = device.receive(greeting, NOW)
    assert isinstance(greeted, Greeted)
    device.welcome(welcome(), greeted, NOW)
    return host, device


def carry(sender: Host | Device, receiver: Host | Device) -> list[object]:
    return [happening for one in sender.take() for happening in receiver.receive(one, NOW)]


def test_each_end_beats_at_once_at_qos_1() -> None:
    host, device = ends()
    assert [type(one) for one in carry(device, host)] == [Linked]
    host.submit(DeviceInfo(), NOW)
    beat, command = host.outbox
    assert read(host) == [(HostHeartbeat, 1), (DeviceInfo, 1)]
    assert device.receive(beat, NOW) == [Told(HostHeartbeat())]
    assert read(device) == [(Heartbeat, 1)]
    device.receive(beat, NOW)
    assert read(device) == [], "once"
    device.receive(command, NOW)


def test_later_ones_are_of_qos_0_and_come_in_their_own_time() -> None:
    host, device = ends()
    carry(device, host)
    carry(host, device)
    carry(device, host)
    device.pace = host.pace
    for end, kind in ((host, HostHeartbeat), (device, Heartbeat)):
        end.advance(HEARTBEAT_US)
        assert read(end) == [(kind, 0)]


def test_the_first_one_of_the_next_link_is_of_qos_1_again() -> None:
    for wire, message in (
        (HostWire(TOPICS, "me"), HostHeartbeat()),
        (DeviceWire(TOPICS, "me"), heartbeat()),
    ):
        assert [wire.encode(message, 1, link, 0, 0).qos for link in (7, 7, 7, 8, 8)] == [1, 0, 0, 1, 0]


def test_a_device_beats_for_nobody_before_it_is_told() -> None:
    """Where WELCOME is lost, so is whoever would hear it."""
    _, device = ends()
    assert read(device) == [(Welcome, 1)]
    device.drop()
    device.receive(HostWire(TOPICS, "me").encode(HostHeartbeat(), 1, LINK, 0, 0), NOW)
    assert (Heartbeat, 1) not in read(device)
