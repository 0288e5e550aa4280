"""Conditions for needles to move: the checks of PUNCH in the order in which they are made, and ARM's own.

Law: a check reads sensors, memory and parameters; it raises or clears its alarm, and says no by an interlock's number
or a code. It moves nothing, but for the one that locks.
"""

from collections.abc import Callable
from typing import Final

from firmware_sim.board.board import NO_CELL, Board
from firmware_sim.board.refusals import interlocked, not_kept, refusal
from firmware_sim.board.states import Event
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.journal import JOURNAL_RESERVE
from firmware_sim.memory.nvm import WORK_ROOM
from firmware_sim.model.interlocks import ALARMS, LIMITS
from firmware_sim.safety import suction
from firmware_sim.safety.limits import refuse_beyond
from firmware_sim.safety.reactions import make_safe
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.messages import Refused
from protocols.language.units import MILLISECOND, Micros, to_seconds


def cycles_left(board: Board) -> int:
    """Cycles that the present cell still takes under the plan's limit."""
    session = board.nvm.session
    assert session is not None
    made = session.cell_punctures.get((board.zone, board.cell), 0)
    return max(0, (session.punctures_per_cell - made) // board.plant.needles)


def watch_density(board: Board, now: Micros) -> None:
    """Interlock 8, as the hand arrives: warn of a cell that it comes back to and that is nearly full.

    A plan fills a cell in one visit. Where no other cell was visited since, it is the same visit.
    """
    session, place = board.nvm.session, (board.zone, board.cell)
    assert session is not None
    if place == board.last_place:
        return
    board.last_place = place
    made, limit = session.cell_punctures.get(place, 0), session.punctures_per_cell
    near = made > 0 and made >= board.parameters.density_warn * limit and cycles_left(board) > 0
    board.set_alarm(A.DENSITY_NEAR, near, now)


def no_room(board: Board) -> Refused | None:
    """Refuse where the journal is nearly full: nothing of a session may be overwritten before the host has it."""
    free = board.nvm.free
    if free >= JOURNAL_RESERVE:
        return None
    if free == board.nvm.numbers_left:
        text = f"{free} numbers are left in the memory, {JOURNAL_RESERVE} are needed: begin with an empty one"
    else:
        text = f"{free} journal slots are free, {JOURNAL_RESERVE} are needed: read and acknowledge"
    return refusal(Code.E_STORAGE, text, expected=JOURNAL_RESERVE, actual=free)


def no_store(board: Board, size: int) -> Refused | None:
    """Refuse where the memory has no room: what is begun must have its place before it moves anything."""
    try:
        board.nvm.reserve(size)
    except NvmFileError as error:
        return not_kept(error)
    return None


def refuse_arm(board: Board, now: Micros) -> Refused | None:
    """Interlocks 13, 11 and 12: a trigger that is held before it may be, and a cartridge that may not be used."""
    if board.parameters.trigger_required and board.plant.trigger_closed:
        board.raise_alarm(A.TRIGGER_STUCK, now)
        return interlocked(I.TRIGGER, "the trigger is held or stuck: release it before ARM")
    no = _refuse_unfit(board, now)
    return no if no is not None else refuse_beyond(board, I.WEAR, now)


def _refuse_unfit(board: Board, now: Micros) -> Refused | None:
    cartridge, session = board.plant.cartridge, board.nvm.session
    assert session is not None
    serial = board.plant.serial_read
    bound_to = board.nvm.cartridges.get(serial, session.session_no)
    reason = ""
    if board.plant.inputs.cartridge_missing:
        reason = "no cartridge is fitted"
    elif board.plant.inputs.cartridge_used:
        reason = f"cartridge {serial} was used before, its seal is broken"
    elif cartridge.expired:
        reason = f"cartridge {serial} is past its date"
    elif not cartridge.sterile:
        reason = f"cartridge {serial} is not sterile"
    elif bound_to != session.session_no:
        reason = f"cartridge {serial} was used in session {bound_to}"
    board.set_alarm(A.CARTRIDGE_REFUSED, bool(reason), now)
    return interlocked(I.CARTRIDGE, f"{reason}: fit a new one; there is no override") if reason else None


# --- the checks of PUNCH --------------------------------------------------------------------------------------


def refuse_punch(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    """Return the first refusal of this stroke; None when nothing forbids it."""
    for check in _CHECKS:
        no = check(board, command, now)
        if no is not None:
            return no
    return None


def _check_command(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    session = board.nvm.session
    assert session is not None
    if command.depth_um != session.depth_um:
        text = f"depth {command.depth_um} um is not the session's {session.depth_um} um"
        return refusal(Code.E_RANGE, text, expected=session.depth_um, actual=command.depth_um)
    late_ms = board.uptime_ms(now) - command.deadline_ms & 0xFFFF_FFFF
    if 0 < late_ms < 0x8000_0000:
        text = f"too late by {late_ms} ms: the deadline was device uptime {command.deadline_ms} ms"
        return refusal(Code.E_EXPIRED, text, actual=late_ms)
    if (no := no_room(board) or no_store(board, WORK_ROOM)) is not None:
        return no
    return _refuse_trigger(board, now) if board.parameters.trigger_required else None


def _refuse_trigger(board: Board, now: Micros) -> Refused | None:
    since, needed_ms = board.trigger_since, board.parameters.trigger_debounce_ms
    if since is None:
        return interlocked(I.TRIGGER, "the trigger is not held, and this device needs it for PUNCH")
    # A contact that bounces closes again all the time.
    steady_ms = 0 if board.plant.inputs.trigger_bounces else (now - since) // MILLISECOND
    board.set_alarm(A.TRIGGER_UNSTEADY, steady_ms < needed_ms, now)
    if steady_ms < needed_ms:
        text = f"the trigger has been held for {steady_ms} ms without a bounce, and needs {needed_ms} ms"
        return interlocked(I.TRIGGER, text, expected=needed_ms, actual=steady_ms)
    return None


def _check_cell(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    session, cap = board.nvm.session, board.parameters.density_cap_per_cm2
    assert session is not None
    if board.cell == NO_CELL:
        return interlocked(I.ZONE, "the hand is at no cell yet: REPOSITION first")
    made = session.cell_punctures.get((board.zone, board.cell), 0)
    if made >= cap:
        board.raise_alarm(A.DENSITY_LOCKED, now)
        make_safe(board, Event.LOCKED, Code.E_INTERLOCK, "density cap reached", now)
        text = f"{made} punctures in this cell: the cap of {cap} per cm2 is reached"
        return interlocked(I.DENSITY, text, expected=cap, actual=made)
    if made + board.plant.needles > session.punctures_per_cell:
        board.raise_alarm(A.DENSITY_REACHED, now)
        text = f"{made} of {session.punctures_per_cell} planned punctures are made in this cell: REPOSITION"
        return interlocked(I.DENSITY, text, expected=session.punctures_per_cell, actual=made)
    board.clear_alarm(A.DENSITY_REACHED, now)
    return None


def _check_anesthesia(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    zone = board.zones.get(board.zone)
    if zone is None or not zone.confirmed:
        board.raise_alarm(A.ANESTHESIA_MISSING, now)
        text = f"anesthesia is not confirmed for zone {board.zone}: confirm it before the first punch"
        return interlocked(I.ANESTHESIA_NEEDED, text)
    age_s, valid_s = to_seconds(Micros(now - zone.numbed_at)), board.parameters.anesthesia_valid_s
    if age_s >= valid_s:
        board.raise_alarm(A.ANESTHESIA_EXPIRED, now)
        text = f"anesthesia of zone {board.zone} is {age_s:.0f} s old and holds {valid_s} s: confirm the zone again"
        return interlocked(I.ANESTHESIA_TIME, text, expected=valid_s, actual=int(age_s))
    board.clear_alarm(A.ANESTHESIA_MISSING, now)
    board.clear_alarm(A.ANESTHESIA_EXPIRED, now)
    return None


def _check_suction(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    low = board.parameters.vacuum_low_kpa
    sensed = board.plant.vacuum.sensed_kpa(now)
    if sensed > low:
        suction.look(board, now)
        return interlocked(I.SUCTION, f"the vacuum is {sensed:.1f} kPa; a cycle needs {low:.0f} kPa or more suction")
    if board.alarms.present(A.SUCTION_LOST):
        suction.look(board, now)
        if board.alarms.present(A.SUCTION_LOST):
            stable = board.parameters.vacuum_stable_s
            return interlocked(I.SUCTION, f"the vacuum came back and must stand for {stable:g} s before the next cycle")
    return None


def _check_needles(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    flagged = board.nvm.flagged
    if board.alarms.present(A.LINE_BLOCKED):
        label = ALARMS[A.LINE_BLOCKED].label
        return interlocked(I.BLOCKED_LINE, f"no needle brings a core: clear the line and acknowledge {label}")
    if flagged & flagged - 1:
        return interlocked(I.CLOG, f"{flagged.bit_count()} needles are clogged: purge before the next cycle")
    if board.alarms.present(A.COUNT_STOPPED):
        label, window = ALARMS[A.COUNT_STOPPED].label, board.parameters.count_window
        return interlocked(
            I.COUNT_MISMATCH, f"too many cores are missing in {window} strokes: acknowledge {label} and check"
        )
    return None


def _check_cartridge(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    return _refuse_unfit(board, now)


def _check_limits(board: Board, command: M.Punch, now: Micros) -> Refused | None:
    for number in LIMITS:
        no = refuse_beyond(board, number, now)
        if no is not None:
            return no
    return None


_CHECKS: Final[tuple[Callable[[Board, M.Punch, Micros], Refused | None], ...]] = (
    _check_command,
    _check_cell,
    _check_anesthesia,
    _check_suction,
    _check_needles,
    _check_cartridge,
    _check_limits,
)
