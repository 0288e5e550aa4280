"""`devicectl sessions export`: sessions for other programs, as tables of CSV or as JSON lines.

Law: an export is UTF-8, and byte for byte the same on standard output and in a file.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from devicectl.cli.arguments import LogOption, course_name, one_of, refuse_together, whole_number
from devicectl.cli.files import log_files, open_log, output_file, refuse_clash
from devicectl.log.paths import default_log_path
from handpiece_shell.files import Use
from handpiece_shell.streams import to_utf8
from protocols.text.escape import printable
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.log.exports.csv_tables import Style
    from devicectl.log.reader import LogReader
    from devicectl.log.report import SessionReport, SessionSummary


class Format(StrEnum):
    """Formats that `export` writes."""

    CSV = "csv"
    JSONL = "jsonl"


class Table(StrEnum):
    """Kind of thing that has a row in a CSV."""

    SESSIONS = "sessions"
    CYCLES = "cycles"
    NOTES = "notes"


class Delimiter(StrEnum):
    """Character between the cells of a CSV."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"


CHARACTERS: Final = {Delimiter.COMMA: ",", Delimiter.SEMICOLON: ";", Delimiter.TAB: "\t"}
_EXCEL: Final = (
    "A CSV to be opened in a spreadsheet: with a byte order mark, semicolons and commas in decimals, as most languages "
    "have it. In English: beside --delimiter comma."
)

_Id = Annotated[
    int | None,
    typer.Argument(metavar="ID", parser=whole_number, help="The session's number, see `sessions list`; else each."),
]
_Format = Annotated[
    Format,
    typer.Option(
        "--format", metavar="|".join(Format), parser=one_of(Format), help="csv for spreadsheets, jsonl for programs."
    ),
]
_Table = Annotated[
    Table | None,
    typer.Option(
        "--table", metavar="|".join(Table), parser=one_of(Table), help="What a row of a CSV is; cycles unless said."
    ),
]
_Delimiter = Annotated[
    Delimiter | None,
    typer.Option(
        "--delimiter",
        metavar="|".join(Delimiter),
        parser=one_of(Delimiter),
        help="Between the cells of a CSV; comma unless said.",
    ),
]
_Excel = Annotated[bool, typer.Option("--excel", help=_EXCEL, metavar="")]
_Course = Annotated[str | None, typer.Option("--course", metavar="NAME", help="The sessions of this course alone.")]
_Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else standard output.")]


def export_sessions(
    session_id: _Id = None,
    format: _Format = Format.CSV,
    table: _Table = None,
    delimiter: _Delimiter = None,
    excel: _Excel = False,
    course: _Course = None,
    output: _Output = None,
    log: LogOption = None,
) -> None:
    """Export one session or all: as CSV one table a file, as JSON lines with every record."""
    for option, value in {"--table": table, "--delimiter": delimiter, "--excel": excel or None}.items():
        if value is not None and format is not Format.CSV:
            raise refuse_together(option, f"--format {format}", "it is for a CSV")
    if course is not None and session_id is not None:
        raise refuse_together("--course", "ID", "one session, or those of a course")
    where, course = default_log_path(log), course_name(course)
    refuse_clash([*log_files(log, where, Use.READ), *output_file("--output", output)])
    with open_log(where) as reader:
        one = None if session_id is None else reader.session(session_id)  # before the output is begun
        with _opened(output) as out:
            if format is Format.JSONL:
                _write_jsonl(_reports(reader, one, course), out)
            elif table is Table.SESSIONS:
                _write_sessions(_summaries(reader, one, course), out, _style(delimiter, excel))
            else:
                _write_rows(table or Table.CYCLES, _reports(reader, one, course), out, _style(delimiter, excel))
    if output is not None:
        what = "sessions" if session_id is None else f"session {session_id}"
        print(f"{NOTICE}\n{what} written to {printable(str(output))}")


def _summaries(reader: "LogReader", one: "SessionReport | None", course: str | None) -> "Iterator[SessionSummary]":
    """Return the one session, its counts folded again; else all, as they were at their close."""
    return reader.sessions(course=course) if one is None else iter([one.summary])


def _reports(reader: "LogReader", one: "SessionReport | None", course: str | None) -> "Iterator[SessionReport]":
    if one is not None:
        return iter([one])
    return (reader.session(summary.key) for summary in reader.sessions(course=course))


def _style(delimiter: Delimiter | None, excel: bool) -> "Style":
    from devicectl.log.exports.csv_tables import Style

    if delimiter is None:
        delimiter = Delimiter.SEMICOLON if excel else Delimiter.COMMA
    return Style(
        delimiter=CHARACTERS[delimiter],
        decimal_comma=excel and delimiter is Delimiter.SEMICOLON,
        byte_order_mark=excel,
    )


def _write_sessions(summaries: "Iterator[SessionSummary]", out: TextIO, style: "Style") -> None:
    from devicectl.log.exports.csv_tables import write_sessions

    write_sessions(summaries, out, style)


def _write_rows(table: Table, reports: "Iterator[SessionReport]", out: TextIO, style: "Style") -> None:
    from devicectl.log.exports.csv_tables import write_cycles, write_notes

    (write_cycles if table is Table.CYCLES else write_notes)(reports, out, style)


def _write_jsonl(reports: "Iterator[SessionReport]", out: TextIO) -> None:
    from devicectl.log.exports.export import write_jsonl

    for report in reports:
        write_jsonl(report, out)


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """The file to be written, else standard output.

    Raises:
        typer.BadParameter: it cannot be written.
    """
    if output is None:
        to_utf8(sys.stdout)
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        text = f"{output}: cannot be written: {error.strerror}"
        raise typer.BadParameter(text, param_hint="--output") from error
