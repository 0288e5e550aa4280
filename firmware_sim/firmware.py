"""The firmware: what each command of the procedure does, one motion at a time, and how the device is made safe.

Law: it decides by sensors and memory, never by the plant's truth. A state changes only by `states.step`; a counter
only by the non-volatile memory. It knows who asked only as somebody to answer.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from firmware_sim import alarms as A
from firmware_sim.alarms import Alarms
from firmware_sim.cycle import CycleControl
from firmware_sim.nvm import Nvm, SessionMemory
from firmware_sim.parameters import Parameters
from firmware_sim.plant import VENTED_KPA, Plant
from firmware_sim.states import ARMED, CYCLE, HELD, UNARMED, Event, step
from protocols import messages as M
from protocols import records as R
from protocols.enums import AlarmPriority, CloseReason, Code, DeviceState, Ending, Phase
from protocols.message import Message
from protocols.messages import Refused
from protocols.units import MILLISECOND, SECOND, Micros, to_ms

PROGRESS_EVERY_US: Final = SECOND
"""A motion longer than this tells how it goes; a host that sees nothing for long suspects the link."""
NO_CELL: Final = 0xFFFF
"""Where the hand is before the first REPOSITION since the boot. Cells are numbered through all zones of a plan."""


class Asker(Protocol):
    """Who gave a command, for as long as an answer is owed."""

    def reply(self, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Answer; nothing happens when the link is gone."""


class Motion:
    """The one motion under way: who asked, when the next step is due, and what to do then."""

    __slots__ = ("asker", "began", "due", "expected_us", "next_progress", "then")

    def __init__(self, asker: Asker, began: Micros, due: Micros, expected_us: int, then: "Then") -> None:
        self.asker = asker
        self.began = began
        self.due = due
        self.expected_us = expected_us
        self.then = then
        self.next_progress = began + PROGRESS_EVERY_US


Then = Callable[[Micros], None]


class Zone(NamedTuple):
    """A numbed zone: when it was numbed (may lie before the boot), and whether a person has confirmed it."""

    numbed_at: Micros
    confirmed: bool


def refusal(code: Code, text: str, *, interlock: int = 0, expected: int = 0, actual: int = 0) -> Refused:
    """A refusal; `text` is one sentence of at most 120 bytes."""
    return Refused(code=code, interlock=interlock, expected=expected, actual=actual, sentence=text)


def interlocked(interlock: int, text: str, *, expected: int = 0, actual: int = 0) -> Refused:
    """A refusal by an interlock."""
    return refusal(Code.E_INTERLOCK, text, interlock=interlock, expected=expected, actual=actual)


class Firmware:
    """One device from boot to power loss. `announce` sends a message to every link."""

    def __init__(self, nvm: Nvm, plant: Plant, parameters: Parameters, announce: Callable[[Message, Micros], None]) -> None:
        self.nvm = nvm
        self.plant = plant
        self.parameters = parameters
        self.alarms = Alarms()
        self.state = DeviceState.OFF
        self.motion: Motion | None = None
        self.zones: dict[int, Zone] = {}
        self.zone, self.cell = 0, NO_CELL
        self.truth_session_no = 0  # the session that the plant's truth is of
        self.cycle = CycleControl(self)
        self._announce = announce
        self._booted_at = Micros(0)
        self._suction_due: Micros | None = None
        self._suction_good_since: Micros | None = None

    # --- boot, state, alarms ---------------------------------------------------------------------------------

    def boot(self, now: Micros) -> None:
        """Power comes on: settle what was open, test, and hold if a session was."""
        self._booted_at = now
        interrupted = self.nvm.register is not None
        self.nvm.boot(0)
        for code in sorted(self.nvm.latched):
            self.alarms.raise_(code, 0)
            self.alarms.clear(code)
        self.enter(Event.BOOTED)
        if self.plant.inputs.self_test_failure:
            self.enter(Event.SELF_TEST_FAILED)
            self.raise_alarm(A.SELF_TEST_FAILED, now)
        elif self.nvm.session is not None:
            self.enter(Event.SESSION_RESTORED)
            if interrupted:
                self.raise_alarm(A.POWER_LOST_IN_STROKE, now)
                self.clear_alarm(A.POWER_LOST_IN_STROKE, now)
        else:
            self.enter(Event.SELF_TEST_PASSED)

    def enter(self, event: Event) -> None:
        """Change the state by the table."""
        self.state = step(self.state, event)

    @property
    def armed(self) -> bool:
        """Vacuum stands or is being made: the short lease holds."""
        return self.state in ARMED

    def uptime_ms(self, now: Micros) -> int:
        """Milliseconds since the boot, modulo 2**32."""
        return to_ms(Micros(now - self._booted_at)) & 0xFFFF_FFFF

    def raise_alarm(self, code: int, now: Micros) -> None:
        """Raise an alarm; it is journaled and announced when that changed anything."""
        if self.alarms.raise_(code, self.uptime_ms(now)):
            if A.ALARMS[code].latched:
                self.nvm.latch_alarm(code)
            self.alarm_changed(code, now)

    def clear_alarm(self, code: int, now: Micros) -> None:
        """The cause of an alarm is gone."""
        if self.alarms.clear(code):
            self.alarm_changed(code, now)

    def alarm_changed(self, code: int, now: Micros) -> None:
        """Journal and announce an alarm as it now stands."""
        alarm, state = A.ALARMS[code], self.alarms.state(code)
        uptime = self.uptime_ms(now)
        self.nvm.append(
            R.AlarmChanged, uptime, code=code, interlock=alarm.interlock, priority=alarm.priority, state=state
        )
        message = M.Alarm(
            code=code,
            interlock=alarm.interlock,
            priority=alarm.priority,
            state=state,
            uptime_ms=uptime,
            sentence=alarm.sentence,
        )
        self._announce(message, now)

    # --- motions ---------------------------------------------------------------------------------------------

    def begin(self, asker: Asker, event: Event, due: Micros, expected_us: int, then: Then, now: Micros) -> None:
        """Start a motion whose next step is `then` at `due`, and say RECEIVED."""
        self.enter(event)
        self.motion = Motion(asker, now, due, expected_us, then)
        asker.reply(M.Received(expected_ms=expected_us // MILLISECOND), now)

    def go_on(self, due: Micros, then: Then) -> None:
        """The motion under way has another step."""
        assert self.motion is not None
        self.motion.due, self.motion.then = due, then

    def end(self, event: Event | None, answer: Message, now: Micros) -> None:
        """The motion under way is over."""
        motion, self.motion = self.motion, None
        if event is not None:
            self.enter(event)
        assert motion is not None
        motion.asker.reply(answer, now)

    def next_deadline(self) -> Micros | None:
        """When `advance` has something to do."""
        motion, due = self.motion, self._suction_due
        if motion is not None:
            wake = motion.due
            if motion.next_progress < wake:
                wake = Micros(motion.next_progress)
            return wake if due is None or wake < due else due
        return due

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        if self._suction_due is not None and now >= self._suction_due:
            self.watch_suction(now)
        motion = self.motion
        if motion is None:
            return
        if now >= motion.due:
            motion.then(now)
        elif now >= motion.next_progress:
            motion.next_progress += PROGRESS_EVERY_US
            elapsed = (now - motion.began) // MILLISECOND
            progress = M.Progress(
                state=self.state, elapsed_ms=elapsed, expected_ms=motion.expected_us // MILLISECOND
            )
            motion.asker.reply(progress, now)

    # --- reactions -------------------------------------------------------------------------------------------

    def make_safe(self, event: Event, code: Code, text: str, now: Micros) -> None:
        """Stop everything: retract, vent, end the open cycle, disarm, hold. `event` names the state to hold in."""
        self.plant.vent(now)
        self.cycle.abort(now)
        if self.motion is not None:
            self.abort_motion(code, text, now)
        self._suction_due = None
        self._suction_settled(now)
        self.zones.clear()
        self.enter(event)

    def abort_motion(self, code: Code, text: str, now: Micros) -> None:
        """Answer the motion under way with ABORTED, and with how its cycle ended."""
        motion, self.motion = self.motion, None
        assert motion is not None
        last = self.nvm.last_outcome
        of_cycle = self.state in CYCLE and last is not None
        aborted = M.Aborted(
            code=code,
            ending=last.ending if of_cycle and last is not None else Ending.OPEN,
            phase=last.phase if of_cycle and last is not None else Phase.NONE,
            sentence=text,
        )
        motion.asker.reply(aborted, now)

    def link_lost(self, now: Micros) -> None:
        """The controlling link is gone while armed: interlock 15."""
        if self.armed:
            self.raise_alarm(A.LINK_LOST, now)
            self.make_safe(Event.MADE_SAFE, Code.E_LINK, A.ALARMS[A.LINK_LOST].sentence, now)
            self.clear_alarm(A.LINK_LOST, now)

    def inputs_changed(self, now: Micros) -> None:
        """An input of the plant was changed from outside: react as the interrupt lines would."""
        if self.plant.inputs.estop_open:
            if self.state not in HELD:
                self.raise_alarm(A.EMERGENCY_STOP, now)
                self.make_safe(Event.MADE_SAFE, Code.E_INTERLOCK, A.ALARMS[A.EMERGENCY_STOP].sentence, now)
        else:
            self.clear_alarm(A.EMERGENCY_STOP, now)
        if self.armed:
            self.watch_suction(now)

    def watch_suction(self, now: Micros) -> None:
        """Interlock 4: note what the vacuum is, react, and find out when to look again."""
        self._suction_due = None
        if self.state in (DeviceState.ARMING, DeviceState.DISARMING) or not self.armed:
            return
        sensed, parameters = self.plant.sensed_kpa(now), self.parameters
        if sensed > parameters.vacuum_low_kpa:
            self._suction_good_since = None
            self.raise_alarm(A.SUCTION_LOST, now)
            if sensed > parameters.vacuum_stop_kpa and self.state in CYCLE:
                text = f"the vacuum fell to {sensed:.0f} kPa in a cycle: the needles were retracted"
                self.abort_cycle(4, text, A.SUCTION_LOST, now)
        elif self.alarms.present(A.SUCTION_LOST):
            self._suction_good_since = now if self._suction_good_since is None else self._suction_good_since
            if now - self._suction_good_since >= parameters.vacuum_stable_s * SECOND:
                self._suction_settled(now)
        self._suction_due = self._next_look(sensed, now)

    def _suction_settled(self, now: Micros) -> None:
        self._suction_good_since = None
        self.clear_alarm(A.SUCTION_LOST, now)

    def _next_look(self, sensed: float, now: Micros) -> Micros | None:
        parameters = self.parameters
        looks = []
        if self._suction_good_since is not None:
            looks.append(Micros(self._suction_good_since + round(parameters.vacuum_stable_s * SECOND)))
        for threshold in (parameters.vacuum_low_kpa, parameters.vacuum_stop_kpa):
            crossing = self.plant.when_sensed_crosses(threshold, now)
            if crossing is not None:
                looks.append(Micros(max(crossing, now) + 1))  # one microsecond on, so that it lies on the far side
        return min(looks) if looks else None

    def abort_cycle(self, interlock: int, text: str, alarm_code: int, now: Micros) -> None:
        """End the open cycle and stay armed: the motion under way FAILED."""
        self.cycle.abort(now)
        motion, self.motion = self.motion, None
        self.enter(Event.CYCLE_ABORTED)
        if motion is not None:
            failed = M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=alarm_code, sentence=text)
            motion.asker.reply(failed, now)

    # --- commands of the procedure ---------------------------------------------------------------------------

    def open_session(self, asker: Asker, command: M.SessionOpen, now: Micros) -> Message:
        """SESSION_OPEN."""
        cells = sum(command.zones_cm2)
        if not command.zones_cm2 or min(command.zones_cm2) < 1 or cells > 2000:
            return refusal(Code.E_RANGE, "a plan needs zones of at least 1 cm2, 2,000 cm2 in all", actual=cells)
        needles = self.plant.needles
        per_cell = cycles_per_cell(command.coverage_bp, needles, self.parameters)
        if cells * per_cell * needles < command.target_cores:
            fits = cells * per_cell * needles
            text = f"{command.target_cores} cores do not fit {cells} cells: at most {fits} punctures at this coverage"
            return refusal(Code.E_RANGE, text, expected=fits, actual=command.target_cores)
        if not self.parameters.consumables_keep:
            self.plant.fit_fresh_consumables(self.nvm.session_no + 1, now)
        memory = SessionMemory(
            session_no=self.nvm.session_no + 1,
            first_cycle_no=self.nvm.last_cycle_no + 1,
            target_cores=command.target_cores,
            coverage_bp=command.coverage_bp,
            depth_um=command.depth_um,
            zones_cm2=command.zones_cm2,
            cells=cells,
            cycles_per_cell=per_cell,
            punctures_per_cell=per_cell * needles,
        )
        self.nvm.open_session(memory, self.uptime_ms(now))
        self.plant.begin_session(now)
        self.truth_session_no = memory.session_no
        self.cycle.begin_session()
        self.zones.clear()
        self.cell = NO_CELL
        self.enter(Event.SESSION_OPENED)
        return M.SessionOpenDone(
            session_no=memory.session_no,
            first_cycle_no=memory.first_cycle_no,
            needles=needles,
            cells=cells,
            cycles_per_cell=per_cell,
            punctures_per_cell=memory.punctures_per_cell,
        )

    def start_anesthesia(self, asker: Asker, command: M.AnesthesiaStart, now: Micros) -> Message:
        """ANESTHESIA_START."""
        assert self.nvm.session is not None
        if command.zone >= len(self.nvm.session.zones_cm2):
            return interlocked(9, f"zone {command.zone} is not in the plan", actual=command.zone)
        self.zones[command.zone] = Zone(Micros(now - command.age_s * SECOND), False)
        self.enter(Event.ANESTHESIA_STARTED)
        self.nvm.append(R.Anesthesia, self.uptime_ms(now), zone=command.zone, confirmed=0, age_s=command.age_s)
        return M.AnesthesiaStartDone(wait_s=max(0, self.parameters.anesthesia_wait_s - command.age_s))

    def confirm_anesthesia(self, asker: Asker, command: M.AnesthesiaConfirm, now: Micros) -> Message:
        """ANESTHESIA_CONFIRM."""
        zone = self.zones.get(command.zone)
        if zone is None:
            return interlocked(2, f"zone {command.zone} was not numbed: send ANESTHESIA_START first")
        age_s = (now - zone.numbed_at) // SECOND
        wait, valid = self.parameters.anesthesia_wait_s, self.parameters.anesthesia_valid_s
        if now - zone.numbed_at < wait * SECOND:
            text = f"too early: zone {command.zone} was numbed {age_s} s ago and needs {wait} s"
            return interlocked(3, text, expected=wait, actual=age_s)
        if age_s >= valid:
            text = f"expired: zone {command.zone} was numbed {age_s} s ago and holds {valid} s; numb it again"
            return interlocked(3, text, expected=valid, actual=age_s)
        self.zones[command.zone] = Zone(zone.numbed_at, True)
        if all(entry.confirmed for entry in self.zones.values()):
            self.enter(Event.ZONES_CONFIRMED)
            self.clear_alarm(A.ANESTHESIA_EXPIRED, now)
            self.clear_alarm(A.ANESTHESIA_MISSING, now)
        self.nvm.append(R.Anesthesia, self.uptime_ms(now), zone=command.zone, confirmed=1, age_s=age_s)
        return M.AnesthesiaConfirmDone(valid_s=valid - age_s)

    def arm(self, asker: Asker, command: M.Arm, now: Micros) -> Message | None:
        """ARM: the pump runs until the vacuum allows a cycle."""
        if (no := self.cycle.cartridge_refusal(now)) is not None:
            return no
        assert self.nvm.session is not None
        cartridge = self.plant.cartridge
        self.nvm.bind_cartridge(cartridge.serial, self.nvm.session.session_no, cartridge.cycles)
        self.plant.start_pump(now)
        limit = Micros(now + round(self.parameters.arm_timeout_s * SECOND))
        ready = self.plant.when_sensed_crosses(self.parameters.vacuum_low_kpa, now)
        due = limit if ready is None else min(limit, Micros(ready + 1))
        self.begin(asker, Event.ARM_BEGUN, due, due - now, self._armed, now)
        return None

    def _armed(self, now: Micros) -> None:
        sensed = self.plant.sensed_kpa(now)
        if sensed > self.parameters.vacuum_low_kpa:
            self.plant.vent(now)
            text = f"the vacuum only reached {sensed:.0f} kPa; arming needs {self.parameters.vacuum_low_kpa:.0f} kPa"
            failed = M.Failed(code=Code.E_INTERLOCK, interlock=4, alarm_code=A.SUCTION_LOST, sentence=text)
            self.end(Event.DISARM_ENDED, failed, now)
            return
        self.end(Event.ARM_ENDED, M.ArmDone(vacuum_pa=round(sensed * 1000)), now)
        self.watch_suction(now)

    def disarm(self, asker: Asker, command: M.Disarm, now: Micros) -> None:
        """DISARM: the line is vented."""
        self.plant.vent(now)
        self._suction_due = None
        self._suction_settled(now)
        vented = self.plant.when_pressure_crosses(-VENTED_KPA, now) or now
        self.begin(asker, Event.DISARM_BEGUN, vented, vented - now, self._disarmed, now)

    def _disarmed(self, now: Micros) -> None:
        self.end(Event.DISARM_ENDED, M.DisarmDone(state=DeviceState.ANESTHESIA_CONFIRMED), now)

    def reposition(self, asker: Asker, command: M.Reposition, now: Micros) -> Message | None:
        """REPOSITION: the hand moves to a cell."""
        session = self.nvm.session
        assert session is not None
        if command.zone >= len(session.zones_cm2) or command.cell >= session.zones_cm2[command.zone]:
            text = f"zone {command.zone} cell {command.cell} is outside the planned zones"
            return interlocked(9, text, actual=command.cell)
        travel = self.plant.reposition_us()
        self.cell = NO_CELL
        goal = sum(session.zones_cm2[: command.zone]) + command.cell

        def arrived(at: Micros) -> None:
            self.zone, self.cell = command.zone, goal
            made = session.cell_punctures.get((command.zone, goal), 0)
            self.end(
                Event.MOTION_ENDED,
                M.RepositionDone(
                    zone=command.zone, cell=command.cell, cell_punctures=made, cycles_left=self.cycle.cycles_left()
                ),
                at,
            )

        self.begin(asker, Event.REPOSITION_BEGUN, Micros(now + travel), travel, arrived, now)
        return None

    def purge(self, asker: Asker, command: M.Purge, now: Micros) -> None:
        """PURGE: try to blow the flagged needles free."""
        duration = round(self.parameters.purge_s * SECOND)

        def purged(at: Micros) -> None:
            cleared = self.cycle.purge(at)
            self.end(Event.MOTION_ENDED, M.PurgeDone(cleared=cleared, flagged=self.cycle.flagged), at)

        self.begin(asker, Event.PURGE_BEGUN, Micros(now + duration), duration, purged, now)

    def pause(self, asker: Asker, command: M.Pause, now: Micros) -> Message:
        """PAUSE."""
        self.enter(Event.PAUSED)
        return M.PauseDone()

    def resume(self, asker: Asker, command: M.Resume, now: Micros) -> Message:
        """RESUME."""
        self.enter(Event.RESUMED)
        return M.ResumeDone()

    def stop(self, asker: Asker, command: M.Stop, now: Micros) -> Message:
        """STOP: from any link, in any state, harmless twice."""
        if self.state not in HELD and self.state not in (DeviceState.IDLE, DeviceState.SELF_TEST):
            self.make_safe(Event.MADE_SAFE, Code.E_STATE, "stopped by STOP", now)
        return M.StopDone(state=self.state)

    def reset_fault(self, asker: Asker, command: M.FaultReset, now: Micros) -> Message:
        """FAULT_RESET."""
        if self.plant.inputs.estop_open:
            return interlocked(20, "the emergency stop is still open: close it first")
        if self.plant.inputs.self_test_failure:
            return interlocked(23, f"the self-test fails: {self.plant.inputs.self_test_failure}"[:120])
        if not self.plant.inputs.retract_sensor_stuck:
            self.clear_alarm(A.NEEDLE_NOT_RETRACTED, now)
        self.clear_alarm(A.SELF_TEST_FAILED, now)
        if (left := self.alarms.highest_latching()) is not None:
            alarm = A.ALARMS[left]
            return interlocked(alarm.interlock, f"{alarm.label} still has its cause: {alarm.sentence}"[:120])
        for code in self.alarms.reset():
            self.nvm.clear_alarm(code)
            self.alarm_changed(code, now)
        self.enter(Event.RESET if self.nvm.session is None else Event.RESET_WITH_SESSION)
        return M.FaultResetDone(state=self.state, alarms=len(self.alarms.listing()))

    def close_session(self, asker: Asker, command: M.SessionClose, now: Micros) -> Message:
        """SESSION_CLOSE: refused, with both numbers, unless the host's fold is the device's."""
        session = self.nvm.session
        if session is None or command.session_no != session.session_no:
            have = 0 if session is None else session.session_no
            text = f"session {command.session_no} is not open here; open is {have or 'none'}"
            return refusal(Code.E_STATE, text, expected=have, actual=command.session_no)
        if command.reason is CloseReason.UNKNOWN:
            return refusal(Code.E_ARGUMENT, "the reason of a close is 1 (completed), 2 (aborted) or 3 (abandoned)")
        compared = () if command.reason is CloseReason.ABANDONED else _COMPARED
        for name in compared:
            ours, theirs = getattr(session, name), getattr(command, name)
            if ours != theirs:
                text = f"counts disagree: {name} is {ours} here, {theirs} at the host; reconcile before closing"
                return interlocked(7, text, expected=ours, actual=theirs)
        if self.state in UNARMED:
            self.enter(Event.CLOSE_BEGUN)
            self.enter(Event.CLOSED)
        self.nvm.close_session(command.reason, self.uptime_ms(now))
        self.zones.clear()
        return M.SessionCloseDone(
            session_no=session.session_no,
            cycles=session.cycles,
            completed=session.completed,
            aborted=session.aborted,
            ambiguous=session.ambiguous,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        )

    def acknowledge(self, code: int, now: Micros) -> None:
        """The controller has seen an alarm; a stopped count is taken up again by that."""
        if self.alarms.acknowledge(code):
            self.alarm_changed(code, now)
        if code == A.COUNT_STOPPED and self.alarms.present(code):
            self.cycle.forgive()
            self.clear_alarm(A.COUNT_STOPPED, now)
            self.clear_alarm(A.COUNT_MISMATCH, now)

    def highest_alarm(self) -> AlarmPriority:
        """The highest priority among alarms that are not inactive."""
        return self.alarms.highest


_COMPARED: Final = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")
"""What the host's fold must agree on before a session is closed."""


def cycles_per_cell(coverage_bp: int, needles: int, parameters: Parameters) -> int:
    """Cycles that a cell of 1 cm2 takes at a coverage: the plan's share, never above the hard cap of punctures."""
    core_mm2 = 3.141592653589793 / 4 * parameters.core_diameter_mm**2
    wanted = coverage_bp / 10_000 * 100 / core_mm2  # 100 mm2 to the cm2
    return max(1, min(round(wanted / needles), parameters.density_cap_per_cm2 // needles))
