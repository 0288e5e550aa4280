"""The commands of a cycle, one fact at a time: a number is used once, and a phase begins in its turn.

The judge is section 5 of docs/protocol.md, and "What is modelled" and the interlocks of docs/model.md.
"""

import pytest

from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import Code, DeviceState, Ending, Phase
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from tests.unit.firmware_sim.boards import PLAN, Bench, armed, numbed, opened
from tests.unit.firmware_sim.memories import Store

S = DeviceState
EXACT = {"depth_tolerance_um": 0}
"""With it the encoder reads the depth as it is."""


def late(bench: Bench, command: Message) -> M.Refused | Message:
    """The one answer to a command of a cycle that has ended, and that it is marked REPLAYED unless it is a refusal."""
    (answer,) = bench.ask(command)
    assert bench.ear.replayed[-1] is not isinstance(answer, M.Refused)
    return answer


def aborted_in_suction(bench: Bench) -> int:
    """Stop the device in the SUCTION of its next cycle; the number of that one."""
    bench.through(S.PUNCHING)
    cycle_no = bench.nvm.last_cycle_no
    bench.ask(M.Suction(cycle_no=cycle_no))
    bench.ask(M.Stop())
    return cycle_no


# --- PUNCH: which number ------------------------------------------------------------------------------------


def test_the_number_after_the_last_one_is_carried_out() -> None:
    bench = armed()
    assert bench.ask(bench.punch()) == [M.Received(expected_ms=80)]
    assert (bench.board.state, bench.nvm.register) == (S.PUNCHING, (1, Phase.PUNCH))
    assert bench.nvm.aim == (0, 0, 3_000)


def test_a_number_further_on_leaves_a_gap() -> None:
    bench = armed()
    no = bench.refused(bench.punch(cycle_no=3))
    assert (no.code, no.expected, no.actual) == (Code.E_CYCLE_GAP, 1, 3)
    assert no.sentence == "cycle 3 leaves a gap: the next cycle is 1"
    assert (bench.nvm.last_cycle_no, bench.board.state) == (0, S.ARMED)


def test_an_older_number_has_expired() -> None:
    bench = armed()
    bench.cycle()
    bench.cycle()
    no = bench.refused(bench.punch(cycle_no=1))
    assert (no.code, no.expected, no.actual) == (Code.E_EXPIRED, 3, 1)
    assert no.sentence == "cycle 1 was used before, the last is 2: see the journal"


def test_number_0_has_expired_before_the_first_cycle() -> None:
    assert armed().refused(M.Punch(cycle_no=0, depth_um=3_000, deadline_ms=9_999)).code is Code.E_EXPIRED


def test_the_last_number_is_answered_with_its_outcome_and_nothing_moves() -> None:
    bench = armed(**EXACT)
    bench.cycle()
    steps = bench.nvm.head
    assert late(bench, bench.punch(cycle_no=1)) == M.PunchDone(cycle_no=1, depth_um=3_000, punctured=0b111, vacuum_pa=0)
    assert (bench.nvm.head, bench.board.motion, bench.plant.truth.cycles_commanded) == (steps, None, 1)


def test_an_older_number_has_expired_while_a_cycle_is_open_too() -> None:
    bench = armed()
    bench.cycle()
    bench.through(S.PUNCHING)
    no = bench.refused(bench.punch(cycle_no=1))
    assert (no.code, no.expected) == (Code.E_EXPIRED, 3)


def test_a_second_punch_of_the_open_cycle_is_answered_with_the_first_ones_end() -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    done = bench.ear.heard[-1]
    assert late(bench, bench.punch(cycle_no=1)) == done


def test_a_second_punch_before_the_end_of_the_first_is_refused() -> None:
    bench = armed()
    bench.ask(bench.punch())
    no = bench.refused(bench.punch(cycle_no=1))
    assert (no.code, no.actual) == (Code.E_STATE, S.PUNCHING)
    assert no.sentence == "the PUNCH of cycle 1 is under way: its answer goes to who asked first"


def test_the_next_number_waits_for_the_end_of_the_open_cycle() -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    no = bench.refused(bench.punch(cycle_no=2))
    assert (no.code, no.sentence) == (Code.E_STATE, "PUNCH needs ARMED; the device is in PUNCHING")


def test_a_punch_in_a_session_that_is_not_numb_is_refused_by_interlock_2() -> None:
    bench = opened()
    no = bench.refused(bench.punch())
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 2)
    assert bench.board.alarms.present(A.ANESTHESIA_MISSING)


def test_a_punch_of_a_device_that_is_numb_and_not_armed_is_refused_by_its_state() -> None:
    bench = numbed()
    no = bench.refused(bench.punch())
    assert (no.code, no.interlock, no.actual) == (Code.E_STATE, 0, S.ANESTHESIA_CONFIRMED)
    assert not bench.board.alarms.present(A.ANESTHESIA_MISSING)


def test_a_punch_that_an_interlock_forbids_uses_up_no_number() -> None:
    bench = armed()
    assert bench.refused(bench.punch(depth_um=2_500)).code is Code.E_RANGE
    assert (bench.nvm.last_cycle_no, bench.nvm.register) == (0, None)


# --- PUNCH: the stroke --------------------------------------------------------------------------------------


def test_the_latch_is_set_and_synced_before_the_needles_leave_home() -> None:
    store = Store()
    bench = armed(store=store)
    synced = len(store.synced)
    bench.ask(bench.punch())
    assert store.keys[-2:] == ["begin_cycle", "put"] and store.synced[synced:] == [len(store.keys)]
    assert bench.nvm.stroke_latch is True and bench.plant.needle.extending


def test_the_latch_is_taken_back_where_a_stalled_motor_keeps_the_needles_at_home() -> None:
    bench = armed()
    bench.plant.inputs.stall = True
    bench.ask(bench.punch())
    assert bench.nvm.stroke_latch is False and not bench.board.cycle.punctured


def test_a_stroke_goes_out_rests_and_returns() -> None:
    bench = armed(**EXACT)
    bench.ask(bench.punch())
    bench.wait(30 * MILLISECOND)
    assert bench.plant.needle.depth_um(bench.now) == 3_000
    bench.wait(10 * MILLISECOND)
    assert bench.plant.needle.depth_um(bench.now) == 3_000
    assert bench.wait(40 * MILLISECOND - 1) == []
    (done,) = bench.wait(1)
    assert done == M.PunchDone(cycle_no=1, depth_um=3_000, punctured=0b111, vacuum_pa=-55_000 + vacuum_missing(bench))
    assert bench.plant.needle.home(bench.now) and bench.board.state is S.PUNCHING


def vacuum_missing(bench: Bench) -> int:
    """Suction that is still missing to the pump's -55 kPa, in Pa."""
    return round(bench.plant.vacuum.sensed_kpa(bench.now) * 1_000) + 55_000


@pytest.mark.parametrize(("offset_um", "locks"), [(500, False), (501, True)])
def test_a_stroke_more_than_500_um_too_deep_locks(offset_um: int, locks: bool) -> None:
    bench = armed(**EXACT)
    bench.plant.inputs.depth_offset_um = offset_um
    bench.ask(bench.punch())
    said = bench.wait(100 * MILLISECOND)
    if not locks:
        assert [type(answer) for answer in said] == [M.PunchDone]
        return
    (failed,) = said
    assert isinstance(failed, M.Failed)
    assert (failed.code, failed.interlock, failed.alarm_code) == (Code.E_INTERLOCK, 10, A.TOO_DEEP)
    assert failed.sentence == "needle at 3501 um, set 3000 um: retracted"
    assert bench.board.state is S.LOCKED and bench.plant.needle.home(bench.now)


@pytest.mark.parametrize(("offset_um", "stalls"), [(-300, False), (-301, True)])
def test_a_stroke_that_is_short_by_more_than_twice_the_encoders_error_has_stalled(offset_um: int, stalls: bool) -> None:
    """By 150 um the encoder may be off; by twice that a needle that arrived never seems short."""
    bench = armed()
    bench.ask(bench.punch())
    bench.plant.inputs.depth_offset_um = (
        3_000 + offset_um - bench.plant.needle.encoder_um(Micros(bench.now + 30 * MILLISECOND))
    )
    said = bench.wait(110 * MILLISECOND)
    assert [type(answer) for answer in said] == ([] if stalls else [M.PunchDone])
    assert bench.board.cycle.tries == (2 if stalls else 1)


def test_a_stalled_stroke_is_tried_again_in_the_same_holes() -> None:
    bench = armed(**EXACT)
    bench.plant.inputs.stalls_left, bench.plant.inputs.stall_at = 2, 0.5
    store = Store()
    bench.nvm.attach(store)
    done = bench.done(bench.punch(), M.PunchDone)
    assert (done.depth_um, bench.board.cycle.tries) == (3_000, 3)
    assert bench.plant.truth.punctures == 3
    assert store.keys.count("put") == 1, "the latch is set once"


def test_a_motor_that_stalls_at_home_sets_and_takes_back_the_latch_at_each_try() -> None:
    bench = armed(**EXACT)
    bench.plant.inputs.stalls_left = 1
    store = Store()
    bench.nvm.attach(store)
    bench.done(bench.punch(), M.PunchDone)
    assert store.keys.count("put") == 3, "set, taken back, set"
    assert bench.nvm.stroke_latch is True


@pytest.mark.parametrize(("stall_at", "punctures"), [(0.0, 0), (0.5, 3)])
def test_a_motor_that_stalls_three_times_locks(stall_at: float, punctures: int) -> None:
    bench = armed()
    bench.plant.inputs.stall, bench.plant.inputs.stall_at = True, stall_at
    failed = bench.done(bench.punch(), M.Failed)
    assert (failed.code, failed.interlock, failed.alarm_code) == (Code.E_INTERLOCK, 16, A.MOTOR_STALLED)
    assert failed.sentence == "the needle motor stalled 3 times: retracted and locked"
    assert bench.board.state is S.LOCKED and bench.board.alarms.present(A.MOTOR_STALLED)
    session = bench.nvm.session
    assert session is not None and (session.aborted, session.punctures) == (1, punctures)


def test_a_vacuum_that_is_lost_before_a_second_try_ends_the_cycle() -> None:
    bench = armed()
    bench.plant.inputs.stalls_left = 1
    bench.ask(bench.punch())
    bench.plant.inputs.pressure_offset_kpa = 40.0  # a sensor that drifts: no interrupt tells of it
    failed = bench.wait(100 * MILLISECOND)[-1]
    assert isinstance(failed, M.Failed)
    assert (failed.code, failed.interlock, failed.alarm_code) == (Code.E_INTERLOCK, 4, A.SUCTION_LOST)
    assert (bench.board.state, bench.board.motion) == (S.ARMED, None)
    assert bench.plant.needle.home(bench.now)


# --- SUCTION, ADVANCE, COUNT --------------------------------------------------------------------------------


def test_the_phases_follow_each_other_in_their_times() -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    for command, state, phase, duration_ms, kind in (
        (M.Suction(cycle_no=1), S.SUCTIONING, Phase.SUCTION, 100, M.SuctionDone),
        (M.Advance(cycle_no=1, steps=1), S.ADVANCING, Phase.ADVANCE, 60, M.AdvanceDone),
        (M.Count(cycle_no=1), S.COUNTING, Phase.COUNT, 20, M.CountDone),
    ):
        assert bench.ask(command) == [M.Received(expected_ms=duration_ms)]
        assert (bench.board.state, bench.nvm.register) == (state, (1, phase))
        assert bench.wait(duration_ms * MILLISECOND - 1) == []
        (done,) = bench.wait(1)
        assert isinstance(done, kind)
    assert (bench.board.state, bench.nvm.register) == (S.ARMED, None)


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_an_advance_takes_its_time_for_each_step(steps: int) -> None:
    bench = armed()
    bench.through(S.SUCTIONING)
    assert bench.ask(M.Advance(cycle_no=1, steps=steps)) == [M.Received(expected_ms=60 * steps)]


def test_suction_tells_the_vacuum_that_the_cores_left() -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    done = bench.done(M.Suction(cycle_no=1), M.SuctionDone)
    assert done.vacuum_pa == pytest.approx(-55_000 + 3 * 450, abs=5)


def test_cores_that_let_in_too_much_air_end_the_cycle() -> None:
    bench = armed(vacuum_set_kpa=-43.0, core_cost_kpa=5.0)
    bench.through(S.PUNCHING)
    failed = bench.done(M.Suction(cycle_no=1), M.Failed)
    assert (failed.code, failed.interlock, failed.alarm_code) == (Code.E_INTERLOCK, 4, A.SUCTION_LOST)
    last = bench.nvm.last_outcome
    assert last is not None and (last.ending, last.phase) == (Ending.ABORTED, Phase.SUCTION)
    assert bench.board.state is S.ARMED


def test_the_end_of_a_phase_is_told_when_it_is_synced() -> None:
    for state in (S.SUCTIONING, S.ADVANCING):
        store = Store()
        bench = armed(store=store)
        bench.through(state)
        assert store.synced[-1] == len(store.keys) and store.keys[-1] == "set_phase"


def test_no_advance_unless_the_needles_are_seen_at_home() -> None:
    bench = armed()
    bench.through(S.SUCTIONING)
    bench.plant.inputs.retract_sensor_stuck = True
    no = bench.refused(M.Advance(cycle_no=1, steps=1))
    assert (no.code, no.interlock) == (Code.E_INTERLOCK, 1)
    assert no.sentence == "the retracted sensor does not see the needle at home: no advance, retracting"
    assert bench.board.state is S.FAULT
    last = bench.nvm.last_outcome
    assert last is not None and (last.ending, last.phase) == (Ending.ABORTED, Phase.SUCTION)


@pytest.mark.parametrize(
    ("state", "command", "says"),
    [
        (S.PUNCHING, M.Advance(cycle_no=1, steps=1), "ADVANCE is out of order: cycle 1 is in PUNCH"),
        (S.PUNCHING, M.Count(cycle_no=1), "COUNT is out of order: cycle 1 is in PUNCH"),
        (S.SUCTIONING, M.Suction(cycle_no=1), "SUCTION is out of order: cycle 1 is in SUCTION"),
        (S.SUCTIONING, M.Count(cycle_no=1), "COUNT is out of order: cycle 1 is in SUCTION"),
        (S.ADVANCING, M.Suction(cycle_no=1), "SUCTION is out of order: cycle 1 is in ADVANCE"),
        (S.ADVANCING, M.Advance(cycle_no=1, steps=1), "ADVANCE is out of order: cycle 1 is in ADVANCE"),
    ],
)
def test_a_phase_out_of_its_turn_is_refused(state: DeviceState, command: Message, says: str) -> None:
    bench = armed()
    bench.through(state)
    no = bench.refused(command)
    assert (no.code, no.actual, no.sentence) == (Code.E_STATE, state, says)
    assert bench.board.state is state


def test_a_phase_waits_for_the_end_of_the_one_before() -> None:
    bench = armed()
    bench.ask(bench.punch())
    no = bench.refused(M.Suction(cycle_no=1))
    assert (no.code, no.sentence) == (Code.E_STATE, "SUCTION is out of order: cycle 1 is in PUNCH")


def test_a_refusal_that_shows_the_phase_is_told_when_that_is_synced() -> None:
    store = Store()
    bench = armed(store=store)
    bench.through(S.PUNCHING)
    bench.ask(M.Suction(cycle_no=1))
    assert store.synced[-1] < len(store.keys)
    bench.refused(M.Count(cycle_no=1))
    assert store.synced[-1] == len(store.keys)


@pytest.mark.parametrize("command", [M.Suction(cycle_no=2), M.Advance(cycle_no=2, steps=1), M.Count(cycle_no=2)])
def test_a_phase_of_another_cycle_is_refused_by_the_number_of_the_open_one(command: Message) -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    no = bench.refused(command)
    assert (no.code, no.expected, no.actual) == (Code.E_CYCLE_GAP, 1, 2)
    assert no.sentence == "cycle 2 is not open; open is 1: see the journal"


def test_where_no_cycle_is_open_the_refusal_says_none() -> None:
    no = armed().refused(M.Count(cycle_no=2))
    assert (no.code, no.expected, no.actual) == (Code.E_CYCLE_GAP, 0, 2)
    assert no.sentence == "cycle 2 is not open; open is none: see the journal"


def test_a_count_ends_the_cycle_with_its_record_and_the_totals() -> None:
    bench = armed(**EXACT)
    head = bench.nvm.head
    bench.plant.inputs.clog_now = {1}
    done = bench.cycle()
    (record,) = bench.records(head)
    assert isinstance(record, R.Cycle)
    assert (record.cycle_no, record.ending, record.phase, record.depth_um) == (1, Ending.COMPLETED, Phase.COUNT, 3_000)
    assert record.outcomes == done.outcomes == 0x121, "needle 1 brought nothing"
    assert (record.total_punctures, record.total_cores_counted) == (3, 2)
    assert (done.cores_counted, done.total_punctures, done.total_cores_counted) == (2, 3, 2)
    assert (done.cell_punctures, done.cycles_left, done.flagged) == (3, 15, 0)


# --- a command that comes late ------------------------------------------------------------------------------


def test_a_count_that_comes_again_is_answered_with_the_same_count() -> None:
    bench = armed()
    done = bench.cycle()
    head = bench.nvm.head
    assert late(bench, M.Count(cycle_no=1)) == done
    assert bench.nvm.head == head


def test_a_count_keeps_its_own_answer_until_the_next_session() -> None:
    bench = armed()
    done = bench.cycle()
    bench.done(M.Disarm(), M.DisarmDone)
    bench.said(bench.close(), M.SessionCloseDone)
    assert late(bench, M.Count(cycle_no=1)) == done
    bench.said(PLAN, M.SessionOpenDone)
    assert late(bench, M.Count(cycle_no=1)) != done


def test_a_count_of_an_older_cycle_is_in_the_journal_alone() -> None:
    bench = armed()
    bench.cycle()
    bench.cycle()
    assert bench.refused(M.Count(cycle_no=1)).code is Code.E_CYCLE_GAP


def test_a_count_of_before_a_restart_is_in_the_journal_alone() -> None:
    bench = armed()
    bench.cycle()
    again = Bench(nvm=bench.nvm)
    again.said(M.FaultReset(), M.FaultResetDone)
    assert again.refused(M.Count(cycle_no=1)).code is Code.E_CYCLE_GAP
    assert isinstance(late(again, again.punch(cycle_no=1)), M.PunchDone), "that it was made is in the memory"


@pytest.mark.parametrize("command", [M.Suction(cycle_no=1), M.Advance(cycle_no=1, steps=1)])
def test_another_phase_of_a_completed_cycle_is_refused(command: Message) -> None:
    bench = armed()
    bench.cycle()
    assert bench.refused(command).code is Code.E_CYCLE_GAP


def test_every_command_of_an_aborted_cycle_is_answered_with_its_ending() -> None:
    """Not with the count of the cycle before."""
    bench = armed()
    bench.cycle()
    cycle_no = aborted_in_suction(bench)
    commands: list[Message] = [
        bench.punch(cycle_no=cycle_no),
        M.Suction(cycle_no=cycle_no),
        M.Advance(cycle_no=cycle_no, steps=1),
        M.Count(cycle_no=cycle_no),
    ]
    for command in commands:
        answer = late(bench, command)
        assert isinstance(answer, M.Aborted)
        assert (answer.code, answer.ending, answer.phase) == (Code.E_STATE, Ending.ABORTED, Phase.SUCTION)
        assert answer.sentence == "cycle 2 ended ABORTED in SUCTION; its number is used up"


def test_a_late_command_of_an_aborted_cycle_is_answered_in_the_session_that_goes_on() -> None:
    bench = armed()
    cycle_no = aborted_in_suction(bench)
    bench.wait(200 * MILLISECOND)
    bench.said(M.FaultReset(), M.FaultResetDone)
    bench.numb(0)
    bench.done(M.Arm(), M.ArmDone)
    for command in (bench.punch(cycle_no=cycle_no), M.Suction(cycle_no=cycle_no), M.Count(cycle_no=cycle_no)):
        assert isinstance(late(bench, command), M.Aborted)


@pytest.mark.parametrize("command", [M.Suction(cycle_no=9), M.Count(cycle_no=1), M.Disarm()])
def test_in_a_hold_any_other_command_is_refused_by_the_hold(command: Message) -> None:
    bench = armed()
    bench.cycle()
    aborted_in_suction(bench)
    assert "FAULT_RESET comes first" in bench.refused(command).sentence
