"""`devicectl run` as a process: its JSON, its exit codes, its one-line errors, Ctrl-C, pipes and terminals."""

import hashlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from protocols.text.notice import NOTICE
from tests.e2e.processes import (
    DEVICECTL,
    KEYS,
    WITH_A_FULL_DEVICE,
    devicectl,
    interrupt,
    one_line,
    read_until,
    started,
)
from tests.e2e.sessions import PARAMETERS, assert_retracted_and_vented
from tests.patience import patience
from tests.programs import environment, serve

FEW = ("--target-cores", "30")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The session log of this test, by environment."""
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("DEVICECTL_LOG", str(path))
    return path


def exported(session_id: int, format: str = "jsonl") -> str:
    return devicectl("sessions", "export", str(session_id), "--format", format, code=0).stdout


def shown(session_id: int) -> dict[str, str]:
    lines = devicectl("sessions", "show", str(session_id), code=0).stdout.splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines if "\t" in line}


# --- a session ---------------------------------------------------------------------------------------------------


def test_json_is_one_object_with_the_products_keys(log: Path) -> None:
    done = devicectl("run", "--json", "--seed", "7", *FEW, code=0)
    (line,) = done.stdout.splitlines()
    summary = json.loads(line)
    assert list(summary) == KEYS
    assert (summary["state"], summary["reconciled"], summary["simulated"]) == ("completed", True, True)
    assert (summary["seed"], summary["session_id"], summary["log"]) == (7, 1, str(log))
    assert summary["cores_counted"] >= summary["target_cores"] == 30
    assert NOTICE in done.stderr


def test_the_default_session_is_the_procedure_that_is_modeled(log: Path) -> None:
    """10,000 cores in half an hour of device time, 4 % to 8 % of the skin. Any one seed lies in these bands."""
    summary = json.loads(devicectl("run", "--json", "--seed", "7", code=0).stdout)
    assert (summary["state"], summary["reconciled"]) == ("completed", True)
    assert 10_000 == summary["target_cores"] <= summary["cores_counted"]
    assert summary["cores_counted"] < summary["cores_evacuated"] < summary["punctures"]
    assert 1_650 <= summary["session_seconds"] <= 1_960
    assert 4 <= summary["coverage_percent"] <= 8
    assert (summary["simulated"], summary["session_id"], summary["log"]) == (True, 1, str(log))
    listed = devicectl("sessions", "list", code=0).stdout.splitlines()[-1].split("\t")
    assert listed[5:] == [
        str(summary["cores_counted"]),
        str(summary["cores_evacuated"]),
        f"{summary['coverage_percent']:.2f} %",
        "yes",
    ]


def test_plain_output_says_what_it_is_and_what_came_of_it(log: Path) -> None:
    lines = devicectl("run", *FEW, code=0).stdout.splitlines()
    assert lines[0] == NOTICE
    assert re.fullmatch(r"device sim://, seed \d+", lines[1]), "a drawn seed is printed"
    progress = [line for line in lines if "cores/s" in line]
    assert 8 <= len(progress) <= 10
    assert all(
        re.search(r"\d+ of 30 cores, [\d.]+ cores/s, coverage [\d.]+ %, \d+ min \d\d s left", line) for line in progress
    )
    assert any(line.startswith("session completed, reconciled:") for line in lines)
    assert lines[-1] == f"log: {log}, session 1"


def test_explain_narrates_every_phase_and_count(log: Path) -> None:
    said = devicectl("run", "--explain", "--seed", "7", "--target-cores", "60", code=0).stdout
    for word in ("numbed", "Armed:", "Punch:", "Suction:", "Advance:", "Count:", "Cycle 1, in cell 1", "Closing:"):
        assert word in said
    assert len(re.findall(r"^ *[\d.]+ s  Cycle \d+[:,]", said, re.MULTILINE)) == 23
    times = [float(found) for found in re.findall(r"^ *([\d.]+) s  ", said, re.MULTILINE)]
    assert times == sorted(times) and len(times) > 30
    narrated = [line for line in said.splitlines() if line.startswith("  ")]
    assert max(len(line) for line in narrated) <= 80
    assert all(line[12:14] == "  " and line[14] != " " for line in narrated), "broken between words, and indented"
    assert "*** ALARM MC-0601 ACTIVE" in said


def test_explain_says_by_whom_the_anesthesia_was_confirmed(log: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("target_cores: 3\noperator: {confirmed_by: nurse Ratched}\n")
    assert "5 zones, by automatic operator." in " ".join(devicectl("run", "--explain", *FEW, code=0).stdout.split())
    assert "5 zones, by nurse Ratched." in " ".join(devicectl("run", "--explain", "--plan", plan).stdout.split())


@pytest.mark.parametrize("arguments", [("--explain",), ()])
def test_a_wait_has_a_countdown(log: Path, arguments: tuple[str, ...]) -> None:
    """Five minutes in six seconds, whatever else the machine does: some of the marks are met."""
    done = devicectl("run", *arguments, "--speed", "50", "--target-cores", "3", code=0)
    left = re.findall(r"^(\d):(\d\d) until the anesthesia can be confirmed$", done.stdout, re.MULTILINE)
    seconds = [int(minutes) * 60 + int(rest) for minutes, rest in left]
    assert 0 < len(seconds) <= 6 and seconds == sorted(seconds, reverse=True) and seconds[0] < 300
    assert "until" not in devicectl("run", *arguments, "--target-cores", "3", code=0).stdout, "no time passes"


def test_trace_has_both_directions_decoded(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    devicectl("run", "--trace", path, "--target-cores", "6", code=0)
    lines = path.read_text().splitlines()
    assert lines[0] == NOTICE
    assert any(" host>device  " in line and "Punch" in line and "cycle_no=1" in line for line in lines)
    assert any(" device>host  " in line and "CountDone" in line for line in lines)
    assert not [line for line in lines if "BAD" in line or "UNKNOWN" in line]


def test_a_plan_from_a_file(log: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("target_cores: 20\ncoverage_percent: 5\nzones: [{name: chin, area_cm2: 4}]\n")
    summary = json.loads(devicectl("run", "--json", "--plan", plan, code=0).stdout)
    assert summary["target_cores"] == 20 <= summary["cores_counted"]


def test_a_plan_that_cannot_be_reached_is_exit_1(log: Path, tmp_path: Path) -> None:
    """Every second core goes unseen: the cells are used up before the target."""
    url = "sim://?seed=7&sensor_false_negative_p=0.5&count_stop=199&count_warn=198"
    plan = tmp_path / "plan.yaml"
    plan.write_text("target_cores: 90\ncoverage_percent: 6\nzones: [{name: chin, area_cm2: 2}]\n")
    done = devicectl("run", "--json", "--device", url, "--plan", plan, code=1)
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["state"], summary["reconciled"]) == ("aborted", True)
    assert len(done.stderr.splitlines()[-1]) > 20 and done.stderr.splitlines()[-1].startswith("devicectl: ")


# --- the same seed, the same bytes -------------------------------------------------------------------------------


def test_the_same_seed_in_two_processes_gives_the_same_session(tmp_path: Path) -> None:
    def run_once(name: str, hash_seed: str) -> tuple[list[dict[str, Any]], str]:
        log, trace = tmp_path / f"{name}.sqlite", tmp_path / f"{name}.trace"
        env = {"DEVICECTL_LOG": str(log), "PYTHONHASHSEED": hash_seed}
        common = ("--seed", "11", "--course", "spring", "--date", "2026-03-01", "--target-cores", "300")
        devicectl("run", *common, "--trace", trace, env=env, code=0)
        lines = devicectl("sessions", "export", "1", "--format", "jsonl", env=env, code=0).stdout.splitlines()
        return [without_wall(json.loads(line)) for line in lines], hashlib.sha256(trace.read_bytes()).hexdigest()

    assert run_once("first", "0") == run_once("second", "4711")


def test_a_memory_file_has_the_seed(log: Path, tmp_path: Path) -> None:
    url = f"sim://?nvm={tmp_path / 'nvm'}"
    first = json.loads(devicectl("run", "--json", "--device", url, *FEW, code=0).stdout)
    lines = devicectl("run", "--device", url, *FEW, code=0).stdout.splitlines()
    assert lines[1:3] == [f"device {url}", f"seed {first['seed']}, kept in {tmp_path / 'nvm'}"]
    assert lines[3] == f"{first['device']} is a simulator"
    assert f"session 2 on {first['device']}" in lines[4]
    done = devicectl("run", "--device", url, "--seed", str(first["seed"] + 1), code=2)
    assert f"{first['seed'] + 1} is not the seed {first['seed']} of the device in" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("devicectl: ")]) == 1


def without_wall(value: Any) -> Any:
    """An export's object without wall times."""
    if isinstance(value, dict):
        return {name: without_wall(inner) for name, inner in value.items() if "wall" not in name}
    return [without_wall(inner) for inner in value] if isinstance(value, list) else value


def test_a_course_in_another_unicode_form_is_the_same_course(log: Path) -> None:
    for form in ("NFC", "NFD"):
        course = unicodedata.normalize(form, "Frühjahr Ä")
        done = devicectl("run", "--json", "--target-cores", "3", "--course", course, code=0)
        assert json.loads(done.stdout)["course"] == unicodedata.normalize("NFC", course)
    assert "sessions should be 28 days apart or more" in done.stderr


# --- what is wrong is one line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "x"], "--seed"),
        (["--seed", "-1"], "whole number from 0"),
        (["--seed", "9" * 30], "whole number from 0"),
        (["--seed", "1", "--device", "sim://?seed=2"], "give one of them"),
        (["--seed", "1", "--device", "tcp://127.0.0.1:1"], "runs already"),
        (["--speed", "20", "--device", "sim://?speed=2"], "--speed: 20 is not the URL's speed 2; give one of them"),
        (["--speed", "max", "--device", "sim://?speed=2"], "max is not the URL's speed 2; give one of them"),
        (["--speed", "20", "--device", "sim://?speed=max"], "20 is not the URL's speed max; give one of them"),
        (["--speed", "0"], "--speed 10"),
        (["--speed", "nan"], "--speed 10"),
        (["--speed", "2&seed=3"], "--speed 10"),
        (["--speed", "1", "--device", "tcp://127.0.0.1:1"], "lease"),
        (["--speed", "max", "--device", "sim+tcp://"], "lease"),
        (["--target-cores", "0"], "from 1 to"),
        (["--target-cores", "900000"], "must be at most"),
        (["--target-cores", "many"], "'--target-cores': 'many' is not a whole number; for example 60"),
        (["--seed", "0x7"], "'--seed': '0x7' is not a whole number"),
        (["--date", "2026-02-30"], "2026-03-31"),
        (["--date", "20260301"], "2026-03-31"),
        (["--date", "tomorrow"], "2026-03-31"),
        (["--course", ""], "1 to 80"),
        (["--course", "  "], "1 to 80"),
        (["--course", "a\x1b[2Jb"], "1 to 80"),
        (["--resume", "--abandon"], "--abandon"),
        (["--resume", "--target-cores", "5"], "--target-cores"),
        (["--abandon", "--course", "spring"], "--course"),
        (["--plan", "/nowhere/plan.yaml"], "--plan /nowhere/plan.yaml: cannot be read: "),
        (["--plan", "/"], "/"),
        (["--trace", "/nowhere/trace"], "folder that exists"),
        (["--device", "http://x"], "sim://"),
        (["--device", "tcp://127.0.0.1"], "port"),
        (["--device", "tcp://a..b:1"], "'a..b' is no host name"),
        (["--device", "mqtt://broker..example/x/y"], "'broker..example' is no host name"),
        (["--device", "sim://?anesthesia_wait=1"], "did you mean anesthesia_wait_s? (`firmware-sim serve --help`"),
        (["--device", "sim://?sed=1"], "sed: no such option or parameter; did you mean seed?"),
        (["--device", "sim://?foo=1"], "foo: no such option or parameter (`firmware-sim serve --help`"),
        (["--device", "sim+tcp://?sed=1"], "sed: no such option or parameter; did you mean seed?"),
        (["--device", "sim://?baud=1200"], "4800 is the least"),
        (["--device", "sim://?anesthesia_wait_s=-1"], "anesthesia_wait_s"),
        (["--device", "sim://?nvm=/nowhere/x"], "/nowhere/x"),
        (["--device", "sim+tcp://?anesthesia_wait=1"], "anesthesia_wait_s"),
        (["--device", "tcp://\x1b[2J:1"], "printed"),
        (["--bogus"], "--bogus"),
        (["extra"], "extra"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_arguments_are_exit_2(log: Path, arguments: list[str], said: str) -> None:
    done = devicectl("run", "--json", *arguments, code=2)
    lines = [line for line in done.stderr.splitlines() if line != NOTICE and not line.startswith("device ")]
    assert len(lines) == 1 and lines[0].startswith("devicectl: ") and said in lines[0], done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "url", ["sim://?needles=99", "sim://?needle=3", "sim+tcp://?needles=99", "sim+mqtt://?needles=99"]
)
@pytest.mark.parametrize("of_environment", [False, True])
def test_a_wrong_parameter_is_found_before_any_file_is_touched(
    log: Path, tmp_path: Path, url: str, of_environment: bool
) -> None:
    trace = tmp_path / "trace"
    trace.write_text("precious")
    named = {"HANDPIECE_URL": url} if of_environment else {}
    done = devicectl("run", "--trace", trace, *(() if of_environment else ("--device", url)), env=named, code=2)
    assert f"device URL {url.partition('?')[0]}...: needle" in one_line(done)
    assert ("$HANDPIECE_URL" in done.stderr) == of_environment
    assert done.stdout == "" and trace.read_text() == "precious" and not log.exists()


def test_the_table_of_parameters_is_for_simulated_devices_alone() -> None:
    program = "import sys; from devicectl.cli import call; call(sys.argv[1:]); print('firmware_sim' in sys.modules)"
    for url, loaded in (("tcp://127.0.0.1:1", "False"), ("sim://", "True")):
        line = [sys.executable, "-P", "-c", program, "run", "--device", url, "--log", "/nowhere/log"]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        assert done.stdout == f"{loaded}\n", done.stderr


@pytest.mark.parametrize(
    ("url", "arguments", "said"),
    [
        ("tcp://127.0.0.1:1", ["--speed", "1"], "over tcp:// of $HANDPIECE_URL it would"),
        ("tcp://127.0.0.1:1", ["--seed", "1"], "tcp:// of $HANDPIECE_URL leads to one that runs already"),
        ("tcp://127.0.0.1", [], "$HANDPIECE_URL: device URL tcp://...: port"),
    ],
)
def test_the_environment_is_named_where_it_is_at_fault(log: Path, url: str, arguments: list[str], said: str) -> None:
    assert said in one_line(devicectl("run", *arguments, env={"HANDPIECE_URL": url}, code=2))


@pytest.mark.parametrize("scheme", ["rfc2217", "socket", "loop", "hwgrep", "spy", "alt", "cp2110"])
def test_a_url_of_pyserials_is_a_sentence_and_exit_2(log: Path, scheme: str) -> None:
    said = one_line(devicectl("run", "--device", f"serial://{scheme}://127.0.0.1", code=2))
    assert f"device URL serial://...: path: {scheme}:// " in said


@pytest.mark.parametrize(("url", "arguments"), [("", ()), ("tcp://127.0.0.1:1", ("--device", "sim://"))])
def test_an_option_or_nothing_is_not_the_environment(log: Path, url: str, arguments: tuple[str, ...]) -> None:
    lines = devicectl("run", *FEW, *arguments, env={"HANDPIECE_URL": url}, code=0).stdout.splitlines()
    assert re.fullmatch(r"device sim://, seed \d+", lines[1])


def test_a_simulated_device_of_the_environment_takes_seed_and_speed(log: Path) -> None:
    env = {"HANDPIECE_URL": "sim://?anesthesia_wait_s=1"}
    lines = devicectl("run", *FEW, "--seed", "7", "--speed", "max", env=env, code=0).stdout.splitlines()
    assert lines[1] == "device sim://?anesthesia_wait_s=1 of $HANDPIECE_URL, seed 7"


@pytest.mark.parametrize(
    "text", ["target_cores: many\n", "a: [b\n", "zones: []\n", "target_cores: 10\ntarget_cores: 11\n"]
)
def test_wrong_plans_are_exit_2(log: Path, tmp_path: Path, text: str) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    assert str(plan) in one_line(devicectl("run", "--plan", plan, code=2))


def test_a_plan_that_is_no_regular_file_is_exit_2_and_nobody_waits_for_it(log: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.yaml")
    said = f"devicectl: --plan {tmp_path / 'plan.yaml'}: is no regular file: must be a plan in YAML or JSON"
    assert one_line(devicectl("run", "--plan", tmp_path / "plan.yaml", code=2)) == said


def test_no_device_is_exit_3(log: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for url in (f"tcp://127.0.0.1:{port}", "serial:///dev/nowhere", "tcp://no.such.host.invalid:1"):
            done = devicectl("run", "--json", "--device", url, code=3)
            assert done.stderr.splitlines()[-1].startswith("devicectl: cannot "), done.stderr
            assert done.stdout == ""


def test_somebody_else_on_the_port_is_exit_3(log: Path) -> None:
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        done = devicectl("run", "--device", f"tcp://127.0.0.1:{mute.getsockname()[1]}", code=3)
    assert "does not answer" in done.stderr


def test_a_folder_of_the_users_does_not_stand_for_ours(tmp_path: Path) -> None:
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    line = [*DEVICECTL, "run", "--help"]
    done = subprocess.run(line, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=patience())
    assert done.returncode == 0, done.stderr


def test_without_arguments_there_is_help_and_exit_2() -> None:
    done = devicectl(code=2)
    assert "run" in done.stdout and "sessions" in done.stdout and NOTICE in " ".join(done.stdout.split())
    assert devicectl("--version", code=0).stdout.startswith("devicectl ")


# --- courses -----------------------------------------------------------------------------------------------------


def test_a_course_warns_under_28_days_and_the_log_has_it(log: Path) -> None:
    def session(date: str, course: str = "spring") -> "subprocess.CompletedProcess[str]":
        return devicectl("run", "--course", course, "--date", date, *FEW, code=0)

    assert "warning" not in session("2026-03-01").stdout
    early = session("2026-03-28", " spring ").stdout
    assert early.count("warning") == 1 and "27 days after session 1 of 2026-03-01" in early
    assert "warning" not in session("2026-04-25").stdout
    listed = devicectl("sessions", "list", code=0).stdout.splitlines()
    assert [line.split("\t")[:3] for line in listed[2:]] == [
        ["1", "2026-03-01", "spring"],
        ["2", "2026-03-28", "spring"],
        ["3", "2026-04-25", "spring"],
    ]
    assert "27 days" in devicectl("sessions", "show", "2", code=0).stdout
    assert shown(1)["reconciled"] == "yes"
    assert NOTICE in exported(1, "csv")


# --- Ctrl-C ------------------------------------------------------------------------------------------------------


def begun(log: Path, *arguments: str) -> list[str]:
    return [*DEVICECTL, "run", "--seed", "7", *arguments]


def assert_interrupted(process: "subprocess.Popen[str]", said: str) -> None:
    out, err = process.communicate(timeout=patience())
    said += out
    assert process.returncode == 1, said + err
    assert "Traceback" not in said + err
    assert "interrupted" in said and "session aborted, reconciled" in said
    assert "log: " in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        (("--speed", "1"), "session 1 on"),
        (("--speed", "1", "--device", "sim://?anesthesia_wait_s=1", "--explain"), "Suction:"),
        (("--speed", "1", "--device", "sim://?anesthesia_wait_s=1", "--explain"), "The hand is to go"),
        (("--target-cores", "11000"), "1100 of 11000"),
    ],
)
def test_ctrl_c_stops_the_device_and_closes_the_session(log: Path, arguments: tuple[str, ...], seen: str) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(begun(log, *arguments), **pipes) as process:
        said = read_until(process, seen)
        interrupt(process)
        assert_interrupted(process, said)
    assert (shown(1)["state"], shown(1)["reconciled"]) == ("aborted", "yes")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_does_what_ctrl_c_does(log: Path, number: signal.Signals) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    arguments = ("--speed", "1", "--device", "sim://?anesthesia_wait_s=1", "--explain")
    with started(begun(log, *arguments), **pipes) as process:
        said = read_until(process, "Suction:")
        process.send_signal(number)
        assert_interrupted(process, said)
    assert (shown(1)["state"], shown(1)["reconciled"]) == ("aborted", "yes")


def test_a_signal_stops_a_device_that_is_not_simulated_here(log: Path) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with serve("--tcp", "127.0.0.1:0", *PARAMETERS) as served:
        with started([*DEVICECTL, "run", "--explain", "--device", served.urls[0]], **pipes) as process:
            said = read_until(process, "Suction:")
            process.send_signal(signal.SIGTERM)
            assert_interrupted(process, said)
        assert assert_retracted_and_vented(served.tcp).session_no == 0
    assert (shown(1)["state"], shown(1)["reconciled"]) == ("aborted", "yes")


def test_sigterm_ends_what_was_started_in_the_background(log: Path) -> None:
    """Ctrl-C is ignored there; what ends it must be heard."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    line = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *begun(log, "--speed", "1")]
    with started(line, **pipes) as process:
        said = read_until(process, "session 1 on")
        interrupt(process)
        process.send_signal(signal.SIGTERM)
        assert_interrupted(process, said)


def test_sighup_is_ignored_where_it_was_to_be(log: Path) -> None:
    """As `nohup` has it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    line = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *begun(log, "--target-cores", "2000")]
    with started(line, **pipes) as process:
        said = read_until(process, "session 1 on")
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=patience())
        assert process.returncode == 0, said + out + err
    assert shown(1)["state"] == "completed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_at_once_end_it_in_order(log: Path, number: signal.Signals) -> None:
    """As `timeout` ends a program and then its whole group."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    url = "sim://?anesthesia_wait_s=0&reposition_mean_s=0.01&vacuum_tau_s=0.05"
    arguments = ("--speed", "0.2", "--explain", "--device", url)
    with started(begun(log, *arguments), **pipes) as process:
        said = read_until(process, "Suction:")
        process.send_signal(number)
        process.send_signal(number)
        assert_interrupted(process, said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_before_a_session_leaves_nothing(log: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        line = [*begun(log)[:-2], "--device", f"tcp://127.0.0.1:{mute.getsockname()[1]}"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            read_until(process, "device tcp://")
            mute.settimeout(patience())
            connection, _ = mute.accept()
            process.send_signal(number)
            out, err = process.communicate(timeout=patience())
            connection.close()
            assert (process.returncode, err) == (1, "devicectl: interrupted\n"), out + err


# --- pipes and terminals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), ("--explain",), ("--json",)])
def test_a_reader_that_goes_away_is_no_traceback(log: Path, arguments: tuple[str, ...]) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(begun(log, "--target-cores", "3000", *arguments), **pipes) as process:
        assert process.stdout is not None and process.stderr is not None
        if "--json" not in arguments:
            read_until(process, "session 1 on")
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(patience()) == 1, err
        assert "Traceback" not in err and "Exception ignored" not in err
    assert shown(1)["state"] == "completed", "printing decides about no session"


LOST = [
    pytest.param(">/dev/full", "", "No space left on device", marks=WITH_A_FULL_DEVICE, id="full"),
    pytest.param(">/dev/full", "1", "No space left on device", marks=WITH_A_FULL_DEVICE, id="full, unbuffered"),
    pytest.param(">&-", "", "it is closed", id="closed"),
]


@pytest.mark.parametrize(("redirected", "unbuffered", "reason"), LOST)
def test_output_that_is_lost_is_one_line_and_exit_1(log: Path, redirected: str, unbuffered: str, reason: str) -> None:
    def lost(*arguments: str, code: int = 1) -> str:
        through = ("sh", "-c", f'exec "$@" {redirected}', "sh")
        env = {"PYTHONUNBUFFERED": unbuffered}
        done = devicectl(*arguments, code=code, through=through, env=env)
        assert done.stdout == ""
        return done.stderr

    said = f"devicectl: standard output cannot be written: {reason}"
    assert lost("run", *FEW) == f"{said}; session 1 is in the log {log}\n"
    assert lost("run", "--json", *FEW).splitlines()[-1] == f"{said}; session 2 is in the log {log}"
    for command in (("list",), ("export", "1", "--format", "csv")):
        assert lost("sessions", *command) == f"{said}\n"
    assert lost("--version") == f"{said}\n"
    assert lost("run", "--seed", "x", code=2).count("\n") == 1, "what is wrong is told as ever"
    assert devicectl("sessions", "list", code=0).stdout.count("completed") == 2


@pytest.mark.parametrize("redirected", [pytest.param("2>/dev/full", marks=WITH_A_FULL_DEVICE), "2>&-"])
def test_progress_that_is_lost_is_no_failure(log: Path, redirected: str) -> None:
    through = ("sh", "-c", f'exec "$@" {redirected}', "sh")
    assert json.loads(devicectl("run", "--json", *FEW, code=0, through=through).stdout)["state"] == "completed"
    done = devicectl("run", "--seed", "x", code=2, through=through)
    assert done.stdout + done.stderr == ""


def on_a_terminal(line: list[str], log: Path, term: str = "xterm") -> tuple[int, str]:
    """Run a command with a pty for output; its exit code and everything it wrote."""
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": term, "COLUMNS": "100", "LINES": "24"}
    process = subprocess.Popen(line, stdout=slave, stderr=slave, stdin=subprocess.DEVNULL, env=env)
    os.close(slave)
    said = b""
    try:
        while select.select([master], [], [], patience())[0]:
            try:
                piece = os.read(master, 65_536)
            except OSError:  # the last writer has closed it
                break
            if not piece:
                break
            said += piece
        return process.wait(patience()), said.decode()
    finally:
        os.close(master)
        if process.poll() is None:
            process.kill()
            process.wait()


def test_on_a_terminal_the_bar_moves(log: Path) -> None:
    code, said = on_a_terminal(begun(log, "--target-cores", "10000"), log)
    assert code == 0
    assert "\x1b[" in said
    seen = {int(found) for found in re.findall(r"(\d+)/10000 cores", said)}
    assert len(seen) > 3, "it moves"
    assert NOTICE in said and "session completed, reconciled" in said
    assert said.count("\x1b[?25l") == said.count("\x1b[?25h"), "the cursor is back"


def test_on_a_terminal_that_can_only_go_on_there_are_plain_lines(log: Path) -> None:
    code, said = on_a_terminal(begun(log, "--target-cores", "2000"), log, term="dumb")
    assert code == 0 and "\x1b" not in said
    assert len(re.findall(r" of 2000 cores, \d", said)) > 3


def test_on_a_terminal_explain_is_plain(log: Path) -> None:
    code, said = on_a_terminal(begun(log, "--explain", "--target-cores", "6"), log)
    assert code == 0 and "\x1b" not in said and "Punch:" in said


def test_on_a_terminal_an_alarm_stands_out(log: Path) -> None:
    arguments = ("--explain", "--device", "sim://?seed=7&clog_hazard=0.1", "--target-cores", "60")
    code, said = on_a_terminal([*DEVICECTL, "run", *arguments], log)
    assert code == 0 and re.search(r"\x1b\[1;31m +[\d.]+ s  \*\*\* ALARM MC-\d+ ACTIVE[^\x1b]+\x1b\[0m", said)
    code, said = on_a_terminal([*DEVICECTL, "run", *arguments], log, term="dumb")
    assert code == 0 and "\x1b" not in said and "*** ALARM MC-" in said


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [((), r"numbing, \d:\d\d left"), (("--explain",), r"\r\d:\d\d until the anesthesia can be confirmed +\r {40,}\r")],
)
def test_on_a_terminal_a_wait_counts_down_in_place(log: Path, arguments: tuple[str, ...], seen: str) -> None:
    code, said = on_a_terminal(begun(log, *arguments, "--speed", "50", "--target-cores", "3"), log)
    assert code == 0 and re.search(seen, re.sub(r"(\r\d:\d\d until [a-z ]+)+", r"\1", said)), said
    assert "session completed, reconciled" in said
