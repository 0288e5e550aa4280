"""A device that takes a command and never ends it: the program ends with a sentence, and a signal ends it at once."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.processes import DEVICECTL, devicectl, one_line, read_until, started, wait_until
from tests.patience import patience
from tests.programs import serve

NEVER_ENDS: Final = """
import sys
from firmware_sim.cli import main
from firmware_sim.device import Device
from protocols.language.messages import Received
names = sys.argv.pop(1).split(",")
carry_out = Device._command
def command(self, port, commanded, now):
    if type(commanded.command).__name__ in names:
        port.exchange.reply(commanded.correlation_id, Received(expected_ms=100), now)
    else:
        carry_out(self, port, commanded, now)
Device._command = command
main()
"""
QUICK: Final = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01", "--tcp", "127.0.0.1:0")
BOUND_S: Final = 15
"""Seconds of the lease at rest: a command as a whole has longer. Who ends before it was not ended by it."""


def never_ends(*names: str) -> tuple[str, ...]:
    return (sys.executable, "-c", NEVER_ENDS, ",".join(names))


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("DEVICECTL_LOG", str(path))
    return path


def test_session_open_is_given_up_with_exit_3() -> None:
    lease = ("--param", "lease_idle_ms=1000", "--param", "heartbeat_idle_ms=300")
    with serve(*QUICK, *lease, program=never_ends("SessionOpen")) as served:
        said = one_line(devicectl("run", "--device", served.urls[0], code=3))
    assert said.startswith("devicectl: the device took SessionOpen and never ended it: it was received "), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_obeyed_while_a_session_is_never_opened(number: signal.Signals, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with serve(*QUICK, "--trace", str(trace), program=never_ends("SessionOpen")) as served:
        line = [*DEVICECTL, "run", "--device", served.urls[0]]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            wait_until(lambda: "Received" in trace.read_text(encoding="utf-8"), "RECEIVED")
            process.send_signal(number)
            out, err = process.communicate(timeout=patience(BOUND_S - 1))
    assert process.returncode == 1, out + err
    assert err == (
        "devicectl: interrupted; the device did not end SessionOpen for too long and was left by BYE; "
        "it may hold a session open now, which --abandon closes\n"
    )


@pytest.mark.parametrize("never", ["Stop", "SessionClose"])
def test_a_signal_is_obeyed_while_a_session_is_never_closed(never: str) -> None:
    """STOP or the close is never ended: what stays open is said."""
    with serve(*QUICK, program=never_ends(never)) as served:
        line = [*DEVICECTL, "run", "--device", served.urls[0], "--explain"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            said = read_until(process, "uction")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=patience(BOUND_S - 1))
        assert process.returncode == 1, said + out + err
        assert f"the device did not end {never} for too long and was left by BYE" in out
        assert "session 1 stays open: --resume continues it, --abandon closes it" in out
        assert "Traceback" not in out + err


def test_a_signal_is_obeyed_by_abandon() -> None:
    with serve(*QUICK, program=never_ends("SessionClose")) as served:
        line = [*DEVICECTL, "run", "--device", served.urls[0], "--explain"]
        with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            read_until(process, "uction")
            process.kill()
            process.wait(patience())
        again = [*DEVICECTL, "run", "--device", served.urls[0], "--abandon"]
        with started(again, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            read_until(process, "device tcp://")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=patience(BOUND_S - 1))
        assert process.returncode == 1 and "interrupted" in err, out + err
