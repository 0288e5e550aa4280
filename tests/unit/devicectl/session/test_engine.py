"""The engine: what a session is told to the log at its opening, and how one that a log knows is taken up again."""

from datetime import datetime
from typing import Any

import pytest

from devicectl.errors import HardwareError, LinkError, SessionError
from devicectl.session.engine import Engine
from devicectl.session.entries import SessionStart, StoredSession
from devicectl.session.machine import State, TransitionError
from protocols.language import messages as M
from protocols.language.enums import CloseReason, DeviceState
from protocols.language.records import Record, SessionClosed, encode_record
from protocols.language.units import SECOND
from protocols.serial.wire import SerialWire
from tests.integration.log.log_builders import a_cycle, a_start
from tests.unit.devicectl.scripted_device import EPOCH, IDENTITY, INFO, LOST, Desk, a_plan
from tests.unit.protocols.language.altered import altered


def stored(**changes: Any) -> StoredSession:
    """Session 1 of the desk's plan, as a log has it."""
    start = a_start(**({"epoch": EPOCH, "plan": a_plan()} | changes))
    return StoredSession(3, start, datetime(2024, 3, 1), datetime(2024, 3, 1))


def holding(*written: Record, **shown: Any) -> Desk:
    """A connected host; the device holds session 1, and has these records of it."""
    desk = Desk()
    desk.write(*written)
    desk.shown |= {"session_no": 1} | shown
    desk.run(desk.engine.connect())
    desk.forget()
    return desk


def records(count: int) -> list[bytes]:
    return [encode_record(a_cycle(number, cell=0)) for number in range(1, count + 1)]


# --- connect


def test_connecting_returns_who_is_there_and_a_second_time_asks_nothing() -> None:
    desk = Desk()
    assert desk.run(desk.engine.connect()) == INFO
    assert desk.run(desk.engine.connect()) == INFO
    assert desk.names() == ["DeviceInfo"] and desk.hellos == 1


def test_without_a_transport_it_is_an_error_after_ten_seconds() -> None:
    desk = Desk(connected=False)
    began = desk.now
    with pytest.raises(LinkError, match="no connection within 10 s"):
        desk.run(desk.engine.connect())
    assert desk.now == began + 10 * SECOND


def test_a_wire_that_was_given_is_the_one_that_is_used() -> None:
    """One of 1200 baud waits longer for an answer than one without a speed."""
    deadlines = []
    for wire in (None, SerialWire(), SerialWire(1_200)):
        engine = Engine(host_id=5, draw_nonce=lambda: 1, wire=wire)
        desk = Desk()
        engine.link.connected(desk.now)
        engine.link.start(engine.connect(), desk.now)
        deadlines.append(engine.link.next_deadline())
    without, given, slow = deadlines
    assert given is not None and slow is not None and without == given < slow


# --- the opening, as the log hears it


def test_the_log_is_told_the_plan_the_device_and_the_shells_facts() -> None:
    desk = Desk()
    plan = a_plan()
    desk.run(desk.engine.open_session(plan, IDENTITY))
    assert desk.entries[0] == SessionStart(
        simulated=True,
        seed=7,
        session_no=1,
        device="SIM-0007",
        course="course 3",
        session_date=IDENTITY.session_date,
        device_model="handpiece",
        device_url="sim://",
        epoch=EPOCH,
        needles=3,
        core_diameter_um=400,
        first_event_no=1,
        first_cycle_no=1,
        plan=plan,
        versions={"product": "0", "model": "4"},
    )
    assert desk.noted_as("session_open") == ["6 cores at 6 %"]


@pytest.mark.parametrize(
    ("welcome", "info"), [(False, True), (True, False), (False, False)], ids=["welcome", "info", "both"]
)
def test_what_one_of_the_two_calls_hardware_is_logged_as_such_and_without_a_seed(welcome: bool, info: bool) -> None:
    desk = Desk(allow_hardware=True)
    desk.shown["simulated"] = welcome
    desk.will(M.DeviceInfo, altered(INFO, simulated=info))
    desk.opened()
    start = desk.entries[0]
    assert isinstance(start, SessionStart) and (start.simulated, start.seed) == (False, None)


def test_nothing_is_done_in_a_session_that_the_log_does_not_have_yet() -> None:
    desk = Desk()
    desk.writes = False
    task = desk.start(desk.engine.open_session(a_plan(), IDENTITY))
    assert not task.done and desk.engine.machine.now is State.SESSION_OPEN
    desk.writes = True
    desk.carry()
    assert task.done


def test_the_cycles_count_on_from_the_number_that_the_device_named() -> None:
    desk = Desk()
    opened = M.SessionOpenDone(
        session_no=4, first_cycle_no=101, needles=3, cells=3, cycles_per_cell=16, punctures_per_cell=48
    )
    desk.will(M.SessionOpen, opened)
    desk.numbed()
    assert desk.engine.last_cycle_no == 100
    cycle = desk.run(desk.engine.next_cycle())
    assert cycle is not None and cycle.cycle_no == 101


# --- a session that a log knows


def test_a_session_is_taken_up_with_the_logs_records_and_the_devices_later_ones() -> None:
    desk = holding(a_cycle(0, 1), a_cycle(0, 2), a_cycle(0, 3))
    desk.run(desk.engine.adopt(stored(), records(2), None))
    _, reader = desk.engine.session()
    assert reader.fold.counts.cycles == 3 and reader.fold.problems == []
    assert (desk.engine.last_cycle_no, desk.engine.counted) == (3, 6)
    assert [message.first for message in desk.asked if isinstance(message, M.JournalRead)] == [3]
    assert desk.engine.machine.now is State.SESSION_OPEN and desk.engine.plan == a_plan()


def test_what_was_known_at_the_opening_stays_as_it_was() -> None:
    """Needles and diameter are the session's, whatever the device is fitted with now."""
    desk = holding()
    desk.run(desk.engine.adopt(stored(needles=5, core_diameter_um=800), [], None))
    assert desk.engine.session()[0].needles == 5 and desk.engine.core_diameter_um == 800


def test_where_the_device_and_the_log_say_is_noted() -> None:
    desk = holding(cycle_no=12, cores_counted=5)
    task = desk.start(desk.engine.adopt(stored(), [], None, restore=False))
    assert desk.noted_as("session_resume") == ["session 1 from cycle 12"] and desk.engine.counted == 5
    desk.end_of(task)
    assert desk.asked == [] and desk.engine.machine.now is State.RECOVERING


def test_the_last_settings_of_the_operator_are_kept() -> None:
    plan = a_plan(operator={"anesthesia_method": "cream", "confirmed_by": "Ada"})
    desk = holding()
    desk.run(desk.engine.adopt(stored(plan=plan), [], None))
    desk.run(desk.engine.confirm_anesthesia("cream", "Ada"))
    confirmed = [message for message in desk.asked if isinstance(message, M.AnesthesiaConfirm)]
    assert {message.confirmed_by for message in confirmed} == {"Ada"}


def test_control_is_waited_for() -> None:
    desk = holding(controller_host_id=7, lease_idle_ms=2_000)
    task = desk.start(desk.engine.adopt(stored(), [], None))
    assert desk.noted_as("control_wait") and not task.done
    desk.shown["controller_host_id"] = 0
    desk.end_of(task)
    assert desk.hellos == 1


@pytest.mark.parametrize(("restore", "session_no"), [(True, 0), (True, 2), (False, 2)])
def test_a_device_that_holds_another_session_or_none_is_an_error(restore: bool, session_no: int) -> None:
    desk = holding(session_no=session_no)
    with pytest.raises(SessionError, match="no longer holds session 1"):
        desk.run(desk.engine.adopt(stored(), [], None, restore=restore))


def test_a_session_that_the_device_has_closed_is_adopted_where_it_is_not_to_be_continued() -> None:
    desk = holding(session_no=0)
    desk.run(desk.engine.adopt(stored(), [], None, restore=False))
    assert desk.engine.machine.now is State.RECOVERING


def test_another_memory_is_an_error() -> None:
    desk = holding()
    with pytest.raises(SessionError, match="memory was erased"):
        desk.run(desk.engine.adopt(stored(epoch=8), [], None))


def test_hardware_is_not_taken_up_unless_that_was_allowed() -> None:
    desk = holding(simulated=False)
    with pytest.raises(HardwareError):
        desk.run(desk.engine.adopt(stored(), [], None))
    assert desk.asked == [] and desk.engine.opened is None


@pytest.mark.parametrize("holds", [True, False])
def test_a_close_in_the_log_of_a_session_that_the_device_holds_is_a_problem(holds: bool) -> None:
    end = {"session_no": 1, "cycles": 0, "punctures": 0, "cores_counted": 0}
    closed = SessionClosed(event_no=1, uptime_ms=0, reason=CloseReason.COMPLETED, **end)
    desk = holding(session_no=1 if holds else 0)
    desk.run(desk.engine.adopt(stored(), [encode_record(closed)], None, restore=False))
    _, reader = desk.engine.session()
    assert (reader.closed is None) is holds
    assert any("the device holds the session open" in problem for problem in reader.fold.problems) is holds


def test_a_journal_that_ends_before_the_logs_records_is_a_problem() -> None:
    desk = holding()
    desk.run(desk.engine.adopt(stored(), records(2), None, restore=False))
    _, reader = desk.engine.session()
    assert "it has forgotten what it showed" in reader.fold.problems[0]


def test_a_link_that_was_lost_since_it_connected_is_made_again_first() -> None:
    desk = holding()
    desk.cut()
    desk.mend()
    desk.run(desk.engine.adopt(stored(), [], None))
    assert desk.hellos == 1 and desk.engine.machine.now is State.SESSION_OPEN


def test_a_loss_while_it_is_taken_up_is_recovered_from() -> None:
    desk = holding()
    desk.will(M.JournalRead, LOST)
    desk.run(desk.engine.adopt(stored(), [], None))
    assert desk.engine.machine.now is State.SESSION_OPEN


def test_a_held_device_is_taken_out_of_its_hold() -> None:
    desk = holding(state=DeviceState.SAFE)
    desk.cut()
    desk.mend()
    desk.run(desk.engine.adopt(stored(), [], None))
    assert "FaultReset" in desk.names()


# --- giving up


def test_a_session_that_is_given_up_has_failed() -> None:
    desk = Desk().opened()
    desk.engine.give_up()
    assert desk.engine.machine.now is State.FAULTED
    desk.engine.give_up()  # said twice, and no error
    assert desk.states == [State.FAULTED]


def test_a_session_that_has_ended_stays_as_it_ended() -> None:
    desk = Desk().opened()
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    desk.engine.give_up()
    assert desk.engine.machine.now is State.COMPLETED


def test_a_second_session_cannot_be_opened() -> None:
    desk = Desk().opened()
    with pytest.raises(TransitionError):
        desk.run(desk.engine.open_session(a_plan(), IDENTITY))
