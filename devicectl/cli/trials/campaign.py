"""`devicectl campaign`: many sessions under faults, each judged, and the report of what they met."""

import shlex
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.cli.arguments import whole_number
from devicectl.cli.files import output_file, refuse_clash, require_writable
from devicectl.cli.trials.holding import Holding, Outputs, hold
from handpiece_shell.files import NamedFile, Use
from protocols.capture.packet import JsonObject

if TYPE_CHECKING:
    from devicectl.campaign.many.tally import Tally
    from devicectl.campaign.many.work import Work

SESSIONS: Final = 1_000
CYCLES: Final = 20
FEW_CYCLES: Final = 2
MAX_SESSIONS: Final = 100_000_000
MAX_CYCLES: Final = 2_000
MAX_JOBS: Final = 1_024
MAX_SEED: Final = 2**64 - 1

_CLUSTER: Final = "Hand the work to a Dask cluster instead, by its scheduler: tcp://HOST:8786. Extra: cluster."
_PROFILE: Final = "Kinds of fault, how often, and their values, in YAML or JSON; else all kinds."
_RECORD: Final = (
    "Record the first session that failed, or the only one, as pcapng; beside it, as .small and .passing, the smallest "
    "that fails so and the nearest that is right."
)
_EXHAUSTIVE: Final = "Try every single fault, or every pair, of one session instead: 1 or 2."


def _number(option: str, least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = whole_number(text)
        if not least <= number <= most:
            raise typer.BadParameter(f"{number} is not a whole number from {least} to {most}", param_hint=option)
        return number

    return parse


_Sessions = Annotated[
    int | None,
    typer.Option(
        "--sessions",
        metavar="N",
        parser=_number("--sessions", 1, MAX_SESSIONS),
        help=f"Sessions to hold; else {SESSIONS:,}.",
    ),
]
_Cycles = Annotated[
    int | None,
    typer.Option(
        "--cycles",
        metavar="K",
        parser=_number("--cycles", 1, MAX_CYCLES),
        help=f"Cycles of each; else {CYCLES}, and {FEW_CYCLES} where all faults are tried.",
    ),
]
_Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="S",
        parser=_number("--seed", 0, MAX_SEED),
        help="Seed of the first session, else 1; each next one has one more.",
    ),
]
_Jobs = Annotated[
    int | None,
    typer.Option("--jobs", metavar="J", parser=_number("--jobs", 1, MAX_JOBS), help="Processes; else one a core."),
]
_Exhaustive = Annotated[
    int | None,
    typer.Option("--exhaustive", metavar="1|2", parser=_number("--exhaustive", 1, 2), help=_EXHAUSTIVE),
]
_Wire = Annotated[
    str | None, typer.Option("--wire", metavar="serial|mqtt", help="Wire of an exhaustive run; else serial.")
]
_Profile = Annotated[Path | None, typer.Option("--profile", metavar="FILE", help=_PROFILE)]
_Cluster = Annotated[str | None, typer.Option("--cluster", metavar="URL", help=_CLUSTER)]
_Json = Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.", metavar="")]
_Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML.")]
_Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the report as JSON.")]
_Record = Annotated[Path | None, typer.Option("--record", metavar="FILE", help=_RECORD)]


def campaign(
    sessions: _Sessions = None,
    cycles: _Cycles = None,
    profile: _Profile = None,
    seed: _Seed = None,
    jobs: _Jobs = None,
    cluster: _Cluster = None,
    exhaustive: _Exhaustive = None,
    wire: _Wire = None,
    as_json: _Json = False,
    report: _Report = None,
    junit: _Junit = None,
    record: _Record = None,
) -> int:
    """Hold many sessions under faults that are drawn from a seed, and judge each.

    It says what was wrong or stuck, which faults have fired, and what no session
    has met. With --exhaustive nothing is drawn: each fault, or each pair, is tried
    at each piece on the wire, write of the memory and commit of one session. All
    of it is about a simulator, and no evidence about any device.
    Ctrl-C ends it with the report of what was judged so far.

    Exit codes:

    0 every session was right

    1 a session was wrong or stuck, or a file or standard output cannot be written

    2 wrong arguments or profile

    3 no cluster, or one that has failed

    130 interrupted
    """
    if cluster is not None and jobs is not None:
        raise typer.BadParameter(
            "cannot be used with --cluster: its workers are as many as it has", param_hint="--jobs"
        )
    if cluster is not None and not cluster.startswith(("tcp://", "tls://", "ws://", "wss://")):
        raise typer.BadParameter(
            f"{cluster!r} is no scheduler; for example tcp://127.0.0.1:8786", param_hint="--cluster"
        )
    _refuse_mixture(exhaustive, {"--sessions": sessions, "--profile": profile, "--junit": junit}, wire)
    refuse_clash(
        [
            *([] if profile is None else [NamedFile("--profile", str(profile), Use.READ)]),
            *output_file("--report", report),
            *output_file("--junit", junit),
            *output_file("--record", record),
        ]
    )
    for option, path in (("--report", report), ("--junit", junit), ("--record", record)):
        require_writable(option, path)
    if exhaustive is not None:
        holding = _of_exhaustive(exhaustive, cycles or FEW_CYCLES, 1 if seed is None else seed, wire)
    else:
        holding = _of_campaign(profile, sessions or SESSIONS, cycles or CYCLES, 1 if seed is None else seed)
    return hold(holding, _source(holding.work, jobs, cluster), Outputs(report, junit, record, as_json))


def _refuse_mixture(exhaustive: int | None, others: dict[str, object], wire: str | None) -> None:
    if exhaustive is None:
        if wire is not None:
            raise typer.BadParameter(
                "needs --exhaustive: else a profile says how often it is MQTT's", param_hint="--wire"
            )
        return
    if wire not in (None, "serial", "mqtt"):
        raise typer.BadParameter(f"{wire!r} is no wire; there are serial and mqtt", param_hint="--wire")
    for option, value in others.items():
        if value is not None:
            raise typer.BadParameter("cannot be used with --exhaustive, which tries all faults", param_hint=option)


def _of_campaign(profile: Path | None, sessions: int, cycles: int, seed: int) -> Holding:
    from devicectl.campaign.many import report
    from devicectl.campaign.many.campaign import Campaign
    from devicectl.campaign.many.junit import junit

    if seed + sessions - 1 > MAX_SEED:
        right = (
            f"must be at most {MAX_SEED - sessions + 1}: each of the {sessions} sessions has one more, up to {MAX_SEED}"
        )
        raise typer.BadParameter(right, param_hint="--seed")
    work = Campaign(_profile_values(profile), sessions, cycles, seed)
    command = f"devicectl campaign --cycles {cycles}" + (
        f" --profile {shlex.quote(str(profile))}" if profile is not None else ""
    )

    def data(tally: "Tally", done: int, seconds: float) -> JsonObject:
        return report.report_data(work, tally, command=command, seconds=seconds)

    only = work.scenario(seed) if sessions == 1 else None
    return Holding(work, data, report.lines, lambda data: junit(data, work.tasks()), only)


def _of_exhaustive(faults: int, cycles: int, seed: int, wire: str | None) -> Holding:
    from devicectl.campaign.exhaustive import report
    from devicectl.campaign.exhaustive.every import Exhaustive

    work = Exhaustive(faults, cycles, seed, wire or "serial")

    def data(tally: "Tally", done: int, seconds: float) -> JsonObject:
        return report.report_data(work, tally, done=done, seconds=seconds)

    return Holding(work, data, report.lines)


def _profile_values(path: Path | None) -> JsonObject:
    """Return the profile's values, checked.

    Raises:
        ProfileError: the file is no profile.
    """
    from devicectl.campaign.many.profile import ProfileError, make_profile
    from devicectl.campaign.many.usual import USUAL_PROFILE

    if path is None:
        return dict(USUAL_PROFILE)
    from handpiece_shell.values_file import read_values
    from protocols.text.values import Form, ValuesError

    source = f"--profile {path}"
    try:
        read = read_values(path, source, Form("a profile", "kinds: {drop: {on: 0.3}}"))
    except ValuesError as error:
        raise ProfileError(error.source, error.key, error.value, error.right) from error
    make_profile(read.values, source, read.places)
    return read.values


def _source(wanted: "Work", jobs: int | None, cluster: str | None) -> "Generator[tuple[range, Tally], None, None]":
    if cluster is not None:
        from devicectl.campaign.many import cluster as dask

        return dask.results(wanted, cluster)
    import os

    from devicectl.campaign.many import workers

    return workers.results(wanted, jobs or os.cpu_count() or 1)
