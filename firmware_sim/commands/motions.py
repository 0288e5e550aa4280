"""The commands between cycles: arming, moving the hand, purging, holding, stopping, and the way out of a hold."""

from firmware_sim.firmware import Firmware
from firmware_sim.memory.steps import BindCartridge, ClearAlarm
from firmware_sim.model.plant import VENTED_KPA
from firmware_sim.motion import Asker
from firmware_sim.refusals import interlocked
from firmware_sim.safety.alarms import ALARMS
from firmware_sim.safety.punch_checks import NO_CELL, cycles_left, watch_density
from firmware_sim.states import HELD, Event
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.units import SECOND, Micros


def arm(firmware: Firmware, asker: Asker, command: M.Arm, now: Micros) -> None:
    """ARM: the pump runs until the vacuum allows a cycle."""
    assert firmware.nvm.session is not None
    plant, parameters = firmware.plant, firmware.parameters
    cartridge, session_no = plant.cartridge, firmware.nvm.session.session_no
    firmware.nvm.keep(BindCartridge(cartridge.serial, session_no, cartridge.cycles))
    plant.start_pump(now)
    limit = Micros(now + round(parameters.arm_timeout_s * SECOND))
    stands = plant.sensed_kpa(now) <= parameters.vacuum_low_kpa  # a line that was being vented may still hold enough
    ready = now if stands else plant.when_sensed_crosses(parameters.vacuum_low_kpa, now)
    due = limit if ready is None else min(limit, Micros(ready + 1))
    firmware.begin(asker, Event.ARM_BEGUN, due, due - now, lambda at: _armed(firmware, at), now)


def _armed(firmware: Firmware, now: Micros) -> None:
    sensed, low = firmware.plant.sensed_kpa(now), firmware.parameters.vacuum_low_kpa
    if sensed > low:
        firmware.plant.vent(now)
        firmware.raise_alarm(A.SUCTION_LOST, now)
        text = f"the vacuum only reached {sensed:.0f} kPa; arming needs {low:.0f} kPa"
        failed = M.Failed(code=Code.E_INTERLOCK, interlock=I.SUCTION, alarm_code=A.SUCTION_LOST, sentence=text)
        firmware.end(Event.DISARM_ENDED, failed, now)
        return
    firmware.end(Event.ARM_ENDED, M.ArmDone(vacuum_pa=round(sensed * 1000)), now)
    firmware.suction.look(now)


def disarm(firmware: Firmware, asker: Asker, command: M.Disarm, now: Micros) -> None:
    """DISARM: the line is vented."""
    firmware.plant.vent(now)
    vented = firmware.plant.when_pressure_crosses(-VENTED_KPA, now) or now

    def disarmed(at: Micros) -> None:
        firmware.end(Event.DISARM_ENDED, M.DisarmDone(state=DeviceState.ANESTHESIA_CONFIRMED), at)

    firmware.begin(asker, Event.DISARM_BEGUN, vented, vented - now, disarmed, now)
    firmware.suction.stop(now)


def reposition(firmware: Firmware, asker: Asker, command: M.Reposition, now: Micros) -> Message | None:
    """REPOSITION: the hand moves to a cell."""
    session = firmware.nvm.session
    assert session is not None
    zone, cell = command.zone, command.cell
    if zone >= len(session.zones_cm2) or cell >= session.zones_cm2[zone]:
        cells = session.zones_cm2[zone] if zone < len(session.zones_cm2) else 0
        text = f"zone {zone} cell {cell} is outside the planned zones"
        return interlocked(I.ZONE, text, expected=cells, actual=cell)
    if not firmware.plant.retracted(now):
        firmware.needles_out(now)
        return interlocked(I.NEEDLE_OUT, "the retracted sensor does not see the needles at home: the hand stays")
    travel = firmware.plant.reposition_us()
    firmware.cell = NO_CELL

    def arrived(at: Micros) -> None:
        firmware.zone, firmware.cell = zone, sum(session.zones_cm2[:zone]) + cell
        watch_density(firmware, at)
        made, left = session.cell_punctures.get((zone, firmware.cell), 0), cycles_left(firmware)
        done = M.RepositionDone(zone=zone, cell=cell, cell_punctures=made, cycles_left=left)
        firmware.end(Event.MOTION_ENDED, done, at)

    firmware.begin(asker, Event.REPOSITION_BEGUN, Micros(now + travel), travel, arrived, now)
    return None


def purge(firmware: Firmware, asker: Asker, command: M.Purge, now: Micros) -> None:
    """PURGE: try to blow the flagged needles free."""
    duration = round(firmware.parameters.purge_s * SECOND)

    def purged(at: Micros) -> None:
        cleared = firmware.count_watch.purge(at)
        firmware.end(Event.MOTION_ENDED, M.PurgeDone(cleared=cleared, flagged=firmware.count_watch.flagged), at)

    firmware.begin(asker, Event.PURGE_BEGUN, Micros(now + duration), duration, purged, now)


def pause(firmware: Firmware, asker: Asker, command: M.Pause, now: Micros) -> Message:
    """PAUSE."""
    firmware.enter(Event.PAUSED)
    return M.PauseDone()


def resume(firmware: Firmware, asker: Asker, command: M.Resume, now: Micros) -> Message:
    """RESUME."""
    firmware.enter(Event.RESUMED)
    return M.ResumeDone()


def stop(firmware: Firmware, asker: Asker, command: M.Stop, now: Micros) -> Message:
    """STOP: from any link, in any state, harmless twice."""
    if firmware.state not in HELD and firmware.state is not DeviceState.IDLE:
        firmware.make_safe(Event.MADE_SAFE, Code.E_STATE, "stopped by STOP", now)
    return M.StopDone(state=firmware.state)


def reset_fault(firmware: Firmware, asker: Asker, command: M.FaultReset, now: Micros) -> Message:
    """FAULT_RESET: the only way out of SAFE and FAULT."""
    for code in firmware.alarms.resettable():
        firmware.nvm.keep(ClearAlarm(code))
    for code in firmware.alarms.reset():
        firmware.alarm_changed(code, now)
    firmware.enter(Event.RESET if firmware.nvm.session is None else Event.RESET_WITH_SESSION)
    return M.FaultResetDone(state=firmware.state, alarms=len(firmware.alarms.listing()))


def refuse_reset(firmware: Firmware, now: Micros) -> Refused | None:
    """What still holds the device; causes that have gone are cleared on the way."""
    inputs = firmware.plant.inputs
    if inputs.estop_open:
        return interlocked(I.EMERGENCY_STOP, "the emergency stop is still open: close it first")
    if inputs.self_test_failure:
        return interlocked(I.SELF_TEST, f"the self-test fails: {inputs.self_test_failure}")
    firmware.clear_alarm(A.SELF_TEST_FAILED, now)
    if firmware.plant.retracted(now):
        firmware.clear_alarm(A.NEEDLE_NOT_RETRACTED, now)
    elif now < firmware.home_due:
        return interlocked(I.NEEDLE_OUT, "the needles are on their way home and not seen there yet: ask again")
    else:
        firmware.raise_alarm(A.NEEDLE_NOT_RETRACTED, now)
        firmware.home_due = firmware.plant.retract(now)
    if (left := firmware.alarms.highest_latching()) is not None:
        alarm = ALARMS[left]
        return interlocked(alarm.interlock, f"{alarm.label} still has its cause: {alarm.sentence}")
    return None
