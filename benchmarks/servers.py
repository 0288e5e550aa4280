"""Servers to be measured: how each is started, what it is asked, and when its answer is whole.

Law: every server is a process of this Python, on the loopback interface or a pseudo-terminal; it is ended by the number
of its process.
"""

import contextlib
import importlib.util
import json
import os
import random
import select
import socket
import subprocess
import sys
import sysconfig
import termios
import time
import timeit
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from benchmarks.sessions import COMPILED
from protocols.language.enums import Role
from protocols.language.messages import Echo, Hello, Welcome
from protocols.link.header import REPLY_WANTED
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message

COMPILED_NAME: Final = "firmware-sim compiled, uvloop"
START_LIMIT_S: Final = 30.0
ANSWER_LIMIT_S: Final = 5.0
POLL_S: Final = 0.002
ECHO_DATA: Final = bytes(range(8))


class Line(Protocol):
    """An open way to a server."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def receive(self) -> bytes:
        """Return what has come; waits for something."""

    def close(self) -> None:
        """Close."""


class TcpLine:
    """A TCP connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_LIMIT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Return what has come."""
        data = self._socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def close(self) -> None:
        """Close."""
        self._socket.close()


class PtyLine:
    """A pseudo-terminal."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)
        termios.tcflush(self._fd, termios.TCIOFLUSH)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        os.write(self._fd, data)

    def receive(self) -> bytes:
        """Return what has come."""
        if not select.select([self._fd], [], [], ANSWER_LIMIT_S)[0]:
            raise TimeoutError("no answer on the pseudo-terminal")
        return os.read(self._fd, 4096)

    def close(self) -> None:
        """Close."""
        os.close(self._fd)


class Talk(Protocol):
    """Questions to a server. `greet` and `requests` make them; `complete` says when an answer is whole."""

    def greet(self, line: Line) -> None:
        """The first question, answered."""

    def requests(self, count: int) -> list[bytes]:
        """Ready-made questions, each another one where the server can tell."""

    def complete(self, request: bytes, answer: bytes) -> bool:
        """Return true if `answer` is the whole answer to `request`."""


class LineTalk:
    """A question and an answer, each ended by `end`."""

    def __init__(self, question: bytes, end: bytes) -> None:
        self._question, self._end = question + end, end

    def greet(self, line: Line) -> None:
        """Ask once."""
        ask(line, self, self._question)

    def requests(self, count: int) -> list[bytes]:
        """The same question."""
        return [self._question] * count

    def complete(self, request: bytes, answer: bytes) -> bool:
        """The end is there."""
        return answer.endswith(self._end)


class EchoTalk:
    """The bytes of our own frames, given back as they are."""

    def greet(self, line: Line) -> None:
        """Ask once."""
        ask(line, self, b"greeting")

    def requests(self, count: int) -> list[bytes]:
        """Make the same as for our own server."""
        return echo_frames(1, count)

    def complete(self, request: bytes, answer: bytes) -> bool:
        """Return true once as many bytes came back as were sent."""
        return len(answer) >= len(request)


class HandpieceTalk:
    """HELLO, and then ECHO frames with rising correlation ids."""

    def __init__(self) -> None:
        self._link_id = 0
        self._random = random.Random("hello")

    def greet(self, line: Line) -> None:
        """HELLO, WELCOME."""
        hello = Hello(
            majors=1 << 1,
            minor=0,
            role=Role.VIEWER,
            features=0,
            schema_id=0,
            host_id=1,
            max_payload_size=224,
            nonce=self._random.getrandbits(32),
        )
        line.send(encode_message(hello, seq=1, correlation_id=1, flags=REPLY_WANTED))
        decoder = FrameDecoder()
        while True:
            for item in decoder.feed(line.receive()):
                answer = decode_message(item) if isinstance(item, Frame) else None
                if isinstance(answer, Welcome):
                    self._link_id = answer.link_id
                    return

    def requests(self, count: int) -> list[bytes]:
        """ECHO frames of this link."""
        return echo_frames(self._link_id, count)

    def complete(self, request: bytes, answer: bytes) -> bool:
        """An echo is as long as its question."""
        return len(answer) >= len(request)


def echo_frames(link_id: int, count: int) -> list[bytes]:
    """ECHO commands, ready to be sent, each with its own numbers."""
    echo = Echo(data=ECHO_DATA)
    return [
        encode_message(echo, seq=number, link_id=link_id, correlation_id=number, flags=REPLY_WANTED)
        for number in range(2, count + 2)
    ]


def ask(line: Line, talk: Talk, request: bytes) -> bytes:
    """One round trip."""
    line.send(request)
    answer = line.receive()
    while not talk.complete(request, answer):
        answer += line.receive()
    return answer


def round_trips_per_s(line: Line, talk: Talk, count: int) -> float:
    """Round trips a second, one after the other on one line."""
    talk.greet(line)
    requests = talk.requests(count)
    start = timeit.default_timer()
    for request in requests:
        ask(line, talk, request)
    return count / (timeit.default_timer() - start)


@dataclass(frozen=True)
class Server:
    """`command(place)` is its command line, for a port number or the path of a pseudo-terminal."""

    name: str
    wire: str
    command: Callable[[str, Path], list[str]]
    make_talk: Callable[[], Talk]
    package: str | None = None
    needs_compiled: bool = False
    """True if it runs in the environment of `COMPILED`."""

    @property
    def installed(self) -> bool:
        """True if what it is made of is there."""
        if self.needs_compiled:
            return bool(COMPILED)
        return self.package is None or importlib.util.find_spec(self.package) is not None


class Running:
    """A started server. `first_answer_s` is from before its start to its first whole answer."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.talk = server.make_talk()
        self._place = str(_free_port()) if server.wire == "tcp" else str(folder / f"{server.name}.pty")
        start = timeit.default_timer()
        self.process = subprocess.Popen(
            server.command(self._place, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            line = self._first_line(start)
            self.talk.greet(line)
            self.first_answer_s = timeit.default_timer() - start
            line.close()
        except BaseException:
            self.stop()
            raise

    def open(self) -> Line:
        """A line to it."""
        return TcpLine(int(self._place)) if self.server.wire == "tcp" else PtyLine(Path(self._place))

    def _first_line(self, start: float) -> Line:
        while timeit.default_timer() - start < START_LIMIT_S:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.server.name} ended with {self.process.returncode}")
            try:
                return self.open()
            except OSError:
                time.sleep(POLL_S)  # noqa: TID251 - this is what is measured: when it begins to listen
        raise TimeoutError(f"{self.server.name} did not come up within {START_LIMIT_S} s")

    def rate(self, count: int) -> float:
        """Round trips a second, one after the other on one line."""
        line, talk = self.open(), self.talk
        try:
            talk.greet(line)
            requests = talk.requests(count)
            start = timeit.default_timer()
            for request in requests:
                ask(line, talk, request)
            return count / (timeit.default_timer() - start)
        finally:
            line.close()

    def memory_mib(self) -> dict[str, float] | None:
        """Resident and proportional set size; None where the system does not say."""
        try:
            lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("Rss:", "Pss:"))}
        return {"rss": round(sizes["Rss"], 1), "pss": round(sizes["Pss"], 1)}

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# --- the servers ---------------------------------------------------------------------------------------------------


def _ours(place: str, folder: Path) -> list[str]:
    where = ["--tcp", f"127.0.0.1:{place}"] if place.isdecimal() else ["--pty", "--link", place]
    return [sys.executable, "-m", "firmware_sim", "serve", "--json", "--seed", "7", *where]


def _compiled(place: str, folder: Path) -> list[str]:
    return [COMPILED, "-P", *_ours(place, folder)[1:]]


def _bare(place: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.peers.echo", "tcp" if place.isdecimal() else "pty", place]


def _bare_uvloop(place: str, folder: Path) -> list[str]:
    return [COMPILED, "-P", str(Path(__file__).parent / "peers" / "echo.py"), "uvloop", place]


def _sinstruments(place: str, folder: Path) -> list[str]:
    transport = (
        {"type": "tcp", "url": ["127.0.0.1", int(place)]} if place.isdecimal() else {"type": "serial", "url": place}
    )
    device = {"class": "Motor", "package": "benchmarks.peers.motor", "name": "motor", "transports": [transport]}
    path = folder / f"sinstruments-{'tcp' if place.isdecimal() else 'pty'}.json"
    path.write_text(json.dumps({"devices": [device]}), encoding="utf-8")
    return [sys.executable, "-m", "sinstruments.simulator", "-c", str(path)]


def _lewis(place: str, folder: Path) -> list[str]:
    script = Path(sysconfig.get_path("scripts")) / "lewis"
    stream = f"stream: {{bind_address: 127.0.0.1, port: {place}}}"
    return [sys.executable, str(script), "-k", "lewis.examples", "example_motor", "-p", stream, "-o", "error"]


SERVERS: Final = (
    Server("firmware-sim", "tcp", _ours, HandpieceTalk),
    Server(COMPILED_NAME, "tcp", _compiled, HandpieceTalk, needs_compiled=True),
    Server("bare asyncio echo", "tcp", _bare, EchoTalk),
    Server("bare uvloop echo", "tcp", _bare_uvloop, EchoTalk, needs_compiled=True),
    Server("sinstruments", "tcp", _sinstruments, lambda: LineTalk(b"P?", b"\n"), "sinstruments"),
    Server("lewis", "tcp", _lewis, lambda: LineTalk(b"P?", b"\r\n"), "lewis"),
    Server("firmware-sim", "pty", _ours, HandpieceTalk),
    Server("bare asyncio echo", "pty", _bare, EchoTalk),
    Server("sinstruments", "pty", _sinstruments, lambda: LineTalk(b"P?", b"\n"), "sinstruments"),
)
"""lewis has no serial line."""


@contextlib.contextmanager
def all_running(servers: list[Server], folder: Path) -> Iterator[list[Running]]:
    """All of them at once, idle until they are asked."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Running(server, folder)) for server in servers]
