"""What one client of a broker says and hears: tampers' frames as bodies, spells, and the two sides' topics."""

import json
from collections.abc import Sequence

import pytest

from devicectl.conformance.controller.line import Line, Tamper
from devicectl.conformance.controller.publications import TopicsLine, edited, item_of, moved
from devicectl.conformance.controller.spoilt import ALARM, BORNE, REFUSED, crafted, put
from devicectl.conformance.controller.tape import Said, Tape
from protocols.language import messages as M
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from tests.unit.devicectl.conformance.controller.talk import LINK, a_welcome

TOPICS = DeviceTopics("bench", "sim-7")
CLIENT = "host-1"
SENT = {one[0]: one[3] for one in REFUSED} | {one[0]: one[3] for one in BORNE}


class Behind:
    """Both ends of one client's line behind a broker."""

    def __init__(self, *tampers: Tamper) -> None:
        self.tape = Tape()
        self.line = TopicsLine(self.tape, 0, tampers, {}, DeviceWire(TOPICS, CLIENT))
        self.host, self.device = HostWire(TOPICS, CLIENT), DeviceWire(TOPICS, CLIENT)
        self.now = Micros(0)
        self.to_host: list[Publication] = []
        self.to_device: list[Publication] = []

    def says(self, message: Message, correlation: int = 0) -> None:
        """The command publishes a message."""
        passed = self.line.from_host_topic(self.host.encode(message, 1, LINK, correlation, 0), self.now)
        self.to_host += passed.to_host
        self.to_device += passed.to_device

    def hears(self, message: Message, correlation: int = 0) -> None:
        """The device publishes a message."""
        passed = self.line.from_device_topic(self.device.encode(message, 1, LINK, correlation, 0), self.now)
        self.to_host += passed.to_host

    def waits(self, ms: int) -> None:
        """Let time pass in one go."""
        self.now = Micros(self.now + ms * MILLISECOND)
        self.to_host += self.line.later(self.now).to_host


def put_in(name: str) -> list[Publication]:
    """What a spoilt frame is behind a broker."""
    behind = Behind(put(name, SENT[name], M.Welcome))
    behind.hears(a_welcome())
    return behind.to_host[1:]


def test_what_nobody_tampers_with_passes_as_it_is_and_is_on_the_tape() -> None:
    behind = Behind()
    behind.says(M.Count(cycle_no=1), 7)
    behind.hears(M.ParamGetDone(name="purge_s", value=1.5), 7)
    assert behind.to_device == [behind.host.encode(M.Count(cycle_no=1), 1, LINK, 7, 0)]
    assert [item_of(one).message for one in behind.to_host] == [M.ParamGetDone(name="purge_s", value=1.5)]
    assert [(one.by_host, one.publication) for one in behind.tape.said] == [
        (True, behind.to_device[0]),
        (False, behind.to_host[0]),
    ]
    assert [piece.piece for piece in behind.tape.pieces] == [behind.to_device[0], behind.to_host[0]]


def test_a_frame_that_answers_carries_the_correlation_data_of_its_command() -> None:
    def answer(line: Line, said: Said) -> Sequence[bytes]:
        return [crafted(line, M.Received(expected_ms=50), correlation=said.header.correlation_id)]

    behind = Behind(Tamper("received", lambda said: said.by_host, answer, keeps=True))
    behind.says(M.Count(cycle_no=1), 7)
    (made,) = behind.to_host
    assert not behind.to_device, "the tamper has kept it"
    assert (made.topic, made.qos, made.retain) == (TOPICS.of("reply", CLIENT), 1, False)
    assert made.correlation_data == b"7"
    assert behind.tape.said[-1].put_in == "received"


def test_what_is_kept_back_was_never_heard() -> None:
    behind = Behind(Tamper("mute", lambda said: type(said.message) is M.Welcome, keeps=True))
    behind.hears(a_welcome())
    assert (behind.to_host, behind.tape.said) == ([], [])
    assert "mute" in behind.tape.put_in


def test_a_spell_keeps_the_device_back_and_says_something_else_for_its_time() -> None:
    spell = Tamper(
        "signs",
        lambda said: said.by_host,
        lambda line, said: [crafted(line, ALARM)],
        every_ms=100,
        for_ms=350,
        mutes=True,
    )
    behind = Behind(spell)
    behind.says(M.HostHeartbeat())
    for _ in range(4):
        behind.hears(a_welcome())
        behind.waits(100)
    assert [item_of(one).message for one in behind.to_host] == [ALARM] * 3
    behind.hears(a_welcome())
    assert item_of(behind.to_host[-1]).message == a_welcome(), "the spell is over"


def test_a_message_and_a_flag_of_a_later_version_have_a_body() -> None:
    (unknown,), (flagged,) = put_in("unknown"), put_in("must-understand")
    assert json.loads(unknown.body)["message"] == "FromALaterVersion"
    assert item_of(unknown).message is None
    assert json.loads(flagged.body)["flags"] == ["LATER"] and item_of(flagged).message == ALARM


@pytest.mark.parametrize("name", ["short", "nul", "utf8", "nan", "major", "crc", "noise", "ignorable"])
def test_what_no_body_says_is_not_put_in(name: str) -> None:
    assert put_in(name) == []


def test_both_sides_have_one_publication_under_their_own_root() -> None:
    there = DeviceTopics("bench", "sim-7", root="behind")
    asked = HostWire(TOPICS, CLIENT).encode(M.Count(cycle_no=1), 1, LINK, 7, 0)
    carried = moved(asked, TOPICS, there)
    assert carried.topic == "behind/v1/bench/sim-7/command/count"
    assert carried.response_topic == "behind/v1/bench/sim-7/reply/host-1"
    assert moved(carried, there, TOPICS) == asked
    foreign = asked._replace(response_topic="elsewhere")
    assert moved(foreign, TOPICS, there).response_topic == "elsewhere", "the device is to see what was written there"
    assert json.loads(edited(asked, seq=9).body)["seq"] == 9
