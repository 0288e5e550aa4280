"""The commands around a session: opening it, its anesthesia, closing it. Each answers at once and moves nothing."""

import math
from typing import Final

from firmware_sim.board.board import NO_CELL, Board, Zone
from firmware_sim.board.motion import Asker
from firmware_sim.board.refusals import interlocked, refusal
from firmware_sim.board.states import UNARMED, Event
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import CloseSession, OpenSession
from firmware_sim.model.interlocks import ALARMS
from firmware_sim.model.parameters import Parameters
from firmware_sim.safety import count_watch
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import CloseReason, Code
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.units import SECOND, Micros

MAX_CELLS: Final = 2_000
"""20 face-sized areas: more is a mistake in the plan."""
DEPTH_STEP_UM: Final = 500


def cycles_per_cell(coverage_bp: int, needles: int, parameters: Parameters) -> int:
    """Return the cycles that a cell of 1 cm2 takes at a coverage: the plan's share, never above the hard cap."""
    core_mm2 = math.pi / 4 * parameters.core_diameter_mm**2
    wanted = coverage_bp / 10_000 * 100 / core_mm2  # 100 mm2 to the cm2
    return max(1, min(round(wanted / needles), parameters.density_cap_per_cm2 // needles))


def _refuse_plan(command: M.SessionOpen, per_cell: int, needles: int) -> Refused | None:
    cells = sum(command.zones_cm2)
    if not command.zones_cm2 or min(command.zones_cm2) < 1 or cells > MAX_CELLS:
        text = f"a plan needs zones of at least 1 cm2, {MAX_CELLS:,} cm2 in all"
        return refusal(Code.E_RANGE, text, expected=MAX_CELLS, actual=cells)
    if command.depth_um % DEPTH_STEP_UM:
        text = f"depth {command.depth_um} um is not a multiple of {DEPTH_STEP_UM} um"
        return refusal(Code.E_RANGE, text, expected=DEPTH_STEP_UM, actual=command.depth_um)
    fits = cells * per_cell * needles
    if fits < command.target_cores:
        text = f"{command.target_cores} cores do not fit {cells} cells: at most {fits} punctures at this coverage"
        return refusal(Code.E_RANGE, text, expected=fits, actual=command.target_cores)
    return None


def open_session(board: Board, asker: Asker, command: M.SessionOpen, now: Micros) -> Message:
    """SESSION_OPEN."""
    nvm, plant, needles = board.nvm, board.plant, board.plant.needles
    per_cell = cycles_per_cell(command.coverage_bp, needles, board.parameters)
    if (no := _refuse_plan(command, per_cell, needles)) is not None:
        return no
    memory = SessionMemory(
        session_no=nvm.session_no + 1,
        first_cycle_no=nvm.last_cycle_no + 1,
        target_cores=command.target_cores,
        coverage_bp=command.coverage_bp,
        depth_um=command.depth_um,
        zones_cm2=command.zones_cm2,
        cells=sum(command.zones_cm2),
        cycles_per_cell=per_cell,
        punctures_per_cell=per_cell * needles,
    )
    nvm.keep(OpenSession(memory.to_json(), board.uptime_ms(now)))
    if not board.parameters.consumables_keep:
        plant.fit_fresh_consumables(memory.session_no, now)
    plant.begin_session(now)
    _begin_afresh(board, memory.session_no, now)
    return M.SessionOpenDone(
        session_no=memory.session_no,
        first_cycle_no=memory.first_cycle_no,
        needles=needles,
        cells=memory.cells,
        cycles_per_cell=per_cell,
        punctures_per_cell=memory.punctures_per_cell,
    )


def _begin_afresh(board: Board, session_no: int, now: Micros) -> None:
    """Forget all that the board holds of an earlier session."""
    board.truth_session_no = session_no
    count_watch.begin_session(board)
    board.cycle.last_count = None
    _leave_alarms(board, now)
    board.zones.clear()
    board.cell = NO_CELL
    board.enter(Event.SESSION_OPENED)


def _leave_alarms(board: Board, now: Micros) -> None:
    """Clear the alarms of the session before: what was wrong with it is not with the next."""
    for rule in ALARMS.values():
        if rule.of_session:
            board.clear_alarm(rule.code, now)


def _note_anesthesia(board: Board, zone: int, confirmed: int, age_s: int, now: Micros) -> None:
    """Journal that a zone was numbed, or that its anesthesia was confirmed."""
    nvm, uptime_ms = board.nvm, board.uptime_ms(now)
    nvm.append(R.Anesthesia(event_no=nvm.head, uptime_ms=uptime_ms, zone=zone, confirmed=confirmed, age_s=age_s))


def _refuse_zone(board: Board, zone: int) -> Refused | None:
    session = board.nvm.session
    assert session is not None
    zones = len(session.zones_cm2)
    if zone < zones:
        return None
    return interlocked(I.ZONE, f"zone {zone} is not in the plan", expected=zones, actual=zone)


def start_anesthesia(board: Board, asker: Asker, command: M.AnesthesiaStart, now: Micros) -> Message:
    """ANESTHESIA_START."""
    if (no := _refuse_zone(board, command.zone)) is not None:
        return no
    _note_anesthesia(board, command.zone, 0, command.age_s, now)
    board.zones[command.zone] = Zone(Micros(now - command.age_s * SECOND), False)
    board.enter(Event.ANESTHESIA_STARTED)
    return M.AnesthesiaStartDone(wait_s=max(0, board.parameters.anesthesia_wait_s - command.age_s))


def confirm_anesthesia(board: Board, asker: Asker, command: M.AnesthesiaConfirm, now: Micros) -> Message:
    """ANESTHESIA_CONFIRM."""
    if (no := _refuse_zone(board, command.zone)) is not None:  # one outside the plan can never be numbed
        return no
    zone = board.zones.get(command.zone)
    if zone is None:
        return interlocked(I.ANESTHESIA_NEEDED, f"zone {command.zone} was not numbed: send ANESTHESIA_START first")
    age_s = (now - zone.numbed_at) // SECOND
    wait_s, valid_s = board.parameters.anesthesia_wait_s, board.parameters.anesthesia_valid_s
    if age_s < wait_s:
        text = f"too early: zone {command.zone} was numbed {age_s} s ago and needs {wait_s} s"
        return interlocked(I.ANESTHESIA_TIME, text, expected=wait_s, actual=age_s)
    if age_s >= valid_s:
        text = f"expired: zone {command.zone} was numbed {age_s} s ago and holds {valid_s} s; numb it again"
        return interlocked(I.ANESTHESIA_TIME, text, expected=valid_s, actual=age_s)
    _note_anesthesia(board, command.zone, 1, age_s, now)
    board.zones[command.zone] = Zone(zone.numbed_at, True)
    if all(entry.confirmed for entry in board.zones.values()):
        board.enter(Event.ZONES_CONFIRMED)
        board.clear_alarm(A.ANESTHESIA_EXPIRED, now)
        board.clear_alarm(A.ANESTHESIA_MISSING, now)
    return M.AnesthesiaConfirmDone(valid_s=valid_s - age_s)


_COMPARED: Final = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")
"""Counts on which both ends must agree before a session is closed."""


def _refuse_close(board: Board, command: M.SessionClose) -> Refused | None:
    session = board.nvm.session
    if session is None or command.session_no != session.session_no:
        have = board.nvm.totals.session_no
        text = f"session {command.session_no} is not open here; open is {have or 'none'}"
        return refusal(Code.E_STATE, text, expected=have, actual=command.session_no)
    if command.reason is CloseReason.ABANDONED:
        return None
    for name in _COMPARED:
        ours, theirs = getattr(session, name), getattr(command, name)
        if ours != theirs:
            text = f"counts disagree: {name} is {ours} here, {theirs} at the host; reconcile before closing"
            return interlocked(I.COUNT_MISMATCH, text, expected=ours, actual=theirs)
    return None


def close_session(board: Board, asker: Asker, command: M.SessionClose, now: Micros) -> Message:
    """SESSION_CLOSE: refused, with both numbers, unless the host's fold is the device's."""
    if (no := _refuse_close(board, command)) is not None:
        return no
    board.nvm.keep(CloseSession(command.reason, board.uptime_ms(now)))
    if board.state in UNARMED:
        board.enter(Event.CLOSE_BEGUN)
        board.enter(Event.CLOSED)
    _leave_alarms(board, now)
    board.zones.clear()
    closed = board.nvm.last_close
    assert closed is not None
    return closed
