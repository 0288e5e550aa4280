"""Alignment: the first divergence, wherever it is; and what a line may do without one."""

from collections.abc import Callable
from functools import partial

import pytest

from firmware_sim.twin.alignment import Aligned, Divergence
from firmware_sim.twin.conversation import read_conversation
from firmware_sim.twin.twin import compare
from protocols.capture.packet import FROM_DEVICE, Packet
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, ByeReason, DeviceState
from protocols.language.message import Message
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message
from tests.unit.firmware_sim.twin.recorded_line import (
    RecordedLine,
    captured,
    open_session,
    profile,
    punch,
    run_cycle,
    whole_session,
)
from tests.unit.protocols.language.altered import altered

STRANGER = 99
"""Seed of a twin that has nothing in common with the recorded device."""


def message_of(packet: Packet) -> Message | None:
    """The message in a packet of one frame."""
    (item,) = FrameDecoder().feed(packet.data)
    assert isinstance(item, Frame)
    return decode_message(item)


def spoiled(line: RecordedLine, kind: type[Message], change: Callable[[Packet], list[Packet]]) -> Aligned:
    """Compare a recording in which the first message of a kind is something else."""
    packets = list(line.packets)
    place = next(
        at
        for at, one in enumerate(packets)
        if one.direction == FROM_DEVICE and len(FrameDecoder().feed(one.data)) == 1 and type(message_of(one)) is kind
    )
    packets[place : place + 1] = change(packets[place])
    conversation = read_conversation(captured(packets))
    return compare(conversation, profile(STRANGER)).aligned


def as_frame(packet: Packet, message: Message, **header: int) -> Packet:
    """The packet with another message under the same header."""
    (item,) = FrameDecoder().feed(packet.data)
    assert isinstance(item, Frame)
    number = header.get("correlation_id", item.header.correlation_id)
    flags = header.get("flags", item.header.flags)
    return packet._replace(data=encode_message(message, item.header.seq, item.header.link_id, number, flags))


def first_of(found: Aligned) -> Divergence:
    assert found.divergence is not None
    return found.divergence


@pytest.fixture(scope="module")
def line() -> RecordedLine:
    return whole_session(3)


def test_the_same_device_and_another_one_of_its_kind_give_no_divergence(line: RecordedLine) -> None:
    for seed in (7, STRANGER):
        found = line.twin(seed).aligned
        assert found.divergence is None
        assert (found.commands, found.answers, found.unasked) == (26, 41, 0)
        assert found.heartbeats > 3


def test_a_field_that_differs(line: RecordedLine) -> None:
    def other(packet: Packet) -> list[Packet]:
        message = message_of(packet)
        assert isinstance(message, M.SessionOpenDone)
        return [as_frame(packet, altered(message, cells=5))]

    found = first_of(spoiled(line, M.SessionOpenDone, other))
    assert found.reason == "answer 1: SessionOpenDone.cells is 5 in the recording, 4 in the twin"
    assert found.asked is not None and found.asked.name == "SessionOpen"
    assert found.recorded is not None and found.found is not None


def test_another_answer(line: RecordedLine) -> None:
    found = first_of(spoiled(line, M.PunchDone, lambda packet: [as_frame(packet, M.PauseDone())]))
    assert found.reason == "answer 2: PauseDone was recorded, PunchDone was found"


def test_an_answer_that_the_recorded_device_did_not_give(line: RecordedLine) -> None:
    found = first_of(spoiled(line, M.AnesthesiaStartDone, lambda packet: []))
    assert found.reason == "answer 1: nothing more was recorded, the twin says AnesthesiaStartDone"
    assert found.recorded is None


def test_an_answer_that_the_twin_does_not_give(line: RecordedLine) -> None:
    found = first_of(spoiled(line, M.PunchDone, lambda packet: [packet, packet]))
    assert found.reason == "answer 3: PunchDone was recorded, the twin says nothing more"


def test_an_answer_that_is_given_again_counts_once(line: RecordedLine) -> None:
    def again(packet: Packet) -> list[Packet]:
        message = message_of(packet)
        assert message is not None
        return [packet, as_frame(packet, message, flags=0x08)]

    assert spoiled(line, M.PunchDone, again).divergence is None


def test_an_alarm_that_only_one_of_them_raises(line: RecordedLine) -> None:
    alarm = M.Alarm(
        code=401, interlock=4, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE, uptime_ms=0, sentence=""
    )
    found = first_of(spoiled(line, M.PunchDone, lambda one: [one, as_frame(one, alarm, correlation_id=0)]))
    assert found.reason == "message that nobody asked for 1: Alarm was recorded, the twin says nothing more"
    assert found.asked is None


def test_the_first_divergence_in_time_is_named() -> None:
    line = whole_session(3)
    changes = {M.SessionCloseDone: {"cycles": 9}, M.RepositionDone: {"cycles_left": 9}}
    for at, packet in enumerate(line.packets):
        if packet.direction == FROM_DEVICE and len(FrameDecoder().feed(packet.data)) == 1:
            message = message_of(packet)
            values = changes.get(type(message))  # type: ignore[arg-type]
            if message is not None and values:
                line.packets[at] = as_frame(packet, altered(message, **values))
    assert "RepositionDone.cycles_left" in first_of(line.twin(STRANGER).aligned).reason


def test_a_bye_at_the_end_is_somebodys_switch_and_any_other_one_is_the_devices(line: RecordedLine) -> None:
    for reason, differs in ((ByeReason.CLOSING, False), (ByeReason.REPLACED, True)):
        found = spoiled(line, M.SessionCloseDone, partial(_and_then, M.Bye(reason=reason)))
        assert (found.divergence is not None) is differs


def _and_then(message: Message, packet: Packet) -> list[Packet]:
    return [packet, as_frame(packet, message, correlation_id=0)]


def test_what_the_twin_says_after_the_end_of_the_recording_is_not_missing_in_it() -> None:
    line = RecordedLine()
    line.greet()
    open_session(line)
    line.ask(punch(line, 1), wait=False)  # the recording ends before its PUNCH_DONE
    assert line.twin(STRANGER).aligned.divergence is None


# --- heartbeats --------------------------------------------------------------------------------------------------


def test_a_heartbeat_that_shows_another_state(line: RecordedLine) -> None:
    def other(packet: Packet) -> list[Packet]:
        message = message_of(packet)
        assert isinstance(message, M.Heartbeat)
        return [as_frame(packet, altered(message, state=DeviceState.LOCKED))]

    found = first_of(spoiled(line, M.Heartbeat, other))
    assert found.reason.startswith("heartbeat: Heartbeat.state is LOCKED in the recording, ")


def test_a_heartbeat_in_a_motion_that_the_twin_has_ended_earlier() -> None:
    line = RecordedLine(parameters={"anesthesia_wait_s": 1, "purge_s": 20})
    line.greet()
    open_session(line)
    line.ask(M.Purge())
    assert any(isinstance(one, M.Heartbeat) and one.state is DeviceState.PURGING for one in line.said)
    assert line.twin(STRANGER, **{"Heartbeat__params_hash": "ignore"}).aligned.divergence is None


def test_far_more_heartbeats_are_another_pace(line: RecordedLine) -> None:
    def many(packet: Packet) -> list[Packet]:
        return [packet] * 60

    found = first_of(spoiled(line, M.Heartbeat, many))
    assert found.reason.startswith("heartbeats: ") and "are the twin's" in found.reason


def test_a_cycle_in_which_the_host_was_told_other_cores_than_the_journal_has() -> None:
    line = RecordedLine()
    line.greet()
    open_session(line)
    run_cycle(line, 1)

    def other(packet: Packet) -> list[Packet]:
        message = message_of(packet)
        assert isinstance(message, M.CountDone)
        return [as_frame(packet, altered(message, cores_counted=message.cores_counted + 1))]

    assert "CountDone.cores_counted" in first_of(spoiled(line, M.CountDone, other)).reason
