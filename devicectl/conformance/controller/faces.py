"""Faces of the line to the command: TCP, RFC 2217 or a pseudo-terminal, each in front of one simulated device.

Law: bytes only. What becomes of them is `line.Line`'s to say; here they get their sockets and their time.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, Protocol

from devicectl import clock
from devicectl.conformance.controller.gateway import Gateway, Socket
from devicectl.conformance.controller.line import Line, Turns
from devicectl.conformance.controller.publications import TopicsLine
from devicectl.conformance.controller.scene import Scene, Speed
from devicectl.conformance.controller.tape import Closed, Tape
from protocols.language.units import Micros
from protocols.mqtt.wire import DeviceWire

TICK_S: Final = 0.02
"""Seconds between looks at the spells of a line."""
READ_SIZE: Final = 4096
CRUMB_BYTES: Final = 5
CRUMB_PAUSE_S: Final = 0.0005
AGAIN_S: Final = 0.05
"""Seconds after which a pseudo-terminal's device is looked for again."""
OPEN_LIMIT_S: Final = 10.0
"""Seconds until a pseudo-terminal is there."""
Send = Callable[[bytes], None]


class Taken:
    """State that the connections of one run share: tape, turns of the tampers, and the clock since its beginning."""

    def __init__(self, scene: Scene, tape: Tape, device: tuple[str, int]) -> None:
        self.scene = scene
        self.tape = tape
        self.device = device
        self.lines = 0
        self.gone = ""
        """Reason why a broker carries no more; "" while it does."""
        self._turns: dict[str, Turns] = {}
        self._began = clock.monotonic()

    @property
    def now(self) -> Micros:
        """Time since the beginning."""
        return Micros(clock.monotonic() - self._began)

    def line(self) -> Line:
        """Make the line of a further connection."""
        self._opened()
        return Line(self.tape, self.lines - 1, self.scene.tampers, self._turns)

    def topics_line(self, wire: DeviceWire) -> TopicsLine:
        """Make the line of a further client behind a broker."""
        self._opened()
        return TopicsLine(self.tape, self.lines - 1, self.scene.tampers, self._turns, wire)

    def _opened(self) -> None:
        self.lines += 1
        self.tape.opened.append(self.now)


class Face(Protocol):
    """An open face."""

    @property
    def url(self) -> str:
        """The URL for the command."""


class _Url:
    def __init__(self, url: str) -> None:
        self.url = url


async def _carry(taken: Taken, line: Line, device: asyncio.StreamReader, to_host: Send, to_device: Send) -> None:
    """Carry what the device says until it has closed."""
    while data := await device.read(READ_SIZE):
        out = line.from_device(data, taken.now)
        to_device(bytes(out.to_device))
        await _send(taken, bytes(out.to_host), to_host)


def _writing(writer: asyncio.StreamWriter) -> Send:
    """Return what writes to an end as long as it is there: asyncio warns on standard error of who goes on."""

    def write(data: bytes) -> None:
        if data and not writer.is_closing():
            writer.write(data)

    return write


async def _until_gone(work: Coroutine[object, object, None]) -> None:
    """Do what lasts until an end of a connection has gone."""
    with contextlib.suppress(OSError):
        await work


async def _send(taken: Taken, data: bytes, to_host: Send) -> None:
    if taken.scene.speed is Speed.WHOLE:
        to_host(data)
        return
    for start in range(0, len(data), CRUMB_BYTES):
        to_host(data[start : start + CRUMB_BYTES])
        await clock.pause(CRUMB_PAUSE_S)


async def _tick(taken: Taken, line: Line, to_host: Send) -> None:
    while True:
        await clock.pause(TICK_S)
        if data := bytes(line.tick(taken.now).to_host):
            to_host(data)


def tcp_face(taken: Taken, folder: Path) -> AbstractAsyncContextManager[Face]:
    """Listen for plain connections while the context lasts."""
    return _listening(taken, "tcp", Socket)


def rfc2217_face(taken: Taken, folder: Path) -> AbstractAsyncContextManager[Face]:
    """Listen as a gateway does that has a serial port for each connection, while the context lasts."""
    return _listening(taken, "rfc2217", Gateway)


@contextlib.asynccontextmanager
async def _listening(taken: Taken, scheme: str, make_end: Callable[[], Socket]) -> AsyncIterator[Face]:
    """Listen while the context lasts; each connection has one of its own to the device."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _serve(taken, reader, writer, make_end())
        except (OSError, asyncio.CancelledError):
            pass  # an end that has gone first is on the tape
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield _Url(f"{scheme}://127.0.0.1:{port}")
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks), timeout=1)


async def _serve(taken: Taken, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: Socket) -> None:
    """Carry one connection of the command to its end."""
    device, device_writer = await asyncio.open_connection(*taken.device)
    line, write, to_device = taken.line(), _writing(writer), _writing(device_writer)

    def to_host(data: bytes) -> None:
        write(end.say(data))

    async def ask() -> None:
        while data := await reader.read(READ_SIZE):
            heard = end.hear(data)
            write(end.take())
            out = line.from_host(heard, taken.now)
            to_device(bytes(out.to_device))
            to_host(bytes(out.to_host))
            await writer.drain()  # one that asks and does not read has to wait

    to_host(b"")
    try:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(_until_gone(ask()))
            carrying = group.create_task(_until_gone(_carry(taken, line, device, to_host, to_device)))
            ticking = group.create_task(_tick(taken, line, to_host))
            done, _ = await asyncio.wait({asking, carrying}, return_when=asyncio.FIRST_COMPLETED)
            taken.tape.closed.append(Closed(taken.now, line.number, by_host=asking in done))
            for task in (asking, carrying, ticking):
                task.cancel()
    finally:
        device_writer.close()


@contextlib.asynccontextmanager
async def pty_face(taken: Taken, folder: Path) -> AsyncIterator[Face]:
    """Open a pseudo-terminal while the context lasts; it goes, and comes again, as the device's connection does."""
    link = folder / "handpiece"
    ready = asyncio.Event()

    async def serve() -> None:
        while True:
            with contextlib.suppress(OSError):
                await _serve_pty(taken, link, ready)
            await clock.pause(AGAIN_S)

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve())
        try:
            async with asyncio.timeout(OPEN_LIMIT_S):
                await ready.wait()
            yield _Url(f"serial://{link}")
        finally:
            serving.cancel()
            link.unlink(missing_ok=True)


async def _serve_pty(taken: Taken, link: Path, ready: asyncio.Event) -> None:
    device, device_writer = await asyncio.open_connection(*taken.device)
    line, to_device = taken.line(), _writing(device_writer)
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(slave))
    loop = asyncio.get_running_loop()

    def to_host(data: bytes) -> None:
        with contextlib.suppress(OSError):  # nobody reads, and the kernel keeps no more: lost, as on a line
            os.write(master, data)

    def heard() -> None:
        with contextlib.suppress(OSError):
            out = line.from_host(os.read(master, READ_SIZE), taken.now)
            to_device(bytes(out.to_device))
            to_host(bytes(out.to_host))

    loop.add_reader(master, heard)
    ready.set()
    try:
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(_tick(taken, line, to_host))
            await _until_gone(_carry(taken, line, device, to_host, to_device))
            taken.tape.closed.append(Closed(taken.now, line.number, by_host=False))
            ticking.cancel()
    finally:
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)
        device_writer.close()
