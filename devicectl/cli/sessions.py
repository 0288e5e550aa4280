"""`devicectl sessions`: lists, shows and exports what is in the session log.

Law: thin. It chooses how to print; what is true comes from the log. Exit codes: 2 for a session that is not there, 4
for a log that cannot be read.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import LogOption, course_name, whole_number
from devicectl.cli.exports import export_sessions
from devicectl.cli.files import open_log
from devicectl.cli.help import PlainCommand, PlainGroup
from devicectl.cli.tables import print_list, print_table
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.paths import default_log_path
from handpiece_shell.streams import say, to_utf8
from protocols.text.escape import printable
from protocols.text.notice import NOTICE
from protocols.text.url_text import parse_whole

if TYPE_CHECKING:
    from devicectl.log.reader import LogReader
    from devicectl.log.report import SessionReport, SessionSummary
    from devicectl.session.entries import Note

ALL: Final = "all"
DEFAULT_LAST: Final = "50"
"""More than a screen has, and read in no time."""
MAX_LAST: Final = 999_999_999
"""More than any log has, and below what a database takes for a number."""
MAX_SHOWN: Final = 80
"""Characters of a wrong value: a line of a terminal."""
COLUMNS: Final = ("id", "date", "course", "device", "state", "counted", "evacuated", "coverage", "reconciled")
SPARE_COLUMNS: Final = ("evacuated", "course", "coverage", "device", "reconciled")
"""Columns that a narrow terminal does not show, the first one first: 80 characters hold all but `evacuated`."""

app = typer.Typer(name="sessions", help="Read the session log.", no_args_is_help=True, cls=PlainGroup)

_Id = Annotated[
    int,
    typer.Argument(metavar="ID", parser=whole_number, help="The session's number in this log: see `sessions list`."),
]
_Course = Annotated[str | None, typer.Option("--course", metavar="NAME", help="The sessions of this course alone.")]
_Last = Annotated[str, typer.Option("--last", metavar="N|all", help="The last N sessions, or all of them.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a session, a line each.", metavar="")]


@app.command("list", cls=PlainCommand)
def list_sessions(
    course: _Course = None, last: _Last = DEFAULT_LAST, as_json: _Json = False, log: LogOption = None
) -> None:
    """List sessions, the latest last."""
    wanted, course = _last(last), course_name(course)
    if not as_json:
        print(NOTICE)
    try:
        with open_log(default_log_path(log)) as reader:
            _list(reader, course, wanted, as_json=as_json)
    except LogError as error:
        if error.kind is not LogErrorKind.MISSING:
            raise
        if not as_json:
            print(f"no session yet in {printable(error.path)}")


def _list(reader: "LogReader", course: str | None, last: int | None, *, as_json: bool) -> None:
    found = reader.sessions(course=course, last=last)
    first = next(found, None)
    if as_json:
        _print_json(found if first is None else chain([first], found))
    elif first is None:
        print(f"no session {'yet' if course is None else f'of course {course}'} in {printable(reader.where)}")
    else:
        print_list(COLUMNS, map(_list_row, chain([first], found)), cut="course", spare=SPARE_COLUMNS)
    in_all = 0 if last is None else reader.count(course)
    if last is not None and in_all > last:
        say(f"the last {last} of {in_all} sessions; --last all lists every one")


def _print_json(found: "Iterable[SessionSummary]") -> None:
    from devicectl.log.exports.export import identity_of, provenance_of, to_line, totals_of

    to_utf8(sys.stdout)
    for summary in found:
        sys.stdout.write(to_line({**provenance_of(summary), **identity_of(summary), **totals_of(summary)}))


def _last(text: str) -> int | None:
    """Number of the last sessions, None for all.

    Raises:
        typer.BadParameter: it is neither a number of at least 1 nor `all`.
    """
    if text == ALL:
        return None
    last = parse_whole(text)
    if last is None or not 0 < last <= MAX_LAST:
        raise typer.BadParameter(f"{text[:MAX_SHOWN]!r} is neither a number from 1 on nor {ALL}", param_hint="--last")
    return last


@app.command("show", cls=PlainCommand, short_help="Show one session: its counts and what was noted.")
def show_session(session_id: _Id, log: LogOption = None) -> None:
    """Show one session: its counts, whether they reconcile, and what was noted."""
    with open_log(default_log_path(log)) as reader:
        report = reader.session(session_id)
    print(NOTICE)
    print_table(("session", str(report.summary.key)), list(_show_rows(report)))
    for difference in report.differences:
        print(f"not reconciled: {printable(difference)}")
    if report.notes:
        columns = ("host clock, s", "cycle", "note", "name", "detail")
        print_table(columns, [_note_row(note) for note in report.notes])


app.command("export", cls=PlainCommand, short_help="Export one session or all, as CSV or JSON lines.")(export_sessions)


def _list_row(summary: "SessionSummary") -> tuple[str, ...]:
    return (
        str(summary.key),
        summary.start.session_date.isoformat(),
        summary.start.course or "-",
        summary.start.device,
        summary.state,
        str(summary.counts.cores_counted),
        _or_dash(summary.cores_evacuated),
        f"{summary.coverage_percent:.2f} %",
        _yes_no(summary.reconciled),
    )


def _show_rows(report: "SessionReport") -> Iterator[tuple[str, str]]:
    from devicectl.log.fields import LATER, to_plain

    summary, counts, start, plan = report.summary, report.counts, report.start, report.start.plan
    model_version = start.versions.get("model", "")
    yield "state", summary.state
    yield "reconciled", _yes_no(summary.reconciled)
    yield "date", start.session_date.isoformat()
    yield "course", start.course or "-"
    yield "device", f"{start.device} ({start.device_model}), session {start.session_no}, {start.device_url}"
    yield "simulated", f"{_yes_no(start.simulated)}, seed {_or_dash(start.seed)}, model {model_version}"
    yield "cores counted", f"{counts.cores_counted} of {plan.target_cores}"
    yield "cores evacuated", f"{_or_dash(summary.cores_evacuated)} (ground truth)"
    yield "punctures", f"{counts.punctures} by {start.needles} needles of {start.core_diameter_um / 1_000:g} mm"
    yield (
        "cycles",
        (f"{counts.cycles}: {counts.completed} completed, {counts.aborted} aborted, {counts.ambiguous} ambiguous"),
    )
    yield (
        "coverage",
        f"{summary.coverage_percent:.2f} % of {summary.cells_begun} cm2, planned {plan.coverage_percent:g} %",
    )
    yield "session seconds", _or_dash(summary.session_seconds)
    yield "wall seconds", _or_dash(summary.wall_seconds)
    for name, value in to_plain(start, LATER).items():
        yield name.replace("_", " "), _or_dash(value)


def _note_row(note: "Note") -> tuple[str, ...]:
    return f"{note.at_us / 1e6:.3f}", _or_dash(note.cycle_no), note.kind, note.name, note.detail


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _yes_no(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"
