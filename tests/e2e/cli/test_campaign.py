"""`devicectl campaign` as a process: its exit codes, its report in every form, Ctrl-C, and the command that repeats."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from firmware_sim.clock import monotonic
from handpiece_shell.recording_file import read_recording
from protocols.language.units import SECOND
from tests.e2e.processes import DEVICECTL, WITH_A_FULL_DEVICE, devicectl, interrupt, one_line, read_until, started
from tests.patience import patience

FEW = ("campaign", "--sessions", "3", "--cycles", "2", "--jobs", "1")
TOO_PATIENT = "{waits_ms: [600000], heard: 0, kinds: {disconnect: {on: 1, for_ms: 3600000}}}"
"""Persons who wait so long between two tries that no session ends within its bound."""
CALM = "{mqtt: 0, kinds: {drop: {on: 0.3}}}"


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """A profile, in a place that a shell has to be told with quotes."""
    path = tmp_path / "too patient.yaml"
    path.write_text(TOO_PATIENT)
    return path


def test_right_sessions_are_exit_code_0_with_the_rule_of_three() -> None:
    done = devicectl(*FEW, code=0)
    assert "0 of 3 sessions were wrong or stuck: below 3 in 3 at 95 %" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "3 of 3 seeds, 3 sessions, 0 wrong or stuck" in done.stderr


def test_json_is_one_object_and_the_same_as_the_report(tmp_path: Path) -> None:
    report, junit = tmp_path / "report.json", tmp_path / "junit.xml"
    done = devicectl(*FEW, "--json", "--report", report, "--junit", junit, code=0)
    data = json.loads(done.stdout)
    assert data == json.loads(report.read_text("utf-8"))
    assert (data["sessions"], data["simulator"], data["failures"]) == (3, True, [])
    assert ElementTree.parse(junit).getroot().get("failures") == "0"


def test_a_session_that_failed_is_exit_code_1_and_its_command_repeats_it(stuck: Path, tmp_path: Path) -> None:
    junit, record = tmp_path / "junit.xml", tmp_path / "first.pcapng"
    done = devicectl(*FEW, "--profile", stuck, "--junit", junit, "--record", record, code=1)
    command = next(line for line in done.stdout.splitlines() if line.startswith("    devicectl "))
    said = next(line for line in done.stdout.splitlines() if line.startswith("seed "))
    again = devicectl(*shlex.split(command)[1:], code=1)
    assert said in again.stdout and "1 of 1 sessions were wrong or stuck" in again.stdout
    failure = ElementTree.parse(junit).getroot().find(".//failure")
    assert failure is not None and failure.text is not None and command.strip() in failure.text
    with read_recording(str(record)) as capture:
        assert f"seed {capture.comment['seed']}:" in said
        assert capture.comment["verdict"]["stuck"] in said
        assert list(capture.packets)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--sessions", "0"), "0 is not a whole number from 1 to"),
        (("--cycles", "many"), "--cycles"),
        (("--profile", "nowhere.yaml"), "nowhere.yaml"),
        (("--cluster", "127.0.0.1:8786"), "no scheduler; for example tcp://127.0.0.1:8786"),
        (("--cluster", "tcp://127.0.0.1:1", "--jobs", "2"), "cannot be used with --cluster"),
        (("--report", "same", "--junit", "same"), "same"),
        (("--exhaustive", "3"), "3 is not a whole number from 1 to 2"),
        (("--exhaustive", "1", "--sessions", "3"), "--sessions: cannot be used with --exhaustive"),
        (("--exhaustive", "1", "--wire", "carrier pigeon"), "is no wire; there are serial and mqtt"),
        (("--wire", "mqtt"), "--wire: needs --exhaustive"),
        (("--seed", str(2**64 - 2), "--sessions", "3"), f"--seed: must be at most {2**64 - 3}: each of the 3 sessions"),
        (("--report", "no/such/folder"), "cannot write no/such/folder"),
        (("--record", "no/such/folder"), "cannot write no/such/folder"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(arguments: tuple[str, ...], says: str) -> None:
    assert says in one_line(devicectl("campaign", *arguments, code=2))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{kinds: {drop: {on: 2}}}", "kinds.drop.on = 2"),
        ("{kinds: {dorp: {on: 1}}}", "dorp"),
        ("{kinds: {}, waits_ms: [0]}", "waits_ms"),
        ("{", "profile.yaml"),
        ("", "profile.yaml"),
    ],
)
def test_a_wrong_profile_is_one_line_and_exit_code_2(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    said = one_line(devicectl("campaign", "--profile", path, code=2))
    assert says in said and str(path) in said


def test_a_cluster_that_is_not_there_is_one_line_and_exit_code_3(package: Callable[[str], None]) -> None:
    package("distributed")
    began = monotonic()
    done = devicectl("campaign", "--cluster", "tcp://127.0.0.1:1", code=3)
    assert one_line(done) == "devicectl: no Dask scheduler at tcp://127.0.0.1:1 within 2 s"
    assert monotonic() - began < patience(5) * SECOND


@WITH_A_FULL_DEVICE
def test_a_report_that_cannot_be_written_to_standard_output_is_exit_code_1() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*DEVICECTL, *FEW], stdout=full, stderr=subprocess.PIPE, text=True, timeout=patience(), check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("devicectl: standard output cannot be written")


@WITH_A_FULL_DEVICE
def test_a_full_disk_at_the_end_is_exit_code_1_and_costs_the_other_files_nothing(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    done = devicectl(*FEW, "--report", "/dev/full", "--junit", junit, code=1)
    assert done.stderr.splitlines()[-1].startswith("devicectl: --report: cannot write /dev/full: No space left")
    assert ElementTree.parse(junit).getroot().get("failures") == "0"


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C of one process needs POSIX signals")
def test_ctrl_c_reports_what_was_judged_so_far(tmp_path: Path) -> None:
    profile, report, junit = tmp_path / "calm.yaml", tmp_path / "report.json", tmp_path / "junit.xml"
    profile.write_text(CALM)
    options = ("--sessions", "40", "--cycles", "500", "--jobs", "1", "--profile", profile)
    line: list[str | Path] = [*DEVICECTL, "campaign", *options, "--report", report, "--junit", junit]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        read_until(process, " of 40 seeds")
        interrupt(process)
        said, _ = process.communicate(timeout=patience())
        assert process.returncode == 130, said
    assert "Traceback" not in said
    data = json.loads(report.read_text("utf-8"))
    assert 0 < data["sessions"] < 40
    assert data["claim"] in said
    assert ElementTree.parse(junit).getroot().get("failures") == "0"


def test_where_all_is_right_nothing_is_recorded_and_an_older_file_stays(tmp_path: Path) -> None:
    devicectl(*FEW, "--record", tmp_path / "first.pcapng", code=0)
    assert list(tmp_path.iterdir()) == []
    older = tmp_path / "older.pcapng"
    older.write_bytes(b"of last night")
    devicectl(*FEW, "--record", older, code=0)
    assert older.read_bytes() == b"of last night"


@WITH_A_FULL_DEVICE
def test_a_recording_on_a_full_disk_is_exit_code_1_after_the_report(stuck: Path) -> None:
    done = devicectl(*FEW, "--profile", stuck, "--record", "/dev/full", code=1)
    assert "3 of 3 sessions were wrong or stuck" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("devicectl: --record: cannot write /dev/full: No space left")


def test_a_session_that_failed_is_recorded_as_small_as_it_gets_beside_one_that_is_right(
    stuck: Path, tmp_path: Path
) -> None:
    record = tmp_path / "first.pcapng"
    done = devicectl(*FEW, "--profile", stuck, "--record", record, code=1)
    commands = [line for line in done.stderr.splitlines() if line.startswith("devicectl replay ")]
    assert [command.rpartition("/")[2] for command in commands] == ["first.small.pcapng", "first.passing.pcapng"]
    for command, word in zip(commands, ("stuck", "right"), strict=True):
        assert f"all equal; verdict: {word}" in devicectl(*command.split()[1:], code=0).stdout
    with read_recording(str(tmp_path / "first.small.pcapng")) as capture:
        assert len(capture.comment["scenario"]["faults"]) == 1


def test_all_single_faults_of_one_cycle_are_tried_and_the_claim_has_its_bounds(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = devicectl("campaign", "--exhaustive", "1", "--cycles", "1", "--wire", "mqtt", "--report", report, code=0)
    data = json.loads(report.read_text("utf-8"))
    assert data["tried"] == data["singles"] == data["singles_done"] > 700
    assert (data["skipped"], data["without_effect"], data["failures"]) == (0, 0, [])
    assert f"all {data['tried']} single faults of 1 cycles: 0 wrong, 0 stuck" in done.stdout
    assert "bounds of this claim: seed 1, mqtt, version" in done.stdout
    assert "flip" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
