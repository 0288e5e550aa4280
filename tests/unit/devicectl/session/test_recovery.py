"""Recovery alone: what it asks and waits for, when it tries again, and when it gives up."""

import pytest

from devicectl.errors import (
    CommandAbortedError,
    CommandFailedError,
    CommandRefusedError,
    LinkDeniedError,
    LinkError,
    LinkForbiddenError,
    LinkLostError,
    SessionError,
    UnendedError,
)
from devicectl.session.machine import Event, State
from devicectl.session.procedures import Procedure, ask, nothing
from devicectl.session.recovery import MAX_RECOVERIES, Recovery, by_held_device
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.alarm_codes import COUNT_STOPPED, POWER_LOST_IN_STROKE
from protocols.language.enums import AlarmState, CloseReason, Code, DeviceState
from protocols.language.message import Message
from protocols.language.records import SessionClosed
from protocols.language.units import MILLISECOND, SECOND
from protocols.link.happenings import Greeted
from tests.integration.log.log_builders import a_cycle
from tests.unit.devicectl.scripted_device import (
    LOST,
    Desk,
    aborted,
    alarms,
    failed,
    held,
    refusal,
)

HELD = [DeviceState.SAFE, DeviceState.FAULT, DeviceState.LOCKED]


class Tries:
    """A procedure that fails as it is told, time after time, and then returns how often it was run."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = 0

    def __call__(self) -> Procedure[int]:
        self.runs += 1
        yield from ()
        if self.errors:
            raise self.errors.pop(0)
        return self.runs


def recovery_of(desk: Desk, lost: list[str] | None = None) -> Recovery:
    """A recovery of its own on the desk's engine; `lost` hears that the hand has lost its place."""
    places = [] if lost is None else lost
    return Recovery(desk.engine, lambda: places.append("place"))


def lost_link() -> LinkLostError:
    return LinkLostError("the cable was pulled")


def refused_by(answer: M.Refused | M.Nak, command: Message | None = None) -> CommandRefusedError:
    return CommandRefusedError(M.Arm() if command is None else command, answer)


# --- connecting


def test_connecting_makes_the_link_and_asks_who_is_there() -> None:
    desk = Desk()
    info = desk.run(recovery_of(desk).connect())
    assert info is desk.engine.info and desk.names() == ["DeviceInfo"]
    assert desk.states == [State.CONNECTING, State.IDLE]


def test_a_device_that_refuses_the_link_leaves_the_host_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def deny(happening: Greeted) -> None:
        desk.end.deny(happening, Code.E_BUSY, "hosts enough", desk.now)

    monkeypatch.setattr(desk, "_take", deny)
    with pytest.raises(LinkDeniedError, match="hosts enough"):
        desk.run(recovery_of(desk).connect())
    assert desk.states == [State.CONNECTING, State.DISCONNECTED]


def test_a_device_in_a_self_test_is_greeted_again_until_it_is_over() -> None:
    desk = Desk()
    desk.shown["state"] = DeviceState.SELF_TEST
    began = desk.now
    task = desk.start(recovery_of(desk).connect())
    desk.pass_to(began + 1 * SECOND)
    assert not task.done and desk.asked == []
    desk.shown["state"] = DeviceState.IDLE
    desk.end_of(task)
    assert desk.hellos == 3 and desk.now == began + 1_500 * MILLISECOND


def test_a_self_test_that_takes_longer_than_ten_seconds_is_an_error() -> None:
    desk = Desk()
    desk.shown["state"] = DeviceState.SELF_TEST
    began = desk.now
    with pytest.raises(SessionError, match="has not ended its self-test in 10 s"):
        desk.run(recovery_of(desk).connect())
    assert desk.now == began + 10 * SECOND and desk.states[-1] is State.DISCONNECTED


@pytest.mark.parametrize("state", [DeviceState.UNKNOWN, DeviceState.OFF])
def test_a_state_that_this_version_does_not_know_is_an_error(state: DeviceState) -> None:
    desk = Desk()
    desk.shown["state"] = state
    with pytest.raises(SessionError, match="a state that this version does not know"):
        desk.run(recovery_of(desk).connect())


def test_a_link_that_is_lost_in_the_wait_for_a_self_test_has_disconnected_the_host_already() -> None:
    desk = Desk()
    desk.shown["state"] = DeviceState.SELF_TEST
    task = desk.start(recovery_of(desk).connect())
    desk.cut()
    with pytest.raises(LinkError, match="no connection within 10 s"):
        desk.end_of(task)
    assert desk.states == [State.CONNECTING, State.DISCONNECTED]


# --- before a session


def test_without_a_link_it_connects_first_and_with_one_it_does_not() -> None:
    desk = Desk()
    recovery, tries = recovery_of(desk), Tries()
    assert desk.run(recovery.before_session(tries)) == 1
    assert desk.run(recovery.before_session(tries)) == 2
    assert desk.hellos == 1


@pytest.mark.parametrize("losses", range(1, MAX_RECOVERIES + 1))
def test_a_link_that_is_lost_before_the_session_is_made_again_and_the_work_is_run_again(losses: int) -> None:
    desk = Desk()
    desk.will(M.Echo, *[LOST] * losses)
    done = desk.run(recovery_of(desk).before_session(lambda: ask(M.Echo(data=b""))))
    assert isinstance(done, M.EchoDone) and desk.hellos == losses + 1
    assert len(desk.noted_as("recover")) == losses
    assert desk.noted_as("recover")[-1] == f"try {losses} of 5: the cable was pulled"


def test_a_sixth_loss_in_a_row_is_raised() -> None:
    desk = Desk()
    desk.will(M.Echo, *[LOST] * (MAX_RECOVERIES + 1))
    with pytest.raises(LinkLostError, match="the cable was pulled"):
        desk.run(recovery_of(desk).before_session(lambda: ask(M.Echo(data=b""))))
    assert len(desk.noted_as("recover")) == MAX_RECOVERIES


def test_a_loss_before_the_work_leaves_connecting_behind() -> None:
    """The link goes while who is there is asked: the next HELLO is lawful again."""
    desk = Desk()
    desk.will(M.DeviceInfo, LOST)
    desk.run(recovery_of(desk).before_session(nothing))
    assert desk.states == [State.CONNECTING, State.IDLE, State.DISCONNECTED, State.CONNECTING, State.IDLE]


def test_a_link_that_went_unnoticed_by_the_machine_is_made_again() -> None:
    """An exchange that this end has left tells nobody: the machine still says IDLE."""
    desk = Desk()
    desk.run(desk.engine.connect())
    desk.engine.link.exchange.drop()
    desk.run(recovery_of(desk).before_session(nothing))
    assert desk.states[-3:] == [State.DISCONNECTED, State.CONNECTING, State.IDLE]


def test_a_device_that_never_answered_is_not_tried_again() -> None:
    desk = Desk()
    desk.deaf = True
    with pytest.raises(LinkError, match="the device does not answer"):
        desk.run(recovery_of(desk).before_session(nothing))
    assert desk.noted_as("recover") == []


def test_a_device_that_has_answered_once_is_tried_again_when_it_falls_silent() -> None:
    desk = Desk()
    desk.run(desk.engine.connect())
    tries = Tries(LinkError("no answer"))
    assert desk.run(recovery_of(desk).before_session(tries)) == 2


def test_a_link_that_was_lost_while_it_was_made_for_the_first_time_is_tried_again() -> None:
    desk = Desk()
    recovery = recovery_of(desk)
    task = desk.start(recovery.before_session(Tries(lost_link())))
    assert desk.end_of(task) == 2


def test_after_the_end_of_a_session_a_loss_is_raised() -> None:
    desk = Desk().opened()
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    tries = Tries(lost_link())
    with pytest.raises(LinkLostError):
        desk.run(recovery_of(desk).before_session(tries))
    assert tries.runs == 1


HOPELESS = [
    LinkDeniedError(Code.E_VERSION, "another major"),
    LinkForbiddenError("the broker keeps this host out"),
    UnendedError(M.Arm(), "never ended"),
]


@pytest.mark.parametrize("error", HOPELESS)
def test_what_another_link_would_not_mend_is_raised_at_once(error: LinkError) -> None:
    desk = Desk().opened()
    recovery = recovery_of(desk)
    tries = Tries(error, error)
    with pytest.raises(type(error)):
        desk.run(recovery.before_session(tries))
    with pytest.raises(type(error)):
        desk.run(recovery.through(tries, nothing))
    assert tries.runs == 2
    assert desk.noted_as("recover") == []


# --- through a session


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (lost_link(), Event.LINK_LOST),
        (CommandAbortedError(M.Arm(), aborted()), Event.STOPPED),
        (refused_by(held()), Event.STOPPED),
    ],
    ids=["loss", "aborted", "held"],
)
def test_a_loss_or_a_stop_is_recovered_from_and_the_work_run_again(
    error: Exception, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk().opened()
    happened: list[Event] = []
    take = desk.engine.machine.happened

    def listen(event: Event) -> None:
        happened.append(event)
        take(event)

    monkeypatch.setattr(desk.engine.machine, "happened", listen)
    restored = Tries()
    assert desk.run(recovery_of(desk).through(Tries(error), restored)) == 2
    assert happened == [event] and restored.runs == 1


def test_without_a_loss_nothing_is_restored() -> None:
    desk = Desk().opened()
    restored = Tries()
    assert desk.run(recovery_of(desk).through(Tries(), restored)) == 1
    assert restored.runs == 0


@pytest.mark.parametrize(
    "error",
    [refused_by(refusal(I.SUCTION)), refused_by(refusal(code=Code.E_RANGE)), CommandFailedError(M.Arm(), failed())],
)
def test_a_refusal_or_failure_of_a_device_that_is_not_held_is_raised(error: Exception) -> None:
    desk = Desk().opened()
    restored = Tries()
    with pytest.raises(type(error)):
        desk.run(recovery_of(desk).through(Tries(error), restored))
    assert restored.runs == 0 and desk.engine.machine.now is State.SESSION_OPEN


def test_a_sixth_stop_in_a_row_is_raised() -> None:
    desk = Desk().opened()
    tries = Tries(*[refused_by(held())] * 6)
    with pytest.raises(CommandRefusedError):
        desk.run(recovery_of(desk).through(tries, nothing))
    assert tries.runs == 6


def test_a_new_row_begins_where_it_is_told() -> None:
    desk = Desk().opened()
    recovery = recovery_of(desk)
    for _ in range(2):
        tries = Tries(*[lost_link()] * MAX_RECOVERIES)
        assert desk.run(recovery.through(tries, nothing)) == 6
        recovery.begin_row()


def test_a_loss_in_the_recovery_counts_as_one_of_the_row() -> None:
    desk = Desk().opened()
    tries, restored = Tries(lost_link()), Tries(*[lost_link()] * 4)
    assert desk.run(recovery_of(desk).through(tries, restored)) == 2
    assert len(desk.noted_as("recover")) == 5


# --- the link again, and the journal to its head


def test_with_a_link_it_is_stopped_and_read_to_the_head() -> None:
    desk = Desk().opened()
    desk.will(M.Stop, M.StopDone(state=DeviceState.FAULT))
    desk.write(a_cycle(0, 1), a_cycle(0, 2))
    places: list[str] = []
    assert desk.run(recovery_of(desk, places).relink()) is DeviceState.FAULT
    assert desk.names() == ["Stop", "JournalRead", "JournalAck"] and desk.hellos == 0
    assert (desk.engine.last_cycle_no, desk.engine.counted, places) == (2, 4, ["place"])


def test_without_a_link_one_is_made_and_the_journal_is_read() -> None:
    desk = Desk().opened()
    desk.cut()
    desk.write(a_cycle(0, 1))
    desk.shown["state"] = DeviceState.SAFE
    desk.mend()
    assert desk.run(recovery_of(desk).relink()) is DeviceState.SAFE
    assert desk.names() == ["JournalRead", "JournalAck"] and desk.hellos == 1
    assert desk.engine.last_cycle_no == 1


def test_before_the_first_cycle_the_number_used_last_is_the_one_before_it() -> None:
    desk = Desk()
    opened = M.SessionOpenDone(
        session_no=1, first_cycle_no=40, needles=3, cells=3, cycles_per_cell=16, punctures_per_cell=48
    )
    desk.will(M.SessionOpen, opened)
    desk.opened()
    desk.engine.last_cycle_no = 0
    desk.run(recovery_of(desk).relink())
    assert desk.engine.last_cycle_no == 39


def test_a_journal_that_ends_before_what_was_read_is_a_problem_of_the_fold() -> None:
    desk = Desk().opened()
    desk.write(a_cycle(0, 1), a_cycle(0, 2))
    desk.run(recovery_of(desk).relink())
    desk.cut()
    desk.journal.head -= 1
    desk.mend()
    desk.run(recovery_of(desk).relink())
    assert desk.engine.reader is not None
    [problem] = desk.engine.reader.fold.problems
    assert "it has forgotten what it showed" in problem


def test_another_journal_is_not_read_and_is_an_error() -> None:
    desk = Desk().opened()
    desk.cut()
    desk.shown["journal_epoch"] = 0xABCD
    desk.mend()
    with pytest.raises(SessionError) as caught:
        desk.run(recovery_of(desk).relink())
    assert str(caught.value) == (
        "the device's memory was erased: its journal is 0x0000abcd, and session 1 is in 0x00000009"
    )
    assert desk.asked == []


@pytest.mark.parametrize(("session_no", "named"), [(0, "none"), (2, "2")])
def test_a_device_that_no_longer_holds_the_session_is_an_error(session_no: int, named: str) -> None:
    desk = Desk().opened()
    desk.cut()
    desk.shown["session_no"] = session_no
    desk.mend()
    with pytest.raises(SessionError, match=f"^the device no longer holds session 1: it names {named}$"):
        desk.run(recovery_of(desk).relink())


def test_a_session_whose_end_is_in_the_journal_need_not_be_held() -> None:
    desk = Desk().opened()
    desk.cut()
    end = {"session_no": 1, "cycles": 0, "punctures": 0, "cores_counted": 0}
    desk.write(SessionClosed(event_no=1, uptime_ms=0, reason=CloseReason.COMPLETED, **end))
    desk.shown["session_no"] = 0
    desk.mend()
    desk.run(recovery_of(desk).relink())
    assert desk.engine.reader is not None and desk.engine.reader.closed is not None


# --- control


def waiting_for_control(opened: bool = True) -> Desk:
    """A host that finds the device under another host's control, whose longer lease is two seconds."""
    desk = Desk()
    if opened:
        desk.opened()
        desk.cut()
    desk.shown |= {"controller_host_id": 0xAB, "lease_idle_ms": 2_000, "lease_armed_ms": 900}
    if opened:
        desk.mend()
    desk.run(desk.engine.link.make())
    desk.forget()
    return desk


def test_control_that_nobody_has_is_not_waited_for() -> None:
    desk = Desk().opened()
    began = desk.now
    desk.run(recovery_of(desk).await_control())
    assert desk.hellos == 0 and desk.now == began and desk.noted_as("control_wait") == []


def test_control_is_asked_for_twice_a_second_until_it_is_free() -> None:
    desk = waiting_for_control()
    began = desk.now
    task = desk.start(recovery_of(desk).await_control())
    assert desk.noted_as("control_wait") == ["host 0x000000ab has control; waiting for its lease to end"]
    desk.pass_to(began + 600 * MILLISECOND)
    assert desk.hellos == 1
    desk.shown["controller_host_id"] = 0
    desk.end_of(task)
    assert desk.hellos == 2 and desk.now == began + 1_100 * MILLISECOND


def test_control_that_is_kept_is_waited_for_no_longer_than_the_longer_lease() -> None:
    desk = waiting_for_control()
    began = desk.now
    desk.run(recovery_of(desk).await_control())
    assert desk.now == began + 2 * SECOND and desk.hellos == 4


def test_the_longer_of_the_two_leases_is_the_limit() -> None:
    desk = waiting_for_control()
    desk.shown |= {"lease_idle_ms": 900, "lease_armed_ms": 2_000}
    desk.run(desk.engine.link.make())
    began = desk.now
    desk.run(recovery_of(desk).await_control())
    assert desk.now == began + 2 * SECOND


def test_a_wait_for_control_before_a_session_is_no_note_of_one() -> None:
    desk = waiting_for_control(opened=False)
    desk.run(recovery_of(desk).await_control())
    assert desk.notes == [] and desk.hellos == 4


# --- out of the hold


@pytest.mark.parametrize("state", list(DeviceState))
def test_only_a_held_device_is_reset(state: DeviceState) -> None:
    desk = Desk().opened()
    desk.run(recovery_of(desk).leave_hold(state))
    assert desk.names() == (["AlarmList", "FaultReset"] if state in HELD else [])
    assert desk.noted_as("fault_reset") == ([f"from {state.name}"] if state in HELD else [])


def test_alarms_that_are_shown_are_acknowledged_but_for_a_count_that_was_stopped() -> None:
    desk = Desk().opened()
    shown = [
        (POWER_LOST_IN_STROKE, AlarmState.LATCHED),
        (1203, AlarmState.ACTIVE),
        (601, AlarmState.ACKNOWLEDGED),
        (COUNT_STOPPED, AlarmState.LATCHED),
        (602, AlarmState.INACTIVE),
    ]
    desk.will(M.AlarmList, *alarms(*shown))
    desk.run(recovery_of(desk).leave_hold(DeviceState.SAFE))
    assert [message.index for message in desk.asked if isinstance(message, M.AlarmList)] == [0, 1, 2, 3, 4]
    acknowledged = [message.code for message in desk.asked if isinstance(message, M.AlarmAck)]
    assert acknowledged == [POWER_LOST_IN_STROKE, 1203]
    assert len(desk.noted_as("alarm_ack")) == 2 and desk.noted_as("alarm_ack")[1] == "MC-1203"


def test_needles_on_their_way_home_are_waited_for_and_the_reset_is_asked_for_again() -> None:
    desk = Desk().opened()
    began = desk.now
    desk.will(M.FaultReset, refusal(I.NEEDLE_OUT))
    desk.run(recovery_of(desk).leave_hold(DeviceState.SAFE))
    assert desk.names() == ["AlarmList", "FaultReset", "FaultReset"] and desk.now == began + 200 * MILLISECOND


def test_needles_that_stay_out_are_an_error() -> None:
    desk = Desk().opened()
    desk.will(M.FaultReset, refusal(I.NEEDLE_OUT), refusal(I.NEEDLE_OUT))
    with pytest.raises(CommandRefusedError):
        desk.run(recovery_of(desk).leave_hold(DeviceState.SAFE))


def test_any_other_refusal_of_the_reset_is_raised_at_once() -> None:
    desk = Desk().opened()
    desk.will(M.FaultReset, refusal(I.EMERGENCY_STOP))
    with pytest.raises(CommandRefusedError):
        desk.run(recovery_of(desk).leave_hold(DeviceState.SAFE))
    assert desk.names() == ["AlarmList", "FaultReset"]


def test_release_without_a_hold_asks_nothing() -> None:
    desk = Desk().opened()
    desk.run(recovery_of(desk).release())
    assert desk.asked == []


def test_release_leaves_the_hold_that_the_last_link_found_and_only_once() -> None:
    desk = Desk().opened()
    recovery = recovery_of(desk)
    desk.run(recovery.relink())
    desk.forget()
    desk.run(recovery.release())
    desk.run(recovery.release())
    assert desk.names() == ["AlarmList", "FaultReset"]


def test_a_hold_that_was_left_is_not_left_again() -> None:
    desk = Desk().opened()
    recovery = recovery_of(desk)
    desk.run(recovery.relink())
    desk.run(recovery.leave_hold(DeviceState.SAFE))
    desk.forget()
    desk.run(recovery.release())
    assert desk.asked == []


def test_a_refusal_of_the_release_is_a_note() -> None:
    desk = Desk().opened()
    desk.will(M.FaultReset, refusal(I.EMERGENCY_STOP))
    desk.run(recovery_of(desk).release(DeviceState.SAFE))
    [note] = [note for note in desk.notes if note.name == "fault_reset"]
    assert note.kind == "refusal" and "interlock" in note.detail


# --- who stopped it


@pytest.mark.parametrize(
    ("answer", "stopped"),
    [
        *((held(state), True) for state in HELD),
        *((refusal(code=Code.E_INTERLOCK, actual=state), True) for state in HELD),
        (held(DeviceState.ARMED), False),
        (refusal(code=Code.E_RANGE, actual=DeviceState.SAFE), False),
        (refusal(code=Code.E_STATE, expected=1, actual=DeviceState.SAFE), False),
    ],
)
def test_a_refusal_names_a_device_that_somebody_else_stopped(answer: M.Refused, stopped: bool) -> None:
    assert by_held_device(refused_by(answer)) is stopped


def test_a_refused_close_and_a_failure_are_no_stop() -> None:
    close = M.SessionClose(
        session_no=1, reason=CloseReason.ABORTED, cycles=0, completed=0, aborted=0, ambiguous=0, punctures=0,
        cores_counted=0,
    )  # fmt: skip
    assert not by_held_device(refused_by(held(), close))
    assert not by_held_device(CommandFailedError(M.Arm(), failed()))
    assert not by_held_device(CommandAbortedError(M.Arm(), aborted()))
