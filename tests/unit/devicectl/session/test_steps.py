"""The steps of a session: each is one command or one cycle, and leaves the machine where the table says."""

import pytest

from devicectl.errors import CommandAbortedError, CommandFailedError, CommandRefusedError, LinkLostError, SessionError
from devicectl.session.machine import State
from devicectl.session.steps import Steps
from protocols.language import interlocks as I
from protocols.language import messages as M
from tests.unit.devicectl.scripted_device import LOST, Answer, Desk, a_plan, aborted, failed, refusal

CYCLE = ["Punch", "Suction", "Advance", "Count"]


def armed() -> tuple[Desk, Steps]:
    """A desk whose handpiece is armed and in its first cell, by steps alone."""
    desk = Desk().numbed(a_plan())
    steps = Steps(desk.engine)
    desk.run(steps.arm())
    desk.run(steps.reposition_next())
    desk.forget()
    return desk, steps


def test_each_step_asks_once_and_leaves_the_machine_where_the_table_says() -> None:
    desk, steps = armed()
    for step, state in ((steps.pause, State.PAUSED), (steps.resume, State.ARMED)):
        desk.run(step())
        assert desk.engine.machine.now is state
    desk.run(steps.disarm())
    assert desk.engine.machine.now is State.ANESTHESIA_CONFIRMED
    assert desk.names() == ["Pause", "Resume", "Disarm"]


def test_a_cycle_is_four_commands_and_its_answer_steers_what_comes_next() -> None:
    desk, steps = armed()
    result = desk.run(steps.cycle())
    assert desk.names() == CYCLE
    assert (result.cycle_no, result.zone, result.cell) == (1, 0, 0)
    assert desk.engine.machine.now is State.ARMED
    assert (desk.engine.last_cycle_no, desk.engine.counted) == (1, result.total_cores_counted)


def test_an_arming_that_is_refused_leaves_the_host_unarmed_and_at_its_pace() -> None:
    desk = Desk().numbed(a_plan())
    desk.will(M.Arm, refusal(I.SUCTION))
    with pytest.raises(CommandRefusedError):
        desk.run(Steps(desk.engine).arm())
    assert desk.engine.machine.now is State.ANESTHESIA_CONFIRMED


def test_a_refused_motion_has_ended_and_the_hand_is_where_it_was() -> None:
    desk, steps = armed()
    before = steps.place.at
    desk.will(M.Reposition, refusal(I.DENSITY))
    with pytest.raises(CommandRefusedError):
        desk.run(steps.reposition(0, 1))
    assert desk.engine.machine.now is State.ARMED
    assert steps.place.at == before


@pytest.mark.parametrize("answer", [failed(I.STALL), aborted(), LOST])
def test_a_hand_that_does_not_arrive_is_at_no_cell_and_its_cell_is_gone_to_again(answer: Answer) -> None:
    desk, steps = armed()
    desk.will(M.Reposition, answer)
    with pytest.raises((CommandFailedError, CommandAbortedError, LinkLostError)):
        desk.run(steps.reposition(0, 1))
    assert (steps.place.at, steps.place.cycles_left) == (None, 0)
    assert steps.place.next_cell(desk.engine.plan) == (0, 0)


def test_a_move_that_nobody_waits_for_any_more_leaves_no_place() -> None:
    desk, steps = armed()
    desk.engine.link.procedures.cancel(desk.engine.link.start(steps.reposition(0, 1), desk.now))
    assert (steps.place.at, steps.place.cycles_left) == (None, 0)
    assert desk.engine.machine.now is State.ARMED


@pytest.mark.parametrize(("answer", "used_up"), [(refusal(I.SUCTION), 0), (failed(I.STALL), 1)])
def test_a_punch_that_failed_has_used_up_its_number_and_a_refused_one_has_not(answer: Answer, used_up: int) -> None:
    desk, steps = armed()
    left = steps.place.cycles_left
    desk.will(M.Punch, answer)
    with pytest.raises((CommandRefusedError, CommandFailedError)) as raised:
        desk.run(steps.cycle())
    assert isinstance(raised.value, CommandRefusedError | CommandFailedError)
    steps.turned_down(raised.value)
    assert (desk.engine.last_cycle_no, steps.place.cycles_left) == (used_up, left - used_up)
    assert desk.engine.machine.now is State.ARMED


def test_there_is_no_step_beyond_the_plans_last_cell() -> None:
    desk, steps = armed()
    for _ in range(desk.engine.plan.cells - 1):
        steps.place.cycles_left = 0
        desk.run(steps.reposition_next())
    steps.place.cycles_left = 0
    with pytest.raises(SessionError, match="cells of the plan are used"):
        desk.run(steps.reposition_next())
