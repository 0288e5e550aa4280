"""The commands of `devicectl`, put together: parses, calls, and turns errors into one line and an exit code.

Law: it imports no command's work. A command imports what it needs when it runs, so that help comes at once;
tests/architecture/test_commands_load.py holds that.
"""

from collections.abc import Sequence
from typing import Final

import typer

from devicectl.cli.conform.app import app as conform_app
from devicectl.cli.help import PlainCommand, PlainGroup
from devicectl.cli.lessons.report import report
from devicectl.cli.lessons.station import station
from devicectl.cli.lines.monitor import monitor
from devicectl.cli.output import require_written
from devicectl.cli.plan import plan
from devicectl.cli.run import run
from devicectl.cli.sessions import app as sessions_app
from devicectl.cli.spec import spec
from devicectl.cli.trials.campaign import campaign
from devicectl.cli.trials.check import check
from devicectl.cli.trials.replay import replay
from devicectl.errors import DevicectlError
from handpiece_shell.streams import say
from handpiece_shell.version import version_text
from protocols.text.url_text import hide_urls, hide_users

_USAGE_ERROR: Final[type[Exception]] = next(
    kind for kind in typer.BadParameter.__mro__ if issubclass(kind, Exception) and kind.__name__ == "UsageError"
)
"""Typer's own click or, in earlier versions, the installed one: reached through what both export."""

MAX_WIDTH: Final = 120
"""Columns of a terminal that help uses; longer lines are hard to read."""

app = typer.Typer(
    name="devicectl",
    help="Drive a handpiece through a session. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would take longer for the help than everything else together
    context_settings={"max_content_width": MAX_WIDTH},
    cls=PlainGroup,
)
app.command("run", cls=PlainCommand, short_help="Hold one whole session, and log it.")(run)
app.command("replay", cls=PlainCommand, short_help="Execute a recording again.")(replay)
app.command("check", cls=PlainCommand, short_help="Judge a stored capture by the rules of the protocol.")(check)
app.command("plan", cls=PlainCommand)(plan)
app.command("campaign", cls=PlainCommand, short_help="Hold many sessions under faults, and judge each.")(campaign)
app.command("monitor", cls=PlainCommand, short_help="Watch the line between a host and a device.")(monitor)
app.command("report", cls=PlainCommand, short_help="Write the debrief of a lesson as one page.")(report)
app.command("spec", cls=PlainCommand, short_help="Write what hosts in other languages are made from.")(spec)
app.command("station", cls=PlainCommand, short_help="Show a handpiece to a class, on pages of this machine.")(station)
app.add_typer(sessions_app)
app.add_typer(conform_app)


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
    print(context.get_help())
    raise typer.Exit(2)


def call(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code. Whatever a user can do wrong is one line on standard error."""
    try:
        code = app(args=list(arguments), prog_name="devicectl", standalone_mode=False)
        if not code:
            require_written()
    except _USAGE_ERROR as error:
        return _usage(error, arguments)
    except DevicectlError as error:
        return _fail(str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", 1)
    return code if isinstance(code, int) else 0


def _usage(error: BaseException, arguments: Sequence[str]) -> int:
    context = getattr(error, "ctx", None)
    where = _command_path(arguments) if context is None else context.command_path
    text: str = error.format_message()  # type: ignore[attr-defined]  # see _USAGE_ERROR
    if not text.strip() or type(error).__name__ == "NoArgsIsHelpError":
        print(text)
        return 2
    if not isinstance(error, typer.BadParameter):  # words that nobody asked for
        text = hide_urls(text)
        if "unexpected extra argument" in text and "://" in text and _takes_device(context):
            text = "a URL stands behind its option: --device URL"
    return _fail(f"{text} (see `{where} --help`)", 2)


def _takes_device(context: object) -> bool:
    """Return True if the command of a context has the option that names a device."""
    options = getattr(getattr(context, "command", None), "params", ())
    return any("--device" in option.opts for option in options)


def _command_path(arguments: Sequence[str]) -> str:
    """The command that arguments name, for an error that does not know its own: one of an option's missing value."""
    path = ["devicectl"]
    command: object = typer.main.get_command(app)
    for argument in arguments:
        command = getattr(command, "commands", {}).get(argument)
        if command is None:
            break
        path.append(argument)
    return " ".join(path)


def _fail(text: str, code: int) -> int:
    say(f"devicectl: {' '.join(hide_users(text).split())}")
    return code
