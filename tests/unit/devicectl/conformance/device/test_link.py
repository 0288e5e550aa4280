"""A link of the probe: commands, what ends them, and HELLO as a right host says it."""

import pytest

from devicectl.conformance.device.link import ANSWER_MS, hello
from devicectl.conformance.device.probe import BrokenRule
from protocols.language.enums import DeviceState, Role
from protocols.language.message import Message
from protocols.language.messages import Arm, ArmDone, Echo, EchoDone, Progress, Received
from protocols.language.schema import schema_id
from protocols.language.version import MINOR
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, a_link


def test_the_end_of_a_command_has_what_came_before_it() -> None:
    ground = a_ground()
    link = a_link(ground)

    def answers(message: Message, correlation: int) -> list[Message]:
        progress = Progress(state=DeviceState.ARMING, elapsed_ms=1, expected_ms=2)
        return [Received(expected_ms=2), progress, ArmDone(vacuum_pa=-1)] if isinstance(message, Arm) else []

    answer = Scripted(ground, answers).drive(link.ask(Arm()))
    assert answer.message == ArmDone(vacuum_pa=-1)
    assert (len(answer.received), len(answer.progress)) == (1, 1)


def test_received_alone_is_no_end_and_its_time_is_believed_within_reason() -> None:
    ground = a_ground()
    link = a_link(ground)
    link.beats = False
    begun = ground.probe.now
    scripted = Scripted(ground, lambda message, correlation: [Received(expected_ms=4_000_000_000)])
    with pytest.raises(BrokenRule):
        scripted.drive(link.ask(Echo(data=b"")))
    assert ground.probe.now - begun == (ANSWER_MS + 2 * 20_000) * 1_000


def test_an_answer_to_something_else_is_passed_over() -> None:
    ground = a_ground()
    link = a_link(ground)
    scripted = Scripted(ground, lambda message, correlation: [EchoDone(data=b"")])
    with pytest.raises(BrokenRule, match="an answer to Echo"):
        scripted.drive(link.end_of(Echo(data=b""), 77, ground.probe.now, limit_ms=10))


def test_correlation_ids_skip_0() -> None:
    link = a_link(a_ground())
    link.correlation = 0xFFFE
    assert [link.next_correlation() for _ in range(2)] == [0xFFFF, 1]


def test_hello_is_right_but_for_what_is_given() -> None:
    said = hello(5, 6)
    assert (said.majors, said.minor, said.schema_id, said.role) == (2, MINOR, schema_id(MINOR), Role.CONTROLLER)
    assert hello(5, 6, schema=0, majors=4).as_dict() == {**said.as_dict(), "schema_id": 0, "majors": 4}
