"""`devicectl monitor` as a process, and bare ends of a line: a device that says what the test says."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.patience import patience
from tests.programs import environment

DEVICECTL: Final = (sys.executable, "-P", "-m", "devicectl")


@dataclass(slots=True)
class Watched:
    """A monitor that passes on. `url` is where the host connects; `end` gives the statistics."""

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the URL."""
        host, _, port = self.url.removeprefix("tcp://").rpartition(":")
        return host, int(port)

    def end(self, number: int = signal.SIGINT, code: int = 0) -> str:
        """End it by a signal; all that it has printed since, and on standard error nothing."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=patience())
        assert self.process.returncode == code, (out, err)
        assert not err, err
        return out

    def statistics(self) -> dict[str, Any]:
        """End it; the statistics of --json."""
        said: dict[str, Any] = json.loads(self.end().splitlines()[-1])
        return said

    def line_with(self, text: str) -> str:
        """Wait for a line that has this text."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self.said.append(line)
            if text in line:
                return line
        raise AssertionError(f"no line with {text!r}: {self.said}")


@contextlib.contextmanager
def watched(a: str, b: str, *options: str, through: Sequence[str] = ()) -> Iterator[Watched]:
    """Run a monitor between two ends while the context lasts."""
    with subprocess.Popen(
        [*through, *DEVICECTL, "monitor", a, b, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            if "--json" in options:
                assert line, process.stderr.read()
                url = json.loads(line)["host"]
            else:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                url = line.removeprefix("connect the host to ").partition(";")[0]
            yield Watched(process, url)
        finally:
            if process.poll() is None:
                process.kill()


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    """A device's place at TCP, at which the test accepts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(patience())
        yield server


def address_of(server: socket.socket) -> str:
    """The device URL of a listening socket."""
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


@contextlib.contextmanager
def both_ends(watched: Watched, server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A host's connection through the monitor, and the device's end of it."""
    with socket.create_connection(watched.address, patience()) as host:
        device, _ = server.accept()
        with device:
            device.settimeout(patience())
            yield host, device


def received(sock: socket.socket, size: int) -> bytes:
    """So many bytes, or those up to the end."""
    data = b""
    while len(data) < size and (piece := sock.recv(size - len(data))):
        data += piece
    return data
