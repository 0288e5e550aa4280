"""Round trips by RFC 2217 beside those over our TCP, and beside ser2net before the same device's pseudo-terminal.

    python -m benchmarks.gateway.round_trips [--rounds N] [--count N]

Law: one client, which is the same for both gateways; in each round each way is taken once, and a ratio is made within a
round.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.servers import ANSWER_LIMIT_S, POLL_S, START_LIMIT_S, HandpieceTalk, Line, TcpLine, round_trips_per_s
from benchmarks.sessions import spread
from protocols.telnet.codec import escape
from protocols.telnet.com_port import LineSettings
from protocols.telnet.remote import RemotePort

OURS, TCP, SER2NET = "firmware-sim/rfc2217", "firmware-sim/tcp", "ser2net before firmware-sim/pty"
COUNT: Final = 2_000
_SBIN: Final = ("/usr/sbin", "/usr/local/sbin")
"""Folders where Debian has programs that users do not start."""


class TelnetLine(TcpLine):
    """The port of a gateway, which is set before it is used."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._remote = RemotePort(LineSettings(115_200))
        try:
            while not self._remote.ready:
                self._socket.sendall(self._remote.take())
                self._remote.feed(super().receive())
        except BaseException:
            self.close()
            raise
        self._socket.sendall(self._remote.take())

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(escape(data))

    def receive(self) -> bytes:
        """Return what has come."""
        data = b""
        while not data:
            data = b"".join(item for item in self._remote.feed(super().receive()) if isinstance(item, bytes))
        return data


def measure(rounds: int, count: int, folder: Path) -> dict[str, Any]:
    """Measure the round trips a second of each server, and the ratios of ours; without ser2net there is none to it."""
    rates: dict[str, list[float]] = {}
    with _lines(folder) as lines:
        for _ in range(rounds):
            for name, line in lines.items():
                rates.setdefault(name, []).append(round_trips_per_s(line, HandpieceTalk(), count))
    return {
        "round_trips_per_s": {name: spread(values, 0) for name, values in rates.items()},
        "of_ours": {
            name: spread([ours / other for ours, other in zip(rates[OURS], values, strict=True)], 2)
            for name, values in rates.items()
            if name != OURS
        },
    }


@contextlib.contextmanager
def _lines(folder: Path) -> Iterator[dict[str, Line]]:
    """Open a line to each server, of one device for all."""
    link, tcp, rfc2217 = folder / "gateway.pty", _free_port(), _free_port()
    where = ["--pty", "--link", str(link), "--tcp", f"127.0.0.1:{tcp}", "--rfc2217", f"127.0.0.1:{rfc2217}"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(_started([sys.executable, "-m", "firmware_sim", "serve", "--json", "--seed", "7", *where]))
        lines: dict[str, Line] = {}
        for name, opens, port in ((OURS, TelnetLine, rfc2217), (TCP, TcpLine, tcp)):
            lines[name] = _opened(opens, port)
            stack.callback(lines[name].close)
        program = shutil.which("ser2net") or shutil.which("ser2net", path=os.pathsep.join(_SBIN))
        if program is not None:
            port, config = _free_port(), folder / "ser2net.yaml"
            connector = f"serialdev(nouucplock),{link},115200n81,local"
            accepter = f"telnet(rfc2217),tcp(nodelay),127.0.0.1,{port}"
            lines_of = f"  accepter: {accepter}\n  connector: {connector}\n  options:\n    chardelay: false\n"
            config.write_text(f"connection: &device\n{lines_of}", "utf-8")  # by default it waits for more to come
            stack.enter_context(_started([program, "-n", "-d", "-c", str(config)]))
            lines[SER2NET] = _opened(TelnetLine, port)
            stack.callback(lines[SER2NET].close)
        yield lines


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(ANSWER_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _opened(opens: Callable[[int], Line], port: int) -> Line:
    start = timeit.default_timer()
    while True:
        try:
            return opens(port)
        except OSError:
            if timeit.default_timer() - start > START_LIMIT_S:
                raise
            time.sleep(POLL_S)  # noqa: TID251 - until it listens


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.round_trips", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments.rounds, arguments.count, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
