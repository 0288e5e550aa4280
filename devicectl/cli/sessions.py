"""`devicectl sessions`: what the session log has.

Law: thin. It chooses how to print; what is true comes from the log, folded anew. Exit codes: 2 for a session that is
not there, 4 for a log that cannot be read.
"""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from devicectl.cli.arguments import LogOption, whole_number
from devicectl.cli.files import log_files, output_file, refuse_clash
from devicectl.cli.help import PlainCommand, PlainGroup
from devicectl.cli.tables import print_list, print_table
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.paths import default_log_path
from handpiece_shell.files import Use
from handpiece_shell.streams import to_utf8
from protocols.notice import NOTICE
from protocols.text import printable

if TYPE_CHECKING:
    from devicectl.log.reader import LogReader
    from devicectl.log.report import SessionReport, SessionSummary

EXIT_ARGUMENT: Final = 2
COLUMNS: Final = ("id", "date", "course", "device", "state", "counted", "evacuated", "coverage", "reconciled")
SPARE_COLUMNS: Final = ("evacuated", "course", "coverage", "device", "reconciled")
"""What a narrow terminal does not show, the first one first: 80 columns have room for all but `evacuated`."""

app = typer.Typer(name="sessions", help="Read the session log.", no_args_is_help=True, cls=PlainGroup)

_Id = Annotated[
    int,
    typer.Argument(metavar="ID", parser=whole_number, help="The session's number in this log: see `sessions list`."),
]


class Format(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    JSONL = "jsonl"


@app.command("list", cls=PlainCommand)
def list_sessions(log: LogOption = None) -> None:
    """List every session, the first first."""
    print(NOTICE)
    try:
        with _open(default_log_path(log)) as reader:
            found, where = reader.sessions(), reader.where
    except LogError as error:
        if error.kind is not LogErrorKind.MISSING:
            raise
        found, where = [], error.path
    if not found:
        print(f"no session yet in {printable(where)}")
        return
    print_list(COLUMNS, [_list_row(summary) for summary in found], cut="course", spare=SPARE_COLUMNS)


@app.command("show", cls=PlainCommand)
def show_session(session_id: _Id, log: LogOption = None) -> None:
    """Show one session: its counts, whether they reconcile, and what was noted."""
    report = _report(session_id, log)
    print(NOTICE)
    print_table(("session", str(report.summary.key)), list(_show_rows(report)))
    for difference in report.differences:
        print(f"not reconciled: {printable(difference)}")
    if report.notes:
        rows = [(f"{note.at_us / 1e6:.3f}", note.kind, note.name, note.detail) for note in report.notes]
        print_table(("host clock, s", "note", "name", "detail"), rows)


@app.command("export", cls=PlainCommand)
def export_session(
    session_id: _Id,
    format: Annotated[Format, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")] = None,
    log: LogOption = None,
) -> None:
    """Export one session with every record of it."""
    refuse_clash([*log_files(log, default_log_path(log), Use.READ), *output_file("--output", output)])
    report = _report(session_id, log)
    if output is None:
        to_utf8(sys.stdout)
        _write(report, format, sys.stdout)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            _write(report, format, file)
    except OSError as error:
        text = f"{output}: cannot be written: {error.strerror}"
        raise typer.BadParameter(text, param_hint="--output") from error
    print(f"{NOTICE}\nsession {session_id} written to {printable(str(output))}")


def _write(report: "SessionReport", format: Format, out: TextIO) -> None:
    from devicectl.log.export import write_csv, write_jsonl

    (write_csv if format is Format.CSV else write_jsonl)(report, out)


def _open(where: str) -> "LogReader":
    from devicectl.log.reader import LogReader

    return LogReader.open(where)


def _report(session_id: int, log: str | None) -> "SessionReport":
    """What the log has of a session.

    Raises:
        LogError: there is no such session, or no log, and an argument is wrong; or the log cannot be read.
    """
    try:
        with _open(default_log_path(log)) as reader:
            return reader.session(session_id)
    except LogError as error:
        if error.kind is LogErrorKind.MISSING:
            error.exit_code = EXIT_ARGUMENT
        raise


def _list_row(summary: "SessionSummary") -> tuple[str, ...]:
    return (
        str(summary.key),
        summary.session_date.isoformat(),
        summary.course or "-",
        summary.device,
        summary.state,
        str(summary.cores_counted),
        _or_dash(summary.cores_evacuated),
        f"{summary.coverage_percent:.2f} %",
        _yes_no(summary.reconciled),
    )


def _show_rows(report: "SessionReport") -> Iterator[tuple[str, str]]:
    summary, counts, plan = report.summary, report.counts, report.plan
    yield "state", summary.state
    yield "reconciled", _yes_no(summary.reconciled)
    yield "date", summary.session_date.isoformat()
    yield "course", summary.course or "-"
    yield "device", f"{summary.device} ({report.device_model}), session {report.session_no}, {report.device_url}"
    yield "simulated", f"{_yes_no(summary.simulated)}, seed {_or_dash(summary.seed)}, model {summary.model_version}"
    yield "cores counted", f"{counts.cores_counted} of {plan.target_cores}"
    yield "cores evacuated", f"{_or_dash(summary.cores_evacuated)} (ground truth)"
    yield "punctures", f"{counts.punctures} by {report.needles} needles of {report.core_diameter_um / 1_000:g} mm"
    yield (
        "cycles",
        (f"{counts.cycles}: {counts.completed} completed, {counts.aborted} aborted, {counts.ambiguous} ambiguous"),
    )
    yield (
        "coverage",
        f"{summary.coverage_percent:.2f} % of {summary.cells_begun} cm2, planned {plan.coverage_percent:g} %",
    )
    yield "session seconds", _or_dash(summary.session_seconds)
    yield "wall seconds", _or_dash(report.wall_seconds)


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _yes_no(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"
