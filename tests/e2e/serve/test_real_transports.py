"""Whole sessions over real transports in real time, with the link cut, the device killed and the host killed."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from devicectl.log.store import SessionLog
from devicectl.transports import serial_port
from tests.e2e.lines import Line, PtyLine, TcpLine
from tests.e2e.processes import DEVICECTL, KEYS, read_until, started, wait_until
from tests.e2e.processes import devicectl as run_devicectl
from tests.e2e.sessions import LONG_LEASE, PARAMETERS, PHASES, QUERY, When, assert_exact, whole_session
from tests.patience import patience
from tests.programs import Served, serve

TRANSPORTS: Final = {"tcp": ("--tcp", "127.0.0.1:0"), "pty": ("--pty",)}
"""How a device is served on each."""


@pytest.fixture(params=[*TRANSPORTS, "pty, by threads"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of them; a serial port also as it is read where an event loop cannot wait for it."""
    name, _, by_threads = request.param.partition(", ")
    if by_threads:
        monkeypatch.setattr(serial_port, "has_descriptor", lambda port: False)
    return str(name)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("DEVICECTL_LOG", str(path))
    return path


# --- whole ways --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["sim+tcp", "sim+pty"])
def test_a_simulator_of_its_own(scheme: str, log: Path) -> None:
    url = f"{scheme}://?{QUERY}"
    done = run_devicectl("run", "--json", "--device", url, "--seed", "7", "--target-cores", "30", code=0)
    summary = json.loads(done.stdout)
    assert (summary["seed"], summary["device"], summary["simulated"]) == (7, "SIM-00000007", True)
    assert summary["wall_seconds"] >= summary["session_seconds"] > 0
    assert_exact(log)


@pytest.mark.asyncio
async def test_a_device_that_runs_already(transport: str, log: Path) -> None:
    with serve(*TRANSPORTS[transport], *PARAMETERS) as served:
        summary = await whole_session(served.urls[0], log)
        assert summary.succeeded and summary.cores_evacuated is not None
    assert_exact(log)


@pytest.mark.asyncio
async def test_serial_through_a_bridge_to_tcp(program: Callable[[str], str], log: Path, tmp_path: Path) -> None:
    link = tmp_path / "ttyHandpiece"
    with serve("--tcp", "127.0.0.1:0", *PARAMETERS) as served:
        host, port = served.tcp
        bridge = [program("socat"), f"PTY,link={link},raw,echo=0", f"TCP:{host}:{port},nodelay"]
        with started(bridge, stderr=subprocess.DEVNULL):
            wait_until(link.exists, "socat's pty")
            assert (await whole_session(f"serial://{link}?baud=115200", log)).succeeded
    assert_exact(log)


@pytest.mark.parametrize("scheme", ["sim+tcp", "sim+pty"])
def test_ctrl_c_stops_a_device_of_its_own(scheme: str, log: Path) -> None:
    """The foreground group gets a terminal's Ctrl-C; the simulator outlives it until the session is closed."""
    line = [*DEVICECTL, "run", "--explain", "--device", f"{scheme}://?{QUERY}"]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        said = read_until(process, "Suction:")
        signal_group(process, signal.SIGINT)
        out, _ = process.communicate(timeout=patience())
        assert process.returncode == 1 and "Traceback" not in out, said + out
    assert_exact(log, state="aborted")


def signal_group(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    import os

    os.killpg(process.pid, number)


# --- the link is cut and made again ------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["command", "answer"])
@pytest.mark.asyncio
async def test_the_link_is_cut_in_each_phase(transport: str, lost: str, log: Path, tmp_path: Path) -> None:
    with serve(*TRANSPORTS[transport], *PARAMETERS, LONG_LEASE) as served:
        line: Line = TcpLine(served) if transport == "tcp" else PtyLine(served, tmp_path / "ttyHandpiece")
        act = line.cut if lost == "command" else line.cut_at_answer
        observer = When(*((phase, act) for phase in PHASES))
        async with line.listening() as url:
            summary = await whole_session(url, log, observer)
            assert line.cuts == len(PHASES)
        assert not observer.waiting and summary.succeeded
    assert_exact(log)
    with SessionLog.open(log) as opened:
        notes = opened.load(1).notes
    losses = [note.detail for note in notes if note.name == "link_lost"]
    assert len(losses) == len(PHASES), losses


# --- the device is killed ----------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_the_device_is_killed_in_each_phase(transport: str, log: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:

        def start(*where: str) -> Served:
            seed = ("--seed", "7") if transport == "tcp" else ()  # else the first one draws it, and the memory keeps it
            return stack.enter_context(serve(*where, "--nvm", str(tmp_path / "nvm"), *seed, *PARAMETERS))

        link = str(tmp_path / "ttyHandpiece")
        running = [start("--pty", "--link", link) if transport == "pty" else start("--tcp", "127.0.0.1:0")]

        def restart() -> None:
            running[-1].kill()
            if transport == "pty":
                running.append(start("--pty", "--link", link))
            else:
                running.append(start("--tcp", f"127.0.0.1:{running[-1].tcp[1]}"))

        observer = When(*((phase, restart) for phase in PHASES))
        summary = await whole_session(running[0].urls[0], log, observer)
        assert not observer.waiting and len(running) == len(PHASES) + 1
        assert {served.said["serial"] for served in running} == {summary.device}
        assert (summary.state, summary.reconciled) == ("completed", True)
    assert_exact(log)


# --- the host is killed ------------------------------------------------------------------------------------------


KILLED_AT: Final = ("session 1 on", "each zone was numbed", "Armed:", "The hand is to go", "Closing:")
"""What the host says as it enters each phase that it tells of when it begins."""
KILLED_IN: Final = ("Punch", "Suction", "Advance", "Count")
"""What it has sent in each of the others, as the device's trace has it."""


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("when", [*KILLED_AT, *KILLED_IN])
def test_the_host_is_killed_and_resumes(when: str, transport: str, log: Path, tmp_path: Path) -> None:
    trace = tmp_path / "device.trace"
    with serve(*TRANSPORTS[transport], "--trace", str(trace), *PARAMETERS) as served:
        line = [*DEVICECTL, "run", "--explain", "--device", served.urls[0], "--target-cores", "12"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            if when in KILLED_IN:
                wait_until(lambda: re.search(rf"host>device .* {when} ", trace.read_text()) is not None, when)
            else:
                read_until(process, when)
            process.kill()
            process.wait()
        done = run_devicectl("run", "--resume", "--json", "--device", served.urls[0], code=0)
        assert json.loads(done.stdout)["session_id"] == 1
        assert_exact(log)
        assert "nothing to abandon" in run_devicectl("run", "--abandon", "--device", served.urls[0], code=0).stdout


def test_both_are_killed_and_a_device_that_was_given_no_seed_resumes(log: Path, tmp_path: Path) -> None:
    options = ("--tcp", "127.0.0.1:0", "--nvm", str(tmp_path / "nvm"), *PARAMETERS)
    with serve(*options) as served:
        line = [*DEVICECTL, "run", "--explain", "--device", served.urls[0], "--target-cores", "30"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            read_until(process, "Count:")
            served.kill()
            process.kill()
            process.wait()
    with serve(*options) as again:
        assert (again.said["seed"], again.said["serial"]) == (served.said["seed"], served.said["serial"])
        done = run_devicectl("run", "--resume", "--json", "--device", again.urls[0], code=0)
        assert json.loads(done.stdout)["session_id"] == 1
    assert_exact(log)


def test_a_killed_hosts_session_is_abandoned(log: Path, tmp_path: Path) -> None:
    other = ("--log", str(tmp_path / "other.sqlite"))
    with serve("--tcp", "127.0.0.1:0", "--seed", "7", *PARAMETERS) as served:
        url = ("--device", served.urls[0])
        for known in (True, False):
            with started([*DEVICECTL, "run", "--explain", *url], stdout=subprocess.PIPE) as process:
                read_until(process, "Cycle")
                process.kill()
                process.wait()
            refused = run_devicectl("run", *url, code=1).stderr.strip()
            assert refused.endswith("--resume continues it, --abandon closes it")
            assert "does not know it; --abandon closes it" in run_devicectl("run", *url, *other, code=1).stderr
            assert "does not know it" in run_devicectl("run", "--resume", *url, *other, code=1).stderr
            done = run_devicectl("run", "--abandon", "--json", *url, *(() if known else other), code=0)
            assert ("session aborted, reconciled" if known else "this log has nothing of it") in done.stderr
            summary = json.loads(done.stdout)
            assert list(summary) == KEYS and summary["state"] == "aborted"
            assert (summary["session_id"] == 1) is known and (summary["cycles"] is not None) is known
        done = run_devicectl("run", "--abandon", "--json", *url, code=0)
        assert "nothing to abandon" in done.stderr
        known_of_none = {"simulated": True, "seed": 7, "device": "SIM-00000007", "state": "none", "log": str(log)}
        assert json.loads(done.stdout) == {**dict.fromkeys(KEYS), **known_of_none}
    assert_exact(log, state="aborted")
