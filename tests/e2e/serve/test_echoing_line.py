"""A line that echoes: a terminal with ECHO on, as a shell or a terminal program leaves it."""

import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from protocols.language import messages as M
from protocols.language.enums import DeviceState, Role, Stream
from tests.client import Client, serial_port, tcp
from tests.e2e.processes import read_until, started, wait_until
from tests.patience import patience
from tests.programs import environment, serve

ARMED_HOST: Final = """
import sys
from tests.client import serial_port
from tests.e2e.serve.test_serve_report import arm
from tests.patience import patience
with serial_port(sys.argv[1]) as host:
    arm(host)
    print("armed", flush=True)
    host.pump(lambda: False, 3600)
"""
QUICK: Final = ("--param", "anesthesia_wait_s=0")


@contextmanager
def echoing(path: str) -> Iterator[None]:
    """`stty echo -echoctl` on a port that somebody else has open."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        settings = termios.tcgetattr(port)
        settings[3] = (settings[3] | termios.ECHO) & ~termios.ECHOCTL
        termios.tcsetattr(port, termios.TCSANOW, settings)
        yield
    finally:
        os.close(port)


def test_an_armed_device_whose_host_was_killed_is_safe_within_its_lease(tmp_path: Path) -> None:
    report, trace = tmp_path / "report.txt", tmp_path / "trace.txt"
    shown = ("--report", str(report), "--trace", str(trace))
    with serve("--pty", "--tcp", "127.0.0.1:0", *QUICK, *shown) as served:
        line = [sys.executable, "-c", ARMED_HOST, served.pty]
        with (
            started(line, stdout=subprocess.PIPE, env=environment()) as host,
            tcp(served.tcp, host_id=2, role=Role.VIEWER) as viewer,
        ):
            read_until(host, "armed")
            viewer.link()
            viewer.ask(M.StreamSet(stream=Stream.STATE, interval_ms=50))
            with echoing(served.pty):
                wait_until(lambda: "THE LINE ECHOES" in trace.read_text(encoding="utf-8"), "an echo")
                assert state(viewer).state is DeviceState.ARMED
                host.kill()
                host.wait(patience())
                killed_at = state(viewer).uptime_ms
                while (now := state(viewer)).state is DeviceState.ARMED:
                    # The lease is 600 ms; the rest is for a busy machine. It stayed armed for good.
                    assert now.uptime_ms - killed_at < 5_000
                assert now.state is DeviceState.SAFE
        assert served.stop() == 0
    assert "The line echoes: " in report.read_text(encoding="utf-8")


def test_a_host_goes_on_over_a_port_whose_other_end_hears_itself() -> None:
    with serve("--pty") as served, serial_port(served.pty) as host:
        host.link()
        with echoing(served.pty):
            for _ in range(3):
                host.echo()
            assert host.lost is None


def state(viewer: Client) -> M.TelemetryState:
    """The next one that comes."""
    message = viewer.await_told(M.TelemetryState)
    assert isinstance(message, M.TelemetryState)
    return message
