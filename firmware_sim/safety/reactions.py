"""The reactions of the device: stopping everything, ending a cycle at once, and what an interrupt line sets off.

Law: a reaction never asks. It makes the device safe first and says so afterwards; each is harmless twice.
"""

from firmware_sim.board.board import Board
from firmware_sim.board.motion import Motion, Nobody
from firmware_sim.board.states import CYCLE, HELD, Event
from firmware_sim.model.interlocks import ALARMS
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState, Ending, Phase
from protocols.language.units import Micros


def make_safe(board: Board, event: Event, code: Code, text: str, now: Micros) -> None:
    """Stop everything: retract, vent, end the open cycle, disarm, hold. `event` names the state to hold in."""
    board.plant.vent(now)
    board.retract(now)
    if board.motion is not None:
        _abort_motion(board, code, text, now)
    board.forget_suction(now)
    board.zones.clear()
    board.enter(event)


def _abort_motion(board: Board, code: Code, text: str, now: Micros) -> None:
    """Answer the motion under way with ABORTED, and with how its cycle ended."""
    motion, board.motion = board.motion, None
    assert motion is not None
    last = board.nvm.last_outcome if board.state in CYCLE else None
    aborted = M.Aborted(
        code=code,
        ending=Ending.OPEN if last is None else last.ending,
        phase=Phase.NONE if last is None else last.phase,
        sentence=text,
    )
    motion.asker.reply(aborted, now)


def give_up(board: Board, now: Micros) -> None:
    """Make the device safe after its memory failed: vent, retract, hold, and answer anyone who waits.

    Nothing is kept any more: how the open cycle has ended is for the next boot to say, from register and latch.
    """
    board.plant.vent(now)
    board.plant.needle.retract(now)
    board.suction_due = None
    if board.state not in HELD:
        board.enter(Event.MADE_SAFE)
    motion, board.motion = board.motion, None
    if motion is not None:
        register = board.nvm.register
        text = "the memory failed: vented, retracted; after a restart the journal tells how the cycle ended"
        phase = Phase.NONE if register is None else register[1]
        motion.asker.reply(M.Aborted(code=Code.E_STORAGE, ending=Ending.OPEN, phase=phase, sentence=text), now)


def abort_cycle(board: Board, interlock: int, text: str, alarm_code: int, now: Micros) -> None:
    """End the open cycle at once and be armed again when the needles are seen at home: the motion under way FAILED.

    It is ABORTED where they are not seen there, or where the device is made safe meanwhile. Without an open cycle
    nothing is done.
    """
    if board.nvm.register is None:
        return  # where it has just ended, the needles are on their way: calling them again would give them more time
    board.retract(now)
    failed = M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=alarm_code, sentence=text)

    def home(at: Micros) -> None:
        if board.plant.needle.retracted(at):
            board.end(Event.CYCLE_ABORTED, failed, at)
        else:
            needles_out(board, at)

    if board.motion is None:
        board.motion = Motion(Nobody(), now, now, 0, home)
    if board.plant.needle.retracted(now):
        home(now)
    else:
        board.go_on(board.home_due, home)


def lock(board: Board, interlock: int, text: str, alarm_code: int, now: Micros) -> None:
    """Lock after a stroke that cannot be finished: raise the alarm, retract, answer FAILED."""
    board.raise_alarm(alarm_code, now)
    motion, board.motion = board.motion, None
    assert motion is not None
    make_safe(board, Event.LOCKED, Code.E_INTERLOCK, text, now)
    failed = M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=alarm_code, sentence=text)
    motion.asker.reply(failed, now)


def link_lost(board: Board, now: Micros) -> None:
    """React to the loss of the controlling link while armed: interlock 15."""
    if board.armed:
        board.raise_alarm(A.LINK_LOST, now)
        make_safe(board, Event.MADE_SAFE, Code.E_LINK, ALARMS[A.LINK_LOST].sentence, now)
        board.clear_alarm(A.LINK_LOST, now)


def emergency(board: Board, now: Micros) -> None:
    """React to the emergency stop: interlock 20."""
    board.raise_alarm(A.EMERGENCY_STOP, now)
    if board.state not in HELD:
        make_safe(board, Event.MADE_SAFE, Code.E_INTERLOCK, ALARMS[A.EMERGENCY_STOP].sentence, now)


def flooded(board: Board, now: Micros) -> None:
    """React to fluid in the handpiece: interlock 19."""
    board.raise_alarm(A.FLUID_INSIDE, now)
    if board.state is not DeviceState.LOCKED:
        make_safe(board, Event.LOCKED, Code.E_INTERLOCK, ALARMS[A.FLUID_INSIDE].sentence, now)


def needles_out(board: Board, now: Micros) -> None:
    """React to needles that are not seen at home while the stage or the hand must not move: interlock 1."""
    board.raise_alarm(A.NEEDLE_NOT_RETRACTED, now)
    text = ALARMS[A.NEEDLE_NOT_RETRACTED].sentence
    make_safe(board, Event.FAULTED, Code.E_INTERLOCK, text, now)
