"""The board: memory, plant, state, alarms, the motion under way, and the verbs that change them.

Commands and checks are functions of it; what they have in common is here. Each boot makes a new one: memory and plant
outlive it, all else begins again.

Law: it carries out and decides nothing. A state changes only by `enter`, a counter only by the non-volatile memory, and
an alarm that changed is journaled and announced in the same breath. The one who asked is to it only someone to answer.
"""

import contextlib
from collections.abc import Callable
from typing import Final, NamedTuple

from firmware_sim.board.alarms import Alarms
from firmware_sim.board.cycle import OpenCycle
from firmware_sim.board.motion import Asker, Motion, Then
from firmware_sim.board.states import ARMED, Event, step
from firmware_sim.board.strokes import StrokeWindow
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.nvm import WORK_ROOM, Nvm
from firmware_sim.memory.session_steps import EndCycle
from firmware_sim.memory.steps import Append, ClearAlarm, LatchAlarm
from firmware_sim.model.interlocks import ALARMS
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import Plant
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, DeviceState, Ending, NeedleOutcome, Phase
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros

NO_CELL: Final = 0xFFFF
"""Cell of the hand before the first REPOSITION since the boot. Cells are numbered through all zones of a plan."""

REFUSALS_KEEP_FREE: Final = 128
"""Journal slots that refusals leave free: a host that is refused for ever must not crowd out a session's cycles."""

_COMPLETED: Final = Ending.COMPLETED


class Zone(NamedTuple):
    """A numbed zone: when it was numbed (may lie before the boot), and True once a person has confirmed it."""

    numbed_at: Micros
    confirmed: bool


class Board:
    """One device between a boot and a loss of power. `announce` sends a message to every link."""

    def __init__(
        self,
        seed: int,
        nvm: Nvm,
        plant: Plant,
        parameters: Parameters,
        *,
        announce: Callable[[Message, Micros], None],
        booted_at: Micros,
    ) -> None:
        self.seed = seed
        self.serial = f"SIM-{seed & 0xFFFF_FFFF:08X}"
        self.nvm = nvm
        self.plant = plant
        self.parameters = parameters
        self.alarms = Alarms()
        self.state = DeviceState.OFF
        self.armed = False
        """True while there is vacuum or it is being made: the short lease holds."""
        self.motion: Motion | None = None
        self.zones: dict[int, Zone] = {}
        self.zone, self.cell = 0, NO_CELL
        self.last_place: tuple[int, int] = nvm.aim[:2]
        """Zone and cell that the hand was at last; after a boot those of the cycle begun last."""
        self.home_due = Micros(0)
        """Time by which needles that were called back out of turn should be home."""
        self.cycle = OpenCycle()
        self.strokes = StrokeWindow(plant.needles, parameters.count_window)
        self.trigger_since: Micros | None = None
        """Time since which the trigger's contact is closed; None while it is open."""
        self.suction_due: Micros | None = None
        """Time of the next look at the vacuum; None: not before something happens."""
        self.suction_good_since: Micros | None = None
        """Time since which the vacuum is high again while its alarm still waits for it to be stable."""
        self.truth_session_no = 0  # the session that the plant's truth is of
        self.booted_at = booted_at
        self._announce = announce
        self._clock_at_boot = plant.clock.at(booted_at)

    # --- state and time --------------------------------------------------------------------------------------

    def enter(self, event: Event) -> None:
        """Change the state by the table."""
        self.state = state = step(self.state, event)
        self.armed = state in ARMED

    def uptime_ms(self, now: Micros) -> int:
        """Milliseconds since the boot by the device's clock, modulo 2**32."""
        return (self.plant.clock.at(now) - self._clock_at_boot) // MILLISECOND & 0xFFFF_FFFF

    # --- alarms ----------------------------------------------------------------------------------------------

    def raise_alarm(self, code: int, now: Micros) -> None:
        """Raise an alarm; it is journaled and announced when that changed anything."""
        if self.alarms.raise_(code, self.uptime_ms(now)):
            if ALARMS[code].latched:
                self.nvm.keep(LatchAlarm(code, self._alarm_record(code, self.alarms.state(code), now)))
                self.announce_alarm(code, now)
            else:
                self.alarm_changed(code, now)

    def forget_alarm(self, code: int, now: Micros) -> None:
        """Have the memory forget a latched alarm, and journal that it is over; `alarms` forgets it afterwards."""
        self.nvm.keep(ClearAlarm(code, self._alarm_record(code, AlarmState.INACTIVE, now)))

    def clear_alarm(self, code: int, now: Micros) -> None:
        """Note that the cause of an alarm is gone."""
        alarms = self.alarms
        if alarms.active and alarms.clear(code):  # most strokes clear a dozen alarms that nobody has raised
            self.alarm_changed(code, now)

    def set_alarm(self, code: int, present: bool, now: Micros) -> None:
        """Raise an alarm or clear it, as its cause is there or not."""
        if present:
            self.raise_alarm(code, now)
        else:
            self.clear_alarm(code, now)

    def alarm_changed(self, code: int, now: Micros) -> None:
        """Journal and announce an alarm as it is now."""
        self.nvm.keep(Append(self._alarm_record(code, self.alarms.state(code), now)))
        self.announce_alarm(code, now)

    def announce_alarm(self, code: int, now: Micros) -> None:
        """Tell every link of an alarm as it is now, once the journal has it."""
        alarm = ALARMS[code]
        message = M.Alarm(
            code=code,
            interlock=alarm.interlock,
            priority=alarm.priority,
            state=self.alarms.state(code),
            uptime_ms=self.uptime_ms(now),
            sentence=alarm.sentence,
        )
        self._announce(message, now)

    def _alarm_record(self, code: int, state: AlarmState, now: Micros) -> str:
        """Encode the record of an alarm that is in `state` now."""
        alarm = ALARMS[code]
        record = R.AlarmChanged(
            event_no=self.nvm.head,
            uptime_ms=self.uptime_ms(now),
            code=code,
            interlock=alarm.interlock,
            priority=alarm.priority,
            state=state,
        )
        return R.encode_record(record).hex()

    # --- motions ---------------------------------------------------------------------------------------------

    def begin(self, asker: Asker, event: Event, due: Micros, expected_us: int, then: Then, now: Micros) -> None:
        """Start a motion whose next step is `then` at `due`, and say RECEIVED."""
        self.enter(event)
        self.motion = Motion(asker, now, due, expected_us, then)
        asker.reply(M.Received.unchecked(expected_ms=expected_us // MILLISECOND), now)

    def go_on(self, due: Micros, then: Then) -> None:
        """Give the motion under way another step."""
        assert self.motion is not None
        self.motion.due, self.motion.then = due, then

    def end(self, event: Event | None, answer: Message, now: Micros) -> None:
        """End the motion under way with its answer."""
        motion, self.motion = self.motion, None
        if event is not None:
            self.enter(event)
        assert motion is not None
        motion.asker.reply(answer, now)

    # --- the open cycle and the vacuum -----------------------------------------------------------------------

    def end_cycle(self, ending: Ending, phase: Phase, outcomes: list[NeedleOutcome], now: Micros) -> None:
        """End the open cycle: the one record of its number, and the totals."""
        end = EndCycle(
            ending,
            phase,
            outcomes,
            self.zone,
            self.cell,
            self.cycle.measured_um,
            self.uptime_ms(now),
            self.plant.canister.volume_ul,
        )
        self.nvm.keep(end)
        self.plant.end_cycle(ending is _COMPLETED)

    def retract(self, now: Micros) -> None:
        """Bring the needles home; an open cycle ends ABORTED, its punctures kept, its cores uncounted."""
        self.home_due = self.plant.needle.retract(now)
        register = self.nvm.register
        if register is not None:
            outcome = NeedleOutcome.UNCOUNTED if self.cycle.punctured else NeedleOutcome.NOT_PUNCTURED
            self.end_cycle(Ending.ABORTED, register[1], [outcome] * self.plant.needles, now)

    def forget_suction(self, now: Micros) -> None:
        """Stop watching the vacuum: the line is being vented, and low suction is no alarm any more."""
        self.suction_due = None
        self.suction_is_good(now)

    def suction_is_good(self, now: Micros) -> None:
        """Note that low suction is over."""
        self.suction_good_since = None
        self.clear_alarm(A.SUCTION_LOST, now)

    # --- notes -----------------------------------------------------------------------------------------------

    def note(self, record: type[R.Record], now: Micros, **fields: int) -> None:
        """Write a record that nothing depends on, unless cycles and alarms may need the room."""
        if self.nvm.free > REFUSALS_KEEP_FREE:
            with contextlib.suppress(NvmFileError):
                self.nvm.reserve(WORK_ROOM)
                self.nvm.append(record(event_no=self.nvm.head, uptime_ms=self.uptime_ms(now), **fields))
