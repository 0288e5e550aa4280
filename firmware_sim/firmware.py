"""The firmware: the device's state, its alarms, the one motion under way, and how it is made safe.

What each command does is in `session_commands`, `motion_commands` and `cycle`; what forbids a stroke in
`punch_checks`; what is watched meanwhile in `suction` and `count_watch`.

Law: it decides by sensors and memory, never by the plant's truth. A state changes only by `states.step`; a counter
only by the non-volatile memory. It knows who asked only as somebody to answer.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from firmware_sim.cycle import CycleControl
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session_steps import PowerOn
from firmware_sim.memory.steps import LatchAlarm
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import Plant
from firmware_sim.motion import PROGRESS_EVERY_US, Asker, Motion, Nobody, Then
from firmware_sim.safety.alarms import ALARMS, Alarms
from firmware_sim.safety.count_watch import CountWatch
from firmware_sim.safety.punch_checks import NO_CELL
from firmware_sim.safety.suction import SuctionWatch
from firmware_sim.states import ARMED, CYCLE, HELD, Event, step
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmPriority, Code, DeviceState, Ending, Phase
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros, to_ms


class Zone(NamedTuple):
    """A numbed zone: when it was numbed (may lie before the boot), and whether a person has confirmed it."""

    numbed_at: Micros
    confirmed: bool


class Firmware:
    """One device from boot to power loss. `announce` sends a message to every link."""

    def __init__(
        self, nvm: Nvm, plant: Plant, parameters: Parameters, announce: Callable[[Message, Micros], None]
    ) -> None:
        self.nvm = nvm
        self.plant = plant
        self.parameters = parameters
        self.alarms = Alarms()
        self.state = DeviceState.OFF
        self.motion: Motion | None = None
        self.zones: dict[int, Zone] = {}
        self.zone, self.cell = 0, NO_CELL
        self.last_place = nvm.aim[:2]
        """Zone and cell that the hand was at last; after a boot those of the cycle begun last."""
        self.home_due = Micros(0)
        """When the needles, last called home out of turn, should be there."""
        self.truth_session_no = 0  # the session that the plant's truth is of
        self.suction = SuctionWatch(self)
        self.count_watch = CountWatch(self)
        self.cycle = CycleControl(self)
        self._announce = announce
        self._booted_at = Micros(0)

    # --- boot, state, alarms ---------------------------------------------------------------------------------

    def boot(self, now: Micros) -> None:
        """Power comes on: settle what was open, test, and hold if a session was open or an alarm latched."""
        self._booted_at = now
        interrupted = self.nvm.register is not None
        self.nvm.keep(PowerOn(0))
        for code in sorted(self.nvm.latched):
            self.alarms.raise_(code, 0)
            self.alarms.clear(code)
        self.enter(Event.BOOTED)
        if interrupted:
            self.raise_alarm(A.POWER_LOST_IN_STROKE, now)
            self.clear_alarm(A.POWER_LOST_IN_STROKE, now)
        self.count_watch.tell(now)
        if self.plant.inputs.self_test_failure:
            self.enter(Event.SELF_TEST_FAILED)
            self.raise_alarm(A.SELF_TEST_FAILED, now)
        else:
            hold = self.nvm.session is not None or self.nvm.latched
            self.enter(Event.HOLD_RESTORED if hold else Event.SELF_TEST_PASSED)
        if self.plant.inputs.estop_open:
            self._emergency(now)

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
            if ALARMS[code].latched:
                self.nvm.keep(LatchAlarm(code))
            self.alarm_changed(code, now)

    def clear_alarm(self, code: int, now: Micros) -> None:
        """The cause of an alarm is gone."""
        if self.alarms.clear(code):
            self.alarm_changed(code, now)

    def set_alarm(self, code: int, present: bool, now: Micros) -> None:
        """The cause of an alarm is there, or it is not."""
        if present:
            self.raise_alarm(code, now)
        else:
            self.clear_alarm(code, now)

    def alarm_changed(self, code: int, now: Micros) -> None:
        """Journal and announce an alarm as it now stands."""
        alarm, state = ALARMS[code], self.alarms.state(code)
        uptime = self.uptime_ms(now)
        record = R.AlarmChanged(
            event_no=self.nvm.head,
            uptime_ms=uptime,
            code=code,
            interlock=alarm.interlock,
            priority=alarm.priority,
            state=state,
        )
        self.nvm.append(record)
        message = M.Alarm(
            code=code,
            interlock=alarm.interlock,
            priority=alarm.priority,
            state=state,
            uptime_ms=uptime,
            sentence=alarm.sentence,
        )
        self._announce(message, now)

    def acknowledge(self, code: int, now: Micros) -> None:
        """The controller has seen an alarm; a stopped count is taken up again by that."""
        if self.alarms.acknowledge(code):
            self.alarm_changed(code, now)
        if code == A.COUNT_STOPPED and self.alarms.present(code):
            self.count_watch.forgive()
            self.clear_alarm(A.COUNT_STOPPED, now)
            self.clear_alarm(A.COUNT_MISMATCH, now)

    def highest_alarm(self) -> AlarmPriority:
        """The highest priority among alarms that are not inactive."""
        return self.alarms.highest

    def leave_alarms(self, now: Micros) -> None:
        """A session begins or is over: what was wrong with the one before is not with the next."""
        for code in _OF_A_SESSION:
            self.clear_alarm(code, now)

    # --- motions ---------------------------------------------------------------------------------------------

    def begin(self, asker: Asker, event: Event, due: Micros, expected_us: int, then: Then, now: Micros) -> None:
        """Start a motion whose next step is `then` at `due`, and say RECEIVED."""
        self.enter(event)
        self.motion = Motion(asker, now, due, expected_us, then)
        asker.reply(M.Received.unchecked(expected_ms=expected_us // MILLISECOND), now)

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
        motion, due = self.motion, self.suction.due
        if motion is not None:
            wake = motion.due
            if motion.next_progress < wake:
                wake = Micros(motion.next_progress)
            return wake if due is None or wake < due else due
        return due

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        due = self.suction.due
        if due is not None and now >= due:
            self.suction.look(now)
        motion = self.motion
        if motion is None:
            return
        if now >= motion.due:
            motion.then(now)
        elif now >= motion.next_progress:
            motion.next_progress += PROGRESS_EVERY_US
            elapsed = (now - motion.began) // MILLISECOND
            progress = M.Progress(state=self.state, elapsed_ms=elapsed, expected_ms=motion.expected_us // MILLISECOND)
            motion.asker.reply(progress, now)

    # --- reactions -------------------------------------------------------------------------------------------

    def make_safe(self, event: Event, code: Code, text: str, now: Micros) -> None:
        """Stop everything: retract, vent, end the open cycle, disarm, hold. `event` names the state to hold in."""
        self.plant.vent(now)
        self.cycle.abort(now)
        if self.motion is not None:
            self._abort_motion(code, text, now)
        self.suction.stop(now)
        self.zones.clear()
        self.enter(event)

    def _abort_motion(self, code: Code, text: str, now: Micros) -> None:
        """Answer the motion under way with ABORTED, and with how its cycle ended."""
        motion, self.motion = self.motion, None
        assert motion is not None
        last = self.nvm.last_outcome if self.state in CYCLE else None
        aborted = M.Aborted(
            code=code,
            ending=Ending.OPEN if last is None else last.ending,
            phase=Phase.NONE if last is None else last.phase,
            sentence=text,
        )
        motion.asker.reply(aborted, now)

    def give_up(self, now: Micros) -> None:
        """The memory failed in the midst of something: vent, retract, hold, and tell whoever waits.

        Nothing is kept any more: how the open cycle has ended is for the next boot to say, from register and latch.
        """
        self.plant.vent(now)
        self.plant.retract(now)
        self.suction.due = None
        if self.state not in HELD:
            self.enter(Event.MADE_SAFE)
        motion, self.motion = self.motion, None
        if motion is not None:
            register = self.nvm.register
            text = "the memory failed: vented, retracted; after a restart the journal tells how the cycle ended"
            phase = Phase.NONE if register is None else register[1]
            motion.asker.reply(M.Aborted(code=Code.E_STORAGE, ending=Ending.OPEN, phase=phase, sentence=text), now)

    def abort_cycle(self, interlock: int, text: str, alarm_code: int, now: Micros) -> None:
        """End the open cycle at once and be armed again when the needles are seen at home: the motion under way FAILED.

        It is ABORTED where they are not seen there, or where the device is made safe meanwhile.
        """
        if self.nvm.register is None:
            return  # it has ended: the needles are on their way
        self.cycle.abort(now)
        failed = M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=alarm_code, sentence=text)

        def home(at: Micros) -> None:
            if self.plant.retracted(at):
                self.end(Event.CYCLE_ABORTED, failed, at)
            else:
                self.needles_out(at)

        if self.motion is None:
            self.motion = Motion(Nobody(), now, now, 0, home)
        if self.plant.retracted(now):
            home(now)
        else:
            self.go_on(self.home_due, home)

    def link_lost(self, now: Micros) -> None:
        """The controlling link is gone while armed: interlock 15."""
        if self.armed:
            self.raise_alarm(A.LINK_LOST, now)
            self.make_safe(Event.MADE_SAFE, Code.E_LINK, ALARMS[A.LINK_LOST].sentence, now)
            self.clear_alarm(A.LINK_LOST, now)

    def inputs_changed(self, now: Micros) -> None:
        """An input of the plant was changed from outside: react as the interrupt lines would."""
        if self.plant.inputs.estop_open:
            self._emergency(now)
        else:
            self.clear_alarm(A.EMERGENCY_STOP, now)
        if self.state is DeviceState.ADVANCING and not self.plant.retracted(now):
            self.needles_out(now)
        if self.armed:
            self.suction.look(now)

    def _emergency(self, now: Micros) -> None:
        """Interlock 20."""
        self.raise_alarm(A.EMERGENCY_STOP, now)
        if self.state not in HELD:
            self.make_safe(Event.MADE_SAFE, Code.E_INTERLOCK, ALARMS[A.EMERGENCY_STOP].sentence, now)

    def needles_out(self, now: Micros) -> None:
        """Interlock 1: the stage must not move, and the sensor does not see the needles at home."""
        self.raise_alarm(A.NEEDLE_NOT_RETRACTED, now)
        text = ALARMS[A.NEEDLE_NOT_RETRACTED].sentence
        self.make_safe(Event.FAULTED, Code.E_INTERLOCK, text, now)


_OF_A_SESSION: Final = (
    A.ANESTHESIA_MISSING,
    A.ANESTHESIA_EXPIRED,
    A.SUCTION_LOST,
    A.NEEDLE_CLOGGED,
    A.NEEDLES_CLOGGED,
    A.COUNT_MISMATCH,
    A.COUNT_STOPPED,
    A.DENSITY_NEAR,
    A.DENSITY_REACHED,
)
"""Alarms whose cause is of one session's skin, line and count, not of the device."""
