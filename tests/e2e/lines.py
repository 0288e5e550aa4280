"""Lines between a host and a served device that can be cut and are there again: over TCP and over pseudo-terminals.

`cut` cuts at once, with what is said just then; `cut_at_answer` with what the device says next.
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from tests.programs import Served


class Line(Protocol):
    """Between one host and one device."""

    cuts: int

    def listening(self) -> contextlib.AbstractAsyncContextManager[str]:
        """Carry while the context lasts; gives the device URL for the host."""

    def cut(self) -> None:
        """Cut at once."""

    def cut_at_answer(self) -> None:
        """Cut in place of the device's next piece."""


class TcpLine:
    """A TCP proxy: whoever connects has a connection of its own to the device."""

    def __init__(self, served: Served | tuple[str, int]) -> None:
        self._target = served if isinstance(served, tuple) else served.tcp
        self._writers: set[asyncio.StreamWriter] = set()
        self._cut_at_answer = False
        self.cuts = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self._abort()

    def cut(self) -> None:
        self.cuts += 1
        self._cut_at_answer = False
        self._abort()

    def cut_at_answer(self) -> None:
        self._cut_at_answer = True

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        device_reader, device_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, device_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, device_writer))
                group.create_task(self._pump(device_reader, writer, answers=True))
        finally:
            self._writers -= {writer, device_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool = False) -> None:
        try:
            while data := await reader.read(4096):
                if answers and self._cut_at_answer:
                    self.cut()
                    return
                writer.write(data)
        except ConnectionError:
            return
        finally:
            writer.close()


class PtyLine:
    """A pseudo-terminal at `link` before the device's own: cut, it hangs up, and another one is at `link`.

    The device does not hear of that, as over a cable whose far end was pulled.
    """

    def __init__(self, served: Served, link: Path) -> None:
        self._link = link
        self._device = os.open(served.pty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._device)
        self._ends: tuple[int, int] = (-1, -1)
        self._cut_at_answer = False
        self.cuts = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._device, self._answered)
        self._plug()
        try:
            yield f"serial://{self._link}"
        finally:
            self._unplug()
            self._loop.remove_reader(self._device)
            os.close(self._device)

    def cut(self) -> None:
        self.cuts += 1
        self._cut_at_answer = False
        self._unplug()
        self._plug()

    def cut_at_answer(self) -> None:
        self._cut_at_answer = True

    def _plug(self) -> None:
        self._ends = near, far = os.openpty()  # the far end stays open here, or the near one could not be read
        tty.setraw(far)
        os.set_blocking(near, False)
        self._link.symlink_to(os.ttyname(far))
        self._loop.add_reader(near, self._asked)

    def _unplug(self) -> None:
        self._link.unlink()
        self._loop.remove_reader(self._ends[0])
        for end in self._ends:
            os.close(end)

    def _asked(self) -> None:
        os.write(self._device, os.read(self._ends[0], 4096))

    def _answered(self) -> None:
        data = os.read(self._device, 4096)
        if self._cut_at_answer:
            self.cut()
        else:
            os.write(self._ends[0], data)
