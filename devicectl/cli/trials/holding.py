"""Holding the sessions of a campaign: progress, Ctrl-C, and the files that are written at the end."""

import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from devicectl.cli.files import write_file
from devicectl.cli.output import require_written
from devicectl.errors import DevicectlError
from protocols.capture.packet import CaptureError, JsonObject

if TYPE_CHECKING:
    from devicectl.campaign.many.tally import Tally
    from devicectl.campaign.many.work import Work
    from devicectl.campaign.scenario import Scenario

LINES: Final = 10
"""Progress lines of a campaign where nothing can be animated."""
EXIT_RIGHT: Final = 0
EXIT_WRONG: Final = 1
EXIT_INTERRUPTED: Final = 130
SMALL: Final = ".small"
PASSING: Final = ".passing"
"""Put before the suffix of `--record FILE`: the smallest run that fails, and the nearest that is right."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files and form of the report."""

    report: Path | None
    junit: Path | None
    record: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """Sessions to hold, and how they are reported.

    `data` makes the report of a tally, of how many numbers of the work are done, and of the seconds that it took;
    `lines` shows it to people, `junit` to systems for continuous integration. Where no session has failed, `only` is
    the one to record.
    """

    work: "Work"
    data: Callable[["Tally", int, float], JsonObject]
    lines: Callable[[JsonObject], Iterator[str]]
    junit: Callable[[JsonObject], bytes] | None = None
    only: "Scenario | None" = None


def hold(holding: Holding, source: "Generator[tuple[range, Tally], None, None]", outputs: Outputs) -> int:
    """Gather what the sessions come to, whatever ends them, and report it."""
    from contextlib import closing

    from devicectl import clock
    from devicectl.campaign.many.tally import RIGHT, Tally

    results: dict[range, Tally] = {}
    total, done, began, interrupted = Tally(), 0, clock.monotonic(), False
    failed: DevicectlError | None = None
    with _interruptible_once():
        try:
            with _progress(holding.work) as show, closing(source):
                for part, tally in source:
                    if part not in results:
                        results[part] = tally
                        total.add(tally)
                        done += len(part)
                        show(done, total)
        except KeyboardInterrupt:
            interrupted = True
        except DevicectlError as error:
            failed = error
        if failed is not None and not results:
            raise failed
        data = holding.data(total, done, (clock.monotonic() - began) / 1e6)
        _write(holding, data, outputs)
    _print(holding, data, outputs)
    shown = holding.work.scenario_of(total.failures[0]) if total.failures else holding.only
    if outputs.record is not None and shown is not None:
        try:
            _record(shown, outputs.record, shrink=not interrupted)
        except CaptureError as error:
            raise DevicectlError(f"--record: cannot write {outputs.record}: {error}") from error
    if failed is not None:
        raise failed
    require_written()
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_RIGHT if total.words[RIGHT] == total.sessions else EXIT_WRONG


def _write(holding: Holding, data: JsonObject, outputs: Outputs) -> None:
    """Write the report's files, each whatever becomes of the other."""
    from devicectl.campaign.many.report import to_text

    try:
        write_file("--report", outputs.report, to_text(data).encode())
    finally:
        if holding.junit is not None:
            write_file("--junit", outputs.junit, holding.junit(data))


def _print(holding: Holding, data: JsonObject, outputs: Outputs) -> None:
    from devicectl.campaign.many.report import to_text

    if outputs.as_json:
        print(to_text(data), end="")
    else:
        print(data["notice"])
        for line in holding.lines(data):
            print(line)


def _record(scenario: "Scenario", path: Path, *, shrink: bool) -> None:
    """Hold one session again, and write all of it; one that fails also as small as it gets, with the nearest passing.

    Without `shrink`, which takes hundreds of runs, only as it was. What it says goes to standard error: the report may
    be JSON.

    Raises:
        CaptureError: it has more faults than a recording has room for.
    """
    from devicectl.campaign.many.trials import Trials
    from devicectl.campaign.recording_file import encode_trial
    from devicectl.campaign.shrinking.save import encode_scenario, shrink_trial

    with Trials() as trials:
        trial = trials.run(scenario)
        write_file("--record", path, encode_trial(trial.scenario, trial.verdict, trial.recording))
        if trial.verdict.good or not shrink:
            return
        shrunk = shrink_trial(trial, trials)
        if not shrunk.repeatable:
            print(f"not repeatable: it did not fail the same way {shrunk.runs} times", file=sys.stderr)
            return
        small, passing = (path.with_suffix(f"{name}{path.suffix}") for name in (SMALL, PASSING))
        write_file("--record", small, encode_scenario(shrunk.scenario, trials))
        _say(f"made small in {shrunk.runs} runs: {_faults(shrunk.scenario)}", f"devicectl replay {small}")
        if shrunk.nearest is not None:
            write_file("--record", passing, encode_scenario(shrunk.nearest, trials))
            _say(f"nearest run that is right: {_faults(shrunk.nearest)}", f"devicectl replay {passing}")


def _faults(scenario: "Scenario") -> str:
    faults = "; ".join(str(fault.as_json()) for fault in scenario.faults) or "no fault"
    return f"{scenario.plan.target_cores} cores, {faults}"


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)


@contextmanager
def _interruptible_once() -> Iterator[None]:
    """Take SIGTERM and SIGHUP as Ctrl-C within it, and only the first: another one must not cost the report."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    taken = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in taken:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number, handler in taken.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)


@contextmanager
def _progress(work: "Work") -> "Iterator[Callable[[int, Tally], None]]":
    """Show a bar on a terminal, and now and then a line elsewhere; both on standard error."""
    from devicectl import clock
    from devicectl.campaign.many.tally import RIGHT
    from protocols.language.units import SECOND

    began, whole = clock.monotonic(), sum(map(len, work.tasks()))

    def rates(tally: "Tally") -> str:
        bad = tally.sessions - tally.words[RIGHT]
        seconds = max(1, clock.monotonic() - began) / SECOND
        return f"{bad} wrong or stuck, {tally.sessions / seconds:.1f} a second"

    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_interactive:
        shown = 0

        def say(done: int, tally: "Tally") -> None:
            nonlocal shown
            if done * LINES // whole > shown:
                shown = done * LINES // whole
                text = f"{done:,} of {whole:,} {work.PARTS}, {tally.sessions:,} sessions, {rates(tally)}"
                print(text, file=sys.stderr, flush=True)

        yield say
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rates]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=whole, rates="")
        yield lambda done, tally: bar.update(task, completed=done, rates=rates(tally))
