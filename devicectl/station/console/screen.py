"""The controller's screen: what its operator can see there, and hears; each change of it is evidence.

Law: it knows what the host was told and what its person has done, and nothing of the device's inside.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from devicectl.errors import CommandError, CommandRefusedError
from devicectl.session.context import Observer
from devicectl.session.entries import Note
from devicectl.session.machine import CYCLE, State
from protocols.language import messages as M
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmPriority, AlarmState
from protocols.language.message import Message
from protocols.language.units import SECOND, Micros

MAX_MESSAGES: Final = 100
"""Messages that are kept: a page shows the last 20."""
SILENCE_US: Final = 120 * SECOND
"""Time for which the sound of the alarms is paused."""
SEEN_TO_US: Final = 15 * SECOND
"""Time after the acknowledgement of an alarm in which somebody sees to what it asks for, as every lesson says."""
_PHASES: Final = {
    State.PUNCHING: "punch",
    State.SUCTIONING: "suction",
    State.ADVANCING: "advance",
    State.COUNTING: "count",
}


class See(Protocol):
    """Takes evidence: its kind, its name and its number."""

    def __call__(self, kind: str, name: str = "", number: int = 0) -> None:
        """Take it, as of now."""


class ShownAlarm(NamedTuple):
    """An alarm on the screen; `since_us` is when it came there, `acknowledged_us` when it was acknowledged."""

    code: int
    priority: AlarmPriority
    state: AlarmState
    sentence: str
    since_us: Micros
    acknowledged_us: Micros | None = None


class ShownMessage(NamedTuple):
    """A line for the operator: a refusal, an alarm, or a note. They are numbered from 1."""

    no: int
    at_us: Micros
    kind: str
    words: str


class ShownCell(NamedTuple):
    """Cycles that a cell has had, and those that it still takes."""

    done: int
    left: int


class Phase(NamedTuple):
    """A phase of a cycle, "none" between two cycles. `takes_us` is how long it is to take, 0 where that is unknown."""

    at_us: Micros
    cycle_no: int
    phase: str
    takes_us: int = 0


class Screen(Observer):
    """Screen of one controller, over all its hosts. `now()` is the time, `see` takes evidence."""

    def __init__(self, now: Callable[[], Micros], see: See) -> None:
        self.state = State.DISCONNECTED
        self.linked = False
        self.telemetry: M.TelemetryState | None = None
        self.alarms: dict[int, ShownAlarm] = {}
        self.messages: list[ShownMessage] = []
        self.cells: dict[tuple[int, int], ShownCell] = {}
        self.cores = self.cycles = 0
        self.phase = Phase(Micros(0), 0, "none")
        self.silenced_at: Micros | None = None
        self.armed_at = Micros(0)
        """Time at which the handpiece was armed last: what was wrong with the vented line was seen before."""
        self.ending = ""
        """Way in which the session was closed: completed or aborted; "" while it is open."""
        self._now = now
        self._see = see
        self._count = 0

    # --- an observer of each host --------------------------------------------------------------------------------

    def changed(self, before: State, after: State, now: Micros) -> None:
        """Show the host's state."""
        self.state = after
        if after is State.ARMED and before is State.ANESTHESIA_CONFIRMED:
            self.armed_at = now
        if after in _PHASES or before in _PHASES:
            number = self.cycles + (after in CYCLE)
            self.phase = Phase(now, number, _PHASES.get(after, "none"))
        self._see("state", after.value)

    def noted(self, note: Note) -> None:
        """Show a warning of the host, and a link that is lost."""
        if note.name == "link_lost":
            self.lose_link(note.detail)
        elif note.kind == "warning":
            self.say("note", note.detail or note.name)

    # --- what the device says unasked ----------------------------------------------------------------------------

    def told(self, message: Message) -> None:
        """Take a message that answers nothing."""
        if isinstance(message, M.TelemetryState):
            self.telemetry = message
        elif isinstance(message, M.Alarm):
            self.show_alarm(message)

    def show_alarm(self, alarm: M.Alarm | M.AlarmListDone) -> None:
        """Show an alarm as it is now; one that is over goes from the screen."""
        shown, label = self.alarms.get(alarm.code), alarm_label(alarm.code)
        if alarm.state is AlarmState.INACTIVE:
            self._end_alarm(alarm.code)
            return
        now = self._now()
        since, acknowledged = (now, None) if shown is None else (shown.since_us, shown.acknowledged_us)
        if alarm.state is AlarmState.ACKNOWLEDGED and acknowledged is None:
            acknowledged = now
        self.alarms[alarm.code] = ShownAlarm(
            alarm.code, alarm.priority, alarm.state, alarm.sentence, since, acknowledged
        )
        if shown is None:
            self.say("alarm", f"{label} {alarm.sentence}")
            self._see("alarm", label)

    def acknowledges(self, code: int) -> None:
        """Take it as evidence that the automatic operator acknowledges an alarm: a script may wait for that."""
        self._see("act", "acknowledge", code)

    def show_only(self, codes: set[int]) -> None:
        """Take every other alarm from the screen: the device does not have it any more."""
        for code in [code for code in self.alarms if code not in codes]:
            self._end_alarm(code)

    def _end_alarm(self, code: int) -> None:
        if self.alarms.pop(code, None) is not None:
            self._see("alarm_over", alarm_label(code))

    # --- what the host does --------------------------------------------------------------------------------------

    def say(self, kind: str, words: str) -> None:
        """Show a line for the operator."""
        self._count += 1
        self.messages.append(ShownMessage(self._count, self._now(), kind, words))
        del self.messages[:-MAX_MESSAGES]

    def answered(self, error: CommandError) -> None:
        """Show that the device has not done what it was asked."""
        refused = isinstance(error, CommandRefusedError)
        self.say("refusal" if refused else "note", str(error))
        if isinstance(error, CommandRefusedError):
            self._see("refusal", error.code.name, error.interlock)

    def total(self, cores: int, cycles: int) -> None:
        """Show what the session has come to, as far as this host knows."""
        self.cycles = cycles
        if cores != self.cores:
            self.cores = cores
            self._see("cores", "", cores)

    def worked(self, place: tuple[int, int], left: int) -> None:
        """Show that a cell has had a cycle, and how many it still takes."""
        self.cells[place] = ShownCell(self.cells.get(place, ShownCell(0, 0)).done + 1, left)

    def arrived(self, place: tuple[int, int], left: int) -> None:
        """Show that the hand is at a cell."""
        done = self.cells.get(place, ShownCell(0, 0)).done
        self.cells[place] = ShownCell(done, left)
        self._see("cell", "", place[0])

    def link(self) -> None:
        """Show that the link is there."""
        if not self.linked:
            self.linked = True
            self._see("link_back")

    def lose_link(self, why: str) -> None:
        """Show that the link is lost, and nothing any more that came over it."""
        if self.linked:
            self.linked, self.telemetry = False, None
            self.say("note", f"the link is lost: {why}")
            self._see("link_lost")

    def silence(self) -> None:
        """Pause the sound of the alarms that are shown now; a new one sounds."""
        self.silenced_at = self._now()

    @property
    def silent_until(self) -> Micros | None:
        """Time until which the sound is paused; None where it is not."""
        at = self.silenced_at
        return None if at is None or self._now() >= at + SILENCE_US else Micros(at + SILENCE_US)

    def close(self, state: str) -> None:
        """Show that the session is closed."""
        self.ending = state
        self._see("closed", state)
