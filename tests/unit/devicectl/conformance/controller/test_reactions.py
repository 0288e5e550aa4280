"""Each judge of a reaction passes the right one, names the wrong one, and says what it could not see."""

import pytest

from devicectl.conformance.controller import reactions
from devicectl.conformance.controller.checks import Judge, NotShown
from devicectl.conformance.controller.line import Tamper
from devicectl.conformance.controller.spoilt import REFUSED, put
from devicectl.conformance.device.probe import BrokenRule
from protocols.language import messages as M
from protocols.language.enums import Code
from tests.unit.devicectl.conformance.controller.talk import Talk, a_welcome, empty

SHORT = next(one for one in REFUSED if one[0] == "short")
PUNCH = M.Punch(cycle_no=1, depth_um=3000, deadline_ms=9)


def wronged() -> tuple[Talk, int]:
    """A talk in which a frame was put in, and its seq."""
    talk = Talk([put("short", SHORT[3], M.Welcome)])
    talk.links()
    return talk, next(one.header.seq for one in talk.tape.said if one.put_in)


def a_nak(seq: int, code: Code = Code.E_ARGUMENT) -> M.Nak:
    return M.Nak(code=code, seq=seq, expected=0, actual=0, sentence="no")


def broken(judge: Judge, talk: Talk, code: int = 0) -> str:
    with pytest.raises(BrokenRule) as info:
        judge(talk.run(code=code))
    return str(info.value)


def test_a_nak_with_the_code_and_the_seq() -> None:
    talk, seq = wronged()
    talk.says(a_nak(seq))
    reactions.nak_to("short", Code.E_ARGUMENT)(talk.run())
    assert "found E_ARGUMENT" in broken(reactions.nak_to("short", Code.E_LINK), talk)


def test_no_nak_and_one_about_another_frame() -> None:
    talk, seq = wronged()
    talk.says(a_nak(seq + 1))
    assert "found nothing" in broken(reactions.nak_to("short", Code.E_ARGUMENT), talk)


def test_a_nak_tells_both_values() -> None:
    talk, seq = wronged()
    assert "expected 1, 2, found no NAK" in broken(reactions.tells("short", 1, 2), talk)
    talk.says(a_nak(seq))
    reactions.tells("short", 0, 0)(talk.run())
    assert "expected 1, 2, found 0, 0" in broken(reactions.tells("short", 1, 2), talk)


def test_what_the_run_did_not_come_to_is_not_shown() -> None:
    with pytest.raises(NotShown, match="did not come to it"):
        reactions.nak_to("short", Code.E_ARGUMENT)(Talk().run())


def test_what_is_borne_is_not_answered_and_the_link_goes_on() -> None:
    talk, seq = wronged()
    assert "commands on the same link" in broken(reactions.borne("short"), talk)
    talk.says(M.Stop(), 2)
    reactions.borne("short")(talk.run())
    talk.says(a_nak(seq))
    assert "NAK E_ARGUMENT" in broken(reactions.borne("short"), talk)


def test_a_link_that_is_refused_is_left() -> None:
    talk, _ = wronged()
    reactions.refused_link("short")(talk.run(code=3))
    assert "exit code that is not 0" in broken(reactions.refused_link("short"), talk, code=0)
    talk.says(M.Stop(), 2)
    assert "found Stop" in broken(reactions.refused_link("short"), talk, code=3)


def test_a_close_that_is_done_and_a_bye() -> None:
    talk, _ = wronged()
    assert "SESSION_CLOSE that is done" in broken(reactions.closed_well, talk)
    talk.hears(empty(M.SessionCloseDone), 2)
    reactions.closed_well(talk.run())
    assert "exit code 0" in broken(reactions.closed_well, talk, code=1)
    assert "BYE" in broken(reactions.says_bye, talk)
    talk.says(empty(M.Bye))
    reactions.says_bye(talk.run())


def test_a_command_is_asked_again() -> None:
    talk, _ = wronged()
    with pytest.raises(NotShown, match="never sent Punch"):
        reactions.asked_again(M.Punch)(talk.run())
    talk.says(PUNCH, 2)
    assert "with RETRANSMIT" in broken(reactions.asked_again(M.Punch), talk)
    talk.says(PUNCH, 2, again=True)
    reactions.asked_again(M.Punch)(talk.run())
    assert "found 2" in broken(reactions.tried_five_times(M.Punch), talk)
    for _ in range(3):
        talk.says(PUNCH, 2, again=True)
    reactions.tried_five_times(M.Punch)(talk.run())
    talk.says(PUNCH, 2, again=True)
    assert "found 6" in broken(reactions.tried_five_times(M.Punch), talk)


def test_a_command_that_moves_is_left_to_it() -> None:
    talk, _ = wronged()
    talk.says(PUNCH, 2)
    talk.hears(M.Received(expected_ms=2_000), 2)
    reactions.patient(talk.run())
    talk.says(PUNCH, 2, again=True)  # it was on its way when RECEIVED came
    reactions.patient(talk.run())
    talk.waits(reactions.CROSSING_MS)
    talk.says(PUNCH, 2, again=True)
    assert "not sent again before it is overdue" in broken(reactions.patient, talk)


@pytest.mark.parametrize(("early_ms", "passes"), [(reactions.REPEAT_MS - 20, True), (reactions.REPEAT_MS + 20, False)])
def test_a_repetition_may_seem_to_come_a_little_early(early_ms: int, passes: bool) -> None:
    talk, _ = wronged()
    talk.says(PUNCH, 2)
    talk.hears(M.Received(expected_ms=2_000), 2)
    talk.waits(2 * 2_000 + 600 - early_ms)
    talk.says(PUNCH, 2, again=True)
    if passes:
        reactions.patient(talk.run())
    else:
        assert "not sent again before it is overdue" in broken(reactions.patient, talk)


def silent(speaks_ms: int) -> Talk:
    """A talk of a command that speaks for so long on a link that has fallen silent."""
    spell = Tamper("silence", lambda said: isinstance(said.message, M.HostHeartbeat), for_ms=9_000, mutes=True)
    talk = Talk([spell])
    talk.links()
    for _ in range(speaks_ms // 400 + 1):
        talk.says(M.HostHeartbeat())
        talk.waits(390)
    return talk


def test_a_silent_link_is_left_when_its_lease_is_over_and_not_before() -> None:
    judge = reactions.lost_in_time("silence", 2_000)
    judge(silent(1_900).run())
    assert "spoken on for" in broken(judge, silent(4_000))
    assert "silent after" in broken(judge, silent(400))


def test_a_link_that_lives_is_held() -> None:
    judge = reactions.held_for("silence", 3_000)
    judge(silent(3_000).run())
    assert "silent after" in broken(judge, silent(1_200))


def test_a_command_that_asks_shows_no_lease() -> None:
    talk = silent(400)
    talk.says(M.Stop(), 9)
    with pytest.raises(NotShown, match="it asked something"):
        reactions.lost_in_time("silence", 2_000)(talk.run())


def test_heartbeats_come_in_time() -> None:
    talk = silent(1_200)
    reactions.beats(talk.run())
    talk.waits(2_000)
    talk.says(M.HostHeartbeat())
    assert "slack at most" in broken(reactions.beats, talk)


def test_the_longest_silence_is_a_time_with_its_limit_and_the_slack_counts() -> None:
    run = silent(1_200).run()
    run.slack_ms = 50.0
    reactions.beats(run)
    (timing,) = run.timings
    assert (timing.what, timing.limit_ms) == ("longest silence, at rest", 450.0)
    assert 390 <= timing.value_ms <= 410
    strict = silent(1_200)
    strict.waits(100)
    strict.says(M.HostHeartbeat())
    late = strict.run()
    late.slack_ms = 0.0
    with pytest.raises(BrokenRule, match="400 ms and 0 ms of slack at most"):
        reactions.beats(late)
    assert late.timings[0].margin_ms < 0


def test_a_silent_link_is_a_time_and_less_slack_breaks_it() -> None:
    run = silent(2_400).run()
    reactions.lost_in_time("silence", 2_000)(run)
    assert [(one.limit_ms, one.margin_ms > 0) for one in run.timings] == [(3_000.0, True)]
    run.slack_ms = 100.0
    with pytest.raises(BrokenRule, match="100 ms of slack"):
        reactions.lost_in_time("silence", 2_000)(run)


def test_the_journal_is_read_before_the_next_punch() -> None:
    talk, _ = wronged()
    with pytest.raises(NotShown, match="did not come back"):
        reactions.reads_before_it_punches(talk.run())
    talk.hears(a_welcome(session_no=1))
    talk.hears(M.JournalPage(epoch=1, first=1, tail=1, head=1, records=b""), 2)
    talk.says(PUNCH, 3)
    reactions.reads_before_it_punches(talk.run())
    talk.hears(a_welcome(session_no=1))
    talk.says(PUNCH, 4)
    assert "no JOURNAL_READ before it" in broken(reactions.reads_before_it_punches, talk)
