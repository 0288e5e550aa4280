"""The screen of `devicectl run`: a progress bar on a terminal, plain lines elsewhere, sentences with `--explain`.

It watches a session and never touches it. The sentences are those of `narration`.
"""

import asyncio
import contextlib
import re
import shutil
import textwrap
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from devicectl import clock
from devicectl.cli.countdown import Countdown, clock_face
from devicectl.cli.narration import Narrator
from devicectl.session.count import coverage_percent
from devicectl.session.engine import CycleResult
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.session.plan import Plan
from devicectl.transports.urls import DeviceUrl
from protocols.language.units import SECOND, Micros
from protocols.text.escape import printable
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.handpiece import Handpiece, Session
    from devicectl.summary import Summary
    from protocols.language.messages import DeviceInfoDone

REFRESH_US: Final = SECOND // 8
"""Eight times a second looks alive and costs nothing."""
PHASES: Final = {
    State.CONNECTING: "connecting",
    State.IDLE: "opening",
    State.SESSION_OPEN: "opening",
    State.ANESTHESIA_WAIT: "numbing",
    State.ANESTHESIA_CONFIRMED: "arming",
    State.REPOSITIONING: "moving on",
    State.PURGING: "purging",
    State.PAUSED: "paused",
    State.RECOVERING: "recovering",
    State.CLOSING: "closing",
}
"""Words before the bar; "coring" in every other state."""
LINES: Final = 10
"""Progress lines of a session where nothing can be animated."""
TICK_S: Final = 0.5
"""Seconds between two looks at how much of a wait is left."""
WIDTH: Final = 80
"""Columns of narration where there is no terminal."""
INDENT: Final = " " * 14
"""Under a sentence that has the time before it."""


def _several(count: int, one: str) -> str:
    """`1 cycle`, `2 cycles`."""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines that end between words, and not between a number and its unit."""
    bound = re.sub(r"(?<=\d) (?=(?:s|min|cores|cm2|%)\b|%)", "\xa0", text)
    lines = textwrap.wrap(bound, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


class Display:
    """One run's display; as a context it shows the progress bar, if it may animate."""

    def __init__(self, plan: Plan, *, explain: bool, stream: TextIO) -> None:
        self._plan = plan
        self._explain = explain
        self._stream = stream
        self._narrator = Narrator(plan)
        self._terminal = stream.isatty()
        self._animate = self._terminal and not explain
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
        self._speed: float | None = 1.0
        self._wait: Countdown | None = None
        self._counting = ""
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def say(self, text: str, *, indent: str = "", loud: bool = False) -> None:
        """A line, or on a terminal as many as it takes, broken between words; above the progress bar if there is one.

        What a device says cannot steer the terminal.
        """
        lines = [printable(text)]
        if self._terminal or indent:
            lines = _wrapped(lines[0], shutil.get_terminal_size().columns if self._terminal else WIDTH, indent)
        if self._counting:  # on whose line this one is to begin
            print(f"\r{' ' * len(self._counting)}\r", end="", file=self._stream)
            self._counting = ""
        if self._progress is not None:
            self._progress.console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        elif loud:
            from rich.console import Console

            Console(file=self._stream).print(
                "\n".join(lines), style="bold red", markup=False, highlight=False, soft_wrap=True
            )
        else:
            print("\n".join(lines), file=self._stream, flush=True)

    def _narrate(self, text: str, now: Micros, *, loud: bool = False) -> None:
        if text:
            self.say(f"{now / SECOND:10.3f} s  {text}", indent=INDENT, loud=loud)

    def begin(self, url: DeviceUrl, named_by: str) -> None:
        """Before the device is connected. `named_by` is what named it where that was no option, else empty."""
        self._speed = url.speed if url.in_process else 1.0
        self.say(NOTICE)
        source = f" of {named_by}" if named_by else ""
        self.say(f"device {url.text}{source}" + (f", seed {url.seed}" if url.seed is not None else ""))

    def connected(self, handpiece: "Handpiece") -> None:
        """The device is there, and has said what it is."""
        kind = "a simulator" if handpiece.simulated else "HARDWARE: it is no simulator"
        self.say(f"{handpiece.device.serial} is {kind}")

    def watch(self, session: "Session") -> None:
        """The session that is about to be opened."""
        self._session, self._plan = session, session.plan
        self._narrator.plan = session.plan

    def opened(self, session: "Session", device: "DeviceInfoDone") -> None:
        """The session is open."""
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
        if after is not State.ANESTHESIA_WAIT:
            self._wait = None
        if self._explain:
            self._narrate(self._narrator.changed(before, after), now)

    def noted(self, note: Note) -> None:
        """Something was noted in the log."""
        self._stopped = self._stopped or note.name == "stop"
        if self._explain:
            self._narrate(self._narrator.noted(note), Micros(note.at_us), loud=note.kind == "alarm")
        elif note.kind == "warning":
            self.say(f"warning: {note.name}: {note.detail}")
        until = self._session.waits_until if self._session is not None else None
        if until is not None and self._speed is not None:
            self._wait = Countdown(until - note.at_us, began=clock.monotonic(), speed=self._speed)

    def _tick(self) -> None:
        """Say how much of a wait is left; the next line of all reports a stream that cannot be written."""
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        if self._wait is not None:
            with contextlib.suppress(OSError):
                self._count_down(self._wait, clock.monotonic())

    def _count_down(self, wait: Countdown, now: Micros) -> None:
        left = clock_face(wait.left_s(now))
        if self._progress is not None:
            self._progress.update(self._task, phase=f"numbing, {left} left")
        elif self._terminal:
            line = f"{left} until the anesthesia can be confirmed "
            print(f"\r{line}", end="", file=self._stream, flush=True)
            self._counting = line
        elif (mark := wait.passed(now)) is not None:
            self.say(f"{clock_face(mark)} until the anesthesia can be confirmed")

    def cycle(self, cycle: CycleResult) -> None:
        """A cycle was completed."""
        self._cells.add((cycle.zone, cycle.cell))
        if self._explain:
            self._narrate(self._narrator.cycle(cycle), self._now)
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
        self.say(f"stopped: {error}" if isinstance(error, Exception) else f"interrupted: {self._left_as()}")
        for note in getattr(error, "__notes__", ()):
            self.say(f"stopped: {note}")

    def _left_as(self) -> str:
        """State in which an interrupted session's device was left, as far as it has said."""
        if self._stopped:
            return "the device was stopped"
        if self._session is not None and self._session.summary.state != "open":
            return "the device has closed its session"
        return "the device has not answered; it makes itself safe when its lease ends"

    def end(self, summary: "Summary") -> None:
        """The session has ended."""
        evacuated = "" if summary.cores_evacuated is None else f", {summary.cores_evacuated} evacuated in truth"
        self.say(
            f"session {summary.state}, {'reconciled' if summary.reconciled else 'NOT reconciled'}: "
            f"{summary.cores_counted} of {summary.target_cores} cores counted{evacuated}"
        )
        minutes, seconds = divmod(round(summary.session_seconds), 60)
        self.say(
            f"{_several(summary.cycles, 'cycle')}, {_several(summary.punctures, 'puncture')}, "
            f"coverage {summary.coverage_percent:.2f} % of "
            f"{summary.treated_area_cm2} cm2, {minutes} min {seconds:02} s of session in {summary.wall_seconds:.1f} s"
        )
        alarms = ", ".join(f"{code} x{count}" for code, count in summary.alarms.items()) or "none"
        self.say(f"alarms: {alarms}")
        self.say(f"log: {summary.log}, session {summary.session_id}")

    def __enter__(self) -> Self:
        """Show the progress bar, and what is left of waits."""
        self._tick()
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
        if self._timer is not None:
            self._timer.cancel()
        if self._progress is not None:
            if self._session is not None and self._session.opened:
                summary = self._session.summary
                rates = f"coverage {summary.coverage_percent:.2f} %"
                self._progress.update(self._task, completed=summary.cores_counted, phase=summary.state, rates=rates)
            self._progress.refresh()
            self._progress.stop()
            self._progress = None
