"""A program that is told to end while it connects to a broker ends at once, whatever the broker's host does."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.patience import patience
from tests.programs import environment

PATIENT: Final = """
import sys
from protocols.mqtt import broker
broker.CONNECT_TIMEOUT_S = 3600
from {package} import main
sys.argv = {arguments}
main()
"""
"""A program that gives a connection an hour."""
SERVE: Final = ("firmware_sim.cli", "firmware-sim", "serve", "--mqtt")
RUN: Final = ("devicectl.cli", "devicectl", "run", "--log", "log.sqlite", "--device")


@pytest.mark.parametrize(("package", "arguments"), [(SERVE[0], SERVE[1:]), (RUN[0], RUN[1:])], ids=["device", "host"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_tls_is_not_answered(package: str, arguments: tuple[str, ...], number: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(patience())
        url = f"mqtts://127.0.0.1:{silent.getsockname()[1]}/bench/sim-7"
        code = PATIENT.format(package=package, arguments=[*arguments, url])
        with subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=tmp_path,
        ) as program:
            try:
                connection, _ = silent.accept()
                with connection:
                    connection.settimeout(patience())
                    assert connection.recv(1), "it does not begin with TLS"
                    program.send_signal(number)
                    _, err = program.communicate(timeout=patience())
            finally:
                program.kill()
    assert program.returncode in (1, 130)
    assert len(err.splitlines()) == 1 and ("it was asked to by a signal" in err or "interrupted" in err), err
