"""The cycle: punch, suction, advance, count, each a motion of its own, and the one record that they end in.

Law: a cycle number is used once. The open-cycle register is written before anything moves, and the cycle's one record
when it has ended, however it ended.
"""

from typing import TYPE_CHECKING, Final

from firmware_sim.memory.session_steps import BeginCycle, EndCycle, SetPhase
from firmware_sim.memory.steps import Put
from firmware_sim.motion import Asker, Then
from firmware_sim.refusals import interlocked, refusal
from firmware_sim.safety.punch_checks import cycles_left, refuse_punch
from firmware_sim.states import UNARMED, Event
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Code, DeviceState, Ending, NeedleOutcome, Phase
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.records import Cycle, pack_outcomes
from protocols.language.units import Micros, from_ms

if TYPE_CHECKING:
    from firmware_sim.firmware import Firmware

_BEFORE: Final = {
    Phase.SUCTION: DeviceState.PUNCHING,
    Phase.ADVANCE: DeviceState.SUCTIONING,
    Phase.COUNT: DeviceState.ADVANCING,
}
"""Phase -> the state of the phase before it, which must be done."""


class CycleControl:
    """The open cycle of one firmware, if there is one, and the answer to the last COUNT."""

    def __init__(self, firmware: "Firmware") -> None:
        self._firmware = firmware
        self._tries = 0
        self._punctured = False
        self._depth_um = 0
        self._measured_um = 0
        self._phase_done = False
        self._last_count: M.CountDone | None = None
        self._punch_done: M.PunchDone | None = None
        """What the open cycle's PUNCH was answered."""

    def begin_session(self) -> None:
        """Forget what the session before was told."""
        self._last_count = None

    # --- answers from memory ---------------------------------------------------------------------------------

    def repeat(self, asker: Asker, command: Message, now: Micros) -> bool:
        """Answer a command of the cycle that ended last with that ending; False if it is of no such cycle."""
        cycle_no, last = getattr(command, "cycle_no", None), self._firmware.nvm.last_outcome
        if last is None or last.cycle_no != cycle_no:
            return False
        if isinstance(command, M.Count) and self._last_count is not None and self._last_count.cycle_no == cycle_no:
            asker.reply(self._last_count, now, replayed=True)
        elif last.ending is not Ending.COMPLETED or isinstance(command, M.Punch):
            asker.reply(self._stored(last), now, replayed=True)
        else:
            return False
        return True

    def _stored(self, outcome: Cycle) -> Message:
        """What the last cycle came to, as an answer to a command that repeats its number."""
        if outcome.ending is Ending.COMPLETED:
            punctured = self._firmware.plant.all_needles
            return M.PunchDone(cycle_no=outcome.cycle_no, depth_um=outcome.depth_um, punctured=punctured, vacuum_pa=0)
        text = f"cycle {outcome.cycle_no} ended {outcome.ending.name} in {outcome.phase.name}; its number is used up"
        return M.Aborted(code=Code.E_STATE, ending=outcome.ending, phase=outcome.phase, sentence=text)

    # --- PUNCH -----------------------------------------------------------------------------------------------

    def punch(self, asker: Asker, command: M.Punch, now: Micros) -> Message | None:
        """PUNCH: the next number executes, the last one is answered from memory, all else is refused."""
        firmware = self._firmware
        last = firmware.nvm.last_cycle_no
        if command.cycle_no != last + 1:
            return self._not_next(asker, command, last, now)
        if firmware.state is not DeviceState.ARMED:
            return self._not_armed(now)
        if (no := refuse_punch(firmware, command, now)) is not None:
            return no
        firmware.nvm.keep(BeginCycle(command.cycle_no, firmware.zone, firmware.cell, command.depth_um))
        firmware.plant.begin_cycle()
        self._tries, self._punctured, self._phase_done, self._punch_done = 0, False, False, None
        self._depth_um = command.depth_um
        self._measured_um = 0
        parameters = firmware.parameters
        expected = from_ms(parameters.punch_ms + parameters.dwell_ms + parameters.retract_ms)
        firmware.begin(asker, Event.PUNCH_BEGUN, now, expected, self._stroke, now)
        self._stroke(now)
        return None

    def _not_next(self, asker: Asker, command: M.Punch, last: int, now: Micros) -> Message | None:
        if command.cycle_no > last:
            text = f"cycle {command.cycle_no} leaves a gap: the next cycle is {last + 1}"
            return refusal(Code.E_CYCLE_GAP, text, expected=last + 1, actual=command.cycle_no)
        if command.cycle_no == last and self._firmware.nvm.register is not None:
            return self._punch_again(asker, last, now)
        if command.cycle_no == last and self.repeat(asker, command, now):
            return None
        text = f"cycle {command.cycle_no} was used before, the last is {last}: see the journal"
        return refusal(Code.E_EXPIRED, text, expected=last + 1, actual=command.cycle_no)

    def _punch_again(self, asker: Asker, cycle_no: int, now: Micros) -> Message | None:
        """A second PUNCH of the cycle that is open."""
        if self._punch_done is None:
            text = f"the PUNCH of cycle {cycle_no} is under way: its answer goes to who asked first"
            return refusal(Code.E_STATE, text, actual=self._firmware.state)
        asker.reply(self._punch_done, now, replayed=True)
        return None

    def _not_armed(self, now: Micros) -> Refused:
        firmware = self._firmware
        if firmware.state in UNARMED and firmware.state is not DeviceState.ANESTHESIA_CONFIRMED:
            firmware.raise_alarm(A.ANESTHESIA_MISSING, now)
            return interlocked(
                I.ANESTHESIA_NEEDED, "PUNCH is refused: anesthesia is not confirmed for every zone that was numbed"
            )
        text = f"PUNCH needs ARMED; the device is in {firmware.state.name}"
        return refusal(Code.E_STATE, text, actual=firmware.state)

    def _stroke(self, now: Micros) -> None:
        """One try of the stroke: needles out."""
        firmware = self._firmware
        self._tries += 1
        if not self._punctured:
            firmware.nvm.keep(Put("stroke_latch", True))
            firmware.nvm.sync()  # before they move: what cannot be kept must not happen
        arrival = firmware.plant.extend(self._depth_um, now)
        if not self._punctured:
            self._punctured = firmware.plant.skin_touched
            if not self._punctured:
                firmware.nvm.keep(Put("stroke_latch", False))
        firmware.suction.look(now)
        if firmware.nvm.register is not None:
            firmware.go_on(arrival, self._arrived)

    def _arrived(self, now: Micros) -> None:
        firmware = self._firmware
        self._measured_um = measured = firmware.plant.encoder_um(now)
        parameters = firmware.parameters
        if measured > self._depth_um + parameters.depth_over_um:
            firmware.raise_alarm(A.TOO_DEEP, now)
            self._fail(I.DEPTH, f"needle at {measured} um, set {self._depth_um} um: retracted", A.TOO_DEEP, now)
        elif measured < self._depth_um - 2 * parameters.depth_tolerance_um:
            home = firmware.plant.retract(now)
            firmware.go_on(home, self._stroke if self._tries < parameters.stall_tries else self._stalled)
        else:
            firmware.plant.pierce(now)
            firmware.go_on(Micros(now + from_ms(parameters.dwell_ms)), self._dwelt)

    def _stalled(self, now: Micros) -> None:
        text = f"the needle motor stalled {self._tries} times: retracted and locked"
        self._firmware.raise_alarm(A.MOTOR_STALLED, now)
        self._fail(I.STALL, text, A.MOTOR_STALLED, now)

    def _fail(self, interlock: int, text: str, alarm_code: int, now: Micros) -> None:
        """A stroke that cannot be finished: retract, lock, answer FAILED."""
        firmware = self._firmware
        motion, firmware.motion = firmware.motion, None
        assert motion is not None
        firmware.make_safe(Event.LOCKED, Code.E_INTERLOCK, text, now)
        failed = M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=alarm_code, sentence=text)
        motion.asker.reply(failed, now)

    def _dwelt(self, now: Micros) -> None:
        self._firmware.go_on(self._firmware.plant.retract(now), self._punched)

    def _punched(self, now: Micros) -> None:
        firmware = self._firmware
        self._phase_done = True
        self._punch_done = M.PunchDone.unchecked(
            cycle_no=firmware.nvm.last_cycle_no,
            depth_um=self._measured_um,
            punctured=firmware.plant.all_needles,
            vacuum_pa=round(firmware.plant.sensed_kpa(now) * 1000),
        )
        firmware.end(None, self._punch_done, now)

    # --- SUCTION, ADVANCE, COUNT -----------------------------------------------------------------------------

    def suction(self, asker: Asker, command: M.Suction, now: Micros) -> Message | None:
        """SUCTION: hold the vacuum over the open cycle."""
        if not self._may_begin(command.cycle_no, Phase.SUCTION):
            return self._not_open(asker, command, command.cycle_no, Phase.SUCTION, now)

        def sucked(at: Micros) -> None:
            firmware = self._firmware
            self._phase_done = True
            firmware.plant.suck(at)
            firmware.suction.look(at)  # what was sucked in has let some air in
            if firmware.nvm.register is not None:
                vacuum_pa = round(firmware.plant.sensed_kpa(at) * 1000)
                firmware.end(None, M.SuctionDone.unchecked(cycle_no=command.cycle_no, vacuum_pa=vacuum_pa), at)

        self._begin_phase(asker, Event.SUCTION_BEGUN, Phase.SUCTION, self._firmware.parameters.suction_ms, sucked, now)
        return None

    def advance(self, asker: Asker, command: M.Advance, now: Micros) -> Message | None:
        """ADVANCE: interlock 1 allows it only with the needle seen at home."""
        if not self._may_begin(command.cycle_no, Phase.ADVANCE):
            return self._not_open(asker, command, command.cycle_no, Phase.ADVANCE, now)
        if not self._firmware.plant.retracted(now):
            self._firmware.needles_out(now)
            return interlocked(
                I.NEEDLE_OUT, "the retracted sensor does not see the needle at home: no advance, retracting"
            )

        def advanced(at: Micros) -> None:
            self._phase_done = True
            self._firmware.end(None, M.AdvanceDone.unchecked(cycle_no=command.cycle_no), at)

        duration_ms = self._firmware.parameters.advance_ms * command.steps
        self._begin_phase(asker, Event.ADVANCE_BEGUN, Phase.ADVANCE, duration_ms, advanced, now)
        return None

    def count(self, asker: Asker, command: M.Count, now: Micros) -> Message | None:
        """COUNT: read the sensor and end the cycle; repeated for the last cycle, its stored outcome."""
        if not self._may_begin(command.cycle_no, Phase.COUNT):
            return self._not_open(asker, command, command.cycle_no, Phase.COUNT, now)
        self._begin_phase(asker, Event.COUNT_BEGUN, Phase.COUNT, self._firmware.parameters.count_ms, self._counted, now)
        return None

    def _may_begin(self, cycle_no: int, phase: Phase) -> bool:
        firmware = self._firmware
        register = firmware.nvm.register
        return (
            register is not None and register[0] == cycle_no and self._phase_done and firmware.state is _BEFORE[phase]
        )

    def _not_open(self, asker: Asker, command: Message, cycle_no: int, phase: Phase, now: Micros) -> Message | None:
        """Why a phase may not begin; None where the command was answered with an ending."""
        register = self._firmware.nvm.register
        if register is not None and register[0] == cycle_no:
            text = f"{phase.name} is out of order: cycle {cycle_no} is in {register[1].name}"
            return refusal(Code.E_STATE, text, actual=self._firmware.state)
        if self.repeat(asker, command, now):
            return None
        open_no = 0 if register is None else register[0]
        text = f"cycle {cycle_no} is not open; open is {open_no or 'none'}: see the journal"
        return refusal(Code.E_CYCLE_GAP, text, expected=open_no, actual=cycle_no)

    def _begin_phase(self, asker: Asker, event: Event, phase: Phase, duration_ms: int, then: Then, now: Micros) -> None:
        self._firmware.nvm.keep(SetPhase(phase))
        self._phase_done = False
        duration = from_ms(duration_ms)
        self._firmware.begin(asker, event, Micros(now + duration), duration, then, now)

    def _counted(self, now: Micros) -> None:
        firmware = self._firmware
        seen = firmware.plant.sense(now)
        outcomes = [
            NeedleOutcome.COUNTED if seen >> needle & 1 else NeedleOutcome.EMPTY
            for needle in range(firmware.plant.needles)
        ]
        firmware.count_watch.take(seen, now)
        self._end(Ending.COMPLETED, Phase.COUNT, outcomes, now)
        session = firmware.nvm.session
        assert session is not None
        self._last_count = M.CountDone.unchecked(
            cycle_no=firmware.nvm.last_cycle_no,
            outcomes=pack_outcomes(outcomes),
            cores_counted=seen.bit_count(),
            flagged=firmware.count_watch.flagged,
            cell_punctures=session.cell_punctures[firmware.zone, firmware.cell],
            cycles_left=cycles_left(firmware),
            total_punctures=session.punctures,
            total_cores_counted=session.cores_counted,
        )
        firmware.end(Event.MOTION_ENDED, self._last_count, now)

    # --- endings ---------------------------------------------------------------------------------------------

    def abort(self, now: Micros) -> None:
        """End the open cycle, if there is one, as ABORTED: needles back, its punctures kept, its cores uncounted."""
        firmware = self._firmware
        firmware.home_due = firmware.plant.retract(now)
        register = firmware.nvm.register
        if register is not None:
            outcome = NeedleOutcome.UNCOUNTED if self._punctured else NeedleOutcome.NOT_PUNCTURED
            self._end(Ending.ABORTED, register[1], [outcome] * firmware.plant.needles, now)

    def _end(self, ending: Ending, phase: Phase, outcomes: list[NeedleOutcome], now: Micros) -> None:
        firmware = self._firmware
        end = EndCycle(
            ending,
            phase,
            outcomes,
            firmware.zone,
            firmware.cell,
            self._measured_um,
            firmware.uptime_ms(now),
            firmware.plant.canister_ul,
        )
        firmware.nvm.keep(end)
        firmware.plant.end_cycle(ending is Ending.COMPLETED)
