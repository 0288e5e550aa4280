"""`devicectl conform controller`: somebody's command, tried against a device that misbehaves, and the report of it.

Law: thin. It checks the command line before anything is started, and writes what the run came to.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import whole_number
from devicectl.cli.conform.device import check_files
from handpiece_shell.streams import to_utf8

if TYPE_CHECKING:
    from devicectl.cli.conform.files import Files
    from devicectl.conformance.controller.session import Wanted
    from devicectl.conformance.device.probe import Sent
    from devicectl.conformance.outcome import Outcome

_COMMAND = "The controller and its arguments, behind --; {url} and {folder} in them are those of each run."
_PTY = "Give it a pseudo-terminal, as a serial port; else it gets TCP."
_JOBS = "Runs of the command side by side, 4 unless given."
_LIMIT = "Seconds for the whole run, 900 unless given; scenes behind it are skipped."
_BASELINE = "Failures that are known, as JSON; one that passes now fails the run."
_WRITE = "Write a baseline of all that failed."
_CASE = "Only cases whose name is this, or begins with it where it ends in *; or those of a rule, as HLP-CMD-12."
_RECORD = "Record each case that failed as pcapng in this folder."

_Command = Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND...", help=_COMMAND, show_default=False)]
_Pty = Annotated[bool, typer.Option("--pty", metavar="", help=_PTY)]
_Tcp = Annotated[bool, typer.Option("--tcp", metavar="", help="Give it a port of TCP, which is usual.")]
_Jobs = Annotated[int | None, typer.Option("--jobs", metavar="N", parser=whole_number, help=_JOBS)]
_Limit = Annotated[int | None, typer.Option("--limit", metavar="S", parser=whole_number, help=_LIMIT)]
_Case = Annotated[list[str] | None, typer.Option("--case", metavar="NAME|NAME*|RULE", help=_CASE)]
_List = Annotated[bool, typer.Option("--list", metavar="", help="List cases, rules and needs, and try nothing.")]
_Every = Annotated[bool, typer.Option("--every", metavar="", help="Print the cases that passed as well.")]
_Baseline = Annotated[Path | None, typer.Option("--baseline", metavar="FILE", help=_BASELINE)]
_Write = Annotated[Path | None, typer.Option("--write-baseline", metavar="FILE", help=_WRITE)]
_Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")]
_Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML.")]
_Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as one page.")]
_Record = Annotated[Path | None, typer.Option("--record", metavar="DIR", help=_RECORD)]

MAX_JOBS: Final = 16
MAX_LIMIT_S: Final = 86_400


def controller(
    command: _Command = None,
    pty: _Pty = False,
    tcp: _Tcp = False,
    case: _Case = None,
    list_only: _List = False,
    every: _Every = False,
    baseline: _Baseline = None,
    write_baseline: _Write = None,
    json_file: _Json = None,
    junit: _Junit = None,
    html: _Html = None,
    record: _Record = None,
    jobs: _Jobs = None,
    limit: _Limit = None,
) -> int:
    """Run a controller against a device that misbehaves, scene by scene, and report what it broke.

    Each scene starts a simulated device and the command, which finds the device
    in HANDPIECE_URL and is to hold one session of about 30 cores and end. What it
    sent is judged at its own end of the line. It is a test of a training
    simulator's protocol, and no evidence about any device or person.

    Exit codes:

    0 no MUST was seen broken, and the baseline is up to date

    1 one was, or the baseline is not; or a file or standard output cannot be written

    2 wrong arguments

    3 no controller that says HELLO

    130 interrupted
    """
    from devicectl.cli.conform.files import Files, choose, print_list, read_known
    from devicectl.conformance.controller.catalogue import CONTROLLER_CASES
    from devicectl.conformance.controller.session import JOBS, RUN_LIMIT_S, Wanted

    chosen = choose(case, CONTROLLER_CASES)
    if list_only:
        print_list(chosen)
        return 0
    if not command:
        raise typer.BadParameter(
            "no command; right is: devicectl conform controller -- ./my_host", param_hint="COMMAND"
        )
    if pty and tcp:
        raise typer.BadParameter("it is one way or the other", param_hint="--pty, --tcp")
    files = Files(json_file, junit, html, record, write_baseline)
    check_files(files, baseline, [])
    wanted = Wanted(
        command,
        chosen,
        way="pty" if pty else "tcp",
        jobs=JOBS if jobs is None else _within("--jobs", jobs, MAX_JOBS),
        limit_s=RUN_LIMIT_S if limit is None else _within("--limit", limit, MAX_LIMIT_S),
        known=read_known(baseline, CONTROLLER_CASES),
    )
    return _run(wanted, files, every=every)


def _within(option: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise typer.BadParameter(f"{value} is not a whole number from 1 to {most}", param_hint=option)
    return value


def _run(wanted: "Wanted", files: "Files", *, every: bool) -> int:
    """Hold a run, print and write its report; returns the exit code."""
    from devicectl import clock
    from devicectl.cli.conform.files import write_recording, write_reports
    from devicectl.conformance.controller.session import hold
    from devicectl.conformance.outcome import Word
    from devicectl.conformance.report.lines import lines
    from devicectl.conformance.report.recording import encode_case
    from devicectl.conformance.report.summary import report_data
    from devicectl.conformance.rules import Duty
    from handpiece_shell.recording_file import versions

    def keep(outcome: "Outcome", pieces: "Sequence[Sent]") -> "Outcome":
        if files.record is None or outcome.word not in (Word.FAILED, Word.KNOWN):
            return outcome
        path = write_recording(files.record, outcome.case.id, encode_case(outcome, pieces, versions()))
        return outcome._replace(recording=str(path))

    began = clock.monotonic()
    outcomes = hold(wanted, keep)
    judged = {"controller": " ".join(wanted.command)[:200], "way": wanted.way, "jobs": wanted.jobs}
    seconds = (clock.monotonic() - began) / 1e6
    data = report_data(Duty.HOST, judged, outcomes, seconds=seconds, versions=versions())
    data["program"] = "devicectl conform controller"
    to_utf8(sys.stdout)
    for line in lines(data, every=every):
        print(line)
    write_reports(files, data, outcomes)
    return 1 if data["verdict"] == "failed" else 0
