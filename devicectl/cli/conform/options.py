"""Options that both ends of `devicectl conform` take, and what is checked of them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import refuse_together, whole_number
from devicectl.cli.files import output_file, refuse_clash, require_writable
from handpiece_shell.files import NamedFile, Use
from protocols.text.url_text import parse_number

if TYPE_CHECKING:
    from devicectl.cli.conform.files import Files

_BASELINE = "Failures that are known, as JSON; one that passes now fails the run."
_CLAIMS = "Claims of its maker, as JSON: the cases of what it lacks are skipped with the reason."
_WRITE = "Write a baseline of all that failed."
_LIST = "List cases, rules and needs, and try nothing."
_RECORD = "Record each case that failed as pcapng in this folder."

ListOnly = Annotated[bool, typer.Option("--list", metavar="", help=_LIST)]
Every = Annotated[bool, typer.Option("--every", metavar="", help="Print the cases that passed as well.")]
Baseline = Annotated[Path | None, typer.Option("--baseline", metavar="FILE", help=_BASELINE)]
Claims = Annotated[Path | None, typer.Option("--claims", metavar="FILE", help=_CLAIMS)]
WriteBaseline = Annotated[Path | None, typer.Option("--write-baseline", metavar="FILE", help=_WRITE)]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as one page.")]
Record = Annotated[Path | None, typer.Option("--record", metavar="DIR", help=_RECORD)]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", parser=whole_number, help="Seed of a simulated one.")]

MAX_LIMIT_S: Final = 86_400
MAX_SLACK_MS: Final = 10_000


def check_files(files: "Files", baseline: Path | None, claims: Path | None, others: list[NamedFile]) -> None:
    """See that no two files of a run are one, and that those to be written can be.

    Raises:
        typer.BadParameter: they are not, or cannot.
    """
    if baseline is not None and files.baseline is not None:
        raise refuse_together("--write-baseline", "--baseline", "what is known is written once, and then only shrinks")
    named = {"--json": files.json, "--junit": files.junit, "--html": files.html, "--write-baseline": files.baseline}
    given = {"--baseline": baseline, "--claims": claims}
    read = [NamedFile(option, str(path), Use.READ) for option, path in given.items() if path is not None]
    check_named([*others, *read], named)
    _require_folder("--record", files.record)


def check_named(others: list[NamedFile], named: dict[str, Path | None]) -> None:
    """See that files to be written, by their options, are neither one another nor others, and can be.

    Raises:
        typer.BadParameter: they are, or cannot.
    """
    refuse_clash([*others, *(one for option, path in named.items() for one in output_file(option, path))])
    for option, path in named.items():
        require_writable(option, path)


def _require_folder(option: str, path: Path | None) -> None:
    """See that recordings can go where an option says: a run without a failure would never find out.

    Raises:
        typer.BadParameter: it is there and no folder.
    """
    if path is not None and os.path.lexists(path) and not path.is_dir():
        raise typer.BadParameter(f"{path} is no folder; name one, or one that is to be made", param_hint=option)


def within(option: str, value: int, most: int) -> int:
    """Return a value from 1 to the most.

    Raises:
        typer.BadParameter: it is another.
    """
    if not 1 <= value <= most:
        raise typer.BadParameter(f"{value} is not a whole number from 1 to {most}", param_hint=option)
    return value


def slack_of(text: str | None) -> float | None:
    """Return the slack that is given, None where none is.

    Raises:
        typer.BadParameter: it is no time, or too long.
    """
    if text is None:
        return None
    value = parse_number(text)
    if value is None or not 0 <= value <= MAX_SLACK_MS:
        raise typer.BadParameter(f"{text[:80]!r} is not a time from 0 to {MAX_SLACK_MS} ms", param_hint="--slack")
    return value
