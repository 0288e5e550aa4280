"""A person at the controller: what each act asks of the device, what becomes of a refusal, and the way back."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from devicectl.errors import CommandAbortedError, CommandFailedError, CommandRefusedError, LinkLostError, SessionError
from devicectl.session.machine import Event, State
from devicectl.session.operators.anesthesia import ZoneState
from devicectl.session.operators.manual import ManualOperator
from devicectl.session.operators.obstacles import ACTS, obstacle
from devicectl.session.procedures import Procedure
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, CloseReason, Code, DeviceState
from protocols.language.message import Message
from protocols.language.records import Anesthesia, SessionClosed
from protocols.language.units import SECOND, Micros
from tests.integration.log.log_builders import a_cycle
from tests.unit.devicectl.scripted_device import (
    LOST,
    NUMB,
    Answer,
    Desk,
    a_plan,
    aborted,
    alarms,
    counted,
    failed,
    held,
    refusal,
)
from tests.unit.protocols.language.altered import altered

CYCLE: Final = ["Punch", "Suction", "Advance", "Count"]

DO: Final[dict[str, Callable[[ManualOperator], Procedure[Any]]]] = {
    "anesthesia_start": lambda manual: manual.anesthesia_start(0, 60),
    "anesthesia_confirm": lambda manual: manual.anesthesia_confirm(0),
    "arm": ManualOperator.arm,
    "disarm": ManualOperator.disarm,
    "cycle": ManualOperator.cycle,
    "reposition": lambda manual: manual.reposition(0, 1),
    "purge": ManualOperator.purge,
    "pause": ManualOperator.pause,
    "resume": ManualOperator.resume,
    "stop": ManualOperator.stop,
    "acknowledge": lambda manual: manual.acknowledge(1601),
    "reset": ManualOperator.reset,
    "relink": ManualOperator.relink,
    "close": lambda manual: manual.close(CloseReason.ABORTED),
}
COMMANDS: Final[dict[str, type[Message]]] = {
    "anesthesia_start": M.AnesthesiaStart,
    "anesthesia_confirm": M.AnesthesiaConfirm,
    "arm": M.Arm,
    "disarm": M.Disarm,
    "cycle": M.Punch,
    "reposition": M.Reposition,
    "purge": M.Purge,
    "pause": M.Pause,
    "resume": M.Resume,
    "stop": M.Stop,
    "acknowledge": M.AlarmAck,
    "reset": M.FaultReset,
    "close": M.SessionClose,
}
"""Act -> the command of it that the device may refuse."""


def do(desk: Desk, *acts: str) -> None:
    """Do these acts, one after another."""
    for act in acts:
        desk.run(DO[act](desk.engine.manual))


def now(desk: Desk) -> State:
    return desk.engine.machine.now


BEFORE: Final = {
    State.SESSION_OPEN: (),
    State.ANESTHESIA_WAIT: ("anesthesia_start",),
    State.ANESTHESIA_CONFIRMED: ("anesthesia_start", "anesthesia_confirm"),
    State.ARMED: ("anesthesia_start", "anesthesia_confirm", "arm", "reposition"),
    State.PAUSED: ("anesthesia_start", "anesthesia_confirm", "arm", "pause"),
    State.RECOVERING: ("stop",),
    State.ABORTED: ("close",),
}


def brought_to(state: State) -> Desk:
    """A session that a person has brought to this state; what was asked for it is forgotten."""
    desk = Desk().opened()
    do(desk, *BEFORE[state])
    assert now(desk) is state
    desk.forget()
    return desk


def lawful() -> list[tuple[State, str]]:
    return [(state, act) for state in BEFORE for act in ACTS if not obstacle(act, state)]


# --- acts


def test_a_session_by_hand_is_what_the_person_does_and_nothing_else() -> None:
    desk = Desk().opened(a_plan(depth_mm=2.5))
    manual = desk.engine.manual
    desk.run(manual.anesthesia_start(0, 60))
    desk.run(manual.anesthesia_confirm(0))
    desk.run(manual.arm())
    desk.run(manual.reposition(0, 1))
    result = desk.run(manual.cycle())
    for act in ("purge", "pause", "resume", "disarm"):
        do(desk, act)
    plan = desk.engine.plan
    assert desk.asked[:4] == [
        M.AnesthesiaStart(zone=0, age_s=60, method=plan.operator.anesthesia_method),
        M.AnesthesiaConfirm(zone=0, confirmed_by=plan.operator.confirmed_by),
        M.Arm(),
        M.Reposition(zone=0, cell=1),
    ]
    assert desk.names()[4:] == [*CYCLE, "Purge", "Pause", "Resume", "Disarm"]
    assert (result.zone, result.cell, result.cores_counted) == (0, 1, 2)
    assert now(desk) is State.ANESTHESIA_CONFIRMED
    finish = desk.run(manual.close(CloseReason.ABORTED, 7.5))
    assert (finish.state, finish.reconciled, finish.wall_seconds) == ("aborted", True, 7.5)


def test_a_cell_is_cycled_in_as_long_as_the_person_wants_and_the_next_one_is_that_of_the_plan() -> None:
    desk = brought_to(State.ARMED)
    manual = desk.engine.manual
    assert (manual.place, manual.cycles_left, manual.flagged) == ((0, 1), 16, 0)
    desk.will(M.Count, counted(cycles_left=0, flagged=2))
    do(desk, "cycle")
    assert (manual.cycles_left, manual.flagged) == (0, 2)
    do(desk, "cycle")
    desk.run(manual.reposition_next())
    assert desk.names() == [*CYCLE, *CYCLE, "Reposition"]
    assert (manual.place, manual.cycles_left) == ((1, 0), 16)


def test_there_is_no_next_cell_where_all_are_used_up() -> None:
    desk = brought_to(State.ARMED)
    desk.will(
        M.Reposition, *[lambda go: M.RepositionDone(zone=go.zone, cell=go.cell, cell_punctures=48, cycles_left=0)] * 3
    )
    do(desk, "reposition")
    for _ in range(2):
        desk.run(desk.engine.manual.reposition_next())
    with pytest.raises(SessionError, match="^all 3 cells of the plan are used at 0 of 6 cores$"):
        desk.run(desk.engine.manual.reposition_next())
    assert len(desk.asked) == 3 and now(desk) is State.ARMED and not desk.engine.manual.under_way


def test_zones_are_confirmed_one_by_one_and_the_last_one_lets_the_person_arm() -> None:
    desk = Desk().opened()
    manual = desk.engine.manual
    began = desk.now
    desk.will(M.AnesthesiaStart, M.AnesthesiaStartDone(wait_s=300), M.AnesthesiaStartDone(wait_s=240))
    desk.run(manual.anesthesia_start(1))
    desk.run(manual.anesthesia_start(0, 60))
    assert manual.zones == {
        1: ZoneState(began, Micros(began + 300 * SECOND), confirmed=False),
        0: ZoneState(Micros(began - 60 * SECOND), Micros(began + 240 * SECOND), confirmed=False),
    }
    desk.run(manual.anesthesia_confirm(1))
    assert now(desk) is State.ANESTHESIA_WAIT and manual.zones[1].confirmed
    desk.run(manual.anesthesia_confirm(0))
    assert now(desk) is State.ANESTHESIA_CONFIRMED
    assert [note.detail for note in desk.notes] == [
        "zone 1, lidocaine injection; to wait 300 s",
        "zone 0, lidocaine injection; to wait 240 s",
        "zone 1, by automatic operator",
        "zone 0, by automatic operator",
    ]


def test_a_zone_that_is_numbed_later_is_the_only_one_to_confirm_then() -> None:
    desk = brought_to(State.ANESTHESIA_CONFIRMED)
    desk.run(desk.engine.manual.anesthesia_start(1))
    assert now(desk) is State.ANESTHESIA_WAIT
    desk.run(desk.engine.manual.anesthesia_confirm(1))
    assert now(desk) is State.ANESTHESIA_CONFIRMED


# --- what is not passed on


@pytest.mark.parametrize("state", BEFORE)
@pytest.mark.parametrize("act", ACTS)
def test_an_act_in_a_state_where_it_cannot_be_sends_nothing_and_changes_nothing(act: str, state: State) -> None:
    desk = brought_to(state)
    if not (words := obstacle(act, state)):
        assert desk.engine.manual.why_not(act) == ""
        return
    entries = len(desk.entries)
    assert desk.engine.manual.why_not(act) == words
    with pytest.raises(SessionError) as caught:
        do(desk, act)
    assert str(caught.value) == words
    assert (desk.asked, desk.states, len(desk.entries)) == ([], [], entries)


@pytest.mark.parametrize("act", ACTS)
def test_before_a_session_no_act_is_passed_on(act: str) -> None:
    desk = Desk()
    with pytest.raises(SessionError, match="^no session is open$"):
        do(desk, act)


@pytest.mark.parametrize("act", [act for act in ACTS if act != "relink"])
def test_without_a_link_every_act_waits_for_it(act: str) -> None:
    desk = brought_to(State.ARMED)
    desk.cut()
    with pytest.raises(SessionError, match="^the link is lost: wait until it is back$"):
        do(desk, act)


def test_the_trigger_is_not_passed_on_where_the_hand_is_at_no_cell() -> None:
    desk = brought_to(State.PAUSED)
    do(desk, "resume")
    with pytest.raises(SessionError, match="^the hand is at no cell: reposition first$"):
        do(desk, "cycle")
    assert desk.names() == ["Resume"]


def test_an_act_waits_for_the_end_of_another_but_a_stop_does_not() -> None:
    desk = brought_to(State.ARMED)
    manual = desk.engine.manual
    for _ in range(100):
        desk.engine.note("action", "much", "to write")
    desk.writes = False
    cycle = desk.start(manual.cycle())
    assert manual.under_way == "cycle"
    with pytest.raises(SessionError, match="^wait: cycle is under way$"):
        do(desk, "disarm")
    do(desk, "acknowledge")
    stop = desk.start(manual.stop())
    assert desk.names() == ["AlarmAck", "Stop"]
    assert not stop.done, "the end of what is under way belongs to it"
    desk.will(M.Punch, held())
    desk.writes = True
    desk.carry()
    with pytest.raises(CommandRefusedError):
        desk.end_of(cycle)
    desk.end_of(stop)
    assert now(desk) is State.RECOVERING and manual.under_way == ""


# --- what the device does not do


@pytest.mark.parametrize(("state", "act"), [pair for pair in lawful() if pair[1] != "relink"])
def test_a_refusal_is_raised_and_noted_and_leaves_the_session_where_it_was(state: State, act: str) -> None:
    desk = brought_to(state)
    desk.will(COMMANDS[act], refusal(I.TRIGGER))
    with pytest.raises(CommandRefusedError):
        do(desk, act)
    after = State.ANESTHESIA_CONFIRMED if act == "close" and state in (State.ARMED, State.PAUSED) else state
    assert now(desk) is after, "a close has disarmed"
    assert desk.noted_as(COMMANDS[act].__name__.lower()) == [f"{COMMANDS[act].__name__}: not now (interlock 13)"]
    assert desk.engine.manual.under_way == ""
    assert desk.engine.manual.why_not(act) == ""


@pytest.mark.parametrize(("state", "act"), [pair for pair in lawful() if pair[1] not in ("relink", "reset", "close")])
def test_a_device_that_holds_is_for_the_person_to_reset(state: State, act: str) -> None:
    desk = brought_to(state)
    desk.will(COMMANDS[act], held())
    with pytest.raises(CommandRefusedError):
        do(desk, act)
    assert now(desk) is State.RECOVERING
    assert desk.names()[-1] == COMMANDS[act].__name__, "nothing is asked by itself"
    assert not any(zone.confirmed for zone in desk.engine.manual.zones.values())
    do(desk, "reset")
    assert now(desk) is State.SESSION_OPEN


@pytest.mark.parametrize("step", [M.Punch, M.Suction, M.Advance, M.Count])
def test_a_cycle_that_fails_has_used_up_its_number_and_leaves_the_handpiece_armed(step: type[Message]) -> None:
    desk = brought_to(State.ARMED)
    desk.will(step, failed(I.SUCTION))
    with pytest.raises(CommandFailedError):
        do(desk, "cycle")
    assert now(desk) is State.ARMED and desk.engine.manual.cycles_left == 15
    assert desk.notes[0].kind == "warning"
    do(desk, "cycle")
    assert [punch.cycle_no for punch in desk.asked_for(M.Punch)] == [1, 2]


@pytest.mark.parametrize("step", [M.Punch, M.Count])
def test_a_cycle_that_is_stopped_from_outside_leaves_a_device_that_holds(step: type[Message]) -> None:
    desk = brought_to(State.ARMED)
    desk.will(step, aborted())
    with pytest.raises(CommandAbortedError):
        do(desk, "cycle")
    assert now(desk) is State.RECOVERING
    assert [(note.kind, note.name) for note in desk.notes] == [("warning", "held")]


def test_an_alarm_that_cannot_be_acknowledged_ends_no_cycle() -> None:
    desk = brought_to(State.ARMED)
    desk.engine.machine.happened(Event.PUNCH_SENT)
    desk.will(M.AlarmAck, refusal(code=Code.E_ARGUMENT))
    with pytest.raises(CommandRefusedError):
        do(desk, "acknowledge")
    assert now(desk) is State.PUNCHING


def test_a_refusal_for_want_of_room_has_the_journal_read_for_the_next_try() -> None:
    desk = brought_to(State.ARMED)
    desk.will(M.Punch, refusal(code=Code.E_STORAGE))
    with pytest.raises(CommandRefusedError):
        do(desk, "cycle")
    assert desk.names() == ["Punch", "JournalRead"]


@pytest.mark.parametrize(("state", "act"), [pair for pair in lawful() if pair[1] != "relink"])
def test_what_the_device_does_although_this_host_did_not_expect_it_is_no_defect(state: State, act: str) -> None:
    desk = brought_to(state)
    if act == "arm" and state is not State.ANESTHESIA_CONFIRMED:
        with pytest.raises(SessionError, match="^the handpiece has armed, and is disarmed again"):
            do(desk, act)
        assert desk.names() == ["Arm", "Disarm"] and now(desk) is state
    else:
        do(desk, act)
    assert desk.engine.manual.under_way == ""


def test_a_confirmation_that_nobody_waited_for_is_told_again_before_the_person_arms() -> None:
    desk = brought_to(State.ANESTHESIA_WAIT)
    desk.engine.link.procedures.cancel(desk.engine.link.start(desk.engine.manual.anesthesia_confirm(0), desk.now))
    desk.carry()
    with pytest.raises(SessionError, match="no confirmed anesthesia is known here"):
        do(desk, "arm")
    do(desk, *BEFORE[State.ARMED])
    assert now(desk) is State.ARMED


# --- stopping, and the way back


def test_a_stop_is_asked_once_and_unconfirms_every_zone() -> None:
    desk = brought_to(State.ARMED)
    do(desk, "stop")
    assert desk.names() == ["Stop"] and [note.name for note in desk.notes] == ["stop"]
    assert now(desk) is State.RECOVERING
    assert not desk.engine.manual.zones[0].confirmed


def test_all_alarms_that_are_shown_are_acknowledged_at_once_and_one_by_its_code() -> None:
    desk = brought_to(State.ARMED)
    shown = alarms((401, AlarmState.ACTIVE), (1601, AlarmState.ACKNOWLEDGED), (602, AlarmState.LATCHED))
    desk.will(M.AlarmList, *shown)
    desk.run(desk.engine.manual.acknowledge())
    assert [acknowledged.code for acknowledged in desk.asked_for(M.AlarmAck)] == [401, 602]
    do(desk, "acknowledge")
    assert desk.asked[-1] == M.AlarmAck(code=1601)
    assert desk.noted_as("alarm_ack") == ["MC-0401", "MC-0602", "MC-1601"]


def test_a_reset_acknowledges_and_confirms_nothing_and_goes_on_from_the_journal() -> None:
    desk = brought_to(State.ARMED)
    do(desk, "cycle", "stop")
    desk.write(a_cycle(0, 2, cell=1))
    desk.forget()
    do(desk, "reset")
    assert set(desk.names()) == {"FaultReset", "JournalRead", "JournalAck"}
    assert now(desk) is State.SESSION_OPEN
    assert (desk.engine.last_cycle_no, desk.engine.manual.place) == (2, None)
    assert desk.noted_as("fault_reset") == ["to SESSION_OPEN"]
    do(desk, *BEFORE[State.ARMED], "cycle")
    assert desk.asked_for(M.Punch)[-1].cycle_no == 3


def test_a_device_that_somebody_else_has_reset_is_found_as_it_is() -> None:
    desk = brought_to(State.RECOVERING)
    desk.write(Anesthesia(event_no=0, uptime_ms=0, zone=1, confirmed=0, age_s=0))
    desk.will(M.FaultReset, refusal(code=Code.E_STATE, actual=DeviceState.ANESTHESIA_WAIT))
    do(desk, "reset")
    assert now(desk) is State.ANESTHESIA_WAIT
    assert list(desk.engine.manual.zones) == [1]


def lost(desk: Desk, **shown: Any) -> None:
    """The link goes and the transport comes back; the next WELCOME says what is shown."""
    desk.cut()
    desk.shown |= shown
    desk.mend()
    desk.forget()


def test_a_device_that_holds_after_a_lost_link_is_left_as_it_is() -> None:
    desk = brought_to(State.ARMED)
    lost(desk, state=DeviceState.SAFE)
    do(desk, "relink")
    assert desk.names() == ["JournalRead"] and desk.hellos == 1
    assert now(desk) is State.RECOVERING
    assert not desk.engine.manual.zones[0].confirmed


@pytest.mark.parametrize(
    ("state", "confirmed"), [(DeviceState.ANESTHESIA_WAIT, False), (DeviceState.ANESTHESIA_CONFIRMED, True)]
)
def test_a_confirmation_whose_answer_was_lost_is_known_after_the_link_is_back(
    state: DeviceState, confirmed: bool
) -> None:
    desk = brought_to(State.ANESTHESIA_WAIT)
    ready_at = desk.engine.manual.zones[0].ready_at
    desk.write(Anesthesia(event_no=0, uptime_ms=0, zone=0, confirmed=0, age_s=60))
    if confirmed:
        desk.write(Anesthesia(event_no=0, uptime_ms=0, zone=0, confirmed=1, age_s=60))
    desk.will(M.AnesthesiaConfirm, LOST)
    with pytest.raises(LinkLostError):
        do(desk, "anesthesia_confirm")
    lost(desk, state=state)
    do(desk, "relink")
    assert now(desk) is State[state.name]
    [zone] = desk.engine.manual.zones.values()
    assert (zone.confirmed, zone.ready_at) == (confirmed, ready_at)


def test_a_device_that_obeys_another_host_is_left_to_it() -> None:
    desk = brought_to(State.ARMED)
    lost(desk, state=DeviceState.ARMED)
    do(desk, "relink")
    assert now(desk) is State.RECOVERING


def test_a_link_that_is_lost_again_is_made_again() -> None:
    desk = brought_to(State.ARMED)
    lost(desk, state=DeviceState.SAFE)
    desk.will(M.JournalRead, LOST)
    with pytest.raises(LinkLostError):
        do(desk, "relink")
    do(desk, "relink", "reset")
    assert now(desk) is State.SESSION_OPEN


# --- the device says of itself


def said(state: DeviceState) -> list[Message]:
    telemetry = M.TelemetryState(
        uptime_ms=0, state=state, depth_um=0, vacuum_pa=0, temperature_mk=0, canister_ul=0, cartridge_cycles=0, cell=0,
        flagged=0,
    )  # fmt: skip
    beat = M.Heartbeat(
        state=state, highest_alarm=AlarmPriority.NONE, trigger_held=False, running_correlation_id=0, cycle_no=0,
        cycles=0, punctures=0, cores_counted=0, journal_head=0, params_hash=0, uptime_ms=0,
    )  # fmt: skip
    return [telemetry, beat]


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("state", [State.SESSION_OPEN, State.ANESTHESIA_CONFIRMED, State.ARMED, State.PAUSED])
def test_a_device_that_says_it_holds_is_recovered_from(state: State, kind: int) -> None:
    desk = brought_to(state)
    desk.engine.on_told = desk.engine.manual.heard
    desk.tell(said(DeviceState.ARMED)[kind])
    assert desk.states == []
    for _ in range(2):
        desk.tell(said(DeviceState.LOCKED)[kind])
    assert desk.states == [State.RECOVERING]
    assert desk.noted_as("held") == ["the handpiece is in LOCKED"]


def test_what_a_device_says_before_and_after_a_session_changes_nothing() -> None:
    desk = Desk()
    desk.engine.on_told = desk.engine.manual.heard
    desk.run(desk.engine.connect())
    desk.tell(said(DeviceState.SAFE)[0])
    assert now(desk) is State.IDLE
    closed = brought_to(State.ABORTED)
    closed.engine.on_told = closed.engine.manual.heard
    closed.tell(said(DeviceState.SAFE)[0])
    assert closed.states == []


def test_what_the_device_says_while_an_act_is_under_way_is_left_to_its_answer() -> None:
    desk = brought_to(State.ARMED)
    desk.engine.on_told = desk.engine.manual.heard

    def answer(suction: M.Suction) -> Message:
        desk.end.tell(said(DeviceState.SAFE)[0], desk.now)
        return M.SuctionDone(cycle_no=suction.cycle_no, vacuum_pa=-60_000)  # asked again, it is answered from memory

    desk.will(M.Suction, answer)
    desk.will(M.Advance, held())
    with pytest.raises(CommandRefusedError):
        do(desk, "cycle")
    assert desk.states[-2:] == [State.ADVANCING, State.RECOVERING]


# --- the end


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (State.SESSION_OPEN, State.SESSION_OPEN),
        (State.ANESTHESIA_WAIT, State.ANESTHESIA_WAIT),
        (State.PAUSED, State.ANESTHESIA_CONFIRMED),
        (State.RECOVERING, State.RECOVERING),
    ],
)
def test_a_close_that_is_refused_leaves_the_session_open_and_is_done_again(state: State, after: State) -> None:
    desk = brought_to(state)
    desk.will(M.SessionClose, refusal(I.COUNT_MISMATCH, expected=3, actual=0))
    with pytest.raises(CommandRefusedError):
        do(desk, "close")
    assert now(desk) is after
    do(desk, "close")
    assert desk.engine.finish is not None and desk.engine.finish.state == "aborted"


def test_a_close_whose_journal_cannot_be_read_leaves_the_session_where_it_was() -> None:
    desk = brought_to(State.ANESTHESIA_CONFIRMED)
    desk.will(M.JournalRead, refusal(code=Code.E_AUTH))
    with pytest.raises(CommandRefusedError):
        do(desk, "close")
    assert now(desk) is State.ANESTHESIA_CONFIRMED and desk.names() == ["JournalRead"]


def the_end(**changes: Any) -> SessionClosed:
    record = SessionClosed(
        event_no=1, uptime_ms=0, reason=CloseReason.ABORTED, session_no=1, cycles=0, punctures=0, cores_counted=0
    )
    return altered(record, **changes)


@pytest.mark.parametrize(
    "shown", [{"state": DeviceState.IDLE, "session_no": 0}, {"state": DeviceState.SESSION_OPEN, "session_no": 2}]
)
def test_a_close_whose_answer_was_lost_is_known_after_the_link_is_back(shown: dict[str, Any]) -> None:
    """Also where another host was quick to open the next session."""
    desk = brought_to(State.SESSION_OPEN)

    def close_and_lose(_: Message) -> Answer:
        desk.write(the_end())
        return LOST

    desk.will(M.SessionClose, close_and_lose)  # type: ignore[arg-type]
    with pytest.raises(LinkLostError):
        do(desk, "close")
    lost(desk, **shown)
    do(desk, "relink")
    assert now(desk) is State.RECOVERING
    do(desk, "close")
    assert desk.asked_for(M.SessionClose) == [] and now(desk) is State.ABORTED


def test_a_session_that_another_host_has_closed_is_closed_as_that_one_did() -> None:
    desk = brought_to(State.SESSION_OPEN)
    desk.write(the_end())
    with pytest.raises(SessionError, match="^session 1 was closed by another host, as ABORTED$"):
        desk.run(desk.engine.manual.close(CloseReason.COMPLETED))
    do(desk, "close")
    assert now(desk) is State.ABORTED


# --- from one operator to the other


def test_the_automatic_operator_goes_on_where_the_person_was() -> None:
    desk = Desk().opened()
    manual = desk.engine.manual
    for zone in (0, 1):
        desk.run(manual.anesthesia_start(zone))
    for zone in (0, 1):
        desk.run(manual.anesthesia_confirm(zone))
    do(desk, "arm", "reposition", "cycle", "pause")
    desk.forget()
    desk.run(desk.engine.confirm_anesthesia("cream", "trainer"))
    assert desk.asked == []
    result = desk.cycle()
    assert desk.names() == ["Resume", *CYCLE]
    assert (result.cycle_no, result.zone, result.cell) == (2, 0, 1)


@pytest.mark.parametrize("state", [State.ARMED, State.PAUSED])
def test_the_automatic_operator_numbs_what_the_person_has_left_out(state: State) -> None:
    desk = brought_to(state)
    desk.run(desk.engine.confirm_anesthesia("cream", "trainer"))
    assert desk.names() == ["Disarm", *NUMB]
    assert [start.age_s for start in desk.asked_for(M.AnesthesiaStart)] == [60, 0]
    assert now(desk) is State.ANESTHESIA_CONFIRMED


def test_the_automatic_operator_mends_what_the_person_has_stopped() -> None:
    desk = brought_to(State.ARMED)
    do(desk, "stop")
    desk.forget()
    desk.run(desk.engine.confirm_anesthesia("cream", "trainer"))
    assert desk.cycle().cycle_no == 1
    assert desk.names() == ["Stop", "JournalRead", "AlarmList", "FaultReset", *NUMB, "Arm", "Reposition", *CYCLE]


def test_a_person_goes_on_where_the_automatic_operator_was() -> None:
    desk = Desk().numbed()
    desk.cycle()
    desk.forget()
    do(desk, "cycle", "pause", "resume", "stop", "reset")
    assert desk.names()[:6] == [*CYCLE, "Pause", "Resume"]
    assert now(desk) is State.SESSION_OPEN
    assert all(not zone.confirmed for zone in desk.engine.manual.zones.values())
