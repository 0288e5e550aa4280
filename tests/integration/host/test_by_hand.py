"""A session by hand at the real device: every step and refusal, a stop in each phase, a lost link in each state."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from devicectl.errors import CommandAbortedError, CommandRefusedError, LinkLostError
from devicectl.log.store import SessionLog
from devicectl.session.entries import Finish
from devicectl.session.machine import State
from devicectl.session.operators.manual import ManualOperator
from devicectl.session.procedures import Procedure
from firmware_sim.board.states import HELD
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, DeviceState
from protocols.language.units import MILLISECOND, SECOND
from tests.world import Bystander, Lab, Late, a_plan, assert_counted


class Hand(Lab):
    """A lab in which a person works: each method is what he does, and waits for its end."""

    @property
    def manual(self) -> ManualOperator:
        return self.engine.manual

    def opened(self) -> "Hand":
        self.engine.on_told = self.manual.heard
        self.open()
        return self

    def numbed(self, *zones: int) -> "Hand":
        """Each of these zones is numbed and confirmed, after the wait."""
        for zone in zones:
            self.run(self.manual.anesthesia_start(zone))
        self.wait(SECOND)
        for zone in zones:
            self.run(self.manual.anesthesia_confirm(zone))
        return self

    def armed(self, *zones: int, cycles: int = 0) -> "Hand":
        self.numbed(*zones or (0, 1))
        self.run(self.manual.arm())
        self.run(self.manual.reposition_next())
        self.cycles_by_hand(cycles)
        return self

    def cycles_by_hand(self, cycles: int) -> None:
        for _ in range(cycles):
            if not self.manual.cycles_left:
                self.run(self.manual.reposition_next())
            self.run(self.manual.cycle())
            if self.manual.flagged:
                self.run(self.manual.purge())

    def ended(self, reason: CloseReason = CloseReason.ABORTED) -> Finish:
        finish = self.run(self.manual.close(reason))
        assert_counted(self, finish, state=reason.name.lower())
        return finish

    def relinked(self) -> None:
        self.world.mend()
        self.run(self.manual.relink())

    def host(self) -> State:
        return self.engine.machine.now


def a_hand(**options: Any) -> Hand:
    return Hand(**options).opened()


def refused(lab: Hand, procedure: Procedure[Any]) -> CommandRefusedError:
    """Run what the device refuses; nothing of the host's state may be changed by that."""
    before = lab.host()
    with pytest.raises(CommandRefusedError) as caught:
        lab.run(procedure)
    assert lab.host() is before
    assert [note.detail for note in lab.notes if note.kind == "refusal"][-1] == str(caught.value)
    return caught.value


# --- a whole session


def test_a_whole_session_by_hand_is_counted_to_the_last_core() -> None:
    lab = a_hand().armed()
    while lab.engine.counted < lab.plan.target_cores:
        lab.cycles_by_hand(1)
    lab.run(lab.manual.pause())
    lab.run(lab.manual.resume())
    finish = lab.ended(CloseReason.COMPLETED)
    assert finish.device_totals.cores_counted >= 80 and finish.cells_begun > 1
    assert (lab.host(), lab.state) == (State.COMPLETED, DeviceState.IDLE)


def test_a_zone_may_be_numbed_in_the_midst_of_a_session() -> None:
    lab = a_hand().armed(0, cycles=1)
    lab.run(lab.manual.reposition(1, 3))
    assert refused(lab, lab.manual.cycle()).interlock == I.ANESTHESIA_NEEDED
    lab.run(lab.manual.disarm())
    lab.numbed(1)
    assert (lab.host(), lab.state) == (State.ANESTHESIA_CONFIRMED, DeviceState.ANESTHESIA_CONFIRMED)
    lab.run(lab.manual.arm())
    lab.cycles_by_hand(1)
    lab.ended()
    assert [cycle.cell for cycle in lab.cycles] == [0, 43]


# --- refusals


def test_anesthesia_is_refused_too_early_for_no_zone_of_the_plan_and_before_it_was_numbed() -> None:
    lab = a_hand(parameters={"anesthesia_wait_s": 300})
    assert refused(lab, lab.manual.anesthesia_start(2)).interlock == I.ZONE
    lab.run(lab.manual.anesthesia_start(0, 60))
    too_early = refused(lab, lab.manual.anesthesia_confirm(0))
    assert (too_early.interlock, too_early.expected, too_early.actual) == (I.ANESTHESIA_TIME, 300, 60)
    assert refused(lab, lab.manual.anesthesia_confirm(1)).interlock == I.ANESTHESIA_NEEDED
    zone = lab.manual.zones[0]
    assert zone.ready_at is not None
    lab.wait(zone.ready_at - lab.now)
    lab.run(lab.manual.anesthesia_confirm(0))
    assert lab.host() is State.ANESTHESIA_CONFIRMED


@pytest.mark.parametrize("begun", [False, True])
def test_arming_is_refused_before_every_zone_that_was_numbed_is_confirmed(begun: bool) -> None:
    lab = a_hand()
    if begun:
        lab.run(lab.manual.anesthesia_start(0))
    assert refused(lab, lab.manual.arm()).interlock == I.ANESTHESIA_NEEDED


def test_the_trigger_is_refused_in_a_cell_that_is_used_up_and_granted_in_the_next() -> None:
    lab = a_hand().armed()
    while lab.manual.cycles_left:
        lab.run(lab.manual.cycle())
    assert refused(lab, lab.manual.cycle()).interlock == I.DENSITY
    lab.run(lab.manual.reposition_next())
    lab.run(lab.manual.cycle())
    assert lab.manual.place == (0, 1)
    lab.ended()


def test_the_trigger_is_refused_without_suction_and_granted_when_it_is_back() -> None:
    lab = a_hand().armed()
    lab.inject(leak_kpa_s=200.0)
    lab.wait(SECOND)
    assert refused(lab, lab.manual.cycle()).interlock == I.SUCTION
    lab.inject(leak_kpa_s=0.0)
    lab.wait(10 * SECOND)
    lab.run(lab.manual.cycle())
    lab.ended()


def test_the_trigger_is_refused_for_a_clog_that_the_person_does_not_purge() -> None:
    lab = a_hand().armed()
    lab.inject(clog_now={0, 1})
    with pytest.raises(CommandRefusedError) as caught:
        for _ in range(30):
            lab.run(lab.manual.cycle())
    assert caught.value.interlock == I.CLOG
    assert lab.host() is State.ARMED and lab.manual.flagged
    lab.ended()


def test_a_cell_outside_of_the_plan_is_refused_and_the_hand_stays() -> None:
    lab = a_hand().armed()
    assert refused(lab, lab.manual.reposition(0, 40)).interlock == I.ZONE
    assert lab.manual.place == (0, 0)
    lab.run(lab.manual.cycle())
    lab.ended()


def test_a_close_with_counts_that_disagree_is_refused_and_the_session_goes_on() -> None:
    lab = a_hand().armed(cycles=2)
    counts = lab.device.nvm.session
    assert counts is not None
    counts.cores_counted += 1
    lab.run(lab.manual.disarm())
    with pytest.raises(CommandRefusedError) as caught:
        lab.run(lab.manual.close(CloseReason.ABORTED))
    assert caught.value.interlock == I.COUNT_MISMATCH
    assert lab.host() is State.ANESTHESIA_CONFIRMED
    counts.cores_counted -= 1
    lab.run(lab.manual.arm())
    lab.run(lab.manual.cycle())
    lab.ended()


# --- stopping


MOMENTS: Final[dict[str, tuple[Callable[[ManualOperator], Procedure[Any]], DeviceState, int]]] = {
    "arming": (lambda manual: manual.arm(), DeviceState.ARMING, 100),
    "extending": (lambda manual: manual.cycle(), DeviceState.PUNCHING, 15),
    "dwell": (lambda manual: manual.cycle(), DeviceState.PUNCHING, 35),
    "retract": (lambda manual: manual.cycle(), DeviceState.PUNCHING, 60),
    "suction": (lambda manual: manual.cycle(), DeviceState.SUCTIONING, 50),
    "advance": (lambda manual: manual.cycle(), DeviceState.ADVANCING, 30),
    "count": (lambda manual: manual.cycle(), DeviceState.COUNTING, 10),
    "reposition": (lambda manual: manual.reposition(0, 7), DeviceState.REPOSITIONING, 1_000),
    "purge": (lambda manual: manual.purge(), DeviceState.PURGING, 1_500),
    "disarming": (lambda manual: manual.disarm(), DeviceState.DISARMING, 100),
}
"""Moment -> the act under way, the state of the device and the milliseconds since it began."""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stop_ends_what_is_under_way_and_the_person_leads_back(moment: str, late: bool) -> None:
    lab = a_hand(line=Late() if late else None)
    act, state, after_ms = MOMENTS[moment]
    if moment == "arming":
        lab.numbed(0, 1)
    else:
        lab.armed(cycles=3)
    under_way = lab.start(act(lab.manual))
    lab.until_state(state, after=after_ms * MILLISECOND)
    lab.run(lab.manual.stop())
    ended_before = late and under_way.error is None  # the stop was under way for as long as the count took
    assert ended_before or isinstance(under_way.error, CommandAbortedError | CommandRefusedError)
    assert (lab.host(), lab.state) == (State.RECOVERING, DeviceState.SAFE)
    lab.wait(SECOND)
    assert lab.state is DeviceState.SAFE, "nothing is reset by itself"
    lab.run(lab.manual.reset())
    assert (lab.host(), lab.state) == (State.SESSION_OPEN, DeviceState.SESSION_OPEN)
    lab.armed(cycles=3)
    lab.ended()


def test_a_stop_in_the_journals_reading_of_a_close_leaves_a_session_that_is_closed() -> None:
    lab = a_hand(line=Late(least_ms=20, most_ms=25)).armed(cycles=3)
    lab.run(lab.manual.disarm())
    closing = lab.start(lab.manual.close(CloseReason.ABORTED))
    lab.run(lab.manual.stop())
    assert closing.outcome().state == "aborted" and lab.host() is State.ABORTED
    assert_counted(lab, closing.outcome(), state="aborted")


def test_a_stop_of_somebody_else_and_the_emergency_stop_show_at_once() -> None:
    lab = a_hand().armed(cycles=2)
    viewer = Bystander(lab)
    viewer.ask(M.Stop())
    lab.until(lambda: lab.host() is State.RECOVERING, within=SECOND)
    lab.run(lab.manual.reset())
    lab.armed(cycles=1)
    lab.inject(estop_open=True)
    lab.until(lambda: lab.host() is State.RECOVERING, within=SECOND)
    lab.run(lab.manual.acknowledge())
    assert refused(lab, lab.manual.reset()).interlock == I.EMERGENCY_STOP
    lab.inject(estop_open=False)
    lab.run(lab.manual.reset())
    lab.armed(cycles=1)
    lab.ended()


def test_a_session_is_closed_by_hand_while_the_device_holds() -> None:
    lab = a_hand().armed(cycles=2)
    lab.run(lab.manual.stop())
    lab.ended()
    assert lab.state is DeviceState.SAFE, "nothing is reset by itself"


def test_an_alarm_is_acknowledged_while_the_needles_move() -> None:
    lab = a_hand().armed()
    cycle = lab.start(lab.manual.cycle())
    lab.until_state(DeviceState.PUNCHING, after=10 * MILLISECOND)
    lab.run(lab.manual.acknowledge())
    with pytest.raises(CommandRefusedError) as caught:
        lab.run(lab.manual.acknowledge(1))
    assert caught.value.code is Code.E_ARGUMENT
    assert not cycle.done
    lab.until(lambda: cycle.done)
    assert cycle.outcome().cycle_no == 1 and lab.host() is State.ARMED
    lab.ended()


# --- links that are lost


def at_state(state: State, **options: Any) -> Hand:
    """A session that a person has brought to this state."""
    lab = a_hand(**options)
    if state is State.SESSION_OPEN:
        return lab
    if state is State.ANESTHESIA_WAIT:
        lab.numbed(0)
        lab.run(lab.manual.anesthesia_start(1))
        return lab
    if state is State.ANESTHESIA_CONFIRMED:
        return lab.numbed(0, 1)
    lab.armed(cycles=3)
    if state is State.PAUSED:
        lab.run(lab.manual.pause())
    elif state is State.RECOVERING:
        lab.run(lab.manual.stop())
    return lab


STATES = [*(State.SESSION_OPEN, State.ANESTHESIA_WAIT, State.ANESTHESIA_CONFIRMED)]
STATES += [State.ARMED, State.PAUSED, State.RECOVERING]


@pytest.mark.parametrize("reboot", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_after_a_lost_link_the_host_is_where_the_device_is_and_does_nothing_else(state: State, reboot: bool) -> None:
    lab = at_state(state)
    lab.world.cut()
    assert lab.host() is State.RECOVERING
    if reboot:
        lab.reboot_device()
    lab.wait(2 * SECOND)
    before = lab.state
    lab.relinked()
    lab.wait(2 * SECOND)
    assert lab.state is before
    if reboot or state not in STATES[:3]:
        assert (lab.host(), before in HELD) == (State.RECOVERING, True)
        assert not any(zone.confirmed for zone in lab.manual.zones.values())
        lab.run(lab.manual.reset())
        lab.armed()
    else:
        assert lab.host() is state
        lab.armed(*() if state is not State.ANESTHESIA_WAIT else (1,))
    lab.cycles_by_hand(1)
    lab.ended()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_link_that_is_lost_while_an_act_is_under_way_is_made_again_by_hand(moment: str) -> None:
    lab = a_hand()
    act, state, after_ms = MOMENTS[moment]
    if moment == "arming":
        lab.numbed(0, 1)
    else:
        lab.armed(cycles=3)
    under_way = lab.start(act(lab.manual))
    lab.until_state(state, after=after_ms * MILLISECOND)
    lab.world.cut()
    assert isinstance(under_way.error, LinkLostError)
    lab.relinked()
    assert (lab.host(), lab.state) == (State.RECOVERING, DeviceState.SAFE)
    lab.wait(SECOND)  # the needles are on their way home
    lab.run(lab.manual.reset())
    lab.armed(cycles=2)
    lab.ended()


@pytest.mark.parametrize("command", [M.AnesthesiaStart, M.AnesthesiaConfirm])
def test_an_answer_about_a_zone_that_is_lost_with_the_link_is_in_the_journal(command: type) -> None:
    lab = at_state(State.ANESTHESIA_CONFIRMED if command is M.AnesthesiaStart else State.ANESTHESIA_WAIT)
    lab.wait(SECOND)
    lab.world.device_muted = True
    start = command is M.AnesthesiaStart
    task = lab.start(lab.manual.anesthesia_start(1) if start else lab.manual.anesthesia_confirm(1))
    lab.wait(50 * MILLISECOND)
    lab.world.cut()
    assert isinstance(task.error, LinkLostError)
    lab.world.device_muted = False
    lab.relinked()
    assert lab.host() is (State.ANESTHESIA_WAIT if start else State.ANESTHESIA_CONFIRMED)
    assert [lab.manual.zones[zone].confirmed for zone in (0, 1)] == [True, not start]
    lab.ended()


@pytest.mark.parametrize("state", STATES)
def test_another_host_takes_a_session_over_by_hand(state: State) -> None:
    with SessionLog.open("sqlite://") as log:
        lab = at_state(state, log=log)
        lab.replace_host(heard=state is not State.PAUSED)
        lab.engine.on_told = lab.manual.heard
        lab.run(lab.engine.connect())
        stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
        assert stored is not None
        lab.run(lab.engine.adopt(stored, log.records(stored.key), None, restore=False))
        before = lab.state
        lab.run(lab.manual.relink())
        assert lab.state is before
        if state in STATES[:3]:
            assert lab.host() is state
            lab.armed(*() if state is not State.ANESTHESIA_WAIT else (1,), cycles=2)
        else:
            lab.run(lab.manual.reset())
            lab.armed(cycles=2)
        lab.ended()


# --- from one operator to the other


@pytest.mark.parametrize("state", STATES)
def test_the_automatic_operator_takes_over_in_any_state_and_completes_the_session(state: State) -> None:
    lab = at_state(state)
    lab.numb()
    assert_counted(lab, lab.finish())


@pytest.mark.parametrize("state", STATES[3:])
def test_the_automatic_operator_numbs_a_zone_that_the_person_has_left_out(state: State) -> None:
    lab = a_hand(plan=a_plan(1_600, coverage_percent=4.0)).armed(0, cycles=1)
    if state is State.PAUSED:
        lab.run(lab.manual.pause())
    elif state is State.RECOVERING:
        lab.world.cut()
        lab.world.mend()
    lab.numb()
    assert all(zone.confirmed for zone in lab.manual.zones.values()) and len(lab.manual.zones) == 2
    assert_counted(lab, lab.finish())


def test_a_person_takes_over_from_the_automatic_operator_and_back() -> None:
    lab = Hand().begin(3)
    lab.engine.on_told = lab.manual.heard
    lab.cycles_by_hand(2)
    lab.cycle()
    task = lab.start(lab.all_cycles())
    lab.until_state(DeviceState.SUCTIONING)
    lab.engine.link.procedures.cancel(task)
    assert lab.manual.why_not("arm") == "wait: the handpiece is moving"
    lab.run(lab.manual.stop())
    lab.run(lab.manual.reset())
    lab.armed(cycles=1)
    assert_counted(lab, lab.finish())
