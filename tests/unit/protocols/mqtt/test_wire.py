"""The MQTT wire by docs/mqtt.md: where each message goes, with which properties, and what is refused."""

import json
from typing import Any

import pytest

from protocols.language.enums import Code, DeviceState, Kind
from protocols.language.message import Message
from protocols.language.messages import (
    Arm,
    ArmDone,
    Hello,
    HostHeartbeat,
    Nak,
    Stop,
    StopDone,
    StreamSet,
    TelemetryState,
)
from protocols.link.port import BadFrame, Envelope, Problem
from protocols.mqtt.bodies import encode_body
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import (
    COMMANDS,
    MAX_ASKED,
    DeviceWire,
    HostWire,
    Publication,
    decode_publication,
)
from tests.unit.protocols.link.exchange_pair import heartbeat, hello, welcome

TOPICS = DeviceTopics("bench", "sim-7")
BASE = "handpiece/v1/bench/sim-7"
STATE = TelemetryState(
    uptime_ms=1, state=DeviceState.IDLE, depth_um=0, vacuum_pa=0, temperature_mk=0, canister_ul=0, cartridge_cycles=0,
    cell=0, flagged=0,
)  # fmt: skip
NAK = Nak(code=Code.E_LINK, seq=5, expected=0, actual=7, sentence="no")


def host() -> HostWire:
    return HostWire(TOPICS, "me")


def device() -> DeviceWire:
    return DeviceWire(TOPICS, "me")


def linked_host(link_id: int = 7) -> HostWire:
    """A host's wire after HELLO and WELCOME."""
    wire = host()
    wire.encode(hello(), 1, 0, 1, 0)
    wire.feed(said(welcome(link_id=link_id), link_id=link_id))
    return wire


def said(message: Message, topic: str = f"{BASE}/reply/me", link_id: int = 7, **changes: Any) -> Publication:
    """What a device publishes."""
    return Publication(topic, encode_body(message, 1, link_id, 3, 0), **changes)


def command(message: Message, name: str, **changes: Any) -> Publication:
    """What a host publishes, as the specification wants it."""
    properties: dict[str, Any] = {"expiry_s": 2, "response_topic": f"{BASE}/reply/me", "correlation_data": b"3"}
    return Publication(f"{BASE}/command/{name}", encode_body(message, 1, 7, 3, 2), **(properties | changes))


def only(items: list[Envelope | BadFrame]) -> Envelope:
    [item] = items
    assert isinstance(item, Envelope)
    return item


# --- what a host says


@pytest.mark.parametrize(("message", "name"), [(Arm(), "arm"), (hello(), "hello"), (NAK, "nak"), (Stop(), "stop")])
def test_a_hosts_message_is_a_command_at_qos_1_with_the_three_properties(message: Message, name: str) -> None:
    sent = host().encode(message, 22, 7, 21, 2)
    assert (sent.topic, sent.qos, sent.retain, sent.expiry_s) == (f"{BASE}/command/{name}", 1, False, 2)
    assert (sent.response_topic, sent.correlation_data) == (f"{BASE}/reply/me", b"21")
    body = json.loads(sent.body)
    assert (body["message"], body["seq"], body["link_id"], body["correlation_id"]) == (
        type(message).__name__,
        22,
        7,
        21,
    )


def test_a_hosts_first_heartbeat_of_a_link_is_at_qos_1_and_the_others_at_0() -> None:
    wire = host()
    beats = [wire.encode(HostHeartbeat(), seq, link_id, 0, 0) for seq, link_id in enumerate((7, 7, 7, 8, 8))]
    assert [beat.qos for beat in beats] == [1, 0, 0, 1, 0]
    assert {(beat.topic, beat.expiry_s, beat.response_topic) for beat in beats} == {(f"{BASE}/heartbeat/me", 1, None)}


def test_every_command_and_hello_bye_and_nak_have_a_topic_of_their_own() -> None:
    assert {"hello", "bye", "nak", "session_open", "journal_read", "stop"} <= set(COMMANDS)
    assert not {"host_heartbeat", "welcome", "heartbeat", "arm_done", "alarm"} & set(COMMANDS)
    assert COMMANDS["session_open"].__name__ == "SessionOpen"


# --- what a host hears


def test_an_answer_on_the_hosts_topic_comes_with_its_header() -> None:
    envelope = only(linked_host().feed(said(ArmDone(vacuum_pa=-1))))
    assert envelope.message == ArmDone(vacuum_pa=-1)
    assert (envelope.header.link_id, envelope.header.correlation_id, envelope.header.kind) == (7, 3, Kind.REPLY)


def test_a_retained_message_is_passed_over() -> None:
    assert linked_host().feed(said(ArmDone(vacuum_pa=-1), retain=True)) == []


@pytest.mark.parametrize("topic", [f"{BASE}/heartbeat", f"{BASE}/telemetry/state"])
def test_what_several_links_share_is_taken_of_this_hosts_link_alone(topic: str) -> None:
    message = heartbeat() if topic.endswith("heartbeat") else STATE
    wire = linked_host()
    assert only(wire.feed(said(message, topic))).message == message
    assert wire.feed(said(message, topic, link_id=8)) == []
    assert host().feed(said(message, topic)) == [], "before a link there is none of its own"


def test_an_answer_of_another_link_on_its_own_topic_is_for_the_exchange_to_judge() -> None:
    assert only(linked_host().feed(said(ArmDone(vacuum_pa=-1), link_id=8))).header.link_id == 8


def test_a_late_welcome_to_an_earlier_hello_does_not_change_whose_heartbeats_are_heard() -> None:
    wire = linked_host()
    wire.encode(hello(nonce=78), 2, 0, 2, 0)
    wire.feed(said(welcome(link_id=9), link_id=9))  # of nonce 77
    assert only(wire.feed(said(heartbeat(), f"{BASE}/heartbeat"))).header.link_id == 7
    wire.feed(said(welcome(link_id=9, nonce=78), link_id=9))
    assert wire.feed(said(heartbeat(), f"{BASE}/heartbeat")) == []


def test_what_nobody_knows_is_no_command_since_a_device_has_said_it() -> None:
    body = b'{"message":"Novelty","seq":1,"link_id":7,"correlation_id":3,"payload":{}}'
    envelope = only(linked_host().feed(Publication(f"{BASE}/reply/me", body)))
    assert envelope.message is None and envelope.header.kind == Kind.REPLY
    assert envelope.problem is not None and envelope.problem.code is Code.E_UNKNOWN_MESSAGE


@pytest.mark.parametrize(
    ("message", "topic", "kind"),
    [(heartbeat(), "heartbeat", Kind.LINK), (STATE, "telemetry/state", Kind.TELEMETRY)],
    ids=["heartbeat", "telemetry"],
)
def test_comment_of_keeps_its_kind_also_where_it_cannot_be_read(message: Message, topic: str, kind: Kind) -> None:
    publication = said(message, f"{BASE}/{topic}")
    broken = publication._replace(body=publication.body.replace(b'"uptime_ms":', b'"uptime_ms":-1'))
    assert only(linked_host().feed(publication)).header.kind == kind
    envelope = only(linked_host().feed(broken))
    assert envelope.message is None and envelope.header.kind == kind


# --- what a device says


def test_an_answer_goes_to_the_hosts_topic_with_the_correlation_data_that_came() -> None:
    wire = device()
    wire.feed(command(Arm(), "arm", correlation_data=b"\x00any"))
    sent = wire.encode(ArmDone(vacuum_pa=-1), 1, 7, 3, 0)
    assert (sent.topic, sent.qos, sent.expiry_s) == (f"{BASE}/reply/me", 1, None)
    assert (sent.correlation_data, sent.response_topic) == (b"\x00any", None)


def test_what_answers_nothing_has_no_correlation_data() -> None:
    wire = device()
    wire.feed(Publication(f"{BASE}/command/arm", b"{}", correlation_data=b"0", expiry_s=2))
    assert wire.encode(StopDone(state=DeviceState.SAFE), 1, 7, 0, 0).correlation_data is None
    assert wire.encode(StopDone(state=DeviceState.SAFE), 1, 7, 99, 0).correlation_data is None


def test_the_nak_to_a_body_that_could_not_be_read_has_the_correlation_data_of_its_sender() -> None:
    wire = device()
    wire.feed(Publication(f"{BASE}/command/arm", b"no JSON", correlation_data=b"mine", expiry_s=2))
    assert wire.encode(NAK, 1, 7, 0, 0).correlation_data == b"mine"


def test_the_correlation_data_of_the_last_32_commands_is_kept() -> None:
    wire = device()
    for number in range(1, MAX_ASKED + 2):
        publication = command(Stop(), "stop", correlation_data=b"%d" % number)
        body = json.loads(publication.body) | {"correlation_id": number}
        wire.feed(publication._replace(body=json.dumps(body).encode()))
    answers = [wire.encode(StopDone(state=DeviceState.SAFE), 1, 7, number, 0) for number in range(1, MAX_ASKED + 2)]
    assert [answer.correlation_data for answer in answers] == [None, *(b"%d" % n for n in range(2, MAX_ASKED + 2))]


def test_the_last_correlation_data_of_a_repeated_command_is_given_back_and_it_is_kept_longer() -> None:
    wire = device()
    for data in (b"first", b"second"):
        wire.feed(command(Stop(), "stop", correlation_data=data))
    assert wire.encode(StopDone(state=DeviceState.SAFE), 1, 7, 3, 0).correlation_data == b"second"


def test_a_devices_heartbeat_and_telemetry_have_topics_of_their_own() -> None:
    wire = device()
    beats = [wire.encode(heartbeat(), seq, link_id, 0, 0) for seq, link_id in enumerate((7, 7, 8))]
    assert [(beat.topic, beat.qos, beat.expiry_s) for beat in beats] == [
        (f"{BASE}/heartbeat", 1, 1),
        (f"{BASE}/heartbeat", 0, 1),
        (f"{BASE}/heartbeat", 1, 1),
    ]
    measured = wire.encode(STATE, 1, 7, 0, 0)
    assert (measured.topic, measured.qos, measured.expiry_s) == (f"{BASE}/telemetry/state", 0, 5)


# --- what a device hears


def test_a_command_comes_with_its_header() -> None:
    envelope = only(device().feed(command(Arm(), "arm")))
    assert envelope.message == Arm() and envelope.problem is None
    assert (envelope.header.link_id, envelope.header.correlation_id, envelope.header.kind) == (7, 3, Kind.COMMAND)


def test_a_heartbeat_is_taken_unless_it_is_retained() -> None:
    beat = Publication(f"{BASE}/heartbeat/me", encode_body(HostHeartbeat(), 1, 7, 0, 0), qos=0)
    assert only(device().feed(beat)).message == HostHeartbeat()
    assert device().feed(beat._replace(retain=True)) == []


LACKING: dict[str, tuple[dict[str, Any], str]] = {
    "retained": ({"retain": True}, "a retained command is never carried out"),
    "without correlation data": ({"correlation_data": None}, "a command needs MQTT's Correlation Data"),
    "without expiry": ({"expiry_s": None}, "a command needs a Message Expiry Interval of at most 2 s"),
    "with a long expiry": ({"expiry_s": 3}, "a command needs a Message Expiry Interval of at most 2 s"),
}


@pytest.mark.parametrize(("changes", "sentence"), LACKING.values(), ids=LACKING)
def test_a_command_that_lacks_a_property_is_refused_with_the_reason(changes: dict[str, Any], sentence: str) -> None:
    envelope = only(device().feed(command(Arm(), "arm", **changes)))
    assert envelope.message is None and envelope.problem is not None
    assert envelope.problem.code is Code.E_ARGUMENT and envelope.problem.sentence.startswith(sentence)
    assert envelope.header.correlation_id == 3, "so that its sender learns which it was"


@pytest.mark.parametrize("expiry_s", [0, 1, 2])
def test_an_expiry_of_up_to_two_seconds_is_right(expiry_s: int) -> None:
    assert only(device().feed(command(Arm(), "arm", expiry_s=expiry_s))).message == Arm()


def test_a_body_that_cannot_be_read_is_told_before_any_property() -> None:
    envelope = only(device().feed(Publication(f"{BASE}/command/arm", b"no JSON", retain=True)))
    assert envelope.problem is not None and "retained" not in envelope.problem.sentence


def test_a_topic_that_is_no_commands_is_an_unknown_message_and_its_name_is_cut() -> None:
    envelope = only(device().feed(command(Arm(), "x" * 60)))
    assert envelope.message is None and envelope.problem is not None
    assert envelope.problem == Problem(Code.E_UNKNOWN_MESSAGE, f"there is no command/{'x' * 40}")


@pytest.mark.parametrize("retain", [False, True])
def test_a_command_that_a_broker_has_kept_proves_no_living_host(retain: bool) -> None:
    (unlawful,) = device().feed(command(Arm(), "arm")._replace(retain=retain, expiry_s=60))
    assert isinstance(unlawful, Envelope)
    assert unlawful.problem is not None
    assert unlawful.problem.of_now is not retain


def test_a_topic_of_another_device_is_no_command() -> None:
    strange = command(Arm(), "arm")._replace(topic="elsewhere")
    assert only(device().feed(strange)).problem is not None


# --- for a trace


@pytest.mark.parametrize(
    ("publication", "message"),
    [
        (command(Arm(), "arm"), Arm()),
        (said(ArmDone(vacuum_pa=-1)), ArmDone(vacuum_pa=-1)),
        (said(heartbeat(), f"{BASE}/heartbeat"), heartbeat()),
        (Publication(f"{BASE}/heartbeat/me", encode_body(HostHeartbeat(), 1, 7, 0, 0)), HostHeartbeat()),
    ],
    ids=["command", "reply", "heartbeat", "host's heartbeat"],
)
def test_a_publication_that_goes_by_is_read_by_its_topic_or_its_body(
    publication: Publication, message: Message
) -> None:
    assert decode_publication(publication).message == message


def test_a_command_whose_body_names_another_message_is_a_problem() -> None:
    assert decode_publication(command(Stop(), "arm")).message is None


def test_both_ends_beat_at_once_and_keep_no_noise() -> None:
    for wire in (host(), device()):
        assert wire.beats_at_once and wire.heard is None
    assert StreamSet in COMMANDS.values() and Hello in COMMANDS.values()
