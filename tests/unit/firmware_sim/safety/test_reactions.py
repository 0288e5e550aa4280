"""The reactions, one fact at a time: the device is made safe first, and says so afterwards; each is harmless twice."""

from collections.abc import Callable

import pytest

from firmware_sim.board.states import Event
from firmware_sim.safety.reactions import (
    abort_cycle,
    emergency,
    give_up,
    link_lost,
    lock,
    make_safe,
    needles_out,
)
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import AlarmState, Code, DeviceState, Ending, Phase
from protocols.language.units import MILLISECOND, SECOND
from tests.unit.firmware_sim.boards import Bench, armed, held, numbed
from tests.unit.firmware_sim.memories import Store

S = DeviceState


def in_the_skin(**options: object) -> Bench:
    """A device in a PUNCH, with the needles at their depth."""
    bench = armed(**options)
    bench.ask(bench.punch())
    bench.wait(30 * MILLISECOND)
    return bench


def safe(bench: Bench) -> None:
    make_safe(bench.board, Event.MADE_SAFE, Code.E_STATE, "a reason", bench.now)


# --- making safe ----------------------------------------------------------------------------------------------


def test_making_safe_vents_and_brings_the_needles_home_in_time() -> None:
    bench = in_the_skin()
    safe(bench)
    assert not bench.plant.vacuum.pump_on
    bench.wait(100 * MILLISECOND)
    assert bench.plant.needle.home(bench.now)
    bench.wait(400 * MILLISECOND)
    assert bench.plant.vacuum.pressure_kpa(bench.now) > -1


def test_making_safe_answers_who_waits_with_the_ending_of_the_cycle() -> None:
    bench = in_the_skin()
    safe(bench)
    assert bench.ear.heard[-1] == M.Aborted(
        code=Code.E_STATE, ending=Ending.ABORTED, phase=Phase.PUNCH, sentence="a reason"
    )
    assert (bench.board.motion, bench.nvm.register, bench.board.state) == (None, None, S.SAFE)


def test_a_motion_of_no_cycle_is_aborted_without_an_ending() -> None:
    bench = armed()
    bench.cycle()
    bench.ask(M.Purge())
    safe(bench)
    assert bench.ear.heard[-1] == M.Aborted(
        code=Code.E_STATE, ending=Ending.OPEN, phase=Phase.NONE, sentence="a reason"
    )


def test_where_nothing_moves_nobody_is_answered() -> None:
    bench = armed()
    heard = len(bench.ear.heard)
    safe(bench)
    assert (len(bench.ear.heard), bench.board.state) == (heard, S.SAFE)


def test_making_safe_takes_every_confirmation_back_and_watches_no_vacuum() -> None:
    bench = armed()
    bench.inject(pump_stalled=True)
    bench.board.raise_alarm(A.SUCTION_LOST, bench.now)
    safe(bench)
    assert (bench.board.zones, bench.board.suction_due) == ({}, None)
    assert not bench.board.alarms.present(A.SUCTION_LOST)


def test_making_safe_twice_is_as_once() -> None:
    bench = in_the_skin()
    safe(bench)
    head, heard, told = bench.nvm.head, len(bench.ear.heard), len(bench.announced)
    safe(bench)
    assert (bench.nvm.head, len(bench.ear.heard), len(bench.announced)) == (head, heard, told)


# --- a memory that failed -------------------------------------------------------------------------------------


def test_giving_up_makes_safe_and_keeps_nothing_any_more() -> None:
    store = Store()
    bench = in_the_skin(store=store)
    store.broken = True
    give_up(bench.board, bench.now)
    assert (bench.board.state, bench.board.motion, bench.plant.vacuum.pump_on) == (S.SAFE, None, False)
    assert bench.nvm.register == (1, Phase.PUNCH), "the next boot ends the cycle"
    bench.wait(100 * MILLISECOND)
    assert bench.plant.needle.home(bench.now)


def test_giving_up_answers_who_waits_and_leaves_the_ending_open() -> None:
    bench = in_the_skin()
    give_up(bench.board, bench.now)
    assert bench.ear.heard[-1] == M.Aborted(
        code=Code.E_STORAGE,
        ending=Ending.OPEN,
        phase=Phase.PUNCH,
        sentence="the memory failed: vented, retracted; after a restart the journal tells how the cycle ended",
    )


def test_giving_up_a_motion_of_no_cycle_names_no_phase() -> None:
    bench = armed()
    bench.ask(M.Purge())
    give_up(bench.board, bench.now)
    aborted = bench.ear.heard[-1]
    assert isinstance(aborted, M.Aborted) and aborted.phase is Phase.NONE


def test_giving_up_stops_the_watch_of_the_vacuum() -> None:
    bench = armed()
    bench.inject(pump_stalled=True)
    assert bench.board.suction_due is not None
    give_up(bench.board, bench.now)
    assert bench.firmware.next_deadline() is None


@pytest.mark.parametrize("event", [Event.MADE_SAFE, Event.FAULTED, Event.LOCKED])
def test_giving_up_in_a_hold_leaves_the_hold(event: Event) -> None:
    bench = armed()
    bench.board.enter(event)
    state, heard = bench.board.state, len(bench.ear.heard)
    give_up(bench.board, bench.now)
    assert (bench.board.state, len(bench.ear.heard)) == (state, heard)


# --- ending a cycle at once -----------------------------------------------------------------------------------


def abort(bench: Bench) -> None:
    abort_cycle(bench.board, 4, "a reason", A.SUCTION_LOST, bench.now)


FAILED = M.Failed(code=Code.E_INTERLOCK, interlock=4, alarm_code=A.SUCTION_LOST, sentence="a reason")


def test_a_cycle_that_is_aborted_is_over_at_once_and_answered_when_the_needles_are_home() -> None:
    bench = in_the_skin()
    abort(bench)
    assert bench.nvm.register is None
    assert bench.wait(40 * MILLISECOND - 1) == []
    assert bench.wait(1) == [FAILED]
    assert bench.board.state is S.ARMED


def test_with_the_needles_at_home_it_is_answered_at_once() -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    bench.ask(M.Suction(cycle_no=1))
    abort(bench)
    assert (bench.ear.heard[-1], bench.board.state, bench.board.motion) == (FAILED, S.ARMED, None)


def test_between_two_phases_nobody_waits_and_the_device_is_armed_again() -> None:
    bench = armed()
    bench.through(S.PUNCHING)
    heard = len(bench.ear.heard)
    abort(bench)
    assert (len(bench.ear.heard), bench.board.state, bench.board.motion) == (heard, S.ARMED, None)


def test_needles_that_are_not_seen_at_home_after_it_are_a_fault() -> None:
    bench = in_the_skin()
    bench.plant.inputs.retract_jammed = True
    abort(bench)
    bench.wait(SECOND)
    assert bench.board.state is S.FAULT and bench.board.alarms.present(A.NEEDLE_NOT_RETRACTED)
    aborted = bench.ear.heard[-1]
    assert isinstance(aborted, M.Aborted) and aborted.ending is Ending.ABORTED


def test_a_cycle_that_has_ended_is_not_aborted_again() -> None:
    bench = in_the_skin()
    abort(bench)
    head = bench.nvm.head
    abort(bench)
    assert bench.nvm.head == head
    assert bench.wait(SECOND) == [FAILED]


def test_a_cycle_that_is_aborted_again_gives_jammed_needles_no_more_time() -> None:
    bench = in_the_skin()
    bench.plant.inputs.retract_jammed = True
    abort(bench)
    bench.wait(20 * MILLISECOND)
    abort(bench)
    bench.wait(20 * MILLISECOND)
    assert bench.board.state is S.FAULT


# --- locking --------------------------------------------------------------------------------------------------


def test_a_lock_raises_its_alarm_makes_safe_and_answers_failed_once() -> None:
    bench = in_the_skin()
    heard = len(bench.ear.heard)
    lock(bench.board, 10, "too deep", A.TOO_DEEP, bench.now)
    assert bench.ear.heard[heard:] == [
        M.Failed(code=Code.E_INTERLOCK, interlock=10, alarm_code=A.TOO_DEEP, sentence="too deep")
    ]
    assert (bench.board.state, bench.nvm.register, bench.plant.vacuum.pump_on) == (S.LOCKED, None, False)
    assert bench.board.alarms.present(A.TOO_DEEP)


# --- what interrupts and links set off ------------------------------------------------------------------------


def test_15_a_lost_link_makes_an_armed_device_safe_with_a_latched_alarm() -> None:
    bench = armed()
    link_lost(bench.board, bench.now)
    assert bench.board.state is S.SAFE
    assert bench.board.alarms.state(A.LINK_LOST) is AlarmState.LATCHED


def test_15_the_answer_to_the_motion_under_way_names_the_lost_link() -> None:
    bench = in_the_skin()
    link_lost(bench.board, bench.now)
    assert bench.ear.heard[-1] == M.Aborted(
        code=Code.E_LINK,
        ending=Ending.ABORTED,
        phase=Phase.PUNCH,
        sentence="The link to the controller was lost: retracted, vented, disarmed.",
    )


@pytest.mark.parametrize("make", [Bench, numbed, held])
def test_15_a_device_that_is_not_armed_does_not_react_to_a_lost_link(make: Callable[[], Bench]) -> None:
    bench = make()
    state, told = bench.board.state, len(bench.announced)
    link_lost(bench.board, bench.now)
    assert (bench.board.state, len(bench.announced)) == (state, told)


def test_20_the_emergency_stop_makes_safe() -> None:
    bench = in_the_skin()
    emergency(bench.board, bench.now)
    assert bench.board.state is S.SAFE and bench.board.alarms.present(A.EMERGENCY_STOP)
    aborted = bench.ear.heard[-1]
    assert isinstance(aborted, M.Aborted)
    assert (aborted.code, aborted.sentence) == (Code.E_INTERLOCK, "The emergency stop is open.")


@pytest.mark.parametrize("event", [Event.MADE_SAFE, Event.FAULTED, Event.LOCKED])
def test_20_in_a_hold_the_emergency_stop_is_told_and_the_hold_stays(event: Event) -> None:
    bench = armed()
    bench.board.enter(event)
    state = bench.board.state
    emergency(bench.board, bench.now)
    assert bench.board.state is state and bench.board.alarms.present(A.EMERGENCY_STOP)


def test_1_needles_that_are_not_seen_at_home_are_a_fault() -> None:
    bench = armed()
    bench.ask(M.Purge())
    needles_out(bench.board, bench.now)
    assert bench.board.state is S.FAULT
    assert bench.board.alarms.state(A.NEEDLE_NOT_RETRACTED) is AlarmState.ACTIVE
    aborted = bench.ear.heard[-1]
    assert isinstance(aborted, M.Aborted)
    assert aborted.sentence == "The needles are not home: the stage must not move."
