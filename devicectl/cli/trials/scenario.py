"""`devicectl run --scenario`: one session under the faults of a file, judged, and held to what the file expects."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from devicectl.cli.files import log_files, output_file, refuse_clash, require_writable, write_file
from devicectl.cli.output import require_written
from devicectl.errors import DevicectlError
from devicectl.log.paths import default_log_path
from handpiece_shell.files import NamedFile, Use
from protocols.capture.packet import CaptureError
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.campaign.scenario import Scenario
    from devicectl.campaign.trial import Trial
    from devicectl.campaign.verdict import Verdict
    from devicectl.cli.display import Display
    from devicectl.summary import Summary

EXIT_RIGHT: Final = 0
EXIT_OTHERWISE: Final = 1


def run_scenario(
    path: Path, *, seed: int | None, log: str | None, explain: bool, record: Path | None, as_json: bool
) -> int:
    """Run the scenario of a file in virtual time; 0 if the run is right, each fault has fired and all is as expected.

    Raises:
        DevicectlError: it was interrupted, or its recording cannot be written.
        ScenarioError: the file is no scenario, or asks for what cannot happen.
        LogError: the session log cannot be used.
    """
    from devicectl.campaign.scenario_file import read_scenario
    from devicectl.cli.display import Display

    where = default_log_path(log)
    files = [NamedFile("--scenario", str(path), Use.READ), *log_files(log, where, Use.WRITE)]
    refuse_clash([*files, *output_file("--record", record)])
    scenario = read_scenario(path)
    if seed is not None:
        scenario = replace(scenario, seed=seed)
    _require_recordable(record, scenario)
    stream = sys.stderr if as_json else sys.stdout
    display = Display(scenario.plan, explain=explain, stream=stream)
    display.say(NOTICE)
    display.say(f"scenario {scenario.name or path.stem}, seed {scenario.seed}, {_several(len(scenario.faults))}")
    try:
        trial, summary = asyncio.run(_run(scenario, where, display))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise DevicectlError("interrupted, before the run had a verdict") from None
    verdict = trial.verdict
    _tell(display, scenario, verdict, summary)
    _save(record, trial)
    if as_json:
        print(json.dumps(_as_json(scenario, verdict, summary)))
    require_written(f"the session is in the log {where}")
    return EXIT_RIGHT if verdict.word == "right" else EXIT_OTHERWISE


async def _run(scenario: "Scenario", where: str, display: "Display") -> "tuple[Trial, Summary | None]":
    from devicectl import clock
    from devicectl.campaign.bench import BenchClock
    from devicectl.campaign.trial import Trial
    from devicectl.cli.signals import ended_in_order
    from devicectl.log.store import SessionLog

    wall = BenchClock(clock.wall())
    with ended_in_order(), SessionLog.open(where, wall_clock=wall) as log:
        trial = Trial(scenario, log=log, wall=wall, session_date=clock.today(), audience=display)
        with display:
            await trial.run()
        return trial, trial.summary()


def _tell(display: "Display", scenario: "Scenario", verdict: "Verdict", summary: "Summary | None") -> None:
    if summary is not None:
        display.end(summary)
    for index in verdict.unfired:
        fault = scenario.faults[index]
        display.say(f"fault {index + 1} never fired: {fault.kind.name}, when {fault.text}")
    for breach in verdict.breaches:
        display.say(f"wrong, {breach.judge} at {breach.at_us / 1e6:.6f} s: {breach.sentence}")
    if verdict.stuck:
        display.say(f"stuck: {verdict.stuck}")
    for sentence in verdict.unmet:
        display.say(f"not as expected: {sentence}")
    display.say(f"verdict: {verdict.word}")


def _as_json(scenario: "Scenario", verdict: "Verdict", summary: "Summary | None") -> dict[str, object]:
    return {
        "simulated": True,
        "scenario": scenario.name,
        "seed": scenario.seed,
        "verdict": verdict.word,
        "fired": [fired._asdict() for fired in verdict.fired],
        "unfired": verdict.unfired,
        "breaches": [breach._asdict() for breach in verdict.breaches],
        "stuck": verdict.stuck,
        "unmet": verdict.unmet,
        "session": None if summary is None else summary.to_json(),
    }


def _require_recordable(path: Path | None, scenario: "Scenario") -> None:
    """See, before anything is run, that there can be its recording.

    Raises:
        typer.BadParameter: there can be none.
    """
    require_writable("--record", path)
    if path is not None:
        from devicectl.campaign.recording_file import require_room

        try:
            require_room(scenario)
        except CaptureError as error:
            raise typer.BadParameter(f"too many faults for a recording: {error}", param_hint="--record") from error


def _save(path: Path | None, trial: "Trial") -> None:
    if path is None:
        return
    from devicectl.campaign.recording_file import encode_trial

    try:
        data = encode_trial(trial.scenario, trial.verdict, trial.recording)
    except CaptureError as error:
        raise DevicectlError(f"--record: cannot write {path}: {error}") from error
    write_file("--record", path, data)


def _several(count: int) -> str:
    return "1 fault" if count == 1 else f"{count} faults"


def refuse_other_options(given: dict[str, object]) -> None:
    """Refuse the options of a plain run that a scenario has an answer to."""
    for option, value in given.items():
        if value:
            raise typer.BadParameter("cannot be used with --scenario: the file says it", param_hint=option)
