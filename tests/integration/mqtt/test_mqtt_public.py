"""What a device behind a broker shows to anybody, without a broker and in virtual time: the content of its retained
topics and of `event`, held against what its holder is answered and against its own state and journal.
"""

import json
from typing import Any

import pytest

from firmware_sim.model.interlocks import ALARMS
from firmware_sim.serve.real_time import Kept
from firmware_sim.serve.transports.snapshots import MAX_RECORDS, Snapshots
from protocols.language.alarm_codes import RETAINED_COMMAND, TOO_DEEP
from protocols.language.enums import AlarmState
from protocols.language.message import Message
from protocols.language.messages import (
    Advance,
    AlarmAck,
    Count,
    DeviceInfo,
    ParamList,
    ParamListDone,
    ParamSet,
    Received,
    Suction,
)
from protocols.mqtt.bodies import payload_of, record_of
from protocols.mqtt.wire import Publication
from tests.integration.device.device_state import journal_of
from tests.integration.mqtt.mqtt_bench import HOLDER_ID, PUNCH, TOPICS, MqttBench

VERSIONED = ("state", "alarms", "params")


class Subscriber:
    """Has `retained` as a broker would; what came on `event` is in `events`, decoded as all else."""

    def __init__(self, bench: MqttBench) -> None:
        self.bench = bench
        self.snapshots = Snapshots(Kept(bench.device), TOPICS)
        self.retained: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []

    def take(self, publications: list[Publication]) -> list[str]:
        """The retained topics among them, in order."""
        topics = []
        for one in publications:
            (topic,), body = TOPICS.parse(one.topic) or (), json.loads(one.body)
            assert one.retain is (topic != "event") and one.response_topic is None
            if topic == "event":
                self.events.append(body)
            else:
                self.retained[topic] = body
                topics.append(topic)
        return topics

    def look(self) -> list[str]:
        """What has changed since the last look."""
        return self.take(self.snapshots.changes())

    def connect(self) -> list[str]:
        """A new connection to the broker: what is published at its birth."""
        self.snapshots.begin()
        return self.take(self.snapshots.birth())

    def versions(self) -> list[int]:
        return [self.retained[topic]["version"] for topic in VERSIONED]


@pytest.fixture
def bench() -> MqttBench:
    return MqttBench()


@pytest.fixture
def public(bench: MqttBench) -> Subscriber:
    """Of a device that has been born, and of which no news is waiting."""
    subscriber = Subscriber(bench)
    assert subscriber.connect() == ["info", *VERSIONED, "status"], "that it is online comes last"
    assert subscriber.look() == [] == subscriber.events
    return subscriber


def cycle(bench: MqttBench) -> list[Message]:
    """The commands of one."""
    return [PUNCH, Suction(cycle_no=1), Advance(cycle_no=1, steps=1), Count(cycle_no=1)]


def test_who_the_device_is(bench: MqttBench, public: Subscriber) -> None:
    assert public.retained["info"] == payload_of(bench.ask(DeviceInfo()))
    status = public.retained["status"]
    assert (status["online"], status["simulated"], status["birth_no"], status["reason"]) == (True, True, 1, "")


def test_where_its_session_stands(bench: MqttBench, public: Subscriber) -> None:
    """In each phase of a cycle and after it; with every change of the topic a new version."""
    seen, versions = [public.retained["state"]], [public.retained["state"]["version"]]
    for command in cycle(bench):
        bench.correlation_id += 1
        said = bench.publish(bench.lawful(command, bench.correlation_id))
        assert isinstance(said[0].message, Received)
        public.look()
        seen.append(public.retained["state"])
        while not any(one.header.correlation_id == bench.correlation_id for one in bench.wait()):
            pass
        public.look()
        versions.append(public.retained["state"]["version"])
    counted = bench.device.plant.truth.cores_counted
    assert counted > 0
    assert [one["state"] for one in seen] == ["ARMED", "PUNCHING", "SUCTIONING", "ADVANCING", "COUNTING"]
    assert [one["cores_counted"] for one in seen] == [0] * 5
    assert versions == sorted(set(versions)) and versions[0] == 1
    assert public.retained["state"] == {
        "version": versions[-1],
        "state": "ARMED",
        "highest_alarm": "NONE",
        "session_no": 1,
        "cycle_no": 1,
        "cycles": 1,
        "punctures": bench.device.plant.truth.punctures,
        "cores_counted": counted,
        "journal_head": bench.device.nvm.head,
        "controller_host_id": HOLDER_ID,
    }
    assert public.look() == []


def test_its_alarms(bench: MqttBench, public: Subscriber) -> None:
    """One that is raised, acknowledged and cleared; one that is latched, whose cause goes."""
    board, first_ms = bench.device.board, bench.device.board.uptime_ms(bench.shell.now)

    def shown() -> list[tuple[int, str]]:
        version = public.retained["alarms"]["version"]
        assert public.look() == ["state", "alarms"]
        alarms = public.retained["alarms"]
        assert alarms["version"] == version + 1
        for one in alarms["alarms"]:
            rule = ALARMS[one["code"]]
            assert (one["interlock"], one["sentence"]) == (rule.code // 100, rule.sentence)
        return [(one["code"], one["state"]) for one in alarms["alarms"]]

    assert public.retained["alarms"] == {"version": 1, "alarms": []}
    board.raise_alarm(RETAINED_COMMAND, bench.shell.now)
    assert shown() == [(1502, "ACTIVE")] and public.retained["state"]["highest_alarm"] == "LOW"
    bench.wait()
    board.raise_alarm(TOO_DEEP, bench.shell.now)
    assert shown() == [(1001, "ACTIVE"), (1502, "ACTIVE")], "the highest first"
    assert [one["priority"] for one in public.retained["alarms"]["alarms"]] == ["HIGH", "LOW"]
    assert [one["uptime_ms"] for one in public.retained["alarms"]["alarms"]] == [first_ms + 50, first_ms]
    assert public.retained["state"]["highest_alarm"] == "HIGH"
    bench.ask(AlarmAck(code=RETAINED_COMMAND))
    assert shown() == [(1001, "ACTIVE"), (1502, "ACKNOWLEDGED")]
    board.clear_alarm(RETAINED_COMMAND, bench.shell.now)
    assert shown() == [(1001, "ACTIVE")]
    board.clear_alarm(TOO_DEEP, bench.shell.now)
    assert shown() == [(1001, "LATCHED")] and board.alarms.state(TOO_DEEP) is AlarmState.LATCHED


def answered(bench: MqttBench) -> list[dict[str, Any]]:
    """Every parameter, as a host is told it."""
    told: list[ParamListDone] = []
    while not told or len(told) < told[0].count:
        answer = bench.ask(ParamList(index=len(told)))
        assert isinstance(answer, ParamListDone)
        told.append(answer)
    fields = ("name", "unit", "scope", "value", "minimum", "maximum")
    return [{name: payload_of(one)[name] for name in fields} for one in told]


def test_its_parameters(bench: MqttBench, public: Subscriber) -> None:
    before = answered(bench)
    assert public.retained["params"] == {"version": 1, "params": before}
    bench.ask(ParamSet(name="heartbeat_armed_ms", value=90.0))
    assert "params" in public.look()
    assert public.retained["params"] == {"version": 2, "params": answered(bench)}
    changed = [one for one, was in zip(public.retained["params"]["params"], before, strict=True) if one != was]
    assert [(one["name"], one["value"]) for one in changed] == [("heartbeat_armed_ms", 90.0)]


def written_since(bench: MqttBench, at: int) -> list[dict[str, Any]]:
    return [record_of(raw) for raw in journal_of(bench.device)[at:]]


def test_each_record_once_and_in_order(bench: MqttBench, public: Subscriber) -> None:
    """However many are written between two looks; what was there before the connection is in the journal alone."""
    at = len(journal_of(bench.device))
    assert at > 0
    for command in cycle(bench):
        bench.ask(command)
        public.look()
        public.look()
    assert [one["record"] for one in public.events] == ["Cycle"]
    for looks in range(6):
        for _ in range(looks):
            bench.device.board.raise_alarm(RETAINED_COMMAND, bench.shell.now)
            bench.wait()
            bench.device.board.clear_alarm(RETAINED_COMMAND, bench.shell.now)
        public.look()
    assert public.events == written_since(bench, at) and len(public.events) > 30


def test_more_than_one_go_takes_is_left_to_the_journal(bench: MqttBench, public: Subscriber) -> None:
    at = len(journal_of(bench.device))
    for _ in range(MAX_RECORDS):
        bench.device.board.raise_alarm(RETAINED_COMMAND, bench.shell.now)
        bench.device.board.clear_alarm(RETAINED_COMMAND, bench.shell.now)
    public.look()
    assert public.events == written_since(bench, at)[:MAX_RECORDS]
    bench.ask(ParamSet(name="heartbeat_armed_ms", value=90.0))
    public.look()
    after = written_since(bench, at)[2 * MAX_RECORDS :]
    assert after and public.events[MAX_RECORDS:] == after, "and it goes on from there"


def test_a_connection_is_lost_and_the_versions_go_on(bench: MqttBench, public: Subscriber) -> None:
    """All is published anew, with a new version where it has changed; records of the meantime are in the journal."""
    assert public.connect() == ["info", *VERSIONED, "status"]
    assert public.versions() == [1, 1, 1] and public.retained["status"]["birth_no"] == 2
    bench.device.board.raise_alarm(RETAINED_COMMAND, bench.shell.now)
    public.connect()
    assert public.versions() == [2, 2, 1] and public.retained["status"]["birth_no"] == 3
    assert public.retained["alarms"]["alarms"] and public.events == []
