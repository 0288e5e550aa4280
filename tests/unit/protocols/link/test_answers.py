"""The answering half by the specification: each command at most once on a link, whatever the wire repeats."""

import pytest

from protocols.language.enums import CloseReason, Code, DeviceState, Lane, Stream
from protocols.language.message import Message
from protocols.language.messages import (
    Arm,
    ArmDone,
    Echo,
    EchoDone,
    Nak,
    Progress,
    Received,
    Refused,
    Resume,
    ResumeDone,
    SessionClose,
    Stop,
    StopDone,
    StreamSet,
)
from protocols.language.units import Micros
from protocols.link.answers import REMEMBERED, TRAIL, Answers, newer
from protocols.link.happenings import Commanded
from protocols.link.header import REPLAYED, RETRANSMIT
from tests.unit.protocols.link.exchange_pair import (
    LINK,
    Device,
    carry_out,
    frame,
    linked_pair,
    only_nak,
    order,
    refused,
    seen,
)

T0 = Micros(0)
DONE = ArmDone(vacuum_pa=-50_000)
STOPPED = StopDone(state=DeviceState.SAFE)


def make() -> Device:
    """A linked device."""
    _, device = linked_pair()
    device.take()
    return device


def answer(device: Device) -> tuple[Message, int, int]:
    """The one frame that a device sends: message, correlation id, flags."""
    ((header, message),) = seen(device.take())
    return message, header.correlation_id, header.flags


def assert_expired(device: Device, correlation_id: int) -> None:
    message, echoed, flags = answer(device)
    assert isinstance(message, Refused) and message.code is Code.E_EXPIRED
    assert (echoed, flags) == (correlation_id, 0) and str(correlation_id) in message.sentence


def test_command_is_carried_out_once_and_its_answers_echo_it() -> None:
    device = make()
    assert order(device, Arm(), 9) == [Commanded(9, Arm())]
    progress = Progress(state=DeviceState.ARMING, elapsed_ms=1, expected_ms=2)
    for message in (Received(expected_ms=5), progress, DONE):
        device.reply(9, message, T0)
        assert answer(device) == (message, 9, 0)
    device.reply(9, DONE, T0)
    assert not device.outbox


def test_reply_to_nobody_is_not_sent() -> None:
    device = make()
    device.reply(9, DONE, T0)
    assert not device.outbox


def test_an_outcome_of_old_is_marked() -> None:
    device = make()
    order(device, Arm(), 9)
    device.reply(9, DONE, T0, replayed=True)
    assert answer(device) == (DONE, 9, REPLAYED)


def test_retry_is_answered_from_memory_at_each_stage() -> None:
    device = make()
    retry = frame(Arm(), LINK, 9, flags=RETRANSMIT)
    assert device.receive(frame(Arm(), LINK, 9) + retry, T0) == [Commanded(9, Arm())]
    assert not device.outbox  # nothing was answered yet; the answer comes
    device.reply(9, Received(expected_ms=5), T0)
    device.take()
    assert device.receive(retry, T0) == []
    assert answer(device) == (Received(expected_ms=5), 9, REPLAYED)
    device.reply(9, DONE, T0)
    device.take()
    for flags in (RETRANSMIT, 0):
        assert device.receive(frame(Arm(), LINK, 9, flags=flags), T0) == []
        assert answer(device) == (DONE, 9, REPLAYED)
    assert device.statistics.replays == 4


def test_an_order_older_than_the_newest_is_expired_and_not_only_one_older_than_the_first() -> None:
    device = make()
    for correlation_id in (10, 20):
        carry_out(device, Arm(), correlation_id, DONE)
    assert order(device, Resume(), 15) == []
    assert_expired(device, 15)
    assert order(device, Resume(), 21) == [Commanded(21, Resume())]


@pytest.mark.parametrize("no", [Code.E_STATE, Code.E_INTERLOCK])
def test_refusals_are_remembered_too(no: Code) -> None:
    device = make()
    carry_out(device, Arm(), 9, refused(no))
    assert order(device, Arm(), 9) == []
    assert answer(device) == (refused(no), 9, REPLAYED)


def test_sixteen_answers_are_remembered_and_older_motions_are_expired() -> None:
    device = make()
    for correlation_id in range(1, 18):
        carry_out(device, Arm(), correlation_id, DONE)
    assert order(device, Arm(), 1) == []
    assert_expired(device, 1)
    for correlation_id in range(2, 18):
        assert order(device, Arm(), correlation_id) == []
        assert answer(device) == (DONE, correlation_id, REPLAYED)
    assert REMEMBERED == 16


def test_sixteen_queries_are_remembered_and_older_ones_are_asked_again() -> None:
    device = make()
    for correlation_id in range(1, 18):
        carry_out(device, Echo(data=b""), correlation_id, EchoDone(data=b""))
    assert order(device, Echo(data=b""), 2) == []
    assert answer(device) == (EchoDone(data=b""), 2, REPLAYED)
    assert order(device, Echo(data=b""), 1) == [Commanded(1, Echo(data=b""))]


def test_queries_do_not_push_out_a_motions_answer() -> None:
    device = make()
    carry_out(device, Arm(), 1, DONE)
    for correlation_id in range(2, 100):
        carry_out(device, Echo(data=b""), correlation_id, EchoDone(data=b""))
    assert order(device, Arm(), 1) == []
    assert answer(device) == (DONE, 1, REPLAYED)


def test_motion_that_runs_while_queries_pass_is_not_forgotten() -> None:
    device = make()
    order(device, Arm(), 1)
    device.reply(1, Received(expected_ms=5), T0)
    for correlation_id in range(2, TRAIL + 10):
        carry_out(device, Echo(data=b""), correlation_id, EchoDone(data=b""))
    assert order(device, Arm(), 1) == []
    assert answer(device) == (Received(expected_ms=5), 1, REPLAYED)
    device.reply(1, DONE, T0)
    assert answer(device) == (DONE, 1, 0)


def test_same_correlation_for_another_command_is_expired() -> None:
    device = make()
    carry_out(device, Arm(), 9, DONE)
    for other in (Resume(), Echo(data=b""), Stop()):
        assert order(device, other, 9) == []
        assert_expired(device, 9)


def test_motion_that_overtook_is_not_undone_by_the_one_that_is_late() -> None:
    device = make()
    carry_out(device, Resume(), 20, ResumeDone())
    for late in (19, 5, 20 - 0x7FFF & 0xFFFF):
        assert order(device, Arm(), late) == []
        assert_expired(device, late)
    assert order(device, Arm(), 21) == [Commanded(21, Arm())]


@pytest.mark.parametrize("late", [Arm(), Resume()])
def test_late_order_cannot_act_after_a_stop(late: Message) -> None:
    device = make()
    carry_out(device, Echo(data=b""), 4, EchoDone(data=b""))
    carry_out(device, Stop(), 6, STOPPED)
    assert order(device, late, 5) == []
    assert_expired(device, 5)
    assert order(device, late, 7) == [Commanded(7, late)]


def test_stop_is_exempt_and_a_late_one_sets_nothing_back() -> None:
    device = make()
    carry_out(device, Arm(), 20, DONE)
    carry_out(device, Stop(), 5, STOPPED)
    assert order(device, Arm(), 19) == []
    assert_expired(device, 19)


def test_query_is_never_expired_and_expires_no_motion() -> None:
    device = make()
    carry_out(device, Arm(), 20, DONE)
    carry_out(device, Echo(data=b""), 30, EchoDone(data=b""))
    carry_out(device, Echo(data=b""), 10, EchoDone(data=b""))
    assert order(device, Arm(), 25) == [Commanded(25, Arm())]


def test_correlation_wraps() -> None:
    device = make()
    for correlation_id in (0xFFFE, 0xFFFF, 1, 2):
        carry_out(device, Arm(), correlation_id, DONE)
    assert order(device, Resume(), 0xFFFD) == []
    assert_expired(device, 0xFFFD)
    assert order(device, Arm(), 0xFFFF) == []
    assert answer(device) == (DONE, 0xFFFF, REPLAYED)


@pytest.mark.parametrize("queries", [0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xC000, 0xFFFE, 0x1_8000])
def test_motion_after_any_number_of_queries_is_not_expired(queries: int) -> None:
    answers = Answers()
    answers.begin(1, Arm())
    answers.finish(1, DONE)
    query, correlation_id = Echo(data=b""), 1
    for _ in range(queries):
        correlation_id = correlation_id % 0xFFFF + 1
        assert answers.known(correlation_id) is None
        answers.begin(correlation_id, query)
        answers.finish(correlation_id, EchoDone(data=b""))
    correlation_id = correlation_id % 0xFFFF + 1
    assert answers.known(correlation_id) is None
    assert not answers.expired(correlation_id, Lane.MOTION)
    assert answers.expired(correlation_id - 0x5000 & 0xFFFF, Lane.MOTION)


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        (1, 0, True), (0, 0, False), (0, 1, False), (1, 0xFFFF, True), (0xFFFF, 1, False), (0x8000, 1, True),
        (0x8001, 1, False),
    ],
)  # fmt: skip
def test_serial_arithmetic(candidate: int, reference: int, expected: bool) -> None:
    assert newer(candidate, reference) is expected


def test_command_without_a_correlation_is_nakked() -> None:
    device = make()
    assert order(device, Arm(), 0) == []
    header, nak = only_nak(device)
    assert isinstance(nak, Nak) and (nak.code, nak.seq, header.correlation_id) == (Code.E_ARGUMENT, 900, 0)


@pytest.mark.parametrize(
    "command",
    [
        StreamSet(stream=Stream.UNKNOWN, interval_ms=0),
        SessionClose(
            session_no=1, reason=CloseReason.UNKNOWN, cycles=0, completed=0, aborted=0, ambiguous=0, punctures=0,
            cores_counted=0,
        ),
    ],
)  # fmt: skip
def test_unknown_value_in_a_command_is_refused(command: Message) -> None:
    device = make()
    assert order(device, command, 9) == []
    message, echoed, _ = answer(device)
    assert isinstance(message, Refused) and (message.code, echoed) == (Code.E_ARGUMENT, 9)
    assert type(command).__name__ in message.sentence
    # It was not begun, so its number is not used up.
    assert order(device, Arm(), 9) == [Commanded(9, Arm())]


def test_known_values_pass() -> None:
    device = make()
    command = StreamSet(stream=Stream.STATE, interval_ms=100)
    assert order(device, command, 9) == [Commanded(9, command)]
