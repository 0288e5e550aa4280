"""`firmware-sim`: the command line. Thin: it parses, calls, and turns errors into one line and an exit code.

    0 done · 1 the device could not go on · 2 bad arguments · 3 its place is taken or not there
    `exec`: `serve.command`; `twin`: `twin_program`

It parses with argparse and imports the device late: a user waits for a simulated device's first answer, and a nicer
parser alone would take a third of that time.
"""

import argparse
import contextlib
import gc
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from firmware_sim.serve.transports.table import TRANSPORTS, Extra, Row, parse_places
from handpiece_shell.streams import guard_streams, say, settle, why_lost
from protocols.text.notice import NOTICE
from protocols.text.url_text import hide_urls, hide_users

if TYPE_CHECKING:
    from firmware_sim.faults.scenario import Start
    from firmware_sim.serve.options import Options

PROGRAM: Final = "firmware-sim"
BAD_ARGUMENTS: Final = 2


class _UsageError(Exception):
    """A command line that does not parse."""


class _OutputError(Exception):
    """Output that was asked for and cannot be printed."""


def _print(text: str, file: Any = None) -> None:
    print(text, end="", file=file)
    reason = why_lost()
    if reason is not None:
        raise _OutputError(reason)


class _Parser(argparse.ArgumentParser):
    """An error is one line, not the usage and a line; help that cannot be printed is one."""

    def print_help(self, file: Any = None) -> None:
        """Argparse: print the text of `--help`; its own would lose in silence what cannot be written."""
        _print(self.format_help(), file)

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{hide_urls(message)} (see `{self.prog} --help`)")


class _CommandParser(_Parser):
    """Its help ends with the names of the parameters, where it has --param; they are loaded for that alone."""

    def format_help(self) -> str:
        """Argparse: the text of `--help`."""
        if "--param" not in self._option_string_actions:
            return super().format_help()
        from firmware_sim.model.constants import PARAMETERS

        names = ", ".join(parameter.name for parameter in PARAMETERS)
        self.epilog = f"parameters of --param, whose ranges and reasons `devicectl spec --out DIR` writes: {names}"
        return super().format_help()


class _Version(argparse.Action):
    """Print the version; it is looked up for that alone."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Argparse: the option is there."""
        from handpiece_shell.version import version_text

        _print(f"{PROGRAM} {version_text()}\n")
        parser.exit()


def _parser() -> _Parser:
    parser = _Parser(
        prog=PROGRAM, description=f"A simulated handpiece for anybody's host. {NOTICE}.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_CommandParser)
    for name, text in (
        ("serve", "Serve a simulated handpiece until Ctrl-C, SIGTERM or the end of the parent process."),
        ("exec", "Serve one while a COMMAND runs, with its address in $HANDPIECE_URL; gives the COMMAND's exit code."),
    ):
        usage = f"{PROGRAM} exec [OPTIONS] -- COMMAND..." if name == "exec" else None
        command = commands.add_parser(name, help=text, description=f"{text} {NOTICE}.", usage=usage, allow_abbrev=False)
        _add_options(command)
        if name == "exec":
            strict = "exit 1 in place of 0 where the report is not good: a host did what it should not, or none came"
            command.add_argument("--strict", action="store_true", help=strict)
    _add_twin(commands)
    return parser


def _add_twin(commands: "argparse._SubParsersAction[_CommandParser]") -> None:
    text = "Hold a recording of a device against the simulated one: does it behave alike?"
    codes = "exit 0 it does, 1 it does not, 2 nothing was compared"
    command = commands.add_parser("twin", help=text, description=f"{text} {NOTICE}. {codes}.", allow_abbrev=False)
    add = command.add_argument
    add("recording", metavar="FILE.pcapng", help="what --record has written, at the host's end or the device's")
    add("--profile", metavar="FILE", help="what may differ, in YAML or JSON; laid over the default profile")
    add("--output", metavar="FILE", help="write the outcome as JSON, for --handpiece-twin of the pytest plugin")
    add("--json", action="store_true", help="print that JSON in place of the table")


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    for one in _of_transports():
        if one.metavar:
            add(f"--{one.name}", metavar=one.metavar, help=one.help)
        else:
            add(f"--{one.name}", action="store_const", const="", help=one.help)
    add("--seed", metavar="N", help="repeats everything that is random; else the memory's, or one is drawn and printed")
    add("--param", metavar="NAME=VALUE", action="append", default=[], help="a device parameter; may be repeated")
    add("--nvm", metavar="FILE", help="keep the non-volatile memory here, with the seed; a restart with it resumes")
    scenario = "faults, parameters and seed of a YAML file; a fault that never fired is exit 1"
    add("--scenario", metavar="FILE", help=scenario)
    add("--trace", metavar="FILE", help="write both directions of each port, decoded; - is standard error")
    add("--record", metavar="FILE", help="write all that can be replayed, as pcapng: ports, calls, versions, seed")
    report = "at the end, what each host did and how it went; JSON where it ends in .json"
    add("--report", metavar="FILE", help=f"{report}; where it cannot be written, exit 1 in place of 0")
    add("--ready-file", metavar="FILE", help="appears when the device answers, with the JSON of --json")
    add("--max-seconds", metavar="N", help="end after this time")
    keep = "go on when the parent process ends, and at SIGHUP (default: where SIGHUP is ignored, as under nohup)"
    add("--keep-running", action=argparse.BooleanOptionalAction, help=keep)
    add("--json", action="store_true", help="announce the device in one line of JSON")


def _of_transports() -> Iterator[Row | Extra]:
    """Options of the transports; each has a name, a metavar, and help."""
    for row in TRANSPORTS.values():
        yield row
        yield from row.extras


def _options(arguments: argparse.Namespace) -> "Options":
    from firmware_sim.serve import options

    given = {one.name: getattr(arguments, one.name) for one in _of_transports()}
    parameters = options.parse_parameters(arguments.param)
    wanted = options.Options(
        places=parse_places({name: text for name, text in given.items() if text is not None}),
        seed=options.parse_seed(arguments.seed),
        parameters=parameters,
        nvm=arguments.nvm,
        scenario=arguments.scenario,
        start=_start(arguments, parameters),
        behind_broker=arguments.mqtt is not None,
        trace=arguments.trace,
        record=arguments.record,
        report=arguments.report,
        strict=getattr(arguments, "strict", False),
        ready_file=arguments.ready_file,
        max_seconds=options.parse_seconds(arguments.max_seconds),
        keep_running=arguments.keep_running,
        json=arguments.json,
    )
    options.refuse_clash(wanted)
    return wanted


def _start(arguments: argparse.Namespace, given: dict[str, float]) -> "Start | None":
    if arguments.scenario is None:
        return None
    from firmware_sim.serve.scenario import read_scenario

    behind_broker, in_file = arguments.mqtt is not None, arguments.nvm is not None
    return read_scenario(arguments.scenario, given, behind_broker=behind_broker, in_file=in_file)


def call(arguments: Sequence[str]) -> int:
    """Run the command line; its exit code. Whatever a user can do wrong is one line on standard error."""
    own, command = _split(arguments)
    try:
        parsed, unknown = _parser().parse_known_args(own)
        if unknown:
            raise _UsageError(_explain(unknown, behind_dashes=parsed.command == "exec" and "--" not in arguments))
        if parsed.command == "exec" and not command:
            raise _UsageError(f"exec needs a command after --; for example `{PROGRAM} exec -- pytest`")
        if parsed.command != "exec" and command:
            raise _UsageError(f"{parsed.command} takes no command; exec does")
        return _twin(parsed) if parsed.command == "twin" else _serve(parsed, command)
    except _UsageError as error:
        return _fail(str(error), BAD_ARGUMENTS)
    except _OutputError as error:
        return _fail(f"standard output cannot be written: {error}", 1)


def _serve(parsed: argparse.Namespace, command: Sequence[str]) -> int:
    from firmware_sim.errors import NvmFileError
    from firmware_sim.serve.errors import ServeError

    try:
        with _unswept():
            options = _options(parsed)
            from firmware_sim.serve.command import execute
            from firmware_sim.serve.program import serve
        return serve(options) if parsed.command == "serve" else execute(options, command)
    except ServeError as error:
        return _fail(str(error), error.exit_code)
    except NvmFileError as error:
        return _fail(f"--nvm {error}", 1)


def _twin(parsed: argparse.Namespace) -> int:
    from firmware_sim.serve.errors import ServeError
    from firmware_sim.twin_program import Wanted, run

    try:
        code, text = run(Wanted(parsed.recording, parsed.profile, parsed.output, parsed.json))
    except ServeError as error:
        return _fail(str(error), error.exit_code)
    _print(text)
    return code


@contextlib.contextmanager
def _unswept() -> Iterator[None]:
    """No garbage collection: what imports make stays, and looking through it costs a tenth of the start."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def _explain(unknown: Sequence[str], *, behind_dashes: bool) -> str:
    """Return the error for arguments that are no options."""
    shown = hide_urls(shlex.join(unknown))
    text = f"unrecognized arguments: {shown}"
    if behind_dashes:
        return f"{text}; the command goes behind --, for example `{PROGRAM} exec -- {shown}`"
    return f"{text} (see `{PROGRAM} --help`)"


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments before the first `--`, and those after it."""
    if "--" not in arguments:
        return list(arguments), []
    at = list(arguments).index("--")
    return list(arguments[:at]), list(arguments[at + 1 :])


def _fail(text: str, code: int) -> int:
    say(f"{PROGRAM}: {' '.join(hide_users(text).split())}")
    return code


def main() -> None:
    """Run the program."""
    guard_streams()
    try:
        code = call(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # the reader of our output has gone, and nothing more can be said
        code = 1
    settle()
    sys.exit(code)
