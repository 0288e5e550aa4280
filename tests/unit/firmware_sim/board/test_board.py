"""The board: what each of its verbs changes, keeps and tells."""

from collections.abc import Callable

import pytest

from firmware_sim.board.board import NO_CELL, REFUSALS_KEEP_FREE, Board
from firmware_sim.board.motion import Motion
from firmware_sim.board.states import Event
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmPriority, AlarmState, DeviceState, Ending, NeedleOutcome, Phase
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.unit.firmware_sim.boards import Bench, Ear, armed, opened
from tests.unit.firmware_sim.memories import Store, memory

NOW = Micros(20_500)


def next_motion(board: Board) -> Motion | None:
    return board.motion


def watch_of(board: Board) -> tuple[Micros | None, Micros | None]:
    """Return when the vacuum is looked at next, and since when it is good again."""
    return board.suction_due, board.suction_good_since


def fill(bench: Bench, free: int) -> None:
    """Leave so many slots of the journal free."""
    nvm = bench.nvm
    while nvm.free > free:
        nvm.append(R.Boot(event_no=nvm.head, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))


# --- state and time -------------------------------------------------------------------------------------------------


def test_the_serial_number_follows_from_the_low_32_bits_of_the_seed() -> None:
    bench = Bench()
    assert bench.board.serial == "SIM-00000007"
    other = Board(
        2**40 + 0xABC, bench.nvm, bench.plant, bench.parameters, announce=lambda message, now: None, booted_at=NOW
    )
    assert other.serial == "SIM-00000ABC"


def test_a_board_is_armed_in_the_states_with_vacuum_and_in_no_other() -> None:
    bench = armed()
    assert bench.board.armed
    bench.board.enter(Event.PAUSED)
    assert bench.board.armed
    bench.board.enter(Event.MADE_SAFE)
    assert not bench.board.armed


def test_uptime_is_whole_milliseconds_since_the_boot_and_begins_at_0_again() -> None:
    board = Bench().board
    assert (board.uptime_ms(Micros(0)), board.uptime_ms(Micros(1_999))) == (0, 1)
    assert board.uptime_ms(Micros((2**32 - 1) * MILLISECOND)) == 2**32 - 1
    assert board.uptime_ms(Micros(2**32 * MILLISECOND)) == 0


def test_the_hand_is_nowhere_after_a_boot_and_was_last_at_the_cell_of_the_last_cycle() -> None:
    board = Bench().board
    assert (board.cell, board.last_place) == (NO_CELL, (0, 0))
    nvm = memory(session=True)
    nvm.aim = (1, 3, 3_000)
    board = Bench(nvm=nvm).board
    assert (board.cell, board.last_place) == (NO_CELL, (1, 3))


# --- alarms -------------------------------------------------------------------------------------------------


def test_a_raised_alarm_is_in_the_journal_and_told_to_every_link() -> None:
    bench = Bench()
    head = bench.nvm.head
    bench.board.raise_alarm(A.HOT, NOW)
    assert bench.records(head) == [
        R.AlarmChanged(
            event_no=head,
            uptime_ms=20,
            code=A.HOT,
            interlock=17,
            priority=AlarmPriority.LOW,
            state=AlarmState.ACTIVE,
        )
    ]
    (told,) = bench.announced
    assert isinstance(told, M.Alarm)
    assert (told.code, told.interlock, told.priority, told.state) == (A.HOT, 17, AlarmPriority.LOW, AlarmState.ACTIVE)
    assert (told.uptime_ms, told.sentence) == (20, "The handle is warm: look at its vent.")


def test_an_alarm_that_is_raised_already_is_neither_journaled_nor_told_again() -> None:
    bench = Bench()
    bench.board.raise_alarm(A.HOT, NOW)
    head = bench.nvm.head
    bench.board.raise_alarm(A.HOT, NOW)
    assert (bench.nvm.head, len(bench.announced)) == (head, 1)


def test_the_end_of_a_cause_is_journaled_and_told_and_only_once() -> None:
    bench = Bench()
    bench.board.raise_alarm(A.HOT, NOW)
    bench.board.raise_alarm(A.TOO_HOT, NOW)
    head = bench.nvm.head
    bench.board.clear_alarm(A.HOT, NOW)
    bench.board.clear_alarm(A.HOT, NOW)
    (record,) = bench.records(head)
    assert isinstance(record, R.AlarmChanged) and record.state is AlarmState.INACTIVE
    assert len(bench.announced) == 3


def test_the_end_of_a_cause_that_was_not_there_is_no_news() -> None:
    bench = Bench()
    head = bench.nvm.head
    bench.board.clear_alarm(A.HOT, NOW)
    assert (bench.nvm.head, bench.announced) == (head, [])


def test_only_a_latched_alarm_is_in_the_memory_over_a_boot() -> None:
    bench = Bench()
    bench.board.raise_alarm(A.HOT, NOW)
    assert bench.nvm.latched == set()
    bench.board.raise_alarm(A.LINK_LOST, NOW)
    bench.board.clear_alarm(A.LINK_LOST, NOW)
    assert bench.nvm.latched == {A.LINK_LOST}


def test_an_alarm_is_set_as_its_cause_is_there_or_not() -> None:
    board = Bench().board
    board.set_alarm(A.HOT, True, NOW)
    assert board.alarms.present(A.HOT)
    board.set_alarm(A.HOT, False, NOW)
    assert not board.alarms.present(A.HOT)


# --- motions ------------------------------------------------------------------------------------------------


def test_a_motion_begins_with_its_state_and_with_the_time_that_it_should_take() -> None:
    board, ear = armed().board, Ear()
    board.begin(ear, Event.PURGE_BEGUN, Micros(9 * SECOND), 2 * SECOND + 999, lambda now: None, Micros(SECOND))
    assert board.state is DeviceState.PURGING
    assert ear.heard == [M.Received(expected_ms=2_000)]
    motion = board.motion
    assert motion is not None
    assert (motion.asker, motion.began, motion.due, motion.expected_us) == (ear, SECOND, 9 * SECOND, 2 * SECOND + 999)


def test_a_motion_goes_on_by_another_step_and_ends_with_one_answer() -> None:
    board, ear, taken = armed().board, Ear(), list[Micros]()
    board.begin(ear, Event.PURGE_BEGUN, Micros(5), 5, lambda now: None, Micros(0))
    board.go_on(Micros(77), taken.append)
    assert board.motion is not None and (board.motion.due, board.motion.then) == (77, taken.append)
    board.end(Event.MOTION_ENDED, M.PauseDone(), NOW)
    assert ear.heard[1:] == [M.PauseDone()]
    assert (board.state, next_motion(board)) == (DeviceState.ARMED, None)


def test_a_motion_may_end_and_leave_the_state_as_it_is() -> None:
    board, ear = armed().board, Ear()
    board.begin(ear, Event.PUNCH_BEGUN, Micros(5), 5, lambda now: None, Micros(0))
    board.end(None, M.PauseDone(), NOW)
    assert board.state is DeviceState.PUNCHING, "the cycle is open, and waits for its next phase"


# --- the open cycle and the vacuum --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("punctured", "outcome", "punctures"), [(True, NeedleOutcome.UNCOUNTED, 3), (False, NeedleOutcome.NOT_PUNCTURED, 0)]
)
def test_a_retraction_ends_the_open_cycle_aborted_with_what_it_did_to_the_skin(
    punctured: bool, outcome: NeedleOutcome, punctures: int
) -> None:
    bench = armed()
    bench.ask(bench.punch())
    bench.board.cycle.punctured = punctured
    bench.board.retract(bench.now)
    last, session = bench.nvm.last_outcome, bench.nvm.session
    assert last is not None and session is not None
    assert (last.ending, last.phase, last.cell) == (Ending.ABORTED, Phase.PUNCH, 0)
    assert last.outcomes == sum(outcome << 4 * needle for needle in range(3))
    assert session.punctures == punctures
    assert bench.nvm.register is None
    assert bench.plant.truth.cycles_completed == 0


def test_a_retraction_without_an_open_cycle_writes_no_record() -> None:
    bench = armed()
    head = bench.nvm.head
    bench.board.retract(bench.now)
    assert bench.nvm.head == head


def test_a_retraction_knows_when_the_needles_should_be_home() -> None:
    bench = armed()
    bench.ask(bench.punch())
    bench.wait(30 * MILLISECOND)
    bench.board.retract(bench.now)
    assert bench.board.home_due == bench.now + 40 * MILLISECOND


def test_a_completed_cycle_is_one_for_the_truth_too() -> None:
    bench = armed()
    bench.cycle()
    assert bench.plant.truth.cycles_completed == 1
    last = bench.nvm.last_outcome
    assert last is not None and last.ending is Ending.COMPLETED
    assert bench.nvm.canister_ul == bench.plant.canister.volume_ul > 0


def test_a_vented_line_is_watched_no_more() -> None:
    bench = armed()
    board = bench.board
    board.raise_alarm(A.SUCTION_LOST, bench.now)
    board.suction_due = board.suction_good_since = bench.now
    board.forget_suction(bench.now)
    assert watch_of(board) == (None, None)
    assert not board.alarms.present(A.SUCTION_LOST)


# --- notes --------------------------------------------------------------------------------------------------


def note(bench: Bench) -> None:
    bench.board.note(R.Action, NOW, message_id=0x0304, zone=1, cell=2)


def test_a_note_is_a_record_of_this_moment() -> None:
    bench = Bench()
    head = bench.nvm.head
    note(bench)
    assert bench.records(head) == [R.Action(event_no=head, uptime_ms=20, message_id=0x0304, zone=1, cell=2)]


def test_a_note_leaves_room_for_the_records_of_cycles() -> None:
    bench = Bench()
    fill(bench, REFUSALS_KEEP_FREE + 1)
    note(bench)
    assert bench.nvm.free == REFUSALS_KEEP_FREE == 128
    note(bench)
    assert bench.nvm.free == 128


def full(store: Store) -> None:
    store.full = True


def broken(store: Store) -> None:
    store.broken = True


@pytest.mark.parametrize("spoil", [full, broken])
def test_a_note_that_the_store_cannot_keep_is_left_out(spoil: Callable[[Store], None]) -> None:
    store = Store()
    bench = opened(store=store)
    head = bench.nvm.head
    spoil(store)
    note(bench)
    assert bench.nvm.head == head
    assert store.reserved[-1] == 16 * 1024, "a note is left out where new work would be"
