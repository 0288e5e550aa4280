"""The traffic of somebody else's host, read for the screen: all that it has asked, and all that it was told.

A command that it gives is an act, as if a person had done it at a controller of ours; what the device answers and says
unasked is shown as that controller would. What a host keeps to itself cannot be shown: docs/station.md lists it.

Law: only what that host has sent, and what has arrived at it, is known here.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from devicectl.errors import CommandError
from devicectl.session.machine import ARMED, CYCLE, ENDED, IN_MOTION, WITH_SESSION, State
from devicectl.session.operators.anesthesia import ZoneState
from devicectl.session.plan import Plan, Zone
from devicectl.session.procedures import ERRORS
from devicectl.station.console.ledger import USUAL_DIAMETER_UM, Ledger, Opening
from devicectl.station.console.screen import Screen, See
from protocols.language import messages as M
from protocols.language.enums import CloseReason, DeviceState
from protocols.language.message import Command, Message
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.header import RETRANSMIT
from protocols.link.port import Envelope

RELEASE_US: Final = 2 * SECOND
"""Time without a new PUNCH after which the trigger counts as let go: a host goes on to the next cycle at once."""
_RELEASING: Final = ("pause", "stop", "disarm", "purge", "close")
"""Acts before which a hand lets the trigger go."""
_ACTS: Final[Mapping[type[Message], str]] = {
    M.AnesthesiaStart: "anesthesia_start",
    M.AnesthesiaConfirm: "anesthesia_confirm",
    M.Arm: "arm",
    M.Disarm: "disarm",
    M.Reposition: "reposition",
    M.Purge: "purge",
    M.Pause: "pause",
    M.Resume: "resume",
    M.Stop: "stop",
    M.AlarmAck: "acknowledge",
    M.FaultReset: "reset",
    M.SessionClose: "close",
}
"""Command -> the act that it is; PUNCH is the trigger, which is held over many."""
_SENT: Final[Mapping[type[Message], State]] = {
    M.Punch: State.PUNCHING,
    M.Suction: State.SUCTIONING,
    M.Advance: State.ADVANCING,
    M.Count: State.COUNTING,
    M.Reposition: State.REPOSITIONING,
    M.Purge: State.PURGING,
    M.SessionClose: State.CLOSING,
}
"""Command -> the state of a host that has sent it."""
_DEVICE: Final[Mapping[DeviceState, State]] = {
    **{state: State[state.name] for state in DeviceState if state.name in State.__members__},
    DeviceState.SAFE: State.RECOVERING,
    DeviceState.FAULT: State.RECOVERING,
    DeviceState.LOCKED: State.RECOVERING,
}
"""State of the device -> that of a host which believes it."""
_HELD: Final = (DeviceState.SAFE, DeviceState.FAULT, DeviceState.LOCKED)


class _Asked(NamedTuple):
    """A command that has no final answer yet, and the state in which it was sent."""

    command: Command[Message]
    state: State


class Overheard:
    """One lesson's traffic. `later(at, act)` does something at a time."""

    def __init__(
        self,
        screen: Screen,
        see: See,
        ledger: Ledger,
        plan: Plan,
        now: Callable[[], Micros],
        later: Callable[[Micros, Callable[[], None]], None],
    ) -> None:
        self.plan = plan
        self.zones: dict[int, ZoneState] = {}
        self.place: tuple[int, int] | None = None
        self.cycles_left = self.flagged = 0
        self.held = False
        self._screen = screen
        self._see = see
        self._ledger = ledger
        self._now = now
        self._later = later
        self._asked: dict[int, _Asked] = {}
        self._welcome: M.Welcome | None = None
        self._info: M.DeviceInfoDone | None = None
        self._journal_head = 0
        self._first_cycle_no = 1
        self._cycle_ended_at: Micros | None = None
        self._listed: set[int] = set()
        self._silent = False
        """True while a link counts as lost for silence alone: its host may not have noticed."""

    @property
    def under_way(self) -> str:
        """Act that has no answer yet; "" where there is none."""
        acts = (_ACTS.get(one.command.__class__, "") for one in self._asked.values())
        return next((act for act in acts if act), "")

    @property
    def core_diameter_um(self) -> int:
        """Diameter of a core, as far as the host has asked."""
        return USUAL_DIAMETER_UM if self._info is None else self._info.core_diameter_um

    @property
    def lease_us(self) -> int:
        """Silence after which a host has to take the link for lost."""
        welcome = self._welcome
        if welcome is None:
            return 0
        armed = self._screen.state in ARMED
        return (welcome.lease_armed_ms if armed else welcome.lease_idle_ms) * MILLISECOND

    def lose(self, why: str, *, silent: bool = False) -> None:
        """Take in that there is no link any more; if nothing but silence says so, what is heard brings it back."""
        self._silent = silent
        self._asked.clear()
        self._release()
        self.place = None
        self._screen.lose_link(why)
        if self._screen.state not in ENDED:
            self._enter(State.RECOVERING if self._screen.state in WITH_SESSION else State.DISCONNECTED)

    # --- what the host says --------------------------------------------------------------------------------------

    def host_said(self, envelope: Envelope) -> None:
        """Take a message of the host; one that it sends again is no second act."""
        message = envelope.message
        if envelope.header.flags & RETRANSMIT:
            return
        if isinstance(message, M.Hello):
            self.lose("the host links again")
            if self._screen.state is State.DISCONNECTED:
                self._enter(State.CONNECTING)
        elif isinstance(message, M.Bye):
            self.lose("the host has taken leave")
        elif isinstance(message, Command):
            self._asked[envelope.header.correlation_id] = _Asked(message, self._screen.state)
            self._act(message)
            state = _SENT.get(message.__class__)
            if state is not None and self._screen.state in WITH_SESSION:
                self._enter(state)

    def _act(self, command: Command[Message]) -> None:
        if isinstance(command, M.Punch):
            self._cycle_ended_at = None
            if not self.held:
                self.held = True
                self._see("act", "trigger_press")
            return
        act = _ACTS.get(command.__class__)
        if act is not None:
            if act in _RELEASING:
                self._release()
            self._see("act", act, getattr(command, "zone", getattr(command, "code", 0)))

    def _release(self) -> None:
        if self.held:
            self.held = False
            self._see("act", "trigger_release")

    def _end_cycle(self) -> None:
        """Take in that a cycle is over: the trigger counts as let go where no other follows."""
        ended_at = self._cycle_ended_at = self._now()

        def look() -> None:
            if self._cycle_ended_at == ended_at:
                self._release()

        self._later(Micros(ended_at + RELEASE_US), look)

    # --- what the device says ------------------------------------------------------------------------------------

    def device_said(self, envelope: Envelope) -> None:
        """Take a message that has arrived at the host."""
        message = envelope.message
        if message is None:
            return
        if self._silent:
            self._silent = False
            self._screen.link()
        told = _TOLD.get(message.__class__)
        if told is not None:
            told(self, message)
            return
        asked = self._asked.get(envelope.header.correlation_id)
        if asked is None or isinstance(message, M.Received):
            return
        if isinstance(message, M.Progress):
            self._believe(message.state)
            return
        del self._asked[envelope.header.correlation_id]
        make_error = ERRORS.get(message.__class__)
        if make_error is not None:
            self._not_done(asked, make_error(asked.command, message))
        elif (done := _DONE.get(message.__class__)) is not None:
            done(self, asked.command, message)

    def _not_done(self, asked: _Asked, error: CommandError) -> None:
        self._screen.answered(error)
        if asked.command.__class__ in _SENT and self._screen.state in (*IN_MOTION, State.CLOSING):
            state = State.ARMED if asked.state in CYCLE else asked.state
            self._enter(state)
            if state is State.ARMED:
                self._end_cycle()

    def _enter(self, state: State) -> None:
        before = self._screen.state
        if state is not before:
            self._screen.changed(before, state, self._now())

    def _believe(self, told: DeviceState) -> None:
        """Take over the device's state, unless a command is under way that will change it."""
        screen, state = self._screen, _DEVICE.get(told)
        if state is None or screen.state in ENDED or not screen.linked:
            return
        if told in _HELD or not any(one.command.__class__ in _SENT for one in self._asked.values()):
            self._enter(state)

    # --- what it says unasked ------------------------------------------------------------------------------------

    def _welcomed(self, welcome: M.Welcome) -> None:
        self._welcome = welcome
        self._journal_head = welcome.journal_head
        self._screen.link()
        if welcome.session_no:
            self._screen.total(welcome.cores_counted, welcome.cycles)
        self._enter(State.RECOVERING if welcome.session_no else State.IDLE)
        self._believe(welcome.state)

    def _beaten(self, beat: M.Heartbeat) -> None:
        self._journal_head = beat.journal_head
        if self._screen.state in WITH_SESSION:
            self._screen.total(beat.cores_counted, beat.cycles)
        self._believe(beat.state)
        if not beat.highest_alarm:
            self._screen.show_only(set())

    def _measured(self, telemetry: M.TelemetryState) -> None:
        self.flagged = telemetry.flagged
        self._screen.told(telemetry)
        self._believe(telemetry.state)

    def _alarmed(self, alarm: M.Alarm) -> None:
        self._screen.told(alarm)

    def _left(self, bye: M.Bye) -> None:
        self.lose(f"the device has taken leave ({bye.reason.name.lower()})")

    # --- what it has done ----------------------------------------------------------------------------------------

    def _told_who(self, _: M.DeviceInfo, info: M.DeviceInfoDone) -> None:
        self._info = info

    def _opened(self, asked: M.SessionOpen, opened: M.SessionOpenDone) -> None:
        areas = tuple(asked.zones_cm2)
        zones = self.plan.zones
        if areas != tuple(zone.area_cm2 for zone in zones):
            zones = tuple(Zone(name=f"zone {no}", area_cm2=area) for no, area in enumerate(areas))
        self.plan = self.plan.model_copy(
            update={
                "target_cores": asked.target_cores,
                "coverage_percent": asked.coverage_bp / 100,
                "depth_mm": asked.depth_um / 1_000,
                "zones": zones,
            }
        )
        assert self._welcome is not None, "a session is opened on a link"
        self._first_cycle_no = opened.first_cycle_no
        self._ledger.open(Opening(self._welcome, self._journal_head, self._info), opened, self.plan)
        self._enter(State.SESSION_OPEN)

    def _numbed(self, asked: M.AnesthesiaStart, started: M.AnesthesiaStartDone) -> None:
        now = self._now()
        ready_at = Micros(now + started.wait_s * SECOND)
        self.zones[asked.zone] = ZoneState(Micros(now - asked.age_s * SECOND), ready_at, False)
        self._enter(State.ANESTHESIA_WAIT)

    def _confirmed(self, asked: M.AnesthesiaConfirm, _: M.AnesthesiaConfirmDone) -> None:
        zone = self.zones.get(asked.zone)
        if zone is not None:
            self.zones[asked.zone] = zone._replace(confirmed=True)
        if sum(one.confirmed for one in self.zones.values()) == len(self.plan.zones):
            self._enter(State.ANESTHESIA_CONFIRMED)

    def _came_to(self, state: State, *_: Message) -> None:
        self._enter(state)

    def _came_to_its_state(self, _: Message, done: M.DisarmDone | M.FaultResetDone) -> None:
        self._enter(_DEVICE.get(done.state, self._screen.state))

    def _arrived(self, _: M.Reposition, done: M.RepositionDone) -> None:
        self.place, self.cycles_left = (done.zone, done.cell), done.cycles_left
        self._screen.arrived(self.place, done.cycles_left)
        self._enter(State.ARMED)

    def _counted(self, _: M.Count, done: M.CountDone) -> None:
        self.flagged, self.cycles_left = done.flagged, done.cycles_left
        self._enter(State.ARMED)
        self._screen.total(done.total_cores_counted, done.cycle_no - self._first_cycle_no + 1)
        if self.place is not None:
            self._screen.worked(self.place, done.cycles_left)
        self._end_cycle()

    def _purged(self, _: M.Purge, done: M.PurgeDone) -> None:
        self.flagged = done.flagged
        self._enter(State.ARMED)

    def _listed_alarm(self, _: M.AlarmList, alarm: M.AlarmListDone) -> None:
        """Show an alarm of the list; after its last one, every alarm that is not in it is over."""
        if not alarm.index:
            self._listed.clear()
        if alarm.count:
            self._listed.add(alarm.code)
            self._screen.show_alarm(alarm)
        if alarm.index + 1 >= alarm.count:
            self._screen.show_only(self._listed)

    def _read(self, _: M.JournalRead, page: M.JournalPage) -> None:
        self._ledger.page(page)

    def _closed(self, asked: M.SessionClose, closed: M.SessionCloseDone) -> None:
        self._screen.total(closed.cores_counted, closed.cycles)
        self._ledger.close(asked, closed)
        state = State.COMPLETED if asked.reason is CloseReason.COMPLETED else State.ABORTED
        self._enter(state)
        self._screen.close(state.value)


_TOLD: Final[Mapping[type[Message], Callable[..., None]]] = {
    M.Welcome: Overheard._welcomed,
    M.Heartbeat: Overheard._beaten,
    M.TelemetryState: Overheard._measured,
    M.Alarm: Overheard._alarmed,
    M.Bye: Overheard._left,
}
"""Message that answers no command -> what is made of it."""
_DONE: Final[Mapping[type[Message], Callable[..., None]]] = {
    M.DeviceInfoDone: Overheard._told_who,
    M.SessionOpenDone: Overheard._opened,
    M.AnesthesiaStartDone: Overheard._numbed,
    M.AnesthesiaConfirmDone: Overheard._confirmed,
    M.ArmDone: lambda one, *_: one._came_to(State.ARMED),
    M.DisarmDone: Overheard._came_to_its_state,
    M.RepositionDone: Overheard._arrived,
    M.CountDone: Overheard._counted,
    M.PurgeDone: Overheard._purged,
    M.PauseDone: lambda one, *_: one._came_to(State.PAUSED),
    M.ResumeDone: lambda one, *_: one._came_to(State.ARMED),
    M.StopDone: lambda one, *_: one._came_to(State.RECOVERING),
    M.FaultResetDone: Overheard._came_to_its_state,
    M.AlarmListDone: Overheard._listed_alarm,
    M.JournalPage: Overheard._read,
    M.SessionCloseDone: Overheard._closed,
}
"""Answer of a command that was done -> what is made of it, with the command."""
