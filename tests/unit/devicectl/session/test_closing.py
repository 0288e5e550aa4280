"""The end of a session: what is asked of the device, in which order, and what the log is given."""

from dataclasses import asdict
from typing import Any

import pytest

from devicectl.errors import CommandRefusedError, HardwareError, LinkError, SessionError
from devicectl.session.closing import MAX_DIFFERENCES
from devicectl.session.count import Counts
from devicectl.session.entries import Finish
from devicectl.session.machine import State
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, DeviceState
from protocols.language.records import SessionClosed
from tests.integration.log.log_builders import a_cycle
from tests.unit.devicectl.scripted_device import INFO, LOST, Answer, Desk, aborted, held, refusal
from tests.unit.protocols.language.altered import altered

CLOSE = ["JournalRead", "SessionClose", "JournalRead", "TruthGet"]
"""What a close asks where no record is new."""


def closed(**changes: Any) -> SessionClosed:
    """The device's record of the end of session 1, without a cycle."""
    values: dict[str, Any] = {
        "event_no": 1, "uptime_ms": 0, "reason": CloseReason.COMPLETED, "session_no": 1, "cycles": 0, "punctures": 0,
        "cores_counted": 0,
    }  # fmt: skip
    return SessionClosed(**(values | changes))


def closes_and(*answers: Answer, desk: Desk, **changes: Any) -> None:
    """The device writes the end of the session when it is asked to close, and answers so."""

    def write(answer: Answer) -> Any:
        desk.write(closed(**changes))
        return answer

    desk.will(M.SessionClose, *(lambda _, answer=answer: write(answer) for answer in answers))


# --- the close


def test_a_session_is_read_closed_with_its_counts_read_again_and_asked_for_the_truth() -> None:
    desk = Desk().opened()
    finish = desk.run(desk.engine.close(CloseReason.COMPLETED, 2.5))
    assert desk.names() == CLOSE
    assert desk.asked[1] == M.SessionClose(session_no=1, reason=CloseReason.COMPLETED, **asdict(Counts()))
    assert finish == Finish("completed", True, 0.0, 2.5, Counts(), 0)
    assert desk.engine.finish is finish and desk.states == [State.CLOSING, State.COMPLETED]


def test_the_counts_are_those_of_the_journal_and_never_those_of_a_reply() -> None:
    desk = Desk().opened()
    desk.write(a_cycle(0, 1, cell=0), a_cycle(0, 2, cell=1))
    finish = desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    counts = Counts(cycles=2, completed=2, punctures=6, cores_counted=4)
    assert (finish.device_totals, finish.cells_begun, finish.reconciled) == (counts, 2, True)
    asked = next(message for message in desk.asked if isinstance(message, M.SessionClose))
    assert (asked.cycles, asked.cores_counted) == (2, 4)


@pytest.mark.parametrize("paused", [False, True])
def test_an_armed_device_is_disarmed_first(paused: bool) -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.next_cycle())
    if paused:
        desk.run(desk.engine.pause())
    desk.forget()
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert desk.names()[0] == "Disarm"


def test_a_refusal_of_the_close_leaves_the_session_open_and_says_why() -> None:
    desk = Desk().opened()
    desk.will(M.SessionClose, refusal(code=Code.E_RANGE, expected=7))
    with pytest.raises(CommandRefusedError, match="not now"):
        desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert desk.engine.finish is None and desk.states == [State.CLOSING]
    assert desk.names() == CLOSE[:2]


def test_totals_that_differ_are_noted_and_the_session_is_not_reconciled() -> None:
    desk = Desk().opened()
    totals = {**asdict(Counts()), "cycles": 1, "punctures": 3}
    desk.will(M.SessionClose, M.SessionCloseDone(session_no=1, **totals))
    finish = desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert (finish.state, finish.reconciled, finish.device_totals) == ("completed", False, Counts(**totals))
    assert desk.noted_as("disagreement") == ["cycles: 1 on the device, 0 here", "punctures: 3 on the device, 0 here"]


def test_no_more_than_twenty_differences_are_noted() -> None:
    desk = Desk().opened()
    desk.write(*(a_cycle(0, number, total_punctures=number) for number in range(1, 40)))
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert len(desk.noted_as("disagreement")) == MAX_DIFFERENCES == 20


def test_an_end_is_stored_before_it_is_returned() -> None:
    desk = Desk().opened()
    desk.writes = False
    task = desk.start(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert not task.done and desk.entries[-2:] == [desk.engine.truth, desk.engine.finish]
    desk.writes = True
    desk.carry()
    assert task.done


def test_a_held_device_is_closed_and_reset_afterwards() -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.stop())
    desk.forget()
    desk.run(desk.engine.close(CloseReason.ABORTED, 0.0))
    assert desk.names() == ["Stop", "JournalRead", *CLOSE[:3], "AlarmList", "FaultReset", "TruthGet"]


def test_a_device_that_must_hold_is_not_argued_with() -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.stop())
    desk.will(M.FaultReset, refusal(13))
    finish = desk.run(desk.engine.close(CloseReason.ABORTED, 0.0))
    assert finish.reconciled and desk.noted_as("fault_reset") == ["FaultReset: not now (interlock 13)"]


# --- a close whose answer was lost


def test_a_close_whose_answer_was_lost_is_found_in_the_journal_and_not_asked_for_again() -> None:
    desk = Desk().opened()
    closes_and(LOST, desk=desk)
    finish = desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert desk.names().count("SessionClose") == 1
    assert (finish.state, finish.reconciled) == ("completed", True)


def test_the_totals_of_such_a_close_are_those_of_its_record() -> None:
    desk = Desk().opened()
    desk.write(a_cycle(0, 1))
    closes_and(LOST, desk=desk, cycles=1, punctures=4, cores_counted=5)
    finish = desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert finish.device_totals == Counts(cycles=1, completed=1, punctures=4, cores_counted=5)
    assert not finish.reconciled


def test_a_session_that_another_host_closed_otherwise_is_an_error() -> None:
    desk = Desk().opened()
    desk.write(closed(reason=CloseReason.ABANDONED))
    with pytest.raises(SessionError, match="session 1 was closed by another host, as ABANDONED"):
        desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))


# --- the truth


@pytest.mark.parametrize("info", [altered(INFO, has_truth=False), INFO])
def test_only_a_device_that_has_a_truth_is_asked_for_it(info: M.DeviceInfoDone) -> None:
    desk = Desk()
    desk.will(M.DeviceInfo, info)
    desk.opened()
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert ("TruthGet" in desk.names()) is info.has_truth
    assert (desk.engine.truth is not None) is info.has_truth


def test_a_refusal_of_the_truth_is_a_note_and_the_session_is_closed() -> None:
    desk = Desk().opened()
    desk.will(M.TruthGet, refusal(code=Code.E_UNSUPPORTED))
    assert desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0)).reconciled
    assert desk.engine.truth is None and desk.noted_as("truth_get") == ["TruthGet: not now (E_UNSUPPORTED)"]


# --- stop and abort


def test_a_stop_holds_the_device_and_the_next_cycle_recovers() -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.stop())
    assert desk.names() == ["Stop"] and desk.engine.machine.now is State.RECOVERING
    assert desk.noted_as("stop") == [""]


def test_a_stop_without_a_link_a_session_or_after_the_end_asks_nothing() -> None:
    desk = Desk()
    desk.run(desk.engine.stop())
    desk.run(desk.engine.connect())
    desk.run(desk.engine.stop())
    desk.opened()
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    desk.run(desk.engine.stop())
    desk.cut()
    desk.run(desk.engine.stop())
    assert "Stop" not in desk.names()


def test_a_stop_on_a_lost_link_asks_nothing() -> None:
    desk = Desk().opened()
    desk.cut()
    desk.run(desk.engine.stop())
    assert desk.asked == [] and desk.noted_as("stop") == []


def test_an_abort_stops_and_closes_as_aborted() -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.next_cycle())
    desk.forget()
    finish = desk.run(desk.engine.abort(1.0))
    assert desk.names()[0] == "Stop" and "Disarm" not in desk.names()
    assert (finish.state, finish.reconciled, finish.device_totals.cycles) == ("aborted", True, 1)
    assert desk.states[-1] is State.ABORTED


def test_an_abort_whose_stop_is_lost_with_the_link_closes_on_the_next_one() -> None:
    desk = Desk().opened()
    desk.will(M.Stop, LOST)
    assert desk.run(desk.engine.abort(0.0)).reconciled
    assert desk.hellos == 1


@pytest.mark.parametrize("answer", [LOST, aborted(), held()])
def test_a_close_through_a_loss_or_a_stop_recovers_and_closes(answer: Answer) -> None:
    desk = Desk().numbed()
    desk.run(desk.engine.next_cycle())
    desk.will(M.Disarm, answer)
    finish = desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert (finish.state, finish.reconciled) == ("completed", True) and State.RECOVERING in desk.states


def test_the_close_has_recoveries_of_its_own() -> None:
    """Five in a row: those that the cycles before it used up are not held against it."""
    desk = Desk().opened()
    for name in (M.AnesthesiaStart, M.JournalRead):
        desk.will(name, *[LOST] * 5)
        if name is M.AnesthesiaStart:
            desk.run(desk.engine.confirm_anesthesia("cream", "trainer"))
    assert desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0)).reconciled


# --- abandoning, and settling what another run left


def test_an_unknown_session_is_closed_as_abandoned_without_counts() -> None:
    desk = Desk()
    desk.shown["session_no"] = 4
    desk.run(desk.engine.connect())
    assert desk.run(desk.engine.abandon()) == 4
    assert desk.asked[-1] == M.SessionClose(session_no=4, reason=CloseReason.ABANDONED, **asdict(Counts()))


def test_an_abandoned_device_that_holds_is_reset() -> None:
    desk = Desk()
    desk.shown |= {"session_no": 4, "state": DeviceState.SAFE}
    desk.run(desk.engine.connect())
    desk.run(desk.engine.abandon())
    assert desk.names()[-2:] == ["AlarmList", "FaultReset"]


def test_an_abandoning_whose_answer_was_lost_is_not_asked_for_again() -> None:
    desk = Desk()
    desk.shown["session_no"] = 4
    desk.run(desk.engine.connect())
    desk.shown["session_no"] = 0  # closed: so the WELCOME of the next link says
    desk.will(M.SessionClose, LOST)
    assert desk.run(desk.engine.abandon()) == 4
    assert desk.names().count("SessionClose") == 1 and desk.hellos == 2


def test_no_session_of_hardware_is_abandoned_unless_that_was_allowed() -> None:
    for allowed in (False, True):
        desk = Desk(allow_hardware=allowed)
        desk.shown |= {"session_no": 4, "simulated": False}
        desk.run(desk.engine.connect())
        if allowed:
            assert desk.run(desk.engine.abandon()) == 4
        else:
            with pytest.raises(HardwareError, match="SIM-0007 is no simulator"):
                desk.run(desk.engine.abandon())


def test_an_adopted_session_that_agrees_is_closed_as_aborted() -> None:
    desk = Desk().opened()
    finish = desk.run(desk.engine.abandon_adopted(0.0))
    assert (finish.state, finish.reconciled) == ("aborted", True)
    assert [message.reason for message in desk.asked if isinstance(message, M.SessionClose)] == [CloseReason.ABORTED]


def test_one_that_disagrees_is_closed_as_abandoned_and_never_reconciled() -> None:
    desk = Desk().opened()
    desk.will(M.SessionClose, refusal(code=Code.E_RANGE))
    finish = desk.run(desk.engine.abandon_adopted(0.0))
    reasons = [message.reason for message in desk.asked if isinstance(message, M.SessionClose)]
    assert reasons == [CloseReason.ABORTED, CloseReason.ABANDONED]
    assert (finish.state, finish.reconciled) == ("aborted", False)
    assert desk.noted_as("disagreement") == ["SessionClose: not now (E_RANGE)"]


def test_one_that_disagrees_and_refuses_its_journal_too_is_closed_all_the_same() -> None:
    desk = Desk().opened()
    desk.will(M.SessionClose, refusal(code=Code.E_RANGE))
    desk.will(M.JournalRead, desk.usual, desk.usual, refusal(code=Code.E_RANGE))
    finish = desk.run(desk.engine.abandon_adopted(0.0))
    assert not finish.reconciled
    assert desk.noted_as("disagreement")[1] == "JournalRead: not now (E_RANGE)"


def test_one_that_another_host_has_closed_is_not_closed_again() -> None:
    desk = Desk().opened()
    desk.write(a_cycle(0, 1), closed(cycles=1, punctures=3, cores_counted=2))
    finish = desk.run(desk.engine.abandon_adopted(0.0))
    assert "SessionClose" not in desk.names()
    assert finish.device_totals == Counts(cycles=1, completed=1, punctures=3, cores_counted=2)
    assert (finish.state, finish.reconciled) == ("aborted", False)


def test_a_stop_that_cannot_be_sent_keeps_no_session_from_being_abandoned() -> None:
    desk = Desk().opened()
    desk.will(M.Stop, LOST)
    assert desk.run(desk.engine.abandon_adopted(0.0)).reconciled


@pytest.mark.parametrize("reason", [CloseReason.COMPLETED, CloseReason.ABORTED])
def test_an_end_that_nobody_logged_is_settled_from_the_journal(reason: CloseReason) -> None:
    desk = Desk().opened()
    desk.write(closed(reason=reason))
    finish = desk.run(desk.engine.settle(1.0))
    assert "SessionClose" not in desk.names()
    assert finish.state == ("completed" if reason is CloseReason.COMPLETED else "aborted")
    assert finish.reconciled


def test_a_session_that_was_closed_as_abandoned_is_settled_and_never_reconciled() -> None:
    desk = Desk().opened()
    desk.write(closed(reason=CloseReason.ABANDONED))
    finish = desk.run(desk.engine.settle(0.0))
    assert (finish.state, finish.reconciled) == ("aborted", False)


@pytest.mark.parametrize("record", [None, closed(session_no=2)])
def test_a_session_without_its_end_in_the_journal_is_not_settled(record: SessionClosed | None) -> None:
    desk = Desk().opened()
    if record is not None:
        desk.write(record)
    with pytest.raises(SessionError, match="session 1 is not open on the device, whose journal has no end of it"):
        desk.run(desk.engine.settle(0.0))


def test_a_close_on_a_link_that_stays_away_fails_and_can_be_asked_for_again() -> None:
    desk = Desk().opened()
    desk.cut()
    with pytest.raises(LinkError, match="no connection within 10 s"):
        desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    desk.mend()
    assert desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0)).reconciled
