"""`devicectl run`: one whole session with the automatic operator."""

import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import click
import typer

from devicectl.errors import DevicectlError, UrlError
from devicectl.log.errors import LogError
from devicectl.log.paths import LOG_VARIABLE, default_log_path
from devicectl.session.plan import Plan
from devicectl.transports.urls import DeviceUrl, parse_url
from protocols.notice import NOTICE
from protocols.units import Micros

if TYPE_CHECKING:
    from devicectl.cli.display import Display
    from devicectl.controller import Handpiece, Session
    from devicectl.log.store import SessionLog
    from devicectl.summary import Summary

_Device = Annotated[str, typer.Option("--device", metavar="URL", help="sim://, sim+tcp://, sim+pty://, serial:///dev/ttyUSB0 or tcp://host:port.")]
_PlanFile = Annotated[Path | None, typer.Option("--plan", metavar="FILE", help="A plan in YAML or JSON; else the default plan.")]
_Target = Annotated[int | None, typer.Option("--target-cores", metavar="N", help="Cores to count, instead of the plan's.")]
_Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Repeats everything that is random; else one is drawn and printed.")]
_Speed = Annotated[str | None, typer.Option("--speed", metavar="max|FACTOR", help="sim:// only: 1 is real time, max (the default) as fast as it goes.")]
_Course = Annotated[str | None, typer.Option("--course", metavar="NAME", help="The course that this session belongs to.")]
_Date = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The session's date; else today.")]
_LogOption = Annotated[str | None, typer.Option("--log", metavar="PATH|URL", help=f"The session log; else ${LOG_VARIABLE}, else the user's own.")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the session that the device holds open.")]
_Abandon = Annotated[bool, typer.Option("--abandon", help="Close the session that the device holds open, as aborted, and end.")]
_Explain = Annotated[bool, typer.Option("--explain", help="Narrate each phase, count and refusal in plain sentences.")]
_Trace = Annotated[Path | None, typer.Option("--trace", metavar="FILE", help="Write both directions of the wire, decoded.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, last.")]

EXIT_DONE: Final = 0
EXIT_OTHERWISE: Final = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked command line."""

    url: DeviceUrl
    plan: Plan
    course: str | None
    session_date: date
    log: str
    resume: bool
    abandon: bool


def run(
    device: _Device = "sim://",
    plan: _PlanFile = None,
    target_cores: _Target = None,
    seed: _Seed = None,
    speed: _Speed = None,
    course: _Course = None,
    date: _Date = None,
    log: _LogOption = None,
    resume: _Resume = False,
    abandon: _Abandon = False,
    explain: _Explain = False,
    trace: _Trace = None,
    as_json: _Json = False,
) -> int:
    """Take a handpiece through one whole session: anesthesia, cycles, close, reconcile.

    Exit code 0 only when the session completed and its counts reconciled.
    """
    wanted = Wanted(
        url=_device_url(device, seed, speed),
        plan=_plan(plan, target_cores),
        course=course,
        session_date=_date(date),
        log=default_log_path(log),
        resume=resume,
        abandon=abandon,
    )
    if resume and abandon:
        raise click.UsageError("--resume and --abandon exclude each other: go on with the session, or close it")
    from devicectl.cli.display import Display

    with _trace_file(trace) as file:
        display = Display(wanted.plan, explain=explain, stream=sys.stderr if as_json else sys.stdout)
        summary = asyncio.run(_run(wanted, display, file))
    if summary is None:
        return EXIT_DONE
    if as_json:
        print(json.dumps(summary.to_json()))
    return EXIT_DONE if summary.succeeded else EXIT_OTHERWISE


# --- arguments ---------------------------------------------------------------------------------------------------


def _device_url(text: str, seed: int | None, speed: str | None) -> DeviceUrl:
    url = parse_url(text)
    if speed is not None:
        if url.scheme != "sim":
            raise UrlError(text, "--speed", "time can be scaled for sim:// alone; on a real transport it would scale the lease", "--device sim:// --speed 10")
        url = replace(url, speed=parse_url(f"sim://?speed={speed}").speed)
    if not url.simulated:
        if seed is not None:
            raise UrlError(text, "--seed", "a device that is not started here cannot be seeded", "--device sim:// --seed 7")
        return url
    if seed is not None:
        seed = parse_url(f"sim://?seed={seed}").seed
        if url.seed not in (None, seed):
            raise UrlError(text, "seed", f"{url.seed} is not --seed {seed}; give one of them", "--seed 7")
    drawn = secrets.randbits(32) if url.seed is None and seed is None else None
    return replace(url, seed=next(value for value in (seed, url.seed, drawn) if value is not None))


def _plan(path: Path | None, target_cores: int | None) -> Plan:
    from devicectl.session.plan import load_plan, make_plan

    plan = Plan() if path is None else load_plan(path)
    if target_cores is None:
        return plan
    return make_plan({**plan.model_dump(), "target_cores": target_cores}, source="--target-cores")


def _date(text: str | None) -> date:
    from devicectl import clock

    if text is None:
        return clock.today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a date; for example 2026-03-31", param_hint="--date") from error


@contextlib.contextmanager
def _trace_file(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        text = f"cannot write {path}: {error.strerror}; name a file in a folder that exists"
        raise click.BadParameter(text, param_hint="--trace") from error
    with file:
        yield file


# --- the session -------------------------------------------------------------------------------------------------


async def _run(wanted: Wanted, display: "Display", trace: TextIO | None) -> "Summary | None":
    from devicectl import clock, connect
    from devicectl.log.store import SessionLog

    with SessionLog.open(wanted.log, wall_clock=clock.wall) as log:
        warning = _course_warning(log, wanted)
        display.begin(wanted.url, warning)
        async with connect(wanted.url, log=log, observer=display, tap=_tap(trace)) as handpiece:
            if wanted.abandon:
                closed = await handpiece.abandon_session()
                display.say(f"session {closed} was closed as aborted" if closed else "the device holds no open session")
                return None
            session = _session(handpiece, wanted)
            session.warning = warning
            return await _operate(session, handpiece, display)


def _course_warning(log: "SessionLog", wanted: Wanted) -> str | None:
    if wanted.course is None:
        return None
    from devicectl.log.courses import warn_if_early

    return warn_if_early(log, wanted.course, wanted.session_date)


def _session(handpiece: "Handpiece", wanted: Wanted) -> "Session":
    if wanted.resume:
        return handpiece.resume_session()
    return handpiece.open_session(wanted.plan, course=wanted.course, session_date=wanted.session_date)


async def _operate(session: "Session", handpiece: "Handpiece", display: "Display") -> "Summary":
    """The automatic operator; a Ctrl-C or an error leaves the device stopped and the session closed as aborted."""
    failure: Exception | None = None
    opened = interrupted = False
    with display:
        try:
            async with session:
                opened = True
                display.opened(session, handpiece.device)
                operator = session.plan.operator
                if not session.resumed:
                    await session.confirm_anesthesia(
                        operator.anesthesia_method, operator.confirmed_by, age_s=operator.anesthesia_age_s
                    )
                async for cycle in session.run():
                    display.cycle(cycle)
        except asyncio.CancelledError:
            if not opened:
                raise
            interrupted = True
        except LogError:
            raise
        except DevicectlError as error:
            if not opened:
                raise
            failure = error
    display.end(session.summary, interrupted=interrupted, failure=failure)
    return session.summary


def _tap(file: TextIO | None):  # type: ignore[no-untyped-def]
    if file is None:
        return None
    from protocols.trace import Tracer

    tracer = Tracer()
    file.write(f"{NOTICE}\n")

    def tap(sender: str, data: bytes, now: Micros) -> None:
        file.writelines(f"{line}\n" for line in tracer.describe(sender, data, now))

    return tap
