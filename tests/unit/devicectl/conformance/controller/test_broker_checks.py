"""What a command does behind a broker, judged: each judge passes the right run and fails the wrong one."""

import json

import pytest

from devicectl.conformance.controller.broker_checks import (
    beats_at_once,
    commands_have_properties,
    greets_nobody,
    taken_as_usual,
    wide_numbers_are_texts,
)
from devicectl.conformance.controller.checks import Judge, NotShown
from devicectl.conformance.controller.publications import edited, item_of
from devicectl.conformance.controller.scene import Run, Scene
from devicectl.conformance.controller.tape import Said, Tape
from devicectl.conformance.device.probe import BrokenRule
from protocols.language import messages as M
from protocols.language.enums import Code, Role
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from tests.unit.devicectl.conformance.controller.talk import LINK, a_welcome, empty

TOPICS = DeviceTopics("bench", "sim-7")
HELLO = M.Hello(
    majors=2, minor=1, role=Role.CONTROLLER, features=3, schema_id=0, host_id=9, max_payload_size=224, nonce=1
)
COUNT = M.Count(cycle_no=1)


def says(message: Message, correlation: int = 0, link: int = LINK) -> Publication:
    """What a right host publishes."""
    return HostWire(TOPICS, "host-1").encode(message, 1, link, correlation, 0)


def hears(message: Message) -> Publication:
    """What a right device publishes."""
    return DeviceWire(TOPICS, "host-1").encode(message, 1, LINK, 0, 0)


def run_of(*said: tuple[int, bool, Publication]) -> Run:
    """A run in which this was said, each at its millisecond, by the command or to it."""
    tape = Tape()
    for ms, by_host, publication in said:
        tape.add(Said(Micros(ms * MILLISECOND), 0, by_host, item_of(publication), publication=publication))
    return Run(Scene("made"), tape, code=0)


def broken(judge: Judge, run: Run) -> str:
    """The difference that a judge has found."""
    with pytest.raises(BrokenRule) as raised:
        judge(run)
    return str(raised.value)


def test_a_command_has_its_properties() -> None:
    commands_have_properties(run_of((0, True, says(HELLO, 1, 0)), (1, True, says(COUNT, 2))))
    right = says(COUNT, 2)
    for wrong, what in (
        (right._replace(response_topic=None), "Response Topic"),
        (right._replace(response_topic="my/answers"), "Response Topic"),
        (right._replace(correlation_data=None), "Correlation Data"),
        (right._replace(expiry_s=None), "Message Expiry Interval"),
        (right._replace(expiry_s=3), "Message Expiry Interval"),
    ):
        assert what in broken(commands_have_properties, run_of((0, True, wrong)))
    commands_have_properties(run_of((0, True, right._replace(expiry_s=1))))
    with pytest.raises(NotShown):
        commands_have_properties(run_of((0, True, says(M.HostHeartbeat()))))


def test_a_link_begins_with_a_heartbeat_at_once_and_at_qos_1() -> None:
    granted, beat = (0, False, hears(a_welcome())), says(M.HostHeartbeat())
    beats_at_once(run_of(granted, (400, True, beat), (900, True, says(COUNT, 2))))
    assert "HostHeartbeat" in broken(beats_at_once, run_of(granted, (1, True, says(COUNT, 2)), (2, True, beat)))
    assert "QoS" in broken(beats_at_once, run_of(granted, (1, True, beat._replace(qos=0))))
    assert "600 ms behind WELCOME" in broken(beats_at_once, run_of(granted, (600, True, beat)))
    with pytest.raises(NotShown):
        beats_at_once(run_of(granted))


def test_a_u64_is_a_text_of_digits() -> None:
    right = says(HELLO, 1, 0)
    wide_numbers_are_texts(run_of((0, True, right)))
    payload = json.loads(right.body)["payload"]
    for value in (3, "0x3", 3.0):
        wrong = edited(right, payload={**payload, "features": value})
        run = run_of((0, True, right))
        run.tape.said[0] = run.tape.said[0]._replace(publication=wrong)
        assert "features" in broken(wide_numbers_are_texts, run)
    with pytest.raises(NotShown):
        wide_numbers_are_texts(run_of((0, True, says(COUNT, 2))))


def test_without_a_birth_nothing_is_said() -> None:
    greets_nobody(run_of())
    assert "Hello" in broken(greets_nobody, run_of((0, True, says(HELLO, 1, 0))))


def test_what_is_to_be_taken_gets_no_nak_and_the_session_is_closed() -> None:
    closed = (5, False, hears(empty(M.SessionCloseDone)))
    taken_as_usual(run_of(closed))
    nak = M.Nak(code=Code.E_ARGUMENT, seq=1, expected=0, actual=0, sentence="later is not known")
    assert "later is not known" in broken(taken_as_usual, run_of((1, True, says(nak)), closed))
    assert "SESSION_CLOSE" in broken(taken_as_usual, run_of())
