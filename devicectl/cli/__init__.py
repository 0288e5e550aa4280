"""`devicectl`: the command line. Thin: it parses, calls, prints, and turns errors into one line and an exit code.

0 done and reconciled · 1 the session ended otherwise, or standard output could not be written · 2 bad arguments, plan
or URL · 3 no device or no link · 4 the session log could not be written
"""

import sys
from collections.abc import Sequence
from typing import Final

import typer

from devicectl.cli.help import PlainCommand, PlainGroup
from devicectl.cli.output import require_written
from devicectl.cli.plan import plan
from devicectl.cli.run import run
from devicectl.cli.sessions import app as sessions_app
from devicectl.cli.spec import spec
from devicectl.errors import DevicectlError
from handpiece_shell.streams import guard_streams, say, settle
from handpiece_shell.version import version_text
from protocols.text.url_text import hide_urls, hide_users

_USAGE_ERROR: Final[type[Exception]] = next(
    kind for kind in typer.BadParameter.__mro__ if issubclass(kind, Exception) and kind.__name__ == "UsageError"
)
"""Typer's own click or, in earlier versions, the installed one: reached through what both export."""

app = typer.Typer(
    name="devicectl",
    help="Drive a handpiece through a session. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.",
    add_completion=False,
    pretty_exceptions_enable=False,
    cls=PlainGroup,
)
app.command("run", cls=PlainCommand)(run)
app.command("plan", cls=PlainCommand)(plan)
app.command("spec", cls=PlainCommand)(spec)
app.add_typer(sessions_app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"devicectl {version_text()}")
        raise typer.Exit


_VERSION: Final = typer.Option(
    False, "--version", callback=_show_version, is_eager=True, help="Print the version.", metavar=""
)


@app.callback(invoke_without_command=True)
def _options(context: typer.Context, version: bool = _VERSION) -> None:
    """Drive a handpiece through a session. TRAINING SIMULATOR - NOT A MEDICAL DEVICE."""
    if context.invoked_subcommand is None:
        _show_help(context)


def _show_help(context: typer.Context) -> None:
    context.get_help()  # where rich is installed, this prints it and returns nothing
    raise typer.Exit(2)


def call(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code. Whatever a user can do wrong is one line on standard error."""
    try:
        code = app(args=list(arguments), prog_name="devicectl", standalone_mode=False)
        if not code:
            require_written()
    except _USAGE_ERROR as error:
        return _usage(error)
    except DevicectlError as error:
        return _fail(str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", 1)
    return code if isinstance(code, int) else 0


def _usage(error: BaseException) -> int:
    context = getattr(error, "ctx", None)
    where = "devicectl" if context is None else context.command_path
    text: str = error.format_message()  # type: ignore[attr-defined]  # see _USAGE_ERROR
    if not text.strip() or type(error).__name__ == "NoArgsIsHelpError":
        print(text, end="")
        return 2
    if not isinstance(error, typer.BadParameter):  # words that nobody asked for
        text = hide_urls(text)
    return _fail(f"{text} (see `{where} --help`)", 2)


def _fail(text: str, code: int) -> int:
    say(f"devicectl: {' '.join(hide_users(text).split())}")
    return code


def main() -> None:
    """The program."""
    guard_streams()
    try:
        code = call(sys.argv[1:])
    except BrokenPipeError:  # whoever read our output has gone, and nothing more can be said
        code = 1
    settle()
    sys.exit(code)
