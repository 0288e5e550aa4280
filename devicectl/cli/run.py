"""`devicectl run`: one whole session with the automatic operator."""

import contextlib
import gc
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

import typer

from devicectl.cli.arguments import (
    URL_VARIABLE,
    LogOption,
    Wanted,
    course_name,
    device_url,
    refuse_together,
    session_date,
    session_plan,
    whole_number,
)
from devicectl.cli.files import device_files, log_files, output_file, refuse_clash
from devicectl.cli.output import require_written
from devicectl.errors import DevicectlError
from devicectl.log.paths import default_log_path
from devicectl.transports.urls import DEFAULT_URL, describe_schemes
from handpiece_shell.files import NamedFile, Use, explain_no_file
from protocols.text.url_text import hide_users

if TYPE_CHECKING:
    from devicectl.cli.display import Display
    from devicectl.handpiece import Handpiece, Session
    from devicectl.log.store import SessionLog
    from devicectl.session.link import Tap
    from devicectl.summary import Summary
    from handpiece_shell.recording_file import RecordingFile
    from protocols.language.units import Micros
    from protocols.mqtt.wire import Publication

_DEVICE = f"URL of the device: {describe_schemes()}; else ${URL_VARIABLE}, else {DEFAULT_URL}"
_SEED = "Repeats everything that is random. Without it a memory's own is taken, or one is drawn; it is printed."
_SPEED = "For sim:// alone: max (the default) is as fast as it goes, 1 is real time."
_RESUME = "Go on with the session that the device holds open."
_ABANDON = "Close the session that the device holds open as aborted, and end."
_HARDWARE = "Hold the session even on a device that is no simulator."
_SCENARIO = "Put the session under the faults of a scenario, in virtual time."
_JSON = "Print one JSON object on standard output, last. What is not known of the session is null in it."

_Device = Annotated[str | None, typer.Option("--device", metavar="URL", help=_DEVICE)]
_PlanFile = Annotated[Path | None, typer.Option("--plan", metavar="FILE", help="A plan in YAML or JSON.")]
_Target = Annotated[
    int | None,
    typer.Option("--target-cores", metavar="N", parser=whole_number, help="Count N cores, not the plan's 10,000."),
]
_Seed = Annotated[int | None, typer.Option("--seed", metavar="N", parser=whole_number, help=_SEED)]
_Speed = Annotated[str | None, typer.Option("--speed", metavar="max|FACTOR", help=_SPEED)]
_Course = Annotated[str | None, typer.Option("--course", metavar="NAME", help="The course this session belongs to.")]
_Date = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The session's date; else today.")]
_Resume = Annotated[bool, typer.Option("--resume", help=_RESUME, metavar="")]
_Abandon = Annotated[bool, typer.Option("--abandon", help=_ABANDON, metavar="")]
_Hardware = Annotated[bool, typer.Option("--allow-hardware", help=_HARDWARE, metavar="")]
_Explain = Annotated[
    bool, typer.Option("--explain", help="Narrate each phase, count and refusal in sentences.", metavar="")
]
_Trace = Annotated[Path | None, typer.Option("--trace", metavar="FILE", help="Write both directions, decoded.")]
_Scenario = Annotated[Path | None, typer.Option("--scenario", metavar="FILE", help=_SCENARIO)]
_Record = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Write both directions as pcapng, which Wireshark opens."),
]
_Json = Annotated[bool, typer.Option("--json", help=_JSON, metavar="")]

TRACE_BLOCK: Final = 512
"""Frames of a trace that are written together in virtual time: a killed session is repeated by its seed."""
VERDICT: Final = ("state", "reconciled", "cores_counted", "cycles", "alarms")
"""Parts of the summary that are the verdict of a recording."""
EXIT_DONE: Final = 0
EXIT_OTHERWISE: Final = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a run: `json` is for programs, `kept` says where it can be read again.

    `failure` ends the program; `done` says that what was asked for was done.
    """

    json: dict[str, object]
    kept: str
    done: bool
    failure: DevicectlError | None = None

    @classmethod
    def of(cls, summary: "Summary", *, done: bool, failure: DevicectlError | None = None) -> Self:
        """The outcome of a session that is in the log."""
        kept = f"session {summary.session_id} is in the log {summary.log}"
        return cls(summary.to_json(), kept, done, failure)


def run(
    device: _Device = None,
    plan: _PlanFile = None,
    target_cores: _Target = None,
    seed: _Seed = None,
    speed: _Speed = None,
    course: _Course = None,
    date: _Date = None,
    log: LogOption = None,
    resume: _Resume = False,
    abandon: _Abandon = False,
    allow_hardware: _Hardware = False,
    explain: _Explain = False,
    trace: _Trace = None,
    scenario: _Scenario = None,
    record: _Record = None,
    as_json: _Json = False,
) -> int:
    """Take a handpiece through one whole session: anesthesia, cycles, close, reconcile.

    Ctrl-C, SIGTERM and SIGHUP stop the device and close the session as aborted,
    as long as the device ends what it is asked; a second one, a moment later,
    ends this program at once.

    Exit codes:

    0 the session completed and its counts reconciled

    1 it ended otherwise, a fault of the scenario never fired, or standard output cannot be written

    2 wrong arguments, plan, scenario or URL

    3 no device, no link with it, or a device that is no simulator and was not allowed

    4 the session log cannot be written
    """
    if scenario is not None:
        from devicectl.cli.trials.scenario import refuse_other_options, run_scenario

        said = {"--device": device, "--plan": plan, "--target-cores": target_cores, "--speed": speed}
        also = {"--course": course, "--date": date, "--resume": resume, "--abandon": abandon, "--trace": trace}
        refuse_other_options({**said, **also})
        return run_scenario(scenario, seed=seed, log=log, explain=explain, record=record, as_json=as_json)
    if resume and abandon:
        raise refuse_together("--resume", "--abandon", "go on with the session, or close it")
    given = {"--plan": plan, "--target-cores": target_cores, "--course": course, "--date": date}
    for option, value in given.items():
        if value is not None and (resume or abandon):
            held = "--resume" if resume else "--abandon"
            raise refuse_together(option, held, "the session that the device holds has its own")
    url, named_by = device_url(device, seed, speed)
    wanted = Wanted(
        url=url,
        named_by=named_by,
        plan=session_plan(plan, target_cores),
        course=course_name(course),
        session_date=session_date(date),
        log=default_log_path(log),
        resume=resume,
        abandon=abandon,
        allow_hardware=allow_hardware,
    )
    refuse_clash(
        [
            *([] if plan is None else [NamedFile("--plan", str(plan), Use.READ)]),
            *device_files(url, named_by),
            *log_files(log, wanted.log, Use.WRITE),
            *output_file("--trace", trace),
            *output_file("--record", record),
        ]
    )
    from devicectl.cli.display import Display

    display = Display(wanted.plan, explain=explain, stream=sys.stderr if as_json else sys.stdout)
    at_once = not url.in_process or url.speed is not None
    with (
        _trace_file(trace, display, at_once=at_once) as traced,
        _recording(record, wanted, display, at_once=at_once) as recording,
    ):
        tap = traced if recording is None else _recorded(recording, hide_users(url.text), traced)
        outcome = _asyncio_run(wanted, display, tap)
        if recording is not None:
            recording.verdict = {name: outcome.json[name] for name in VERDICT}
    if as_json:
        print(json.dumps(outcome.json))
    if outcome.failure is not None:
        raise outcome.failure
    require_written(outcome.kept)
    return EXIT_DONE if outcome.done else EXIT_OTHERWISE


def _asyncio_run(wanted: Wanted, display: "Display", tap: "Tap | None") -> Outcome:
    import asyncio

    try:
        return asyncio.run(_run(wanted, display, tap))
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        raise DevicectlError("; ".join(("interrupted", *getattr(error, "__notes__", ())))) from None


@contextlib.contextmanager
def _trace_file(path: Path | None, display: "Display", *, at_once: bool) -> "Iterator[Tap | None]":
    """Open a tap that writes a trace; a disk that is full ends the trace and not the session.

    Without `at_once` the lines are made and written in blocks, which takes half the time.
    """
    if path is None:
        yield None
        return
    from handpiece_shell.trace_file import open_trace
    from protocols.trace import HEADING, Tracer

    tracer = Tracer()
    block: list[tuple[str, bytes | Publication, Micros]] = []

    def write_block() -> None:
        write([line for sent in block for line in tracer.describe(*sent)])
        block.clear()

    def tap(sender: str, data: "bytes | Publication", now: "Micros") -> None:
        block.append((sender, data, now))
        if at_once or len(block) >= TRACE_BLOCK:
            write_block()

    with contextlib.ExitStack() as stack:
        try:
            write = stack.enter_context(open_trace(str(path), lambda text: display.say(f"warning: {text}")))
        except OSError as error:
            raise typer.BadParameter(explain_no_file(f"write {path}", error), param_hint="--trace") from error
        write([HEADING])
        stack.callback(write_block)
        yield tap


@contextlib.contextmanager
def _recording(
    path: Path | None, wanted: Wanted, display: "Display", *, at_once: bool
) -> "Iterator[RecordingFile | None]":
    """Open the file of a recording; its verdict is set once the outcome is known."""
    if path is None:
        yield None
        return
    from handpiece_shell.recording_file import RecordingFile, comment_of

    comment = comment_of(
        "devicectl",
        wanted.url.seed,
        device=hide_users(wanted.url.text),
        plan=wanted.plan.model_dump(mode="json"),
        continues=wanted.resume or wanted.abandon,
    )
    try:
        file = RecordingFile(str(path), comment, lambda text: display.say(f"warning: {text}"), at_once=at_once)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(explain_no_file(f"write {path}", error), param_hint="--record") from error
    with contextlib.closing(file):
        yield file


def _recorded(recording: "RecordingFile", port: str, inner: "Tap | None") -> "Tap":
    """Return a tap that records, and lets `inner` hear the same."""

    def tap(sender: str, data: "bytes | Publication", now: "Micros") -> None:
        recording.heard(port, sender, data, now)
        if inner is not None:
            inner(sender, data, now)

    return tap


# --- the session -------------------------------------------------------------------------------------------------


async def _run(wanted: Wanted, display: "Display", tap: "Tap | None") -> Outcome:
    from devicectl import clock, connect
    from devicectl.cli.signals import ended_in_order
    from devicectl.log.store import SessionLog

    gc.freeze()  # what imports made stays: to look through it for garbage costs a session some four percent
    with ended_in_order(), SessionLog.open(wanted.log, wall_clock=clock.wall) as log:
        warning = _course_warning(log, wanted)
        display.begin(wanted.url, wanted.named_by)
        async with connect(
            wanted.url, log=log, observer=display, tap=tap, allow_hardware=wanted.allow_hardware
        ) as handpiece:
            if wanted.url.simulated and wanted.url.seed is None:
                display.say(f"seed {handpiece.device.seed}, kept in {wanted.url.nvm}")
            display.connected(handpiece)
            if wanted.abandon:
                return await _abandon(handpiece, display)
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


async def _abandon(handpiece: "Handpiece", display: "Display") -> Outcome:
    from devicectl.summary import Summary

    abandoned = await handpiece.abandon_session()
    if abandoned is not None and abandoned.summary is not None:
        display.end(abandoned.summary)
        return Outcome.of(abandoned.summary, done=abandoned.summary.reconciled)
    device = handpiece.device
    if abandoned is None:
        state, said = "none", f"device {device.serial} holds no open session: nothing to abandon"
    else:
        state, said = "aborted", f"session {abandoned.session_no} was closed as aborted; this log has nothing of it"
    display.say(said)
    simulated = handpiece.simulated
    known = {"simulated": simulated, "seed": device.seed if simulated else None, "state": state}
    assert handpiece.log is not None
    return Outcome(Summary.unknown(device=device.serial, log=handpiece.log.where, **known), kept="", done=True)


async def _operate(session: "Session", handpiece: "Handpiece", display: "Display") -> Outcome:
    """The automatic operator; a Ctrl-C or an error leaves the device stopped and the session closed as aborted."""
    import asyncio

    stopped: BaseException | None = None
    display.watch(session)
    with display:
        try:
            async with session:
                display.opened(session, handpiece.device)
                await _work(session, display)
        except (asyncio.CancelledError, DevicectlError) as error:
            if not session.opened:
                raise
            stopped = error
    if stopped is not None:
        display.stopped(stopped)
    summary = session.summary
    display.end(summary)
    failure = session.log_error or (stopped if isinstance(stopped, DevicectlError) else None)
    return Outcome.of(summary, done=summary.succeeded, failure=failure)


async def _work(session: "Session", display: "Display") -> None:
    operator = session.plan.operator
    # A session that was resumed may have come to its end before this, or not so far: what is confirmed stays so.
    method, confirmed_by = operator.anesthesia_method, operator.confirmed_by
    await session.confirm_anesthesia(method, confirmed_by, age_s=session.injected_ago_s)
    async for cycle in session.run():
        display.cycle(cycle)
