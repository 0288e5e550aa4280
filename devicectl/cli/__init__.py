"""`devicectl`: the command line. Thin: it parses, calls, prints, and turns errors into one line and an exit code.

    0 done and reconciled · 1 the session ended otherwise · 2 bad arguments, plan or URL · 3 no device or no link ·
    4 the session log could not be written
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

import typer

from devicectl.errors import DevicectlError, LinkError, UrlError
from devicectl.cli.run import run
from devicectl.cli.sessions import app as sessions_app
from devicectl.log.errors import LogError
from devicectl.session.plan_file import PlanError
from devicectl.version import VERSION

EXIT_CODES: Final = ((UrlError, 2), (PlanError, 2), (LinkError, 3), (LogError, 4), (DevicectlError, 1))
"""The first class that fits decides."""

app = typer.Typer(
    name="devicectl",
    help="Drive a handpiece through a session. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run)
app.add_typer(sessions_app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"devicectl {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    """Drive a handpiece through a session. TRAINING SIMULATOR - NOT A MEDICAL DEVICE."""


def call(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code. Whatever a user can do wrong is one line on standard error."""
    import click

    try:
        code = app(args=list(arguments), prog_name="devicectl", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return 2
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx is not None else "devicectl"
        return _fail(f"{' '.join(error.format_message().split())} (see `{where} --help`)", 2)
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _fail("interrupted", 1)
    except DevicectlError as error:
        return _fail(str(error), next(code for kind, code in EXIT_CODES if isinstance(error, kind)))
    return code if isinstance(code, int) else 0


def _fail(text: str, code: int) -> int:
    print(f"devicectl: {' '.join(text.split())}", file=sys.stderr)
    return code


def main() -> None:
    """The program."""
    try:
        code = call(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said, and Python must not try at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
