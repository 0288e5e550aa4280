"""`devicectl run --scenario`: what a user sees of it, and the exit codes."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devicectl.campaign.trial import Trial
from devicectl.cli.program import call
from firmware_sim.faults.fault import declare
from tests.e2e.processes import DEVICECTL, WITH_A_FULL_DEVICE, interrupt, read_until, started
from tests.patience import patience
from tests.unit.devicectl.campaign.trials import a_scenario

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "scenarios").glob("*.yaml"))
SCENARIO = """\
seed: 7
start: {parameters: {anesthesia_wait_s: 1}}
plan: {target_cores: 12, zones: [{name: chin, area_cm2: 4}]}
faults:
  - fault: drop
    when: frame("COUNT", %d)
"""

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(text: str, *options: str) -> int:
        file = tmp_path / "scenario.yaml"
        file.write_text(text, encoding="utf-8")
        return call(["run", "--scenario", str(file), "--log", str(tmp_path / "log.sqlite"), *options])

    return run


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_right_and_its_recording_repeats(file: Path, tmp_path: Path) -> None:
    record = tmp_path / "run.pcapng"
    line = ["run", "--scenario", str(file), "--log", str(tmp_path / "log.sqlite"), "--record", str(record)]
    assert call(line) == 0
    assert call(["replay", str(record)]) == 0


def test_a_fault_that_never_fired_fails_the_run(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SCENARIO % 2) == 0
    said = capsys.readouterr().out
    assert 'fault 1 fired: drop, when frame("COUNT", 2)' in said and "verdict: right" in said
    assert run(SCENARIO % 4_000) == 1
    said = capsys.readouterr().out
    assert "fault 1 never fired: drop" in said and "verdict: unfired" in said


def test_an_expectation_that_is_not_met_fails_the_run(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SCENARIO % 2 + "expect: {state: aborted}\n") == 1
    assert "not as expected: the session was to end as aborted" in capsys.readouterr().out


def test_json_has_the_verdict_and_the_session(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SCENARIO % 2, "--json", "--seed", "9") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["seed"], said["simulated"]) == ("right", 9, True)
    assert [fired["kind"] for fired in said["fired"]] == ["drop"]
    assert said["session"]["state"] == "completed" and said["session"]["seed"] == 9


@pytest.mark.parametrize(
    "options",
    [
        ["--plan", "plan.yaml"],
        ["--target-cores", "6"],
        ["--device", "sim://"],
        ["--speed", "1"],
        ["--course", "x"],
        ["--date", "2026-01-01"],
        ["--resume"],
        ["--abandon"],
        ["--trace", "trace.txt"],
    ],
)
def test_what_the_file_says_is_no_option(run: Run, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SCENARIO % 2, *options) == 2
    err = capsys.readouterr().err
    assert options[0] in err and "cannot be used with --scenario" in err and len(err.splitlines()) == 1


def test_a_scenario_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "--scenario", str(tmp_path / "nowhere.yaml")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_recording_may_not_be_the_scenario(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SCENARIO % 2, "--record", str(tmp_path / "scenario.yaml")) == 2
    assert (tmp_path / "scenario.yaml").read_text(encoding="utf-8") == SCENARIO % 2
    assert run(SCENARIO % 2, "--record", str(tmp_path / "no" / "run.pcapng")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_no_recording_has_room_for_is_refused_before_it_runs(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = '  - fault: drop\n    when: frame("COUNT", 2)\n'
    assert run(SCENARIO % 2 + fault * 900, "--record", str(tmp_path / "run.pcapng")) == 2
    err = capsys.readouterr().err
    assert "--record: too many faults for a recording" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "run.pcapng").exists() and not (tmp_path / "log.sqlite").exists()


@WITH_A_FULL_DEVICE
def test_a_recording_on_a_full_disk_is_one_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SCENARIO % 2, "--record", "/dev/full") == 1
    assert capsys.readouterr().err == (
        "devicectl: --record: cannot write /dev/full: No space left on device; name a file in a folder that exists\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C of one process needs POSIX signals")
def test_ctrl_c_is_one_line_and_leaves_no_recording(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text((SCENARIO % 2).replace("12,", "9000,").replace("area_cm2: 4", "area_cm2: 900"), encoding="utf-8")
    options = ("--log", tmp_path / "log.sqlite", "--record", tmp_path / "run.pcapng")
    line: list[str | Path] = [*DEVICECTL, "run", "--scenario", file, *options]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        read_until(process, "fault 1 fired")
        interrupt(process)
        _, err = process.communicate(timeout=patience())
        assert process.returncode == 1
    assert err == "devicectl: interrupted, before the run had a verdict\n"
    assert not (tmp_path / "run.pcapng").exists()


def test_whoever_ends_the_run_ends_it_and_starts_no_host_again() -> None:
    async def ended() -> None:
        trial = Trial(a_scenario(declare("interrupt", "cycle == 900"), cores=3_000))
        task = asyncio.ensure_future(trial.run())  # noqa: TID251 - to be cancelled as by Ctrl-C
        await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, in which it begins
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert trial.verdict.lives == 1

    asyncio.run(ended())
