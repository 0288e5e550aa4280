"""`devicectl conform device`: a device, tried rule by rule, and the report of it.

Law: thin. It checks the command line before anything is opened, and writes what the run came to.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import URL_VARIABLE, device_url, whole_number
from devicectl.cli.conform import options
from devicectl.cli.files import device_files
from devicectl.transports.urls import DEFAULT_URL, describe_schemes, place_of

if TYPE_CHECKING:
    from devicectl.cli.conform.running import Held, Keep
    from devicectl.conformance.device.session import Wanted

_DEVICE = f"URL of the device: {describe_schemes()}; else ${URL_VARIABLE}, else {DEFAULT_URL}"
_MOTION = "Let cases arm and move a device that is no simulator."
_ABANDON = "Close a session that the device holds open, without its counts."
_HOOK = "Command for what needs a hand, as power_cycle=COMMAND; it finds the time off in OFF_MS."
_CASE = "Only cases whose name is this, or begins with it where it ends in *; or those of a rule, as HLP-CYC-3."
_SLACK = "Lateness of a measured time that is put down to the way and this machine; else 250, or 1 for sim://."
_LIMIT = "Seconds for the whole run, 900 unless given; cases behind it are skipped."
_LINKS = "Links that the way carries side by side: 1 on a serial port, also behind a gateway, else 17."

_Device = Annotated[str | None, typer.Option("--device", metavar="URL", help=_DEVICE)]
_Motion = Annotated[bool, typer.Option("--allow-motion", metavar="", help=_MOTION)]
_Abandon = Annotated[bool, typer.Option("--abandon", metavar="", help=_ABANDON)]
_Hook = Annotated[list[str] | None, typer.Option("--hook", metavar="NAME=COMMAND", help=_HOOK)]
_Case = Annotated[list[str] | None, typer.Option("--case", metavar="NAME|NAME*|RULE", help=_CASE)]
_Slack = Annotated[str | None, typer.Option("--slack", metavar="MS", help=_SLACK)]
_Limit = Annotated[int | None, typer.Option("--limit", metavar="S", parser=whole_number, help=_LIMIT)]
_Links = Annotated[int | None, typer.Option("--links", metavar="N", parser=whole_number, help=_LINKS)]

HOOKS: Final = ("power_cycle",)


def device(
    url: _Device = None,
    case: _Case = None,
    list_only: options.ListOnly = False,
    every: options.Every = False,
    allow_motion: _Motion = False,
    abandon: _Abandon = False,
    hook: _Hook = None,
    claims: options.Claims = None,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    json_file: options.Json = None,
    junit: options.Junit = None,
    html: options.Html = None,
    record: options.Record = None,
    slack: _Slack = None,
    limit: _Limit = None,
    links: _Links = None,
    seed: options.Seed = None,
) -> int:
    """Try a device rule by rule, from what is harmless to what moves, and report what it broke.

    It speaks frames itself and shares nothing with the host that `devicectl run`
    is. What it needs and does not have, such as a power switch, it skips and says
    so. A device that is no simulator is not moved without --allow-motion. All of
    it is about a training simulator's protocol, and no evidence about any device.

    Exit codes:

    0 no MUST was seen broken, and the baseline is up to date

    1 one was, or the baseline is not; or a file or standard output cannot be written

    2 wrong arguments

    3 no device that links, or a broker that has gone or keeps this program out

    130 interrupted
    """
    from devicectl.cli.conform.files import Files, choose, print_list, read_known, read_stated

    chosen = choose(case)
    if list_only:
        print_list(chosen)
        return 0
    target, named_by = device_url(url, seed, None)
    files = Files(json_file, junit, html, record, write_baseline)
    options.check_files(files, baseline, claims, device_files(target, named_by))
    from devicectl.cli.conform.running import run
    from devicectl.conformance.claims import MAX_LINKS
    from devicectl.conformance.device.session import RUN_LIMIT_S, Wanted
    from devicectl.conformance.rules import Duty

    stated = read_stated(claims)
    wanted = Wanted(
        target,
        chosen,
        known=read_known(baseline),
        allow_motion=allow_motion,
        abandon=abandon,
        hook=_hook(hook or []),
        slack_ms=options.slack_of(slack),
        limit_s=RUN_LIMIT_S if limit is None else options.within("--limit", limit, options.MAX_LIMIT_S),
        links=stated.links if links is None else options.within("--links", links, MAX_LINKS),
        model=stated.model,
        lacks=stated.lacks,
    )
    return run(Duty.DEVICE, lambda keep, tell: _held(replace(wanted, tell=tell), keep), files, every=every)


def _held(wanted: "Wanted", keep: "Keep") -> "Held":
    from devicectl.conformance.device.session import brisk, hold

    held = hold(wanted, keep)
    claims = held.claims
    parameters = brisk(wanted.url).parameters
    judged = {
        "device": place_of(wanted.url),
        "seed": wanted.url.seed,
        "model": claims.model,
        "serial": claims.serial,
        "firmware": claims.firmware,
        "minor": claims.minor,
        "simulated": claims.simulated,
        "slack_ms": wanted.slack_ms,
        "parameters": " ".join(f"{name}={value:g}" for name, value in parameters.items()),
    }
    return judged, held.outcomes


def _hook(given: list[str]) -> str | None:
    """Return the command of power_cycle.

    Raises:
        typer.BadParameter: a hook has no such name, no command, or is given twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, _, command = text.partition("=")
        if name not in HOOKS or not command.strip():
            raise typer.BadParameter(f'{text[:80]!r} is no hook; right is {HOOKS[0]}="COMMAND"', param_hint="--hook")
        if name in found:
            raise typer.BadParameter(f"{name} is given twice; one command is enough", param_hint="--hook")
        found[name] = command
    return found.get(HOOKS[0])
