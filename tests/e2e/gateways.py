"""Programs of others between our two ends: ser2net as a gateway, and whatever listens at a port."""

import contextlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.processes import wait_until
from tests.patience import patience


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Return True if somebody listens there, without a connection that would keep others out."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    return any(f":{port:04X} 00000000:0000 0A" in line for line in lines)


@contextlib.contextmanager
def running(*command: str, port: int) -> Iterator[None]:
    """A program of the system, once it listens at `port`."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listens(port), command[0])
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(patience())


@contextlib.contextmanager
def ser2net(program: str, folder: Path, accepter: str, connector: str) -> Iterator[int]:
    """The port of a ser2net that connects what comes there."""
    port, config = free_port(), folder / "ser2net.yaml"
    config.write_text(
        f"connection: &device\n  accepter: {accepter},127.0.0.1,{port}\n  connector: {connector}\n", encoding="utf-8"
    )
    with running(program, "-n", "-d", "-c", str(config), port=port):
        yield port
