"""A phase begins only in its cycle, in its turn and after the phase before; else the refusal says what is open."""

import pytest

from firmware_sim.board.board import Board
from firmware_sim.board.motion import Nobody
from firmware_sim.commands.cycle import count
from firmware_sim.device import Device
from firmware_sim.memory.session_steps import BeginCycle
from protocols.language.enums import Code, DeviceState
from protocols.language.messages import Count, Refused
from protocols.language.units import Micros
from tests.unit.firmware_sim.memories import memory


@pytest.fixture
def board() -> Board:
    """A device in whose session cycle 1 has advanced, and may be counted."""
    board = Device(seed=7, nvm=memory(session=True)).board
    board.nvm.keep(BeginCycle(1, 0, 0, 3_000))
    board.state, board.cycle.phase_done = DeviceState.ADVANCING, True
    return board


def refusal_of(board: Board, cycle_no: int) -> Refused:
    refused = count(board, Nobody(), Count(cycle_no=cycle_no), Micros(0))
    assert isinstance(refused, Refused)
    return refused


def test_the_open_cycle_is_counted_in_its_turn(board: Board) -> None:
    assert count(board, Nobody(), Count(cycle_no=1), Micros(0)) is None
    assert board.state is DeviceState.COUNTING


def test_another_cycle_is_refused_by_the_number_of_the_open_one(board: Board) -> None:
    refused = refusal_of(board, 2)
    assert (refused.code, refused.expected, refused.actual) == (Code.E_CYCLE_GAP, 1, 2)
    assert refused.sentence == "cycle 2 is not open; open is 1: see the journal"


def test_where_no_cycle_is_open_the_refusal_says_none() -> None:
    refused = refusal_of(Device(seed=7).board, 2)
    assert (refused.code, refused.expected) == (Code.E_CYCLE_GAP, 0)
    assert refused.sentence == "cycle 2 is not open; open is none: see the journal"


def test_a_phase_waits_for_the_end_of_the_one_before(board: Board) -> None:
    board.cycle.phase_done = False
    refused = refusal_of(board, 1)
    assert refused.code is Code.E_STATE and refused.sentence.startswith("COUNT is out of order: cycle 1 is in ")
