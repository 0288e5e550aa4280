"""State that the parts of a session share: what the log is handed, what is noted, and what the link's messages do."""

import pytest

from devicectl.errors import HardwareError
from devicectl.session.entries import Note
from devicectl.session.machine import Event, State
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, CloseReason, DeviceState
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.integration.log.log_builders import a_cycle
from tests.unit.devicectl.scripted_device import INFO, Desk
from tests.unit.protocols.language.altered import altered
from tests.unit.protocols.link.exchange_pair import heartbeat

PACES = {
    "heartbeat_armed_ms": 200, "lease_armed_ms": 700, "heartbeat_idle_ms": 5_000, "lease_idle_ms": 15_000,
}  # fmt: skip
ALARM = M.Alarm(
    code=1203, interlock=12, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE, uptime_ms=0, sentence="a needle"
)


# --- the log's side


def test_entries_are_handed_over_once_and_in_order() -> None:
    context = Desk(connected=False).engine
    first, second = Note("action", 0, "a", "", None), Note("action", 0, "b", "", None)
    context.emit(first)
    context.emit(second)
    assert context.take_entries() == [first, second]
    assert context.take_entries() == [] and context.backlog == 2


def test_the_backlog_is_what_is_not_durable_yet() -> None:
    context = Desk(connected=False).engine
    for _ in range(3):
        context.emit(Note("action", 0, "a", "", None))
    context.logged(2, Micros(5))
    assert context.backlog == 1 and context.link.now == 5


def test_what_is_durable_resumes_who_waits_for_it() -> None:
    context = Desk(connected=False).engine
    for _ in range(2):
        context.emit(Note("action", 0, "a", "", None))
    task = context.link.start(context.durable(), Micros(0))
    context.emit(Note("action", 0, "later", "", None))
    context.logged(1, Micros(1))
    assert not task.done
    context.logged(1, Micros(2))
    assert task.done, "what was emitted later is not waited for"


def test_a_log_that_failed_makes_nothing_durable_any_more() -> None:
    context = Desk(connected=False).engine
    context.emit(Note("action", 0, "a", "", None))
    task = context.link.start(context.durable(), Micros(0))
    context.lose_log()
    context.logged(1, Micros(1))
    assert not task.done and context.backlog == 1


# --- notes


def test_a_note_has_the_times_of_both_ends() -> None:
    desk = Desk()
    desk.shown["uptime_ms"] = 40_000
    desk.run(desk.engine.connect())
    desk.pass_to(desk.now + 1_500 * MILLISECOND)
    desk.engine.note("action", "look", "closely")
    assert desk.notes == [Note("action", desk.now, "look", "closely", 41_500, None)]


def test_a_note_before_the_first_link_has_no_device_time() -> None:
    desk = Desk(connected=False)
    desk.engine.note("warning", "alone", "")
    assert desk.notes == [Note("warning", 0, "alone", "", None, None)]


def test_a_note_names_the_cycle_number_used_last_once_there_is_one_of_the_session() -> None:
    desk = Desk().numbed()
    desk.engine.note("action", "before", "")
    desk.run(desk.engine.next_cycle())
    desk.engine.note("action", "after", "")
    assert [note.cycle_no for note in desk.notes] == [None, 1]


def test_only_notes_of_a_session_go_to_the_log() -> None:
    desk = Desk()
    desk.engine.note("action", "before", "")
    desk.carry()
    assert desk.entries == [] and len(desk.notes) == 1
    desk.opened()
    desk.engine.note("action", "within", "")
    desk.carry()
    assert desk.entries[-1] == desk.notes[-1]


class Failing:
    """An observer that fails, and counts how often it was called."""

    def __init__(self) -> None:
        self.calls = 0

    def changed(self, before: State, after: State, now: Micros) -> None:
        self.noted(None)

    def noted(self, note: object) -> None:
        self.calls += 1
        raise KeyError("defect")


def test_an_observer_that_failed_is_not_called_again() -> None:
    """Making the device safe must not run into its error once more."""
    desk = Desk(connected=False)
    failing = Failing()
    context = type(desk.engine)(host_id=5, draw_nonce=lambda: 1, observer=failing)
    with pytest.raises(KeyError, match="defect"):
        context.note("action", "first", "")
    context.note("action", "second", "")
    context.machine.happened(Event.HELLO_SENT)
    assert failing.calls == 1


def test_an_observer_hears_each_change_with_its_time() -> None:
    heard: list[tuple[State, State, Micros]] = []

    class Listener:
        def changed(self, before: State, after: State, now: Micros) -> None:
            heard.append((before, after, now))

        def noted(self, note: Note) -> None:
            raise AssertionError(note)

    context = type(Desk().engine)(host_id=5, draw_nonce=lambda: 1, observer=Listener())
    context.link.now = Micros(9)
    context.machine.happened(Event.HELLO_SENT)
    assert heard == [(State.DISCONNECTED, State.CONNECTING, 9)]


def test_without_an_observer_nobody_is_called() -> None:
    context = type(Desk().engine)(host_id=5, draw_nonce=lambda: 1)
    context.machine.happened(Event.HELLO_SENT)
    context.note("action", "alone", "")


# --- the device


@pytest.mark.parametrize("welcome", [True, False])
@pytest.mark.parametrize("info", [True, False])
def test_a_device_is_simulated_where_welcome_and_identity_both_say_so(welcome: bool, info: bool) -> None:
    desk = Desk()
    desk.shown["simulated"] = welcome
    desk.will(M.DeviceInfo, altered(INFO, simulated=info))
    desk.run(desk.engine.connect())
    assert desk.engine.simulated is (welcome and info)
    if welcome and info:
        desk.engine.require_allowed()
    else:
        with pytest.raises(HardwareError, match="device SIM-0007 is no simulator"):
            desk.engine.require_allowed()
        desk.engine.allow_hardware = True
        desk.engine.require_allowed()


def test_a_device_that_was_not_asked_who_it_is_is_taken_for_hardware() -> None:
    desk = Desk()
    desk.run(desk.engine.link.make())
    with pytest.raises(HardwareError, match="device that nobody has named is no simulator"):
        desk.engine.require_allowed()


def test_the_diameter_is_the_devices_before_a_session_and_the_sessions_in_it() -> None:
    desk = Desk()
    desk.run(desk.engine.connect())
    assert desk.engine.core_diameter_um == 400
    desk.opened()
    desk.engine.info = altered(INFO, core_diameter_um=900)
    assert desk.engine.core_diameter_um == 400


# --- reading aside


def test_the_journal_is_read_aside_and_the_cycles_that_were_unread_are_none() -> None:
    desk = Desk().opened()
    desk.write(a_cycle(0, 1))
    desk.engine.unread_cycles = 5
    desk.engine.read_aside()
    desk.carry()
    assert desk.names() == ["JournalRead", "JournalAck"] and desk.engine.unread_cycles == 0


def test_the_journal_is_not_read_aside_without_a_reader_or_a_link_or_while_it_is_read() -> None:
    desk = Desk()
    desk.engine.read_aside()
    desk.opened()
    desk.engine.unread_cycles = 5
    for _ in range(2):
        desk.engine.read_aside()  # the second time a reading is under way
        desk.engine.unread_cycles = 5
    desk.carry()
    assert desk.names() == ["JournalRead"] and desk.engine.unread_cycles == 5
    desk.cut()
    desk.engine.read_aside()
    assert desk.engine.unread_cycles == 5


# --- what the link tells


def test_an_alarm_is_noted_and_the_journal_is_read() -> None:
    desk = Desk().opened()
    desk.tell(ALARM)
    assert desk.noted_as("MC-1203") == ["ACTIVE: a needle"] and desk.names() == ["JournalRead"]
    assert desk.notes[-1].kind == "alarm"


def test_the_short_lease_is_kept_while_the_device_is_armed_and_the_long_one_otherwise() -> None:
    desk = Desk()
    desk.shown |= PACES
    desk.numbed()
    assert desk.engine.link.exchange.pace.lease_us == 15 * SECOND
    desk.run(desk.engine.next_cycle())
    assert desk.engine.link.exchange.pace.lease_us == 700 * MILLISECOND
    desk.run(desk.engine.pause())
    assert desk.engine.link.exchange.pace.lease_us == 700 * MILLISECOND
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    assert desk.engine.link.exchange.pace.lease_us == 15 * SECOND


def test_an_event_that_nobody_asked_for_changes_nothing() -> None:
    desk = Desk().opened()
    desk.tell(M.Event(record=bytes(32)))
    assert desk.asked == [] and desk.notes == [] and desk.states == []


@pytest.mark.parametrize("state", [DeviceState.SAFE, DeviceState.FAULT, DeviceState.LOCKED, DeviceState.ARMED])
def test_a_device_that_says_that_it_holds_still_is_given_the_long_lease(state: DeviceState) -> None:
    desk = Desk()
    desk.shown |= PACES
    desk.numbed()
    desk.run(desk.engine.next_cycle())
    desk.tell(altered(heartbeat(), state=state))
    held = state is not DeviceState.ARMED
    assert (desk.engine.link.exchange.pace.lease_us == 15 * SECOND) is held


def test_a_loss_is_noted_with_its_reason_and_leads_to_recovering() -> None:
    desk = Desk().opened()
    desk.cut()
    assert desk.noted_as("link_lost") == ["the cable was pulled"]
    assert desk.engine.machine.now is State.RECOVERING


def test_a_loss_after_the_end_is_not_noted_and_changes_nothing() -> None:
    desk = Desk().opened()
    desk.run(desk.engine.close(CloseReason.COMPLETED, 0.0))
    desk.forget()
    desk.cut()
    assert desk.notes == [] and desk.engine.machine.now is State.COMPLETED


def test_a_loss_before_the_host_has_connected_is_not_noted() -> None:
    desk = Desk()
    desk.run(desk.engine.link.make())
    desk.cut()
    assert desk.notes == [] and desk.engine.machine.now is State.DISCONNECTED
