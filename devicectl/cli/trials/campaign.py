"""`devicectl campaign`: many sessions under faults, each judged, and the report of what they met."""

import shlex
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from devicectl.cli.arguments import whole_number
from devicectl.cli.files import output_file, refuse_clash
from devicectl.cli.output import require_written
from devicectl.errors import DevicectlError
from handpiece_shell.files import NamedFile, Use, explain_no_file
from protocols.capture.packet import JsonObject

if TYPE_CHECKING:
    from devicectl.campaign.many.campaign import Campaign
    from devicectl.campaign.many.tally import Tally

    _Source = Generator[tuple[range, Tally], None, None]

SESSIONS: Final = 1_000
CYCLES: Final = 20
MAX_SESSIONS: Final = 100_000_000
MAX_CYCLES: Final = 2_000
MAX_JOBS: Final = 1_024
MAX_SEED: Final = 2**64 - 1
LINES: Final = 10
"""Progress lines of a campaign where nothing can be animated."""
EXIT_RIGHT: Final = 0
EXIT_WRONG: Final = 1
EXIT_INTERRUPTED: Final = 130

_CLUSTER: Final = "Hand the work to a Dask cluster instead, by its scheduler: tcp://HOST:8786. Extra: cluster."
_PROFILE: Final = "Kinds of fault, how often, and their values, in YAML or JSON; else all kinds."
_RECORD: Final = "Record the first session that failed, or the only one, as pcapng."


def _number(option: str, least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = whole_number(text)
        if not least <= number <= most:
            raise typer.BadParameter(f"{number} is not a whole number from {least} to {most}", param_hint=option)
        return number

    return parse


_Sessions = Annotated[
    int | None,
    typer.Option(
        "--sessions",
        metavar="N",
        parser=_number("--sessions", 1, MAX_SESSIONS),
        help=f"Sessions to hold; else {SESSIONS:,}.",
    ),
]
_Cycles = Annotated[
    int | None,
    typer.Option(
        "--cycles", metavar="K", parser=_number("--cycles", 1, MAX_CYCLES), help=f"Cycles of each; else {CYCLES}."
    ),
]
_Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="S",
        parser=_number("--seed", 0, MAX_SEED),
        help="Seed of the first session, else 1; each next one has one more.",
    ),
]
_Jobs = Annotated[
    int | None,
    typer.Option("--jobs", metavar="J", parser=_number("--jobs", 1, MAX_JOBS), help="Processes; else one a core."),
]
_Profile = Annotated[Path | None, typer.Option("--profile", metavar="FILE", help=_PROFILE)]
_Cluster = Annotated[str | None, typer.Option("--cluster", metavar="URL", help=_CLUSTER)]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.", metavar="")]
_Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML.")]
_Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the report as JSON.")]
_Record = Annotated[Path | None, typer.Option("--record", metavar="FILE", help=_RECORD)]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files and form of the report."""

    report: Path | None
    junit: Path | None
    record: Path | None
    as_json: bool


def campaign(
    sessions: _Sessions = None,
    cycles: _Cycles = None,
    profile: _Profile = None,
    seed: _Seed = None,
    jobs: _Jobs = None,
    cluster: _Cluster = None,
    as_json: _Json = False,
    report: _Report = None,
    junit: _Junit = None,
    record: _Record = None,
) -> int:
    """Hold many sessions under faults that are drawn from a seed, and judge each.

    It says what was wrong or stuck, which faults have fired, and what no session
    has met. All of it is about a simulator, and no evidence about any device.
    Ctrl-C ends it with the report of what was judged so far.

    Exit codes:

    0 every session was right

    1 a session was wrong or stuck, or a file or standard output cannot be written

    2 wrong arguments or profile

    3 no cluster, or one that has failed

    130 interrupted
    """
    if cluster is not None and jobs is not None:
        raise typer.BadParameter(
            "cannot be used with --cluster: its workers are as many as it has", param_hint="--jobs"
        )
    if cluster is not None and not cluster.startswith(("tcp://", "tls://", "ws://", "wss://")):
        raise typer.BadParameter(
            f"{cluster!r} is no scheduler; for example tcp://127.0.0.1:8786", param_hint="--cluster"
        )
    refuse_clash(
        [
            *([] if profile is None else [NamedFile("--profile", str(profile), Use.READ)]),
            *output_file("--report", report),
            *output_file("--junit", junit),
            *output_file("--record", record),
        ]
    )
    for option, path in (("--report", report), ("--junit", junit), ("--record", record)):
        _write_file(option, path, b"", "ab")  # a file that cannot be had is said before the work, not after it
    from devicectl.campaign.many.campaign import Campaign

    wanted = Campaign(_profile_values(profile), sessions or SESSIONS, cycles or CYCLES, 1 if seed is None else seed)
    command = f"devicectl campaign --cycles {wanted.cycles}" + (
        f" --profile {shlex.quote(str(profile))}" if profile is not None else ""
    )
    return _hold(wanted, command, _source(wanted, jobs, cluster), Outputs(report, junit, record, as_json))


def _profile_values(path: Path | None) -> JsonObject:
    """Return the profile's values, checked.

    Raises:
        ProfileError: the file is no profile.
    """
    from devicectl.campaign.many.profile import ProfileError, make_profile
    from devicectl.campaign.many.usual import USUAL_PROFILE

    if path is None:
        return dict(USUAL_PROFILE)
    from handpiece_shell.values_file import read_values
    from protocols.text.values import Form, ValuesError

    source = f"--profile {path}"
    try:
        values = read_values(path, source, Form("a profile", "kinds: {drop: {on: 0.3}}")).values
    except ValuesError as error:
        raise ProfileError(error.source, error.key, error.value, error.right) from error
    make_profile(values, source)
    return values


def _source(wanted: "Campaign", jobs: int | None, cluster: str | None) -> "_Source":
    if cluster is not None:
        from devicectl.campaign.many import cluster as dask

        return dask.results(wanted, cluster)
    import os

    from devicectl.campaign.many import workers

    return workers.results(wanted, jobs or os.cpu_count() or 1)


def _hold(wanted: "Campaign", command: str, source: "_Source", outputs: Outputs) -> int:
    """Gather what the sessions come to, whatever ends them, and report it."""
    from contextlib import closing

    from devicectl import clock
    from devicectl.campaign.many.report import report_data
    from devicectl.campaign.many.tally import RIGHT, Tally

    results: dict[range, Tally] = {}
    total, began, interrupted = Tally(), clock.monotonic(), False
    failed: DevicectlError | None = None
    with _interruptible(), _progress(wanted.sessions) as show:
        try:
            with closing(source):
                for seeds, tally in source:
                    if seeds not in results:
                        results[seeds] = tally
                        total.add(tally)
                        show(total)
        except KeyboardInterrupt:
            interrupted = True
        except DevicectlError as error:
            failed = error
    if failed is not None and not results:
        raise failed
    data = report_data(wanted, total, command=command, seconds=(clock.monotonic() - began) / 1e6)
    _write(wanted, data, outputs)
    if outputs.record is not None and (total.failures or wanted.sessions == 1):
        _record(wanted, total.failures[0].seed if total.failures else wanted.seed, outputs.record)
    if failed is not None:
        raise failed
    require_written()
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_RIGHT if total.words[RIGHT] == total.sessions else EXIT_WRONG


def _write(wanted: "Campaign", data: JsonObject, outputs: Outputs) -> None:
    from devicectl.campaign.many.junit import junit
    from devicectl.campaign.many.report import lines, to_text

    if outputs.as_json:
        print(to_text(data), end="")
    else:
        print(data["notice"])
        for line in lines(data):
            print(line)
    _write_file("--report", outputs.report, to_text(data).encode())
    _write_file("--junit", outputs.junit, junit(data, wanted.tasks()))


def _record(wanted: "Campaign", seed: int, path: Path) -> None:
    """Hold one session again, and write all of it."""
    import asyncio

    from devicectl.campaign.many.draw import draw
    from devicectl.campaign.many.profile import make_profile
    from devicectl.campaign.recording_file import encode_trial
    from devicectl.campaign.trial import Trial

    trial = Trial(draw(make_profile(wanted.profile), seed, wanted.cycles))
    asyncio.run(trial.run())
    _write_file("--record", path, encode_trial(trial.scenario, trial.verdict, trial.recording))


def _write_file(option: str, path: Path | None, data: bytes, mode: Literal["wb", "ab"] = "wb") -> None:
    if path is None:
        return
    try:
        with path.open(mode) as file:
            file.write(data)
    except OSError as error:
        raise typer.BadParameter(explain_no_file(f"write {path}", error), param_hint=option) from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Take SIGTERM and SIGHUP as Ctrl-C within it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    taken = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names}
    for number, handler in taken.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)


@contextmanager
def _progress(sessions: int) -> "Iterator[Callable[[Tally], None]]":
    """Show a bar on a terminal, and now and then a line elsewhere; both on standard error."""
    from devicectl import clock
    from devicectl.campaign.many.tally import RIGHT
    from protocols.language.units import SECOND

    began = clock.monotonic()

    def rates(tally: "Tally") -> str:
        bad = tally.sessions - tally.words[RIGHT]
        seconds = max(1, clock.monotonic() - began) / SECOND
        return f"{bad} wrong or stuck, {tally.sessions / seconds:.1f} a second"

    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_interactive:
        shown = 0

        def say(tally: "Tally") -> None:
            nonlocal shown
            if tally.sessions * LINES // sessions > shown:
                shown = tally.sessions * LINES // sessions
                print(f"{tally.sessions:,} of {sessions:,} sessions, {rates(tally)}", file=sys.stderr, flush=True)

        yield say
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rates]}"), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=sessions, rates="")
        yield lambda tally: bar.update(task, completed=tally.sessions, rates=rates(tally))
