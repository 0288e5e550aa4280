"""Each judge of a whole run passes what is right, and names what is not."""

import pytest

from devicectl.conformance.controller import checks
from devicectl.conformance.controller.scene import End
from devicectl.conformance.controller.tape import Said
from devicectl.conformance.device.probe import BrokenRule
from devicectl.conformance.device.wires import Item, frame, header_of, payload_of
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code
from protocols.link.header import Header
from tests.unit.devicectl.conformance.controller.talk import LINK, Talk, a_welcome, empty

PUNCH = M.Punch(cycle_no=1, depth_um=3000, deadline_ms=9)
READ = M.JournalRead(epoch=1, first=1, max_records=6)


def linked() -> Talk:
    talk = Talk()
    talk.links()
    return talk


def a_refusal(code: Code, expected: int, actual: int) -> M.Refused:
    return M.Refused(code=code, interlock=0, expected=expected, actual=actual, sentence="no")


def broken(judge: checks.Judge, talk: Talk, end: End = End.ITSELF) -> str:
    with pytest.raises(BrokenRule) as info:
        judge(talk.run(end))
    return str(info.value)


def test_a_short_session_is_sound() -> None:
    talk = linked()
    talk.says(M.Arm(), 2)
    talk.hears(empty(M.ArmDone), 2)
    talk.says(PUNCH, 3)
    talk.says(PUNCH, 3, again=True)
    talk.says(M.HostHeartbeat())
    checks.sound(talk.run())
    for judge in (checks.seq_rises, checks.links_fit, checks.unasked_is_zero, checks.five_tries):
        judge(talk.run())
    checks.payloads_are_canonical(talk.run())


def test_a_command_that_did_not_end() -> None:
    assert "by itself within 60 s" in broken(checks.ended, linked(), End.LIMIT)


def test_bytes_that_are_no_frame() -> None:
    talk = linked()
    talk.raw_of_host(b"\0\x03\x01\0")
    assert "whole frames" in broken(checks.frames_are_whole, talk)


def test_a_text_that_is_not_filled_up() -> None:
    talk = linked()
    start = M.AnesthesiaStart(zone=0, age_s=0, method="x")
    payload = payload_of(start)
    checks.payloads_are_canonical(talk.run())
    item = Item(Header(0x10, 0, start.ID, 2, LINK, 2, 0, len(payload)), start, "", payload[:-1] + b"y")
    talk.tape.add(Said(talk.now, 0, True, item))
    assert "the payload of AnesthesiaStart" in broken(checks.payloads_are_canonical, talk)


def test_a_seq_that_is_left_out() -> None:
    talk = linked()
    talk.says(M.Stop(), 2)
    talk.says(M.Stop(), 3, seq=9)
    assert "expected 3, found 9" in broken(checks.seq_rises, talk)


def test_a_link_id_that_was_not_granted() -> None:
    talk = linked()
    talk.says(M.Stop(), 2, link=LINK + 1)
    assert f"found {LINK + 1}" in broken(checks.links_fit, talk)


def test_a_heartbeat_with_a_correlation_id() -> None:
    talk = linked()
    talk.says(M.HostHeartbeat(), 7)
    assert "expected 0, found 7" in broken(checks.unasked_is_zero, talk)


def test_a_command_before_hello() -> None:
    talk = Talk()
    talk.says(M.Stop(), 1)
    assert "expected HELLO, found Stop" in broken(checks.greets_first, talk)


def test_a_message_of_a_device() -> None:
    talk = linked()
    talk.says(a_welcome())
    assert "found Welcome" in broken(checks.own_messages_only, talk)


@pytest.mark.parametrize(("first", "second"), [(2, 2), (2, 4), (5, 4)])
def test_correlation_ids_that_do_not_rise_by_one(first: int, second: int) -> None:
    talk = linked()
    talk.says(M.Stop(), first)
    talk.says(M.Stop(), second)
    assert f"expected {first + 1}, found {second}" in broken(checks.correlation_rises, talk)


def test_a_correlation_id_wraps_to_1() -> None:
    talk = linked()
    talk.says(M.Stop(), 0xFFFF)
    talk.says(M.Stop(), 1)
    checks.correlation_rises(talk.run())


def test_a_repetition_under_another_seq() -> None:
    talk = linked()
    talk.says(M.Stop(), 2)
    talk.says(M.Stop(), 2, again=True, seq=77)
    assert "seq 77" in broken(checks.again_as_it_was, talk)


def test_a_repetition_of_nothing() -> None:
    talk = linked()
    talk.says(M.Stop(), 2, again=True)
    assert "found none" in broken(checks.again_as_it_was, talk)


def test_a_sixth_try() -> None:
    talk = linked()
    talk.says(PUNCH, 2)
    for _ in range(4):
        talk.says(PUNCH, 2, again=True)
    checks.five_tries(talk.run())
    talk.says(PUNCH, 2, again=True)
    assert "found 6" in broken(checks.five_tries, talk)


def test_two_motions_side_by_side() -> None:
    talk = linked()
    talk.says(M.Arm(), 2)
    talk.says(PUNCH, 3)
    assert "found Arm" in broken(checks.one_motion, talk)


def test_a_motion_behind_one_that_was_refused() -> None:
    talk = linked()
    talk.says(M.Arm(), 2)
    talk.hears(a_refusal(Code.E_STATE, 0, 0), 2)
    talk.says(PUNCH, 3)
    checks.one_motion(talk.run())


def test_a_fifth_query() -> None:
    talk = linked()
    for number in range(2, 6):
        talk.says(READ, number)
    checks.four_queries(talk.run())
    talk.says(READ, 6)
    assert "found 5" in broken(checks.four_queries, talk)


def test_an_acknowledgement_of_what_was_not_read() -> None:
    talk = linked()
    talk.hears(a_welcome(journal_epoch=1, journal_head=2, journal_tail=1))
    talk.hears(M.JournalPage(epoch=1, first=2, tail=1, head=5, records=bytes(64)), 2)
    talk.says(M.JournalAck(epoch=1, upto=4), 3)
    checks.acknowledges_what_it_read(talk.run())
    talk.says(M.JournalAck(epoch=1, upto=5), 4)
    assert "up to 5" in broken(checks.acknowledges_what_it_read, talk)


def test_an_acknowledgement_that_goes_back() -> None:
    talk = linked()
    talk.hears(a_welcome(journal_epoch=1, journal_head=9))
    talk.says(M.JournalAck(epoch=1, upto=9), 2)
    talk.says(M.JournalAck(epoch=1, upto=8), 3)
    assert "not below 9" in broken(checks.acknowledges_what_it_read, talk)


def test_a_punch_that_nobody_armed_for() -> None:
    talk = linked()
    talk.says(PUNCH, 2)
    assert "not armed" in broken(checks.punches_when_armed, talk)


def test_a_punch_of_a_used_number() -> None:
    talk = linked()
    talk.hears(empty(M.ArmDone), 2)
    talk.says(M.Punch(cycle_no=2, depth_um=3000, deadline_ms=9), 3)
    assert "expected 1, found 2" in broken(checks.punches_when_armed, talk)


def test_counts_that_the_device_does_not_agree_to() -> None:
    talk = linked()
    close = M.SessionClose(
        session_no=1,
        reason=CloseReason.COMPLETED,
        cycles=1,
        completed=1,
        aborted=0,
        ambiguous=0,
        punctures=8,
        cores_counted=8,
    )
    talk.says(close, 2)
    talk.hears(a_refusal(Code.E_INTERLOCK, 7, 8), 2)
    assert "those of the journal" in broken(checks.counts_agree, talk)


def test_a_payload_that_is_none_of_the_tables() -> None:
    talk = linked()
    header = header_of(PUNCH, 2, LINK, 2, 0, 3)
    talk.raw_of_host(frame(header, b"abc"))
    assert "a payload of the tables" in broken(checks.payloads_fit, talk)
