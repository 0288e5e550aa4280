"""`devicectl report`: the debrief of a lesson of the trainers' station, as one file of HTML; without a number, a list.

Law: thin. It chooses where to print; what is true comes from the log, and from executing the lesson again.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import LogOption, refuse_together, whole_number
from devicectl.cli.files import log_files, open_log, output_file, refuse_clash, require_writable, write_file
from devicectl.cli.tables import print_list
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.paths import default_log_path
from handpiece_shell.files import Use
from handpiece_shell.streams import to_utf8
from protocols.text.escape import printable
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.log.lessons.lesson import LessonSummary

COLUMNS: Final = ("id", "date", "lesson", "trainee", "station", "acts", "state", "session")
SPARE_COLUMNS: Final = ("station", "acts", "session", "date")
"""Columns that a narrow terminal does not show, the first one first."""

_Id = Annotated[
    int | None,
    typer.Argument(metavar="ID", parser=whole_number, help="The lesson's number in this log; else they are listed."),
]
_Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Else standard output, if that is no terminal.")
]


def report(lesson_id: _Id = None, out: _Out = None, log: LogOption = None) -> None:
    """Write the debrief of a lesson of the trainers' station: one page of HTML, to be read or printed."""
    where = default_log_path(log)
    if lesson_id is None:
        if out is not None:
            raise refuse_together("--out", "no ID", "a list is printed")
        _list(where)
        return
    if out is None and sys.stdout.isatty():
        raise typer.BadParameter("the debrief is a page of HTML: name a file for it", param_hint="--out")
    refuse_clash([*log_files(log, where, Use.READ), *output_file("--out", out)])
    require_writable("--out", out)
    from devicectl.station.debrief.stored import debrief_of

    with open_log(where) as reader:
        page = debrief_of(lesson_id, reader.lesson)
    if out is None:
        to_utf8(sys.stdout)
        sys.stdout.write(page)
    else:
        write_file("--out", out, page.encode())
        print(f"{NOTICE}\ndebrief of lesson {lesson_id} written to {printable(str(out))}")


def _list(where: str) -> None:
    print(NOTICE)
    try:
        with open_log(where) as reader:
            found, where = reader.lessons(), reader.where
    except LogError as error:
        if error.kind is not LogErrorKind.MISSING:
            raise
        found, where = [], error.path
    if found:
        print_list(COLUMNS, map(_row, found), cut="trainee", spare=SPARE_COLUMNS)
    else:
        print(f"no lesson yet in {printable(where)}")


def _row(lesson: "LessonSummary") -> tuple[str, ...]:
    return (
        str(lesson.key),
        "-" if lesson.began_wall is None else lesson.began_wall.date().isoformat(),
        lesson.start.title,
        lesson.start.trainee or "-",
        str(lesson.start.station),
        str(lesson.acts),
        _state(lesson),
        "-" if lesson.session_key is None else str(lesson.session_key),
    )


def _state(lesson: "LessonSummary") -> str:
    if lesson.ended_us is None:
        return "unfinished"
    return "given up" if lesson.session_key is None else "closed"
