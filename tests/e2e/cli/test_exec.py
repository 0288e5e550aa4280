"""`firmware-sim exec`: a device for as long as a command runs."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.text.notice import NOTICE
from tests.e2e.processes import WITH_A_FULL_DEVICE
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, ROOT, environment, firmware_sim

HOST = (
    "import os; from tests.client import serial_port, tcp\n"
    "scheme, _, where = os.environ['HANDPIECE_URL'].partition('://')\n"
    "name, _, port = where.rpartition(':')\n"
    "with serial_port(where) if scheme == 'serial' else tcp((name.strip('[]'), int(port))) as host:\n"
    "    host.link(); host.echo(); print('echoed', scheme)\n"
)

WAITS = "import signal; signal.pause()"
TELLS = (
    "import signal, sys\n"
    "def heard(number, frame): print('heard', signal.Signals(number).name, flush=True); sys.exit(9)\n"
    "signal.signal(signal.SIGTERM, heard); signal.signal(signal.SIGINT, heard)\n"
    "import os; print(os.environ['HANDPIECE_URL'], flush=True); signal.pause()\n"
)


@pytest.mark.parametrize(("options", "scheme"), [([], "tcp"), (["--tcp", "[::1]:0"], "tcp"), (["--pty"], "serial")])
def test_a_host_finds_the_device_in_its_environment(options: list[str], scheme: str) -> None:
    done = firmware_sim("exec", *options, "--", sys.executable, "-c", HOST)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"echoed {scheme}\n"
    assert NOTICE in done.stderr and "seed" in done.stderr


def test_our_own_host_finds_it_too(tmp_path: Path) -> None:
    """Without a word about the device; and the session is not one in virtual time beside it."""
    run = [sys.executable, "-m", "devicectl", "run", "--json", "--target-cores", "6", "--log", str(tmp_path / "log")]
    serving = ("--tcp", "127.0.0.1:0", "--seed", "7", *PARAMETERS)
    done = firmware_sim("exec", *serving, "--", *run)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^device tcp://127\.0\.0\.1:\d+ of \$HANDPIECE_URL$", done.stderr, re.MULTILINE)
    summary = json.loads(done.stdout)
    assert (summary["device"], summary["state"]) == ("SIM-00000007", "completed")
    assert summary["wall_seconds"] >= summary["session_seconds"]


def test_all_addresses_are_in_the_environment() -> None:
    show = "import os; print(os.environ['HANDPIECE_URLS'])"
    done = firmware_sim("exec", "--pty", "--tcp", "127.0.0.1:0", "--json", "--", sys.executable, "-c", show)
    urls = json.loads(done.stdout)
    assert [url.partition("://")[0] for url in urls] == ["serial", "tcp"]
    assert json.loads(done.stderr)["urls"] == urls


@pytest.mark.parametrize("code", [0, 1, 3, 77])
def test_the_exit_code_is_the_commands(code: int) -> None:
    assert firmware_sim("exec", "--", sys.executable, "-c", f"raise SystemExit({code})").returncode == code


@pytest.mark.parametrize(
    "redirected",
    [
        ">&-",
        "2>&-",
        ">&- 2>&-",
        pytest.param(">/dev/full", marks=WITH_A_FULL_DEVICE),
        pytest.param("2>/dev/full", marks=WITH_A_FULL_DEVICE),
    ],
)
@pytest.mark.parametrize("code", [0, 7])
def test_exec_ends_with_the_commands_code_whatever_the_streams_lead_to(
    code: int, redirected: str, tmp_path: Path
) -> None:
    """And they lead there for the command as well; what stands on one that is open is its own."""
    mark = tmp_path / "said"
    done = firmware_sim("exec", "--", "sh", "-c", f"echo out || touch {mark}; exit {code}", redirected=redirected)
    assert done.returncode == code
    assert done.stdout == ("" if redirected.startswith(">") else "out\n")
    assert mark.exists() is redirected.startswith(">")


@WITH_A_FULL_DEVICE
@pytest.mark.parametrize("code", [0, 7])
def test_exec_ends_with_the_commands_code_where_the_disk_is_full_for_the_trace(code: int) -> None:
    done = firmware_sim("exec", "--trace", "/dev/full", "--", "sh", "-c", f"echo ran; exit {code}")
    assert (done.returncode, done.stdout) == (code, "ran\n")
    warning, *announced = done.stderr.splitlines()
    assert warning == "firmware-sim: warning: --trace /dev/full: No space left on device; the trace ends here"
    assert announced[0] == NOTICE and "trace" not in "".join(announced)


@pytest.mark.parametrize(("code", "with_no_report"), [(0, 1), (7, 7)])
def test_a_report_that_cannot_be_written_is_no_verdict_that_passes(
    code: int, with_no_report: int, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    command = ("sh", "-c", f"rmdir {folder}; exit {code}")
    done = firmware_sim("exec", "--report", str(folder / "report.txt"), "--", *command)
    assert done.returncode == with_no_report
    said = f"firmware-sim: --report {folder / 'report.txt'}: No such file or directory"
    assert done.stderr.splitlines()[3:] == [said]


def test_a_command_that_a_signal_ends() -> None:
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert firmware_sim("exec", "--", sys.executable, "-c", dies).returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize(("command", "code"), [("no-such-command-here", 127), (str(ROOT / "pyproject.toml"), 126)])
def test_a_command_that_cannot_run(command: str, code: int) -> None:
    done = firmware_sim("exec", "--", command)
    assert done.returncode == code
    assert command in done.stderr and "Traceback" not in done.stderr


def test_the_commands_own_options_are_its_own() -> None:
    show = "import sys; print(sys.argv[1:])"
    done = firmware_sim("exec", "--", sys.executable, "-c", show, "--tcp", "--", "-x")
    assert done.stdout == "['--tcp', '--', '-x']\n"


def test_a_command_that_takes_too_long_is_told() -> None:
    done = firmware_sim("exec", "--max-seconds", "0.2", "--", sys.executable, "-c", WAITS)
    assert done.returncode == 124
    said = f"firmware-sim: {sys.executable} was ended: it ran for longer than --max-seconds 0.2"
    assert done.stderr.splitlines()[-1] == said


OWN_HOST = (sys.executable, "-m", "devicectl", "run", "--target-cores", "6", "--log")
SESSIONLESS = (sys.executable, "-c", HOST)


@pytest.mark.parametrize(
    ("command", "code", "faults"),
    [
        (OWN_HOST, 0, ""),
        (SESSIONLESS, 1, "no_session, lease_expired_at_rest"),
        ((sys.executable, "-c", ""), 1, "nobody"),
        ((sys.executable, "-c", "raise SystemExit(7)"), 7, "nobody"),
    ],
)
def test_a_strict_verdict_is_the_reports_too(command: tuple[str, ...], code: int, faults: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    line = (*command, str(tmp_path / "log")) if command is OWN_HOST else command
    lenient = firmware_sim("exec", "--report", str(path), *PARAMETERS, "--", *line)
    assert lenient.returncode == (7 if code == 7 else 0), lenient.stderr
    done = firmware_sim("exec", "--strict", "--report", str(path), *PARAMETERS, "--", *line)
    assert done.returncode == code, done.stderr
    said = [text for text in done.stderr.splitlines() if text.startswith("firmware-sim: ")]
    report = json.loads(path.read_text())
    assert report["ok"] is (code == 0)
    if code == 0:
        assert said == [] and [host["ok"] for host in report["hosts"]] == [True]
    else:
        (told,) = said
        assert told.startswith("firmware-sim: --strict: the report is not good: ")
        assert set(told.rpartition(": ")[2].split(", ")) <= set(faults.split(", "))
    assert firmware_sim("exec", "--strict", *PARAMETERS, "--", *line).returncode == code, "with no report to be written"


def test_strict_is_for_exec_alone() -> None:
    done = firmware_sim("serve", "--strict")
    assert done.returncode == 2 and "--strict" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_device_ends_with_the_command(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*FIRMWARE_SIM, "exec", "--", sys.executable, "-c", TELLS],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        name, _, port = process.stdout.readline().strip().removeprefix("tcp://").rpartition(":")
        process.send_signal(number)
        assert process.stdout.read() == f"heard {number.name}\n"
        assert process.wait(patience()) == 9
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((name, int(port)))


def test_a_device_that_cannot_be_is_no_run_of_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    done = firmware_sim("exec", "--tcp", "127.0.0.1", "--", sys.executable, "-c", f"open({str(mark)!r}, 'w')")
    assert done.returncode == 2 and not mark.exists()
