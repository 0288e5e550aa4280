"""The cycle: punch, suction, advance, count; the interlocks that refuse or end it; clogs and the count watch.

Law: a cycle number is used once. The open-cycle register is written before anything moves, and the cycle's one record
when it has ended, however it ended.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from firmware_sim import alarms as A
from firmware_sim.states import Event
from protocols import messages as M
from protocols.enums import Code, DeviceState, Ending, NeedleOutcome, Phase
from protocols.message import Message
from protocols.messages import Refused
from protocols.records import pack_outcomes
from protocols.units import Micros, from_ms, to_seconds

if TYPE_CHECKING:
    from firmware_sim.firmware import Asker, Firmware

FREE_SLOTS_FOR_A_PUNCH: Final = 64
"""Journal slots that must be free: enough for the cycle's record and any alarms around it, so none is overwritten."""

_PHASE_STATES: Final = {
    Phase.SUCTION: DeviceState.PUNCHING,
    Phase.ADVANCE: DeviceState.SUCTIONING,
    Phase.COUNT: DeviceState.ADVANCING,
}


class CycleControl:
    """The open cycle of one firmware, and what is watched from cycle to cycle. `flagged` has a bit a clogged needle."""

    def __init__(self, firmware: "Firmware") -> None:
        self._firmware = firmware
        self.flagged = firmware.nvm.flagged
        self._begin_watch()
        self._tries = 0
        self._punctured = False
        self._depth_um = 0
        self._measured_um = 0
        self._phase_done = False
        self._last_count: M.CountDone | None = None

    def begin_session(self) -> None:
        """Forget what was watched in the session before."""
        self._set_flagged(0)
        self._last_count = None
        self._begin_watch()

    def _begin_watch(self) -> None:
        self._empty_in_row = [0] * self._firmware.plant.needles
        self._missed: deque[list[int]] = deque(maxlen=self._firmware.parameters.count_window)
        self._missing = 0

    # --- PUNCH -----------------------------------------------------------------------------------------------

    def punch(self, asker: "Asker", command: M.Punch, now: Micros) -> Message | None:
        """PUNCH: the next number executes, the last one is answered from memory, all else is refused."""
        firmware = self._firmware
        last = firmware.nvm.last_cycle_no
        if command.cycle_no != last + 1:
            return self._not_next(asker, command, last, now)
        if firmware.state is not DeviceState.ARMED:
            text = f"PUNCH needs ARMED; the device is in {firmware.state.name}"
            return Refused(code=Code.E_STATE, interlock=0, expected=0, actual=0, sentence=text)
        for check in _PUNCH_CHECKS:
            no = check(self, command, now)
            if no is not None:
                return no
        firmware.nvm.begin_cycle(command.cycle_no, firmware.zone, firmware.cell, command.depth_um)
        firmware.plant.begin_cycle()
        self._tries, self._punctured, self._phase_done = 0, False, False
        self._depth_um = command.depth_um
        self._measured_um = 0
        parameters = firmware.parameters
        expected = from_ms(parameters.punch_ms + parameters.dwell_ms + parameters.retract_ms)
        firmware.begin(asker, Event.PUNCH_BEGUN, now, expected, self._stroke, now)
        self._stroke(now)
        return None

    def _not_next(self, asker: "Asker", command: M.Punch, last: int, now: Micros) -> Message | None:
        if command.cycle_no > last:
            text = f"cycle {command.cycle_no} leaves a gap: the next cycle is {last + 1}"
            return Refused(
                code=Code.E_CYCLE_GAP, interlock=0, expected=last + 1, actual=command.cycle_no, sentence=text
            )
        outcome = self._firmware.nvm.last_outcome
        if command.cycle_no == last and outcome is not None and outcome.cycle_no == last:
            asker.reply(self._stored(), now, replayed=True)
            return None
        text = f"cycle {command.cycle_no} was used before, the last is {last}: see the journal"
        return Refused(code=Code.E_EXPIRED, interlock=0, expected=last + 1, actual=command.cycle_no, sentence=text)

    def _stored(self) -> Message:
        """What the last cycle came to, as an answer to a command that repeats its number."""
        outcome = self._firmware.nvm.last_outcome
        assert outcome is not None
        if outcome.ending is Ending.COMPLETED:
            punctured = self._firmware.plant.all_needles
            vacuum_pa = 0
            return M.PunchDone(
                cycle_no=outcome.cycle_no, depth_um=outcome.depth_um, punctured=punctured, vacuum_pa=vacuum_pa
            )
        text = f"cycle {outcome.cycle_no} ended {outcome.ending.name} in {outcome.phase.name}; its number is used up"
        return M.Aborted(code=Code.E_STATE, ending=outcome.ending, phase=outcome.phase, sentence=text)

    def _stroke(self, now: Micros) -> None:
        """One try of the stroke: needles out."""
        firmware = self._firmware
        self._tries += 1
        arrival = firmware.plant.extend(self._depth_um, now)
        if not self._punctured and firmware.plant.skin_touched:
            self._punctured = True
            firmware.nvm.set_latch(True)
        firmware.watch_suction(now)
        if firmware.motion is not None:
            firmware.go_on(arrival, self._arrived)

    def _arrived(self, now: Micros) -> None:
        firmware = self._firmware
        self._measured_um = measured = firmware.plant.encoder_um(now)
        parameters = firmware.parameters
        if measured > self._depth_um + parameters.depth_over_um:
            firmware.raise_alarm(A.TOO_DEEP, now)
            self._fail(10, f"needle at {measured} um, set {self._depth_um} um: retracted", A.TOO_DEEP, now)
        elif measured < self._depth_um - 2 * parameters.depth_tolerance_um:
            home = firmware.plant.retract(now)
            firmware.go_on(home, self._stroke if self._tries < parameters.stall_tries else self._stalled)
        else:
            firmware.plant.pierce(now)
            firmware.go_on(Micros(now + from_ms(parameters.dwell_ms)), self._dwelt)

    def _stalled(self, now: Micros) -> None:
        text = f"the needle motor stalled {self._tries} times: retracted and locked"
        self._firmware.raise_alarm(A.MOTOR_STALLED, now)
        self._fail(16, text, A.MOTOR_STALLED, now)

    def _dwelt(self, now: Micros) -> None:
        self._firmware.go_on(self._firmware.plant.retract(now), self._punched)

    def _punched(self, now: Micros) -> None:
        firmware = self._firmware
        self._phase_done = True
        done = M.PunchDone(
            cycle_no=firmware.nvm.last_cycle_no,
            depth_um=self._measured_um,
            punctured=firmware.plant.all_needles,
            vacuum_pa=round(firmware.plant.sensed_kpa(now) * 1000),
        )
        firmware.end(None, done, now)

    # --- SUCTION, ADVANCE, COUNT -----------------------------------------------------------------------------

    def suction(self, asker: "Asker", command: M.Suction, now: Micros) -> Message | None:
        """SUCTION: hold the vacuum over the open cycle."""
        if (no := self._out_of_order(asker, command.cycle_no, Phase.SUCTION, now)) is not None:
            return no[0]

        def sucked(at: Micros) -> None:
            self._phase_done = True
            self._firmware.plant.suck(at)
            vacuum_pa = round(self._firmware.plant.sensed_kpa(at) * 1000)
            self._firmware.end(None, M.SuctionDone(cycle_no=command.cycle_no, vacuum_pa=vacuum_pa), at)

        self._begin_phase(asker, Event.SUCTION_BEGUN, Phase.SUCTION, self._firmware.parameters.suction_ms, sucked, now)
        return None

    def advance(self, asker: "Asker", command: M.Advance, now: Micros) -> Message | None:
        """ADVANCE: interlock 1 allows it only with the needle seen at home."""
        if (no := self._out_of_order(asker, command.cycle_no, Phase.ADVANCE, now)) is not None:
            return no[0]
        if not self._firmware.plant.retracted(now):
            self._firmware.raise_alarm(A.NEEDLE_NOT_RETRACTED, now)
            text = "the retracted sensor does not see the needle at home: no advance, retracting"
            self._hold(now, Event.FAULTED, 1, text)
            return Refused(code=Code.E_INTERLOCK, interlock=1, expected=0, actual=0, sentence=text)

        def advanced(at: Micros) -> None:
            self._phase_done = True
            self._firmware.end(None, M.AdvanceDone(cycle_no=command.cycle_no), at)

        self._begin_phase(asker, Event.ADVANCE_BEGUN, Phase.ADVANCE, self._firmware.parameters.advance_ms, advanced, now)
        return None

    def count(self, asker: "Asker", command: M.Count, now: Micros) -> Message | None:
        """COUNT: read the sensor and end the cycle; repeated for the last cycle, its stored outcome."""
        last = self._last_count
        if last is not None and last.cycle_no == command.cycle_no == self._firmware.nvm.last_cycle_no:
            asker.reply(last, now, replayed=True)
            return None
        if (no := self._out_of_order(asker, command.cycle_no, Phase.COUNT, now)) is not None:
            return no[0]
        self._begin_phase(asker, Event.COUNT_BEGUN, Phase.COUNT, self._firmware.parameters.count_ms, self._counted, now)
        return None

    def _begin_phase(
        self, asker: "Asker", event: Event, phase: Phase, duration_ms: int, then: Callable[[Micros], None], now: Micros
    ) -> None:
        self._phase_done = False
        self._firmware.nvm.set_phase(phase)
        duration = from_ms(duration_ms)
        self._firmware.begin(asker, event, Micros(now + duration), duration, then, now)

    def _counted(self, now: Micros) -> None:
        firmware = self._firmware
        seen = firmware.plant.sense(now)
        outcomes = [
            NeedleOutcome.COUNTED if seen >> needle & 1 else NeedleOutcome.EMPTY
            for needle in range(firmware.plant.needles)
        ]
        self._watch(seen, now)
        self._end(Ending.COMPLETED, Phase.COUNT, outcomes, now)
        session = firmware.nvm.session
        assert session is not None
        done = M.CountDone(
            cycle_no=firmware.nvm.last_cycle_no,
            outcomes=pack_outcomes(outcomes),
            cores_counted=seen.bit_count(),
            flagged=self.flagged,
            cell_punctures=session.cell_punctures[firmware.zone, firmware.cell],
            cycles_left=self.cycles_left(),
            total_punctures=session.punctures,
            total_cores_counted=session.cores_counted,
        )
        self._last_count = done
        firmware.end(Event.MOTION_ENDED, done, now)

    def _out_of_order(
        self, asker: "Asker", cycle_no: int, phase: Phase, now: Micros
    ) -> tuple[Message | None] | None:
        """None when the phase may begin; else what to answer, which is nothing where it was answered already."""
        firmware = self._firmware
        register = firmware.nvm.register
        if register is not None and register[0] == cycle_no:
            if firmware.state is _PHASE_STATES[phase] and self._phase_done:
                return None
            text = f"{phase.name} is out of order: cycle {cycle_no} is in {register[1].name}"
            return (Refused(code=Code.E_STATE, interlock=0, expected=0, actual=0, sentence=text),)
        last = firmware.nvm.last_outcome
        if last is not None and last.cycle_no == cycle_no and last.ending is not Ending.COMPLETED:
            asker.reply(self._stored(), now, replayed=True)
            return (None,)
        open_no = 0 if register is None else register[0]
        text = f"cycle {cycle_no} is not open; open is {open_no or 'none'}: see the journal"
        return (Refused(code=Code.E_CYCLE_GAP, interlock=0, expected=open_no, actual=cycle_no, sentence=text),)

    # --- endings ---------------------------------------------------------------------------------------------

    def abort(self, now: Micros) -> None:
        """End the open cycle, if there is one, as ABORTED: needles back, its punctures kept, its cores uncounted."""
        firmware = self._firmware
        firmware.plant.retract(now)
        register = firmware.nvm.register
        if register is not None:
            outcome = NeedleOutcome.UNCOUNTED if self._punctured else NeedleOutcome.NOT_PUNCTURED
            self._end(Ending.ABORTED, register[1], [outcome] * firmware.plant.needles, now)

    def _end(self, ending: Ending, phase: Phase, outcomes: list[NeedleOutcome], now: Micros) -> None:
        firmware = self._firmware
        firmware.nvm.end_cycle(
            ending,
            phase,
            outcomes,
            zone=firmware.zone,
            cell=firmware.cell,
            depth_um=self._measured_um,
            uptime_ms=firmware.uptime_ms(now),
            canister_ul=firmware.plant.canister_ul,
        )
        firmware.plant.end_cycle(ending is Ending.COMPLETED)

    def _fail(self, interlock: int, text: str, alarm_code: int, now: Micros) -> None:
        """A stroke that cannot be finished: retract, answer FAILED, lock."""
        firmware = self._firmware
        motion, firmware.motion = firmware.motion, None
        self._hold(now, Event.LOCKED, interlock, text)
        assert motion is not None
        failed = M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=alarm_code, sentence=text)
        motion.asker.reply(failed, now)

    def _hold(self, now: Micros, event: Event, interlock: int, text: str) -> None:
        self._firmware.make_safe(event, Code.E_INTERLOCK, text, now)

    # --- what is watched from cycle to cycle -----------------------------------------------------------------

    def _watch(self, seen: int, now: Micros) -> None:
        """Interlocks 6 and 7: attribute missing cores to clogs first, and only then distrust the count."""
        firmware, parameters = self._firmware, self._firmware.parameters
        for needle, in_row in enumerate(self._empty_in_row):
            missed = not seen >> needle & 1
            self._empty_in_row[needle] = in_row + 1 if missed else 0
            if self.flagged >> needle & 1:
                continue
            if len(self._missed) == self._missed.maxlen:
                self._missing -= self._missed[0][1]
            self._missed.append([needle, int(missed)])
            self._missing += missed
            if self._empty_in_row[needle] >= parameters.clog_empties:
                self._flag(needle, now)
        if self._missing >= parameters.count_stop:
            firmware.raise_alarm(A.COUNT_STOPPED, now)
        elif self._missing >= parameters.count_warn:
            firmware.raise_alarm(A.COUNT_MISMATCH, now)
        else:
            firmware.clear_alarm(A.COUNT_MISMATCH, now)

    def _set_flagged(self, mask: int) -> None:
        self.flagged = mask
        self._firmware.nvm.set_flagged(mask)

    def _flag(self, needle: int, now: Micros) -> None:
        """Hold a needle to be clogged; its run of empties is explained by that and leaves the count watch."""
        self._set_flagged(self.flagged | 1 << needle)
        run = self._empty_in_row[needle]
        for entry in reversed(self._missed):
            if entry[0] == needle and run:
                run -= 1
                self._missing -= entry[1]
                entry[1] = 0
        code = A.NEEDLE_CLOGGED if self.flagged.bit_count() == 1 else A.NEEDLES_CLOGGED
        self._firmware.raise_alarm(code, now)

    def purge(self, now: Micros) -> int:
        """Purge the flagged needles; a needle that is free starts anew. Returns those that are free."""
        cleared = self._firmware.plant.purge(self.flagged)
        self._set_flagged(self.flagged & ~cleared)
        for needle in range(len(self._empty_in_row)):
            if cleared >> needle & 1:
                self._empty_in_row[needle] = 0
        if self.flagged.bit_count() < 2:
            self._firmware.clear_alarm(A.NEEDLES_CLOGGED, now)
        if not self.flagged:
            self._firmware.clear_alarm(A.NEEDLE_CLOGGED, now)
        return cleared

    def forgive(self) -> None:
        """The controller has acknowledged the stopped count: the watch begins anew."""
        self._begin_watch()

    def cycles_left(self) -> int:
        """Cycles that the present cell still takes under the plan's limit."""
        firmware = self._firmware
        session = firmware.nvm.session
        if session is None:
            return 0
        made = session.cell_punctures.get((firmware.zone, firmware.cell), 0)
        return max(0, (session.punctures_per_cell - made) // firmware.plant.needles)

    def cartridge_refusal(self, now: Micros) -> Refused | None:
        """Interlocks 11 and 12: a cartridge that may not be used."""
        firmware = self._firmware
        cartridge, session = firmware.plant.cartridge, firmware.nvm.session
        assert session is not None
        bound_to = firmware.nvm.cartridges.get(cartridge.serial, session.session_no)
        reason = ""
        if firmware.plant.inputs.cartridge_missing:
            reason = "no cartridge is fitted"
        elif cartridge.expired:
            reason = f"cartridge {cartridge.serial} is past its date"
        elif not cartridge.sterile:
            reason = f"cartridge {cartridge.serial} is not sterile"
        elif bound_to != session.session_no:
            reason = f"cartridge {cartridge.serial} was used in session {bound_to}"
        if reason:
            firmware.raise_alarm(A.CARTRIDGE_REFUSED, now)
            return _no(11, f"{reason}: fit a new one; there is no override")
        firmware.clear_alarm(A.CARTRIDGE_REFUSED, now)
        if cartridge.cycles >= firmware.parameters.cartridge_life_cycles:
            firmware.raise_alarm(A.CARTRIDGE_WORN_OUT, now)
            return _no(12, f"the cartridge has made {cartridge.cycles} cycles, its life: fit a new one")
        if cartridge.cycles >= firmware.parameters.cartridge_warn_cycles:
            firmware.raise_alarm(A.CARTRIDGE_WORN, now)
        return None


def _no(interlock: int, text: str, *, expected: int = 0, actual: int = 0) -> Refused:
    return Refused(code=Code.E_INTERLOCK, interlock=interlock, expected=expected, actual=actual, sentence=text)


# --- the checks of PUNCH, in the order in which they are made -------------------------------------------------

Check = Callable[[CycleControl, M.Punch, Micros], Refused | None]


def _check_command(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    firmware = control._firmware
    session = firmware.nvm.session
    if session is None or command.depth_um != session.depth_um:
        planned = 0 if session is None else session.depth_um
        text = f"depth {command.depth_um} um is not the session's {planned} um"
        return Refused(code=Code.E_RANGE, interlock=0, expected=planned, actual=command.depth_um, sentence=text)
    late_ms = firmware.uptime_ms(now) - command.deadline_ms & 0xFFFF_FFFF
    if 0 < late_ms < 0x8000_0000:
        text = f"too late by {late_ms} ms: the deadline was device uptime {command.deadline_ms} ms"
        return Refused(code=Code.E_EXPIRED, interlock=0, expected=0, actual=late_ms, sentence=text)
    if firmware.nvm.free < FREE_SLOTS_FOR_A_PUNCH:
        text = f"{firmware.nvm.free} journal slots are free, a PUNCH needs {FREE_SLOTS_FOR_A_PUNCH}: read and acknowledge"
        return Refused(
            code=Code.E_STORAGE,
            interlock=0,
            expected=FREE_SLOTS_FOR_A_PUNCH,
            actual=firmware.nvm.free,
            sentence=text,
        )
    if firmware.parameters.trigger_required and not firmware.plant.inputs.trigger_held:
        return _no(13, "the trigger is not held, and this device needs it for PUNCH")
    return None


def _check_anesthesia(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    firmware = control._firmware
    zone = firmware.zones.get(firmware.zone)
    if zone is None or not zone.confirmed:
        firmware.raise_alarm(A.ANESTHESIA_MISSING, now)
        return _no(2, f"anesthesia is not confirmed for zone {firmware.zone}: confirm it before the first punch")
    age_s, valid_s = to_seconds(Micros(now - zone.numbed_at)), firmware.parameters.anesthesia_valid_s
    if age_s >= valid_s:
        firmware.raise_alarm(A.ANESTHESIA_EXPIRED, now)
        text = f"anesthesia of zone {firmware.zone} expired: {age_s:.0f} s old, valid {valid_s} s; confirm the zone again"
        return _no(3, text, expected=valid_s, actual=int(age_s))
    return None


def _check_suction(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    firmware = control._firmware
    low = firmware.parameters.vacuum_low_kpa
    sensed = firmware.plant.sensed_kpa(now)
    if sensed > low:
        firmware.watch_suction(now)
        return _no(4, f"the vacuum is {sensed:.1f} kPa; a cycle needs {low:.0f} kPa or more suction")
    if firmware.alarms.present(A.SUCTION_LOST):
        firmware.watch_suction(now)
        if firmware.alarms.present(A.SUCTION_LOST):
            stable = firmware.parameters.vacuum_stable_s
            return _no(4, f"the vacuum came back and must stand for {stable:g} s before the next cycle")
    return None


def _check_needles(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    if control.flagged & control.flagged - 1:
        return _no(6, f"{control.flagged.bit_count()} needles are clogged: purge before the next cycle")
    if control._firmware.alarms.present(A.COUNT_STOPPED):
        window = control._firmware.parameters.count_window
        return _no(7, f"too many cores are missing in {window} strokes: acknowledge MC-{A.COUNT_STOPPED} and check")
    return None


def _check_cell(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    firmware = control._firmware
    session, cap = firmware.nvm.session, firmware.parameters.density_cap_per_cm2
    assert session is not None
    if firmware.cell == 0xFFFF:
        return _no(9, "the hand is at no cell yet: REPOSITION first")
    made = session.cell_punctures.get((firmware.zone, firmware.cell), 0)
    after = made + firmware.plant.needles
    if after > cap and made >= cap:
        firmware.raise_alarm(A.DENSITY_LOCKED, now)
        control._hold(now, Event.LOCKED, 8, "density cap reached")
        return _no(8, f"{made} punctures in this cell: the cap of {cap} per cm2 is reached", expected=cap, actual=made)
    if after > session.punctures_per_cell:
        firmware.raise_alarm(A.DENSITY_REACHED, now)
        text = f"{made} of {session.punctures_per_cell} planned punctures are made in this cell: REPOSITION"
        return _no(8, text, expected=session.punctures_per_cell, actual=made)
    firmware.clear_alarm(A.DENSITY_REACHED, now)
    return None


def _check_consumables(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    firmware = control._firmware
    if (no := control.cartridge_refusal(now)) is not None:
        return no
    fill = firmware.plant.canister_fill
    if fill >= firmware.parameters.canister_block:
        firmware.raise_alarm(A.CANISTER_FULL, now)
        return _no(18, f"the canister is {fill:.0%} full: empty it")
    if fill >= firmware.parameters.canister_warn:
        firmware.raise_alarm(A.CANISTER_NEARLY_FULL, now)
    return None


def _check_heat(control: CycleControl, command: M.Punch, now: Micros) -> Refused | None:
    firmware = control._firmware
    celsius = firmware.plant.temperature_c(now)
    if celsius >= firmware.parameters.heat_stop_c:
        firmware.raise_alarm(A.TOO_HOT, now)
        return _no(17, f"the handpiece is at {celsius:.1f} C: let it cool below {firmware.parameters.heat_stop_c:g} C")
    if celsius >= firmware.parameters.heat_warn_c:
        firmware.raise_alarm(A.HOT, now)
    else:
        firmware.clear_alarm(A.HOT, now)
        firmware.clear_alarm(A.TOO_HOT, now)
    return None


_PUNCH_CHECKS: Final[tuple[Check, ...]] = (
    _check_command,
    _check_cell,
    _check_anesthesia,
    _check_suction,
    _check_needles,
    _check_consumables,
    _check_heat,
)
