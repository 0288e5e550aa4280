"""The commands between cycles: arming, moving the hand, purging, holding, stopping, and the way out of a hold."""

from firmware_sim.board.board import NO_CELL, Board
from firmware_sim.board.motion import Asker
from firmware_sim.board.refusals import interlocked
from firmware_sim.board.states import HELD, Event
from firmware_sim.memory.steps import BindCartridge
from firmware_sim.model.interlocks import ALARMS
from firmware_sim.model.vacuum import VENTED_KPA
from firmware_sim.safety import count_watch, suction
from firmware_sim.safety.punch_checks import cycles_left, watch_density
from firmware_sim.safety.reactions import make_safe, needles_out
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.units import SECOND, Micros


def arm(board: Board, asker: Asker, command: M.Arm, now: Micros) -> None:
    """ARM: the pump runs until the vacuum allows a cycle."""
    assert board.nvm.session is not None
    plant, parameters = board.plant, board.parameters
    cartridge, session_no = plant.cartridge, board.nvm.session.session_no
    board.nvm.keep(BindCartridge(plant.serial_read, session_no, cartridge.cycles))
    plant.start_pump(now)
    limit = Micros(now + round(parameters.arm_timeout_s * SECOND))
    # A line that was being vented may still hold it.
    enough = plant.vacuum.sensed_kpa(now) <= parameters.vacuum_low_kpa
    due = Micros(now + 1) if enough else _next_look(board, limit, now)
    board.begin(asker, Event.ARM_BEGUN, due, due - now, lambda at: _armed(board, limit, at), now)


def _next_look(board: Board, limit: Micros, now: Micros) -> Micros:
    """Return when the vacuum may be enough, `limit` at the latest."""
    ready = board.plant.vacuum.when_sensed_crosses(board.parameters.vacuum_low_kpa, now)
    return limit if ready is None else min(limit, Micros(ready + 1))


def _armed(board: Board, limit: Micros, now: Micros) -> None:
    sensed, low = board.plant.vacuum.sensed_kpa(now), board.parameters.vacuum_low_kpa
    if sensed > low and now < limit:
        board.go_on(_next_look(board, limit, now), lambda at: _armed(board, limit, at))
        return
    if sensed > low:
        board.plant.vent(now)
        board.raise_alarm(A.SUCTION_LOST, now)
        text = f"the vacuum only reached {sensed:.0f} kPa; arming needs {low:.0f} kPa"
        failed = M.Failed(code=Code.E_INTERLOCK, interlock=I.SUCTION, alarm_code=A.SUCTION_LOST, sentence=text)
        board.end(Event.DISARM_ENDED, failed, now)
        return
    board.end(Event.ARM_ENDED, M.ArmDone(vacuum_pa=round(sensed * 1000)), now)
    suction.look(board, now)


def disarm(board: Board, asker: Asker, command: M.Disarm, now: Micros) -> None:
    """DISARM: the line is vented."""
    board.plant.vent(now)
    vented = board.plant.vacuum.when_pressure_crosses(-VENTED_KPA, now) or now

    def disarmed(at: Micros) -> None:
        board.end(Event.DISARM_ENDED, M.DisarmDone(state=DeviceState.ANESTHESIA_CONFIRMED), at)

    board.begin(asker, Event.DISARM_BEGUN, vented, vented - now, disarmed, now)
    board.forget_suction(now)


def reposition(board: Board, asker: Asker, command: M.Reposition, now: Micros) -> Message | None:
    """REPOSITION: the hand moves to a cell."""
    session = board.nvm.session
    assert session is not None
    zone, cell = command.zone, command.cell
    if zone >= len(session.zones_cm2) or cell >= session.zones_cm2[zone]:
        cells = session.zones_cm2[zone] if zone < len(session.zones_cm2) else 0
        text = f"zone {zone} cell {cell} is outside the planned zones"
        return interlocked(I.ZONE, text, expected=cells, actual=cell)
    if not board.plant.needle.retracted(now):
        needles_out(board, now)
        return interlocked(I.NEEDLE_OUT, "the retracted sensor does not see the needles at home: the hand stays")
    travel = board.plant.reposition_us()
    board.cell = NO_CELL

    def arrived(at: Micros) -> None:
        board.zone, board.cell = zone, sum(session.zones_cm2[:zone]) + cell
        watch_density(board, at)
        made, left = session.cell_punctures.get((zone, board.cell), 0), cycles_left(board)
        done = M.RepositionDone(zone=zone, cell=cell, cell_punctures=made, cycles_left=left)
        board.end(Event.MOTION_ENDED, done, at)

    board.begin(asker, Event.REPOSITION_BEGUN, Micros(now + travel), travel, arrived, now)
    return None


def purge(board: Board, asker: Asker, command: M.Purge, now: Micros) -> None:
    """PURGE: try to blow the flagged needles free."""
    duration = round(board.parameters.purge_s * SECOND)

    def purged(at: Micros) -> None:
        cleared = count_watch.purge(board, at)
        board.end(Event.MOTION_ENDED, M.PurgeDone(cleared=cleared, flagged=board.nvm.flagged), at)

    board.begin(asker, Event.PURGE_BEGUN, Micros(now + duration), duration, purged, now)


def pause(board: Board, asker: Asker, command: M.Pause, now: Micros) -> Message:
    """PAUSE."""
    board.enter(Event.PAUSED)
    return M.PauseDone()


def resume(board: Board, asker: Asker, command: M.Resume, now: Micros) -> Message:
    """RESUME."""
    board.enter(Event.RESUMED)
    return M.ResumeDone()


def stop(board: Board, asker: Asker, command: M.Stop, now: Micros) -> Message:
    """STOP: from any link, in any state, harmless twice."""
    if board.state not in HELD and board.state is not DeviceState.IDLE:
        make_safe(board, Event.MADE_SAFE, Code.E_STATE, "stopped by STOP", now)
    return M.StopDone(state=board.state)


def reset_fault(board: Board, asker: Asker, command: M.FaultReset, now: Micros) -> Message:
    """FAULT_RESET: the only way out of SAFE and FAULT."""
    for code in board.alarms.resettable():
        board.forget_alarm(code, now)
    for code in board.alarms.reset():
        board.announce_alarm(code, now)
    board.enter(Event.RESET if board.nvm.session is None else Event.RESET_WITH_SESSION)
    return M.FaultResetDone(state=board.state, alarms=len(board.alarms.listing()))


def refuse_reset(board: Board, now: Micros) -> Refused | None:
    """Refuse a reset while something still holds the device; causes that have gone are cleared on the way."""
    inputs = board.plant.inputs
    if inputs.estop_open:
        return interlocked(I.EMERGENCY_STOP, "the emergency stop is still open: close it first")
    if inputs.self_test_failure:
        return interlocked(I.SELF_TEST, f"the self-test fails: {inputs.self_test_failure}")
    board.clear_alarm(A.SELF_TEST_FAILED, now)
    if board.plant.needle.retracted(now):
        board.clear_alarm(A.NEEDLE_NOT_RETRACTED, now)
    elif now < board.home_due:
        return interlocked(I.NEEDLE_OUT, "the needles are on their way home and not seen there yet: ask again")
    else:
        board.raise_alarm(A.NEEDLE_NOT_RETRACTED, now)
        board.home_due = board.plant.needle.retract(now)
    if (left := board.alarms.highest_latching()) is not None:
        alarm = ALARMS[left]
        return interlocked(alarm.interlock, f"{alarm.label} still has its cause: {alarm.sentence}")
    return None
