"""The commands of a cycle: PUNCH, SUCTION, ADVANCE, COUNT, each a motion of its own, and the one record they end in.

How it works. PUNCH uses up the next cycle number: the memory's register is set, the stroke latch with it, then the
needles move. Each later phase begins only where the one before it is done, and is in the register before it moves
anything. COUNT reads the sensor and writes the cycle's record. With three needles, cycle 7 runs

    PUNCH 7    register (7, PUNCH), latch, needles out, dwell, home     -> PUNCH_DONE
    SUCTION 7  register (7, SUCTION), vacuum held                       -> SUCTION_DONE
    ADVANCE 7  register (7, ADVANCE), stage moves                       -> ADVANCE_DONE
    COUNT 7    register (7, COUNT), sensor read, record, register empty -> COUNT_DONE

A command of cycle 7 that comes again later is answered from memory: PUNCH with its done, COUNT with its count.

Law: a cycle number is used once. The open-cycle register is written before anything moves, and the cycle's one record
when it has ended, however it ended.
"""

from functools import partial
from typing import Final

from firmware_sim.board.board import Board
from firmware_sim.board.motion import Asker, Then
from firmware_sim.board.refusals import interlocked, refusal
from firmware_sim.board.states import UNARMED, Event
from firmware_sim.memory.session_steps import BeginCycle, SetPhase
from firmware_sim.memory.steps import Put
from firmware_sim.safety import count_watch, suction
from firmware_sim.safety.punch_checks import cycles_left, refuse_punch
from firmware_sim.safety.reactions import lock, needles_out
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState, Ending, NeedleOutcome, Phase
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.records import Cycle, pack_outcomes
from protocols.language.units import MILLISECOND, Micros

_SUCTION: Final = Phase.SUCTION
_ADVANCE: Final = Phase.ADVANCE
_COUNT: Final = Phase.COUNT
_BEFORE: Final = {
    _SUCTION: DeviceState.PUNCHING,
    _ADVANCE: DeviceState.SUCTIONING,
    _COUNT: DeviceState.ADVANCING,
}
"""Phase -> the state of the phase before it, which must be done."""
_BEGUN: Final = {
    _SUCTION: (Event.SUCTION_BEGUN, SetPhase(_SUCTION)),
    _ADVANCE: (Event.ADVANCE_BEGUN, SetPhase(_ADVANCE)),
    _COUNT: (Event.COUNT_BEGUN, SetPhase(_COUNT)),
}
"""Phase -> the event of its beginning, and the step that puts it in the register."""
_NEEDLES_LEAVE: Final = Put("stroke_latch", True)
"""Made once: a step is a value, and making one takes as long as applying it."""
_ARMED: Final = DeviceState.ARMED
_PUNCH_BEGUN: Final = Event.PUNCH_BEGUN
_MOTION_ENDED: Final = Event.MOTION_ENDED
_COMPLETED: Final = Ending.COMPLETED
_COUNTED: Final = NeedleOutcome.COUNTED
_EMPTY: Final = NeedleOutcome.EMPTY


# --- answers from memory --------------------------------------------------------------------------------------


def repeat(board: Board, asker: Asker, command: Message, now: Micros) -> bool:
    """Answer a command of the cycle that ended last with that ending; False if it is of no such cycle."""
    cycle_no, last = getattr(command, "cycle_no", None), board.nvm.last_outcome
    if last is None or last.cycle_no != cycle_no:
        return False
    # COUNT's answer has more than the record. It is lost with power; the journal is asked then.
    last_count = board.cycle.last_count
    if isinstance(command, M.Count) and last_count is not None and last_count.cycle_no == cycle_no:
        asker.reply(last_count, now, replayed=True)
    elif last.ending is not Ending.COMPLETED or isinstance(command, M.Punch):
        asker.reply(_stored(board, last), now, replayed=True)
    else:
        return False
    return True


def _stored(board: Board, outcome: Cycle) -> Message:
    """Return the outcome of the last cycle as an answer to a command that repeats its number."""
    if outcome.ending is Ending.COMPLETED:
        punctured = board.plant.all_needles
        # The record has no vacuum.
        return M.PunchDone(cycle_no=outcome.cycle_no, depth_um=outcome.depth_um, punctured=punctured, vacuum_pa=0)
    text = f"cycle {outcome.cycle_no} ended {outcome.ending.name} in {outcome.phase.name}; its number is used up"
    return M.Aborted(code=Code.E_STATE, ending=outcome.ending, phase=outcome.phase, sentence=text)


# --- PUNCH ----------------------------------------------------------------------------------------------------


def punch(board: Board, asker: Asker, command: M.Punch, now: Micros) -> Message | None:
    """PUNCH: the next number executes, the last one is answered from memory, all else is refused."""
    last = board.nvm.last_cycle_no
    if command.cycle_no != last + 1:
        return _not_next(board, asker, command, last, now)
    if board.state is not _ARMED:
        return _not_armed(board, now)
    if (no := refuse_punch(board, command, now)) is not None:
        return no
    # From here on the number is used up, whatever happens to the stroke.
    board.nvm.keep(BeginCycle(command.cycle_no, board.zone, board.cell, command.depth_um))
    board.plant.begin_cycle()
    board.cycle.begin(command.depth_um)
    parameters = board.parameters
    expected_us = (parameters.punch_ms + parameters.dwell_ms + parameters.retract_ms) * MILLISECOND
    board.begin(asker, _PUNCH_BEGUN, now, expected_us, partial(_stroke, board), now)
    _stroke(board, now)
    return None


def _not_next(board: Board, asker: Asker, command: M.Punch, last: int, now: Micros) -> Message | None:
    """Answer a PUNCH whose number is not the next: from memory, or by a refusal."""
    if command.cycle_no > last:
        text = f"cycle {command.cycle_no} leaves a gap: the next cycle is {last + 1}"
        return refusal(Code.E_CYCLE_GAP, text, expected=last + 1, actual=command.cycle_no)
    # Of the open cycle: what is owed is the answer that the first PUNCH had, or will have.
    if command.cycle_no == last and board.nvm.register is not None:
        return _punch_again(board, asker, last, now)
    if command.cycle_no == last and repeat(board, asker, command, now):
        return None
    text = f"cycle {command.cycle_no} was used before, the last is {last}: see the journal"
    return refusal(Code.E_EXPIRED, text, expected=last + 1, actual=command.cycle_no)


def _punch_again(board: Board, asker: Asker, cycle_no: int, now: Micros) -> Message | None:
    """Answer a second PUNCH of the cycle that is open."""
    if board.cycle.punch_done is None:
        text = f"the PUNCH of cycle {cycle_no} is under way: its answer goes to who asked first"
        return refusal(Code.E_STATE, text, actual=board.state)
    asker.reply(board.cycle.punch_done, now, replayed=True)
    return None


def _not_armed(board: Board, now: Micros) -> Refused:
    # The hazard is named before the state: to arm first would help nobody whose skin is not numb.
    if board.state in UNARMED and board.state is not DeviceState.ANESTHESIA_CONFIRMED:
        board.raise_alarm(A.ANESTHESIA_MISSING, now)
        return interlocked(
            I.ANESTHESIA_NEEDED, "PUNCH is refused: anesthesia is not confirmed for every zone that was numbed"
        )
    text = f"PUNCH needs ARMED; the device is in {board.state.name}"
    return refusal(Code.E_STATE, text, actual=board.state)


def _stroke(board: Board, now: Micros) -> None:
    """Move the needles out: one try of the stroke."""
    cycle = board.cycle
    cycle.tries += 1
    if not cycle.punctured:
        board.nvm.keep(_NEEDLES_LEAVE)
        board.nvm.sync()  # before they move: what cannot be kept must not happen
    arrival = board.plant.extend(cycle.depth_um, now)
    if not cycle.punctured:
        cycle.punctured = board.plant.skin_touched
        if not cycle.punctured:
            board.nvm.keep(Put("stroke_latch", False))  # jammed at home: a loss of power now is to find no puncture
    suction.look(board, now)
    if board.nvm.register is not None:  # the look may have ended the cycle
        board.go_on(arrival, partial(_arrived, board))


def _arrived(board: Board, now: Micros) -> None:
    """Judge the depth that the encoder measures at the end of the stroke."""
    cycle, parameters = board.cycle, board.parameters
    cycle.measured_um = measured = board.plant.needle.encoder_um(now)
    if measured > cycle.depth_um + parameters.depth_over_um:
        lock(board, I.DEPTH, f"needle at {measured} um, set {cycle.depth_um} um: retracted", A.TOO_DEEP, now)
    # By twice the encoder's error: needles that have arrived never read so short.
    elif measured < cycle.depth_um - 2 * parameters.depth_tolerance_um:
        home = board.plant.needle.retract(now)
        board.go_on(home, partial(_stroke if cycle.tries < parameters.stall_tries else _stalled, board))
    else:
        board.plant.cut(now)
        board.go_on(Micros(now + parameters.dwell_ms * MILLISECOND), partial(_dwelt, board))


def _stalled(board: Board, now: Micros) -> None:
    text = f"the needle motor stalled {board.cycle.tries} times: retracted and locked"
    lock(board, I.STALL, text, A.MOTOR_STALLED, now)


def _dwelt(board: Board, now: Micros) -> None:
    board.go_on(board.plant.needle.retract(now), partial(_punched, board))


def _punched(board: Board, now: Micros) -> None:
    """Answer PUNCH_DONE: the needles should be home again."""
    cycle = board.cycle
    cycle.phase_done = True
    cycle.punch_done = M.PunchDone.unchecked(
        cycle_no=board.nvm.last_cycle_no,
        depth_um=cycle.measured_um,
        punctured=board.plant.all_needles,
        vacuum_pa=round(board.plant.vacuum.sensed_kpa(now) * 1000),
    )
    board.end(None, cycle.punch_done, now)


# --- SUCTION, ADVANCE, COUNT ----------------------------------------------------------------------------------


def hold_suction(board: Board, asker: Asker, command: M.Suction, now: Micros) -> Message | None:
    """SUCTION: hold the vacuum over the open cycle."""
    if not _may_begin(board, command.cycle_no, _SUCTION):
        return _not_open(board, asker, command, command.cycle_no, _SUCTION, now)

    def sucked(at: Micros) -> None:
        board.cycle.phase_done = True
        board.plant.evacuate(at)
        suction.look(board, at)  # what was sucked in has let some air in
        if board.nvm.register is not None:
            vacuum_pa = round(board.plant.vacuum.sensed_kpa(at) * 1000)
            board.nvm.sync()  # DONE shows how far the cycle has come
            board.end(None, M.SuctionDone.unchecked(cycle_no=command.cycle_no, vacuum_pa=vacuum_pa), at)

    _begin_phase(board, asker, _SUCTION, board.parameters.suction_ms, sucked, now)
    return None


def advance(board: Board, asker: Asker, command: M.Advance, now: Micros) -> Message | None:
    """ADVANCE: interlock 1 allows it only with the needle seen at home."""
    if not _may_begin(board, command.cycle_no, _ADVANCE):
        return _not_open(board, asker, command, command.cycle_no, _ADVANCE, now)
    # By the sensor: that PUNCH is done says no more than that they should be home.
    if not board.plant.needle.retracted(now):
        needles_out(board, now)
        return interlocked(I.NEEDLE_OUT, "the retracted sensor does not see the needle at home: no advance, retracting")

    def advanced(at: Micros) -> None:
        board.cycle.phase_done = True
        board.nvm.sync()
        board.end(None, M.AdvanceDone.unchecked(cycle_no=command.cycle_no), at)

    duration_ms = board.parameters.advance_ms * command.steps
    _begin_phase(board, asker, _ADVANCE, duration_ms, advanced, now)
    return None


def count(board: Board, asker: Asker, command: M.Count, now: Micros) -> Message | None:
    """COUNT: read the sensor and end the cycle; repeated for the last cycle, its stored outcome."""
    if not _may_begin(board, command.cycle_no, _COUNT):
        return _not_open(board, asker, command, command.cycle_no, _COUNT, now)
    counted, count_ms = partial(_counted, board), board.parameters.count_ms
    _begin_phase(board, asker, _COUNT, count_ms, counted, now)
    return None


def _may_begin(board: Board, cycle_no: int, phase: Phase) -> bool:
    register = board.nvm.register
    return register is not None and register[0] == cycle_no and board.cycle.phase_done and board.state is _BEFORE[phase]


def _not_open(board: Board, asker: Asker, command: Message, cycle_no: int, phase: Phase, now: Micros) -> Message | None:
    """Refuse a phase that may not begin; None where the command was answered with an ending."""
    register = board.nvm.register
    if register is not None and register[0] == cycle_no:
        board.nvm.sync()  # the sentence shows the phase
        text = f"{phase.name} is out of order: cycle {cycle_no} is in {register[1].name}"
        return refusal(Code.E_STATE, text, actual=board.state)
    if repeat(board, asker, command, now):
        return None
    open_no = 0 if register is None else register[0]
    text = f"cycle {cycle_no} is not open; open is {open_no or 'none'}: see the journal"
    return refusal(Code.E_CYCLE_GAP, text, expected=open_no, actual=cycle_no)


def _begin_phase(board: Board, asker: Asker, phase: Phase, duration_ms: int, then: Then, now: Micros) -> None:
    """Begin the next phase of the open cycle: in the register first, then in motion.

    RECEIVED says that a motion has begun, which no loss of power makes untrue. That the cycle has come so far is what
    the end of the motion shows, and what is synced there.
    """
    event, step = _BEGUN[phase]
    board.nvm.keep(step, shown=False)
    board.cycle.phase_done = False
    duration_us = duration_ms * MILLISECOND
    board.begin(asker, event, Micros(now + duration_us), duration_us, then, now)


def _counted(board: Board, now: Micros) -> None:
    """Read the count sensor, end the cycle with its record, and answer COUNT_DONE."""
    seen = board.plant.sense(now)
    outcomes = [_COUNTED if seen >> needle & 1 else _EMPTY for needle in range(board.plant.needles)]
    count_watch.take(board, seen, now)
    board.end_cycle(_COMPLETED, _COUNT, outcomes, now)
    session = board.nvm.session
    assert session is not None
    board.cycle.last_count = done = M.CountDone.unchecked(
        cycle_no=board.nvm.last_cycle_no,
        outcomes=pack_outcomes(outcomes),
        cores_counted=seen.bit_count(),
        flagged=board.nvm.flagged,
        cell_punctures=session.cell_punctures[board.zone, board.cell],
        cycles_left=cycles_left(board),
        total_punctures=session.punctures,
        total_cores_counted=session.cores_counted,
    )
    board.end(_MOTION_ENDED, done, now)
