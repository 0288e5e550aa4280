"""A link of the probe: commands, what ends them, and HELLO as a right host says it."""

from functools import partial

import pytest

from devicectl.conformance.device.link import ANSWER_MS, hello
from devicectl.conformance.device.linked import MAX_A_SECOND, SETTLE_MS, SHARE_MS
from devicectl.conformance.device.probe import BrokenRule
from protocols.language.enums import Code, DeviceState, Role
from protocols.language.message import Message
from protocols.language.messages import Arm, ArmDone, Echo, EchoDone, Hello, HostHeartbeat, Nak, Progress, Received
from protocols.language.schema import schema_id
from protocols.language.version import MINOR
from protocols.serial.payload import encode_message
from tests.unit.devicectl.conformance.device.benches import Scripted, a_ground, a_link, a_welcome


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


def test_a_link_beats_as_its_device_wants_and_no_faster_than_ten_times_in_half_a_second() -> None:
    for armed_ms, every_ms in ((200, 200), (0, 200), (1, 50)):
        ground = a_ground()
        device = Scripted(ground, partial(granted, armed_ms=armed_ms))
        device.drive(ground.open_link())
        device.drive(ground.probe.pause(1_010))
        assert sum(isinstance(one, HostHeartbeat) for one in device.heard) - 1 == 1_000 // every_ms


def granted(message: Message, correlation: int, armed_ms: int) -> list[Message]:
    """Grant a link whose armed heartbeat is so long."""
    return [a_welcome(nonce=message.nonce, heartbeat_armed_ms=armed_ms)] if isinstance(message, Hello) else []


def test_what_deserves_a_nak_waits_until_the_device_may_say_it() -> None:
    ground = a_ground()
    link = a_link(ground)
    nak = Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="")
    for number in range(MAX_A_SECOND - 1):
        Scripted(ground, lambda message, correlation: []).drive(ground.nak_room())
        ground.probe.heard(0, encode_message(nak, number, link.link_id))
    begun = ground.probe.now
    Scripted(ground, lambda message, correlation: []).drive(ground.nak_room())
    assert SHARE_MS * 1_000 <= ground.probe.now - begun <= (SHARE_MS + SETTLE_MS) * 1_000
