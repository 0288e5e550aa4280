"""What `devicectl run` shows: a progress bar on a terminal, plain lines elsewhere, sentences with `--explain`.

It watches a session and never touches it.
"""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from devicectl import clock
from devicectl.session.count import coverage_percent
from devicectl.session.engine import CycleResult
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.session.plan import Plan
from devicectl.transports.urls import DeviceUrl
from protocols.enums import NeedleOutcome
from protocols.notice import NOTICE
from protocols.text import printable
from protocols.units import SECOND, Micros

if TYPE_CHECKING:
    from devicectl.controller import Session
    from devicectl.summary import Summary
    from protocols.messages import DeviceInfoDone

REFRESH_US: Final = SECOND // 8
"""Eight times a second looks alive and costs nothing."""
PHASES: Final = {
    State.ANESTHESIA_WAIT: "numbing",
    State.REPOSITIONING: "moving on",
    State.PURGING: "purging",
    State.PAUSED: "paused",
    State.RECOVERING: "recovering",
    State.CLOSING: "closing",
}
"""What stands before the bar; "coring" in every other state."""
LINES: Final = 10
"""Progress lines of a session where nothing can be animated."""

SENTENCES: Final = {
    State.CONNECTING: "The controller says HELLO and waits for the handpiece.",
    State.IDLE: "The link stands. No session is open.",
    State.SESSION_OPEN: "A session is open: the handpiece holds the controller to its plan from now on.",
    State.ANESTHESIA_WAIT: "The zones were numbed. Confirming is refused until the wait is over.",
    State.ANESTHESIA_CONFIRMED: "A person confirmed that every zone is numb.",
    State.ARMED: "Armed: the pump holds the vacuum.",
    State.PUNCHING: "Punch: the needles go in, dwell, and come back.",
    State.SUCTIONING: "Suction: the vacuum draws the cores out.",
    State.ADVANCING: "Advance: the stage moves by one pitch; the needles are home.",
    State.COUNTING: "Count: the sensor counts the cores.",
    State.REPOSITIONING: "The hand moves to the next cell; meanwhile the journal is read and logged.",
    State.PURGING: "A needle is clogged: purging.",
    State.PAUSED: "Paused.",
    State.RECOVERING: "The handpiece has made itself safe. Reading its journal before anything moves again.",
    State.CLOSING: "Closing: the controller sends its own counts, and the handpiece compares them.",
    State.COMPLETED: "The session is completed and closed.",
    State.ABORTED: "The session is aborted and closed.",
    State.FAULTED: "The session cannot be gone on with.",
}

STEPS: Final[dict[tuple[State, State], str]] = {
    (State.ARMED, State.ANESTHESIA_CONFIRMED): "Disarmed: the pump is off and the line is vented.",
    (State.PAUSED, State.ANESTHESIA_CONFIRMED): "Disarmed: the pump is off and the line is vented.",
    (State.REPOSITIONING, State.ARMED): "The hand has arrived.",
    (State.PURGING, State.ARMED): "The purge has ended.",
    (State.COUNTING, State.ARMED): "",
    (State.PUNCHING, State.ARMED): "The cycle ended before its time; its number is used up.",
    (State.SUCTIONING, State.ARMED): "The cycle ended before its time; its number is used up.",
    (State.ADVANCING, State.ARMED): "The cycle ended before its time; its number is used up.",
    (State.RECOVERING, State.SESSION_OPEN): "The handpiece's counts are read, its alarms reset. The session goes on.",
}
"""Where a state is come to from a certain other one, another sentence; none where the next line says it all."""


class Display:
    """One run's display; as a context it shows the progress bar, if it may animate."""

    def __init__(self, plan: Plan, *, explain: bool, stream: TextIO) -> None:
        self._plan = plan
        self._explain = explain
        self._stream = stream
        self._animate = stream.isatty() and not explain
        self._progress: Any = None
        self._task: Any = None
        self._session: Session | None = None
        self._drawn_at = Micros(0)
        self._phase = ""
        self._now = Micros(0)
        self._armed_at: Micros | None = None
        self._counted_before = 0
        self._cells: set[tuple[int, int]] = set()
        self._area_before = 0
        self._next_line = 1 / LINES

    def say(self, text: str) -> None:
        """A line; above the progress bar where there is one. What a device says cannot steer the terminal."""
        line = printable(text)
        if self._progress is not None:
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=self._stream, flush=True)

    def begin(self, url: DeviceUrl, named_by: str) -> None:
        """Before the device is connected. `named_by` is what named it where that was no option, else empty."""
        self.say(NOTICE)
        source = f" of {named_by}" if named_by else ""
        self.say(f"device {url.text}{source}" + (f", seed {url.seed}" if url.seed is not None else ""))

    def opened(self, session: "Session", device: "DeviceInfoDone") -> None:
        """The session is open."""
        self._session, self._plan = session, session.plan
        plan, before = session.plan, session.summary
        self._counted_before, self._area_before = before.cores_counted, max(0, before.treated_area_cm2 - 1)
        share = before.cores_counted / plan.target_cores
        self._next_line = (int(share * LINES) + 1) / LINES
        zones = f"{len(plan.zones)} zone{'s' * (len(plan.zones) != 1)}"
        self.say(
            f"session {session.session_no} on {device.serial}: {plan.target_cores} cores at "
            f"{plan.coverage_percent:g} % in {zones}, {device.needles} needles"
        )
        if session.resumed:
            self.say(f"resumed at {before.cores_counted} cores")
        if self._progress is not None:
            self._progress.update(self._task, total=plan.target_cores, completed=before.cores_counted)

    # --- what it watches -------------------------------------------------------------------------------------

    def changed(self, before: State, after: State, now: Micros) -> None:
        """The host's state changed."""
        self._now = now
        if after is State.ARMED and self._armed_at is None:
            self._armed_at = now
        phase = PHASES.get(after, "coring")
        if self._progress is not None and phase != self._phase:
            self._phase = phase
            self._progress.update(self._task, phase=phase)
        if self._explain and (text := STEPS.get((before, after), SENTENCES[after])):
            self.say(f"{now / SECOND:10.3f} s  {text}")

    def noted(self, note: Note) -> None:
        """Something was noted in the log."""
        if self._explain:
            self.say(f"{note.at_us / SECOND:10.3f} s  {note.kind}: {note.name} {note.detail}".rstrip())
        elif note.kind == "warning":
            self.say(f"warning: {note.name}: {note.detail}")

    def cycle(self, cycle: CycleResult) -> None:
        """A cycle was completed."""
        self._cells.add((cycle.zone, cycle.cell))
        if self._explain:
            seen = ", ".join(f"needle {n + 1} {NeedleOutcome(o).name.lower()}" for n, o in enumerate(cycle.outcomes))
            total = f"{cycle.total_cores_counted} of {self._plan.target_cores}"
            self.say(f"{self._now / SECOND:10.3f} s  Cycle {cycle.cycle_no} ended: {seen}; {total} cores counted.")
        elif self._progress is not None:
            self._draw(cycle)
        elif cycle.total_cores_counted >= self._next_line * self._plan.target_cores:
            self._next_line += 1 / LINES
            self.say(f"{cycle.total_cores_counted:>6} of {self._plan.target_cores} cores, {self._rates(cycle)}")

    def _draw(self, cycle: CycleResult) -> None:
        now = clock.monotonic()
        if now - self._drawn_at >= REFRESH_US:
            self._drawn_at = now
            self._progress.update(self._task, completed=cycle.total_cores_counted, rates=self._rates(cycle))

    def _rates(self, cycle: CycleResult) -> str:
        """Rate, coverage and time left, in the device's time."""
        assert self._session is not None
        elapsed = (self._now - (self._armed_at or 0)) / SECOND
        rate = (cycle.total_cores_counted - self._counted_before) / elapsed if elapsed > 0 else 0.0
        missing = max(0, self._plan.target_cores - cycle.total_cores_counted)
        minutes, seconds = divmod(round(missing / rate) if rate else 0, 60)
        area = self._area_before + len(self._cells)
        coverage = coverage_percent(cycle.total_cores_counted, area, self._session.core_diameter_um)
        return f"{rate:.1f} cores/s, coverage {coverage:.2f} %, {minutes} min {seconds:02} s left"

    # --- the end ---------------------------------------------------------------------------------------------

    def stopped(self, error: BaseException) -> None:
        """The session was left by an error, a Ctrl-C or a signal."""
        self.say(f"stopped: {error}" if isinstance(error, Exception) else "interrupted: the device was stopped")
        for note in getattr(error, "__notes__", ()):
            self.say(f"stopped: {note}")

    def end(self, summary: "Summary") -> None:
        """The session has ended."""
        evacuated = "" if summary.cores_evacuated is None else f", {summary.cores_evacuated} evacuated in truth"
        self.say(
            f"session {summary.state}, {'reconciled' if summary.reconciled else 'NOT reconciled'}: "
            f"{summary.cores_counted} of {summary.target_cores} cores counted{evacuated}"
        )
        minutes, seconds = divmod(round(summary.session_seconds), 60)
        self.say(
            f"{summary.cycles} cycles, {summary.punctures} punctures, coverage {summary.coverage_percent:.2f} % of "
            f"{summary.treated_area_cm2} cm2, {minutes} min {seconds} s of session in {summary.wall_seconds:.1f} s"
        )
        alarms = ", ".join(f"{code} x{count}" for code, count in summary.alarms.items()) or "none"
        self.say(f"alarms: {alarms}")
        self.say(f"log: {summary.log}, session {summary.session_id}")

    def __enter__(self) -> Self:
        """Show the progress bar."""
        if self._animate:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            console = Console(file=self._stream)
            if not console.is_interactive:  # a terminal that can only go on, as TERM=dumb says: plain lines
                return self
            self._progress = Progress(
                SpinnerColumn("line" if console.options.ascii_only else "dots"),
                TextColumn("{task.fields[phase]}"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f} cores"),
                TextColumn("{task.fields[rates]}"),
                console=console,
                refresh_per_second=SECOND / REFRESH_US,
            )
            self._task = self._progress.add_task("", total=self._plan.target_cores, rates="", phase="connecting")
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            if self._session is not None:
                summary = self._session.summary
                rates = f"coverage {summary.coverage_percent:.2f} %"
                self._progress.update(self._task, completed=summary.cores_counted, phase=summary.state, rates=rates)
            self._progress.refresh()
            self._progress.stop()
            self._progress = None
