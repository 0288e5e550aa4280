"""`devicectl conform controller`: somebody's command, tried against a device that misbehaves, and the report of it.

Law: thin. It checks the command line before anything is started, and writes what the run came to.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import whole_number
from devicectl.cli.conform import options

if TYPE_CHECKING:
    from devicectl.cli.conform.running import Held, Keep
    from devicectl.conformance.controller.session import Wanted
    from protocols.mqtt.broker_url import BrokerUrl

_COMMAND = "The controller and its arguments, behind --; {url} and {folder} in them are those of each run."
_PTY = "Give it a pseudo-terminal, as a serial port; else it gets TCP."
_RFC2217 = "Give it a serial port behind a gateway: RFC 2217."
_MQTT = "Put it behind a broker: one of the kit's own, or that of --broker."
_BROKER = "The broker of --mqtt, with a site and a device whose name each run lengthens."
_JOBS = "Runs of the command side by side, 4 unless given."
_LIMIT = "Seconds for the whole run, 900 unless given; scenes behind it are skipped."
_SLACK = "Lateness of a measured time that is put down to the machine that the command shares, else 1000."
_CASE = "Only cases whose name is this, or begins with it where it ends in *; or those of a rule, as HLP-CMD-12."

_Command = Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND...", help=_COMMAND, show_default=False)]
_Pty = Annotated[bool, typer.Option("--pty", metavar="", help=_PTY)]
_Tcp = Annotated[bool, typer.Option("--tcp", metavar="", help="Give it a port of TCP, which is usual.")]
_Rfc2217 = Annotated[bool, typer.Option("--rfc2217", metavar="", help=_RFC2217)]
_Mqtt = Annotated[bool, typer.Option("--mqtt", metavar="", help=_MQTT)]
_Broker = Annotated[str | None, typer.Option("--broker", metavar="mqtt://HOST/SITE/DEVICE", help=_BROKER)]
_Jobs = Annotated[int | None, typer.Option("--jobs", metavar="N", parser=whole_number, help=_JOBS)]
_Limit = Annotated[int | None, typer.Option("--limit", metavar="S", parser=whole_number, help=_LIMIT)]
_Slack = Annotated[str | None, typer.Option("--slack", metavar="MS", help=_SLACK)]
_Case = Annotated[list[str] | None, typer.Option("--case", metavar="NAME|NAME*|RULE", help=_CASE)]

MAX_JOBS: Final = 16


def controller(
    command: _Command = None,
    pty: _Pty = False,
    tcp: _Tcp = False,
    rfc2217: _Rfc2217 = False,
    mqtt: _Mqtt = False,
    broker: _Broker = None,
    case: _Case = None,
    list_only: options.ListOnly = False,
    every: options.Every = False,
    claims: options.Claims = None,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    json_file: options.Json = None,
    junit: options.Junit = None,
    html: options.Html = None,
    record: options.Record = None,
    slack: _Slack = None,
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

    3 no controller that says HELLO, no broker, or one that has gone

    130 interrupted
    """
    from devicectl.cli.conform.files import Files, choose, print_list, read_known, read_stated
    from devicectl.conformance.controller.catalogue import CONTROLLER_CASES
    from devicectl.conformance.controller.scene import SLACK_MS
    from devicectl.conformance.controller.session import JOBS, RUN_LIMIT_S, Wanted

    chosen = choose(case, CONTROLLER_CASES)
    if list_only:
        print_list(chosen)
        return 0
    if not command:
        raise typer.BadParameter(
            "no command; right is: devicectl conform controller -- ./my_host", param_hint="COMMAND"
        )
    way = _way_of({"pty": pty, "tcp": tcp, "rfc2217": rfc2217, "mqtt": mqtt or broker is not None})
    files = Files(json_file, junit, html, record, write_baseline)
    options.check_files(files, baseline, claims, [])
    from devicectl.cli.conform.running import run
    from devicectl.conformance.rules import Duty

    given = options.slack_of(slack)
    wanted = Wanted(
        command,
        chosen,
        way=way,
        broker=_broker_of(broker),
        jobs=JOBS if jobs is None else options.within("--jobs", jobs, MAX_JOBS),
        limit_s=RUN_LIMIT_S if limit is None else options.within("--limit", limit, options.MAX_LIMIT_S),
        known=read_known(baseline, CONTROLLER_CASES),
        lacks=read_stated(claims, CONTROLLER_CASES).lacks,
        slack_ms=SLACK_MS if given is None else given,
    )
    return run(Duty.HOST, lambda keep, tell: _held(replace(wanted, tell=tell), keep), files, every=every)


def _way_of(ways: dict[str, bool]) -> str:
    """Return the one way that is asked for; TCP unless one is.

    Raises:
        typer.BadParameter: several are.
    """
    asked = [way for way, wanted in ways.items() if wanted] or ["tcp"]
    if len(asked) > 1:
        raise typer.BadParameter("it is one way or the other", param_hint=", ".join(f"--{way}" for way in asked))
    return asked[0]


def _broker_of(text: str | None) -> "BrokerUrl | None":
    from handpiece_shell.broker_files import check_broker_files
    from protocols.mqtt.broker_url import BrokerUrlError, parse_broker_url

    if text is None:
        return None
    try:
        url = parse_broker_url(text)
        check_broker_files(url)
    except BrokerUrlError as error:
        right = "for example mqtt://127.0.0.1:1883/bench/kit"
        raise typer.BadParameter(f"{error}; {right}", param_hint="--broker") from error
    return url


def _held(wanted: "Wanted", keep: "Keep") -> "Held":
    from devicectl.conformance.controller.session import hold

    outcomes = hold(wanted, keep)
    judged = {"controller": " ".join(wanted.command)[:200], "way": wanted.way}
    return {**judged, "jobs": wanted.jobs, "slack_ms": wanted.slack_ms}, outcomes
