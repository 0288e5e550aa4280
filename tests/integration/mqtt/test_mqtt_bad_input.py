"""Bad input over MQTT, without a broker and in virtual time: what comes back, and that nothing else changed.

The device stands ARMED in an open session, so that there is something to break. Journal records of kind REFUSAL are
lawful: they say that a host was refused.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pytest

from firmware_sim.model.interlocks import ALARMS
from firmware_sim.serve.transports.clients import MAX_PORTS
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import AlarmState, ByeReason, Code, DeviceState, RecordKind, Role
from protocols.language.message import Message
from protocols.language.messages import (
    Advance,
    Alarm,
    Arm,
    Bye,
    Count,
    DeviceInfo,
    DeviceInfoDone,
    Disarm,
    Echo,
    EchoDone,
    Heartbeat,
    HostHeartbeat,
    Nak,
    ParamSet,
    PunchDone,
    Received,
    Refused,
    SessionOpen,
    Stop,
    StopDone,
    Suction,
)
from protocols.language.units import MILLISECOND, SECOND
from protocols.link.budget import MAX_NAKS_PER_SECOND
from protocols.link.header import REPLAYED
from protocols.mqtt.bodies import MAX_BODY_BYTES
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import COMMANDS, MAX_ASKED, DeviceWire, HostWire, Publication
from tests.integration.device.device_state import journal_of
from tests.integration.mqtt.mqtt_bench import HOLDER, HOLDER_ID, PUNCH, TOPICS, MqttBench, Said
from tests.unit.protocols.language.altered import altered
from tests.unit.protocols.link.exchange_pair import hello

OTHER: Final = "host-2"


@pytest.fixture
def bench() -> MqttBench:
    return MqttBench()


@pytest.fixture
def unchanged(bench: MqttBench) -> Iterator[MqttBench]:
    """The bench; at the end the device must be as it was, and still take the next command."""
    before, refusals = bench.state(), bench.refusals()
    yield bench
    assert bench.state() == before
    assert bench.refusals() - refusals in (0, 1)
    bench.correlation_id = 900
    assert isinstance(bench.ask(PUNCH), PunchDone)
    assert bench.device.plant.truth.cycles_commanded == 1


def punch(bench: MqttBench, **fields: Any) -> Publication:
    """A lawful PUNCH; `fields` are put beside the payload, or in place of it."""
    publication = bench.lawful(PUNCH)
    return publication._replace(body=json.dumps(json.loads(publication.body) | fields).encode())


def only(said: list[Said], kind: type[Message], client: str = HOLDER) -> Any:
    """The one thing that the device said, to that client."""
    (one,) = said
    assert isinstance(one.message, kind), one.message
    assert one.topic == f"reply/{client}"
    return one.message


def refused(said: list[Said], code: Code, words: str = "", client: str = HOLDER) -> None:
    """One refusal of the command 500, with the asker's own correlation data."""
    message = only(said, Refused, client)
    assert message.code is code and words in message.sentence and message.sentence.isprintable()
    assert said[0].header.correlation_id == 500 and said[0].publication.correlation_data == b"500"


def naked(said: list[Said], code: Code, words: str = "", client: str = HOLDER) -> Nak:
    message: Nak = only(said, Nak, client)
    assert message.code is code and words in message.sentence and message.sentence.isprintable()
    return message


def test_the_bench_can_punch(bench: MqttBench) -> None:
    """What every test below would see if its bad input were taken."""
    before = bench.state()
    only(bench.publish(punch(bench)), Received)
    assert bench.state() != before


# --- retained ----------------------------------------------------------------------------------------------------

COMMANDS_THAT_ACT: Final = [PUNCH, Stop(), Disarm(), ParamSet(name="heartbeat_armed_ms", value=100.0)]


def alarm_told(bench: MqttBench) -> Alarm:
    """What every link is told of MC-1502."""
    rule = ALARMS[RETAINED_COMMAND]
    return Alarm(
        code=rule.code,
        interlock=rule.interlock,
        priority=rule.priority,
        state=AlarmState.ACTIVE,
        uptime_ms=bench.device.board.uptime_ms(bench.shell.now),
        sentence=rule.sentence,
    )


def assert_alarmed(bench: MqttBench, before: dict[str, Any]) -> None:
    """MC-1502 stands, was told and journaled once, and nothing else has changed."""
    after = bench.state()
    assert bench.device.board.alarms.state(RETAINED_COMMAND) is AlarmState.ACTIVE
    (record,) = after.pop("journal")[len(before["journal"]) :]
    assert record[8 - 4] == RecordKind.ALARM
    for changes in ("alarms", "journal"):
        before.pop(changes, None), after.pop(changes, None)
    assert after == before


@pytest.mark.parametrize("command", COMMANDS_THAT_ACT, ids=lambda command: type(command).__name__)
def test_a_retained_command_is_refused_and_alarmed(bench: MqttBench, command: Message) -> None:
    before = bench.state()
    for repeated in range(3):
        said = bench.publish(bench.lawful(command), retain=True)
        alarms = [one for one in said if isinstance(one.message, Alarm)]
        assert [one.message for one in alarms] == [alarm_told(bench)][repeated:]
        refused([one for one in said if one not in alarms], Code.E_ARGUMENT, "retained")
    assert_alarmed(bench, before)
    bench.correlation_id = 900
    assert isinstance(bench.ask(PUNCH), PunchDone), "an alarm of low priority stops nothing"


def test_a_retained_command_to_nobody_is_alarmed(bench: MqttBench) -> None:
    before = bench.state()
    only(bench.publish(punch(bench), retain=True, response_topic=None), Alarm)
    assert_alarmed(bench, before)


def test_a_retained_hello_makes_no_link(bench: MqttBench) -> None:
    before, link_count = bench.state(), bench.device.nvm.link_count
    greeting = bench.lawful(hello(host_id=HOLDER_ID, nonce=9), 500, client=OTHER, link_id=0)
    alarm, nak = bench.publish(greeting, retain=True)
    assert isinstance(alarm.message, Alarm) and alarm.topic == f"reply/{HOLDER}"
    naked([nak], Code.E_ARGUMENT, "retained", OTHER)
    assert_alarmed(bench, before)
    assert bench.device.nvm.link_count == link_count and not bench.clients.ports[OTHER].exchange.linked


def test_a_retained_bye_ends_no_link(bench: MqttBench) -> None:
    before = bench.state()
    alarm, nak = bench.publish(bench.lawful(Bye(reason=ByeReason.CLOSING), 0), retain=True)
    naked([nak], Code.E_ARGUMENT, "retained")
    assert isinstance(alarm.message, Alarm)
    assert_alarmed(bench, before)


def test_a_retained_command_that_is_cleared_is_no_command(unchanged: MqttBench) -> None:
    """What a person publishes to clear it: retained and empty."""
    assert unchanged.publish(Publication(TOPICS.of("command", "punch"), b"", retain=True)) == []


def test_a_retained_heartbeat_renews_nothing(bench: MqttBench) -> None:
    for _ in range(14):
        bench.publish(bench.lawful(HostHeartbeat()), retain=True)
        bench.wait(beat=False)
    assert bench.device.board.state is DeviceState.SAFE and not bench.port.exchange.linked


# --- properties --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expiry_s", [None, 3, 60, 0xFFFF_FFFF])
def test_a_command_that_a_broker_may_keep_is_refused(unchanged: MqttBench, expiry_s: int | None) -> None:
    refused(unchanged.publish(punch(unchanged), expiry_s=expiry_s), Code.E_ARGUMENT, "at most 2 s")


@pytest.mark.parametrize("expiry_s", [0, 1, 2])
def test_what_is_left_of_a_lawful_expiry_does_not_matter(bench: MqttBench, expiry_s: int) -> None:
    only(bench.publish(punch(bench), expiry_s=expiry_s), Received)


def test_a_command_without_correlation_data_is_refused(unchanged: MqttBench) -> None:
    (said,) = unchanged.publish(punch(unchanged), correlation_data=None)
    assert isinstance(said.message, Refused) and "Correlation Data" in said.message.sentence
    assert said.message.code is Code.E_ARGUMENT and said.publication.correlation_data is None


def test_empty_correlation_data_is_some(bench: MqttBench) -> None:
    (said,) = bench.publish(punch(bench), correlation_data=b"")
    assert isinstance(said.message, Received) and said.publication.correlation_data == b""


FOREIGN_ADDRESSES: Final = {
    "none": None,
    "empty": "",
    "the reply of nobody": TOPICS.of("reply", ""),
    "every reply": TOPICS.of("reply", "+"),
    "everything": "#",
    "every reply of every device": "+/+/+/+/reply/+",
    "replies below": TOPICS.of("reply", "#"),
    "a level more": TOPICS.of("reply", HOLDER, "more"),
    "a level less": TOPICS.of("reply"),
    "an open end": TOPICS.of("reply", HOLDER, ""),
    "another device's": DeviceTopics("bench", "sim-8").of("reply", HOLDER),
    "another site's": DeviceTopics("ward", "sim-7").of("reply", HOLDER),
    "another root's": DeviceTopics("bench", "sim-7", "other").of("reply", HOLDER),
    "the device's own status": TOPICS.of("status"),
    "a command": TOPICS.of("command", "stop"),
    "a heartbeat": TOPICS.of("heartbeat", HOLDER),
    "the broker's own": "$SYS/broker/uptime",
    "NUL": TOPICS.of("reply", "host\0001"),
    "white space": TOPICS.of("reply", "host 1"),
    "dollars": TOPICS.of("reply", "$host"),
    "too long": TOPICS.of("reply", "h" * 65),
    "what cannot be printed": TOPICS.of("reply", "host\u202e"),
}


@pytest.mark.parametrize("address", FOREIGN_ADDRESSES.values(), ids=FOREIGN_ADDRESSES)
def test_a_command_that_does_not_say_whom_to_answer(unchanged: MqttBench, address: str | None) -> None:
    """It cannot be told so; whoever looks for it finds it in the trace, with the reason."""
    sent = punch(unchanged)._replace(response_topic=address)
    assert unchanged.publish(sent) == []
    assert list(unchanged.clients.ports) == [HOLDER]
    (why,) = ignored(unchanged, sent)
    assert (
        why.startswith("it has no Response Topic" if address is None else "its Response Topic '") and why.isprintable()
    )


def ignored(bench: MqttBench, sent: Publication) -> list[str]:
    """Why each publication that was ignored was; what was sent stands there as it was sent."""
    assert all(heard._replace(ignored="") == sent for heard in bench.shell.ignored.heard_)
    return [heard.ignored for heard in bench.shell.ignored.heard_]


def test_a_bye_without_properties_is_traced_with_the_reason(unchanged: MqttBench) -> None:
    sent = Publication(TOPICS.of("command", "bye"), b'{"message":"Bye","payload":{"reason":"CLOSING"}}')
    assert unchanged.publish(sent) == []
    assert ignored(unchanged, sent) == ["it has no Response Topic, and so nobody can be answered"]


@pytest.mark.parametrize(
    ("retain", "client", "why"),
    [
        (True, HOLDER, "a retained heartbeat says nothing about now"),
        (False, "stranger", "nothing but heartbeats has come from this client"),
    ],
)
def test_a_heartbeat_that_is_ignored_is_traced_with_the_reason(
    unchanged: MqttBench, retain: bool, client: str, why: str
) -> None:
    sent = unchanged.lawful(HostHeartbeat(), client=client)._replace(retain=retain)
    assert unchanged.publish(sent) == []
    (told,) = ignored(unchanged, sent)
    assert told.startswith(why)


# --- twice -------------------------------------------------------------------------------------------------------


def test_a_command_that_comes_twice_acts_once(bench: MqttBench) -> None:
    """The broker may hand out anything of QoS 1 again; whether it marks it as doubled is its own matter."""
    sent = punch(bench)
    only(bench.publish(sent), Received)
    (again,) = bench.publish(sent, correlation_data=b"mine")
    assert isinstance(again.message, Received) and again.header.flags == REPLAYED
    assert again.publication.correlation_data == b"mine", "as it was sent"
    done = [one for one in bench.wait(2 * SECOND) if isinstance(one.message, PunchDone)]
    assert len(done) == 1 and done[0].header.flags == 0
    before = bench.state()
    for data in (b"500", b"\x00\xff", b"500"):
        (late,) = bench.publish(sent, correlation_data=data)
        assert late.message == done[0].message and late.header.flags == REPLAYED
        assert late.publication.correlation_data == data
    assert bench.state() == before
    assert bench.device.plant.truth.cycles_commanded == 1 and bench.device.nvm.last_cycle_no == 1


def cycle(cycle_no: int) -> list[Message]:
    """Its commands."""
    begin = altered(PUNCH, cycle_no=cycle_no)
    return [begin, Suction(cycle_no=cycle_no), Advance(cycle_no=cycle_no, steps=1), Count(cycle_no=cycle_no)]


def test_a_cycle_that_is_asked_for_twice_moves_once(bench: MqttBench) -> None:
    """Another command with the same cycle_no, as of a host that lost the answer: the outcome as it was."""
    bench.correlation_id = 499
    for command in cycle(1):
        assert not isinstance(bench.ask(command), Refused)
    before = bench.state()
    (again,) = bench.publish(bench.lawful(PUNCH, 510), correlation_data=b"another")
    assert isinstance(again.message, PunchDone) and again.message.cycle_no == 1
    assert again.header.flags == REPLAYED and again.publication.correlation_data == b"another"
    assert bench.state() == before and bench.device.plant.truth.cycles_commanded == 1


def test_an_order_of_before_a_stop_comes_after_it(bench: MqttBench) -> None:
    late = bench.lawful(Arm(), 500)
    assert StopDone in {type(one.message) for one in bench.publish(bench.lawful(Stop(), 501))}
    before = bench.state()
    refused(bench.publish(late), Code.E_EXPIRED, "used up")
    assert bench.state() == before and bench.device.board.state is DeviceState.SAFE


def test_the_same_number_with_another_body_is_refused(bench: MqttBench) -> None:
    bench.publish(punch(bench))
    bench.wait(2 * SECOND)
    before = bench.state()
    refused(bench.publish(bench.lawful(Disarm(), 500)), Code.E_EXPIRED)
    assert bench.state() == before


@pytest.mark.parametrize("before_it", [0, 1])
def test_the_open_cycle_that_is_asked_for_twice_moves_once(bench: MqttBench, before_it: int) -> None:
    """Before its PUNCH is done there is nothing to answer with; from then on its answer, in every phase."""
    for cycle_no in range(1, 1 + before_it):
        for command in cycle(cycle_no):
            assert not isinstance(bench.ask(command), Refused)
    begin, *others = cycle(1 + before_it)
    only(bench.publish(bench.lawful(begin, 499)), Received)
    before = bench.state()
    refused(bench.publish(bench.lawful(begin)), Code.E_STATE, f"the PUNCH of cycle {1 + before_it} is under way")
    assert bench.state() == before
    (done,) = [one.message for one in bench.wait(SECOND) if isinstance(one.message, PunchDone)]
    for number, command in enumerate(others):
        bench.correlation_id, before = 510 + 2 * number, bench.state()
        (again,) = bench.publish(bench.lawful(begin, bench.correlation_id))
        assert again.message == done and again.header.flags == REPLAYED
        assert bench.state() == before
        assert not isinstance(bench.ask(command), Refused)
    assert bench.device.plant.truth.cycles_commanded == bench.device.plant.truth.cycles_completed == 1 + before_it


def test_hello_twice_is_one_link(unchanged: MqttBench) -> None:
    (said,) = unchanged.publish(unchanged.lawful(hello(host_id=HOLDER_ID), 1, link_id=0))
    assert said.header.flags == REPLAYED and said.header.link_id == unchanged.link_id


# --- late --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late_ms", [1, 1_000, 0x7FFF_FFFF])
def test_a_punch_past_its_deadline(unchanged: MqttBench, late_ms: int) -> None:
    """However a broker kept it: what the device holds against it is its own clock. The number stays free."""
    uptime_ms = unchanged.device.board.uptime_ms(unchanged.shell.now)
    late = altered(PUNCH, deadline_ms=uptime_ms - late_ms & 0xFFFF_FFFF)
    refused(unchanged.publish(unchanged.lawful(late)), Code.E_EXPIRED, f"too late by {late_ms} ms")


def test_a_punch_at_its_deadline_is_in_time(bench: MqttBench) -> None:
    uptime_ms = bench.device.board.uptime_ms(bench.shell.now)
    only(bench.publish(bench.lawful(altered(PUNCH, deadline_ms=uptime_ms))), Received)


# --- foreign -----------------------------------------------------------------------------------------------------


def test_a_command_in_another_clients_name(unchanged: MqttBench) -> None:
    """Who names another's reply topic is taken for that client, whose link is another: it is told, the holder not."""
    other = unchanged.connect(OTHER, hello(host_id=6, role=Role.VIEWER))
    sent = punch(unchanged)._replace(response_topic=TOPICS.of("reply", OTHER))
    nak = naked(unchanged.publish(sent), Code.E_LINK, client=OTHER)
    assert (nak.expected, nak.actual) == (other, unchanged.link_id)


def test_a_command_of_a_client_without_a_link(unchanged: MqttBench) -> None:
    sent = punch(unchanged)._replace(response_topic=TOPICS.of("reply", OTHER))
    nak = naked(unchanged.publish(sent), Code.E_LINK, "send HELLO", OTHER)
    assert (nak.expected, nak.actual) == (0, unchanged.link_id)


@pytest.mark.parametrize("link_id", [0, 2, 0xFFFF])
def test_a_command_of_another_link(unchanged: MqttBench, link_id: int) -> None:
    assert unchanged.link_id == 1
    (said,) = unchanged.publish(punch(unchanged, link_id=link_id))
    nak = naked([said], Code.E_LINK)
    assert (nak.expected, nak.actual, said.header.link_id) == (1, link_id, link_id)
    assert said.header.correlation_id == 500


@pytest.mark.parametrize("name", ["arm", "stop", "disarm", "session_open", "echo"])
def test_a_body_of_another_topic(unchanged: MqttBench, name: str) -> None:
    """What an access list lets somebody publish is what the topic says: no PUNCH on command/stop."""
    refused(unchanged.publish(punch(unchanged), topic=TOPICS.of("command", name)), Code.E_ARGUMENT, "the body of Punch")


@pytest.mark.parametrize("name", ["fly", "", "Punch", "PUNCH", "punch ", "pünch", "welcome", "host_heartbeat", "#"])
def test_a_command_topic_that_is_not_there(unchanged: MqttBench, name: str) -> None:
    assert name not in COMMANDS
    refused(unchanged.publish(punch(unchanged), topic=TOPICS.of("command", name)), Code.E_UNKNOWN_MESSAGE)


@pytest.mark.parametrize(
    "topic",
    [
        TOPICS.of("command"),
        TOPICS.of("command", "punch", "more"),
        TOPICS.of("commands", "punch"),
        TOPICS.of("reply", HOLDER),
        TOPICS.of("status"),
        DeviceTopics("bench", "sim-70").of("command", "punch"),
        DeviceTopics("bench", "sim-7", "Handpiece").of("command", "punch"),
        "command/punch",
        "",
    ],
)
def test_a_topic_that_is_none_of_a_devices(unchanged: MqttBench, topic: str) -> None:
    assert unchanged.publish(punch(unchanged), topic=topic) == []


@pytest.mark.parametrize("name", ["Arm", "Fly", "", "PunchDone", "Welcome"])
def test_a_message_that_is_not_the_topics(unchanged: MqttBench, name: str) -> None:
    refused(unchanged.publish(punch(unchanged, message=name)), Code.E_ARGUMENT, "the topic is of Punch")


def test_a_heartbeat_of_something_else(unchanged: MqttBench) -> None:
    sent = punch(unchanged)._replace(topic=TOPICS.of("heartbeat", HOLDER))
    naked(unchanged.publish(sent), Code.E_ARGUMENT, "the body of Punch")


def test_the_heartbeat_of_a_client_that_nobody_knows(unchanged: MqttBench) -> None:
    assert unchanged.publish(unchanged.lawful(HostHeartbeat(), client=OTHER)) == []
    assert list(unchanged.clients.ports) == [HOLDER], "a heartbeat alone is worth no port"


def test_an_answer_to_the_device(unchanged: MqttBench) -> None:
    strays = unchanged.port.exchange.statistics.strays
    naks = [Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="no") for _ in range(3)]
    for nak, link_id in zip(naks, (0, 2, 0xFFFF), strict=True):
        assert unchanged.publish(unchanged.lawful(nak, 500, link_id=link_id)) == []
    assert unchanged.port.exchange.statistics.strays == strays + 3


# --- bodies ------------------------------------------------------------------------------------------------------

UNREADABLE: Final = {
    "nothing": b"",
    "garbage": bytes(range(256)),
    "no UTF-8": b'{"message":"Punch","link_id":1,"name":"\xff\xfe"}',
    "no object": b'["Punch"]',
    "NaN": b'{"link_id":1,"correlation_id":500,"payload":{"cycle_no":NaN}}',
    "Infinity": b'{"link_id":1,"correlation_id":500,"payload":{"cycle_no":-Infinity}}',
    "5,000 digits": b'{"link_id":1,"correlation_id":500,"payload":{"cycle_no":1%b}}' % (b"0" * 5_000),
    "64 KiB": b'{"link_id":1,"correlation_id":500,"payload":{"x":"%b"}}' % (b"x" * (1 << 16)),
    "1 MiB of nothing": b" " * (1 << 20),
    "10,000 deep": b"[" * 10_000,
    "10,000 deep, closed": b'{"payload":' * 10_000 + b"{}" + b"}" * 10_000,
    "8,000 deep": b"[" * 8_000,
    "half": b'{"message":"Punch","link_id":1,"correl',
    "a link that is none": b'{"link_id":65537,"correlation_id":500}',
    "a link that is a text": b'{"link_id":"1","correlation_id":500}',
    "a correlation id that is negative": b'{"link_id":1,"correlation_id":-500}',
    "a correlation id with a point": b'{"link_id":1,"correlation_id":500.0}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read(unchanged: MqttBench, body: bytes) -> None:
    (said,) = unchanged.publish(punch(unchanged), body=body)
    nak = naked([said], Code.E_ARGUMENT)
    assert (nak.seq, said.header.link_id, said.header.correlation_id) == (0, 0, 0)
    assert said.publication.correlation_data == b"500", "by which alone its sender knows what was not read"
    if len(body) > MAX_BODY_BYTES:
        assert f"at most {MAX_BODY_BYTES} bytes, this one {len(body)}" in nak.sentence


def test_what_could_not_be_read_is_not_what_is_told_later(bench: MqttBench) -> None:
    """An alarm answers nobody: it must not look like the answer to the last body that could not be read."""
    bench.publish(punch(bench), body=b"{", correlation_data=b"mine")
    said = bench.publish(punch(bench), retain=True, response_topic=None)
    assert only(said, Alarm).code == RETAINED_COMMAND and said[0].publication.correlation_data is None


PAYLOAD: Final[dict[str, Any]] = {"cycle_no": 1, "depth_um": 2000, "deadline_ms": 0x7000_0000}
WRONG_PAYLOADS: Final = {
    "null": None,
    "a list": [1, 2000, 0],
    "a text": "cycle 1",
    "a number": 1,
    "nothing": {},
    "a field is missing": {"cycle_no": 1, "depth_um": 2000},
    "a field in capitals": {"CYCLE_NO": 1, "depth_um": 2000, "deadline_ms": 0},
    "a text for a number": PAYLOAD | {"cycle_no": "1"},
    "true for 1": PAYLOAD | {"cycle_no": True},
    "a fraction": PAYLOAD | {"depth_um": 2000.5},
    "a point": PAYLOAD | {"depth_um": 2000.0},
    "negative": PAYLOAD | {"depth_um": -1},
    "above u16": PAYLOAD | {"depth_um": 65_536},
    "above u32": PAYLOAD | {"deadline_ms": 1 << 32},
    "400 digits": PAYLOAD | {"cycle_no": 10**400},
    "a list for a number": PAYLOAD | {"cycle_no": [1]},
    "an object for a number": PAYLOAD | {"cycle_no": {"$ref": "#"}},
}


@pytest.mark.parametrize("payload", WRONG_PAYLOADS.values(), ids=WRONG_PAYLOADS)
def test_a_payload_that_is_none(unchanged: MqttBench, payload: Any) -> None:
    refused(unchanged.publish(punch(unchanged, payload=payload)), Code.E_ARGUMENT, "Punch")


RAW_NUMBERS: Final = {"1e400": b"1e400", "-1e400": b"-1e400", "-0.0": b"-0.0", "1e0": b"1e0"}


@pytest.mark.parametrize("number", RAW_NUMBERS.values(), ids=RAW_NUMBERS)
def test_a_cycle_no_that_is_no_whole_number(unchanged: MqttBench, number: bytes) -> None:
    sent = punch(unchanged)
    body = sent.body.replace(b'"cycle_no": 1', b'"cycle_no": ' + number)
    assert body != sent.body
    refused(unchanged.publish(sent, body=body), Code.E_ARGUMENT, "Punch.cycle_no")


def test_minus_zero_is_zero(unchanged: MqttBench) -> None:
    """And there is no cycle 0."""
    sent = punch(unchanged)
    said = unchanged.publish(sent, body=sent.body.replace(b'"cycle_no": 1', b'"cycle_no": -0'))
    refused(said, Code.E_EXPIRED, "cycle 0 was used before")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "null", '"100"', "true"])
def test_a_parameter_that_is_no_number(unchanged: MqttBench, number: str) -> None:
    sent = unchanged.lawful(ParamSet(name="heartbeat_armed_ms", value=100.0))
    body = sent.body.replace(b"100.0", number.encode())
    assert body != sent.body
    refused(unchanged.publish(sent, body=body), Code.E_ARGUMENT, "ParamSet.value")


def test_a_plan_that_no_frame_could_hold(unchanged: MqttBench) -> None:
    """Of 300 zones, of which no memory knows: over a wire of bytes it could not come."""
    sent = unchanged.lawful(SessionOpen(target_cores=1, coverage_bp=400, depth_um=2000, zones_cm2=(1,)))
    body = sent.body.replace(b"[1]", json.dumps([1] * 300).encode())
    assert body != sent.body
    refused(unchanged.publish(sent, body=body), Code.E_ARGUMENT, "SessionOpen.zones_cm2")


def test_an_enumerator_that_is_not_known(unchanged: MqttBench) -> None:
    payload = {"stream": "WHALES", "interval_ms": 100}
    sent = punch(unchanged, message="StreamSet", payload=payload)._replace(topic=TOPICS.of("command", "stream_set"))
    refused(unchanged.publish(sent), Code.E_ARGUMENT, "StreamSet.stream")
    assert unchanged.port.stream_us == 0


@pytest.mark.parametrize("flags", [["URGENT"], ["RETRANSMIT", "URGENT"], "RETRANSMIT", [4], {"RETRANSMIT": 1}, 0x20])
def test_a_flag_that_must_be_understood(unchanged: MqttBench, flags: Any) -> None:
    (said,) = unchanged.publish(punch(unchanged, flags=flags))
    naked([said], Code.E_UNSUPPORTED, "must-understand")
    assert said.header.correlation_id == 500


def test_keys_that_are_not_known_are_passed_over(bench: MqttBench) -> None:
    sent = punch(bench, payload=PAYLOAD | {"speed": "fast"}, sender="next year", Link_ID=7, trace={"a": [1, None]})
    only(bench.publish(sent), Received)


def test_a_key_that_stands_twice_counts_as_it_stands_last(unchanged: MqttBench) -> None:
    sent = punch(unchanged)
    body = sent.body.replace(b'"cycle_no": 1', b'"cycle_no": 1, "cycle_no": 7')
    assert body != sent.body
    refused(unchanged.publish(sent, body=body), Code.E_CYCLE_GAP)


def test_the_correlation_id_must_be_there(unchanged: MqttBench) -> None:
    for missing in (0, None):
        fields = {} if missing is None else {"correlation_id": missing}
        body = {name: value for name, value in json.loads(punch(unchanged).body).items() if name != "correlation_id"}
        sent = punch(unchanged)._replace(body=json.dumps(body | fields).encode())
        naked(unchanged.publish(sent), Code.E_ARGUMENT, "correlation id")


# --- floods ------------------------------------------------------------------------------------------------------

FLOOD: Final = [b"{", b"\xff" * 100, b"[" * 9_000, b'{"link_id":7}', b" " * 70_000]


def test_a_flood_of_bad_bodies(unchanged: MqttBench) -> None:
    """200 a second for three seconds: at most ten NAKs in any second, the heartbeat goes on, the lease holds."""
    naks, beats = [], []
    for number in range(600):
        sent = punch(unchanged)._replace(body=FLOOD[number % len(FLOOD)])
        naks += [unchanged.shell.now for one in unchanged.publish(sent) if isinstance(one.message, Nak)]
        if number % 10 == 9:
            beats += [unchanged.shell.now for one in unchanged.wait() if isinstance(one.message, Heartbeat)]
    assert len(naks) == 3 * MAX_NAKS_PER_SECOND
    for at in naks:
        assert sum(at <= one < at + SECOND for one in naks) <= MAX_NAKS_PER_SECOND
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    assert len(beats) >= 13 and max(gaps) <= 250 * MILLISECOND
    assert unchanged.device.board.armed
    unchanged.wait(SECOND)


def test_bad_bodies_do_not_keep_the_lease(bench: MqttBench) -> None:
    """What cannot be read is no heartbeat: a host that has gone mad is a host that is gone."""
    for number in range(14):
        bench.publish(punch(bench), body=FLOOD[number % len(FLOOD)])
        bench.wait(beat=False)
    assert not bench.port.exchange.linked and bench.device.board.state is DeviceState.SAFE


# --- too many ----------------------------------------------------------------------------------------------------


def test_a_second_controller(unchanged: MqttBench) -> None:
    link_id = unchanged.connect(OTHER, hello(host_id=6))
    for correlation_id, command in enumerate((Arm(), PUNCH, Disarm()), 2):
        (said,) = unchanged.publish(unchanged.lawful(command, correlation_id, client=OTHER, link_id=link_id))
        answer = only([said], Refused, OTHER)
        assert (answer.code, answer.actual) == (Code.E_BUSY, HOLDER_ID)
    (said,) = unchanged.publish(unchanged.lawful(DeviceInfo(), 9, client=OTHER, link_id=link_id))
    assert isinstance(said.message, DeviceInfoDone), "it may ask"


def full(bench: MqttBench) -> dict[str, int]:
    """As many clients with a link as there may be."""
    others = {f"viewer-{n}": hello(host_id=100 + n, role=Role.VIEWER) for n in range(1, MAX_PORTS)}
    return {name: bench.connect(name, greeting) for name, greeting in others.items()}


def test_one_client_too_many_is_told(unchanged: MqttBench) -> None:
    links = full(unchanged)
    greeting = unchanged.lawful(hello(host_id=99), 500, client="late", link_id=0)
    (said,) = unchanged.publish(greeting)
    nak = naked([said], Code.E_BUSY, "one has to leave first", "late")
    assert (nak.expected, nak.actual) == (MAX_PORTS, MAX_PORTS)
    assert (said.header.correlation_id, said.publication.correlation_data) == (500, b"500")
    assert ignored(unchanged, greeting) == [nak.sentence]
    # It is told no more often than any other, and a NAK is not answered with one.
    assert unchanged.publish(unchanged.lawful(nak, 500, client="late", link_id=0)) == []
    more = [len(unchanged.publish(greeting)) for _ in range(50)]
    assert sum(more) == MAX_NAKS_PER_SECOND - 1
    for name, link_id in links.items():
        (echo,) = unchanged.publish(unchanged.lawful(Echo(data=b"x"), 2, client=name, link_id=link_id))
        assert echo.message == EchoDone(data=b"x") and echo.topic == f"reply/{name}"


def test_a_client_that_has_left_gives_way(unchanged: MqttBench) -> None:
    links = full(unchanged)
    name, link_id = next(iter(links.items()))
    unchanged.publish(unchanged.lawful(Bye(reason=ByeReason.CLOSING), 0, client=name, link_id=link_id))
    unchanged.connect("late", hello(host_id=99, role=Role.VIEWER))
    assert name not in unchanged.clients.ports and len(unchanged.clients.ports) == MAX_PORTS


def test_a_controller_that_waits_gives_way_to_a_client(unchanged: MqttBench) -> None:
    """Of several; who has control stays, and where all others look on nobody does."""
    full(unchanged)
    unchanged.connect("viewer-3", hello(host_id=103))
    unchanged.connect("viewer-5", hello(host_id=105))
    unchanged.connect("late", hello(host_id=99, role=Role.VIEWER))
    assert "viewer-3" not in unchanged.clients.ports and len(unchanged.clients.ports) == MAX_PORTS
    unchanged.connect("later", hello(host_id=98, role=Role.VIEWER))
    assert "viewer-5" not in unchanged.clients.ports and HOLDER in unchanged.clients.ports
    late = unchanged.publish(unchanged.lawful(hello(host_id=97), 501, client="latest", link_id=0))
    naked(late, Code.E_BUSY, "one has to leave first", "latest")


def test_clients_without_a_link_do_not_pile_up(unchanged: MqttBench) -> None:
    for number in range(10 * MAX_PORTS):
        sent = punch(unchanged)._replace(response_topic=TOPICS.of("reply", f"stranger-{number}"))
        naked(unchanged.publish(sent), Code.E_LINK, client=f"stranger-{number}")
    assert len(unchanged.clients.ports) == MAX_PORTS and HOLDER in unchanged.clients.ports
    assert len(unchanged.device.ports) == MAX_PORTS


def test_the_journal_is_not_filled(unchanged: MqttBench) -> None:
    """A thousand bad bodies leave the ring as it was: there is no record of them."""
    before = len(journal_of(unchanged.device))
    for number in range(1_000):
        unchanged.publish(punch(unchanged, payload={}, correlation_id=1 + number))
    assert len(journal_of(unchanged.device)) == before


def test_what_is_kept_of_a_client_is_bounded() -> None:
    """Correlation Data of the oldest commands is dropped; that of the newest comes back."""
    wire, host = DeviceWire(TOPICS, HOLDER), HostWire(TOPICS, HOLDER)
    for number in range(1, MAX_ASKED + 2):
        wire.feed(host.encode(Echo(data=b""), number, 1, number, 0))
    answers = [wire.encode(EchoDone(data=b""), 1, 1, number, 0) for number in (1, 2, MAX_ASKED + 1)]
    assert [answer.correlation_data for answer in answers] == [None, b"2", b"%d" % (MAX_ASKED + 1)]
