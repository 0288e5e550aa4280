"""Serial ports that cannot be had, for one plain reason each; ports without a descriptor; lines that are too slow."""

import asyncio
import errno
import os
import termios
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from devicectl.errors import LinkError
from devicectl.transports import serial_port
from devicectl.transports.port import Transport
from devicectl.transports.serial_port import open_serial
from devicectl.transports.urls import DEFAULT_BAUD, LEAST_BAUD
from protocols.units import SECOND
from tests.patience import patience
from tests.world import Lab, a_plan, assert_counted


class Heard:
    """A receiver whose `data` is done with the first bytes that came."""

    def __init__(self) -> None:
        self.data: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()

    def received(self, data: bytes) -> None:
        if not self.data.done():
            self.data.set_result(data)

    def closed(self, reason: str, *, final: bool = False) -> None:
        if not self.data.done():
            self.data.set_exception(LinkError(reason))


async def opened(path: str) -> tuple[Transport, Heard]:
    heard = Heard()
    return await open_serial(path, DEFAULT_BAUD, heard), heard


async def reason_of(path: str) -> str:
    with pytest.raises(LinkError) as caught:
        await opened(path)
    said = str(caught.value)
    assert said.startswith(f"cannot open serial port {path}: ")
    return said.removeprefix(f"cannot open serial port {path}: ")


@pytest.fixture
def line() -> Iterator[str]:
    """The path of a pseudo-terminal."""
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.mark.asyncio
async def test_what_is_no_serial_port_says_so(tmp_path: Path) -> None:
    assert await reason_of("/dev/null") == "it is no serial port"
    (tmp_path / "notes").write_text("somebody's")
    assert await reason_of(str(tmp_path / "notes")) == "it is no serial port"
    assert await reason_of(str(tmp_path)) == "Is a directory"
    assert await reason_of(str(tmp_path / "nowhere")) == "No such file or directory"
    assert (tmp_path / "notes").read_text() == "somebody's"


@pytest.mark.asyncio
async def test_a_port_that_another_program_holds(line: str) -> None:
    port, _ = await opened(line)
    assert await reason_of(line) == "it is in use by another program"
    port.close()
    (await opened(line))[0].close()


@pytest.mark.parametrize("call", ["tcflush", "tcsetattr"])
@pytest.mark.asyncio
async def test_an_adapter_that_goes_while_it_is_opened(line: str, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial guards neither call, and what the system's module of terminals raises is no OSError."""

    def gone(*arguments: object) -> None:
        raise termios.error(errno.EIO, "of a port that is gone")

    with monkeypatch.context() as patched:
        patched.setattr(termios, call, gone)
        assert await reason_of(line) == os.strerror(errno.EIO)
    (await opened(line))[0].close()


@pytest.mark.asyncio
async def test_a_port_that_takes_nothing_is_closed_all_the_same(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By threads: the one that writes is stuck in it; another host can have the port at once."""
    monkeypatch.setattr(serial_port, "has_descriptor", lambda port: False)
    monkeypatch.setattr(serial_port, "CLOSE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(serial_port, "WRITE_TIMEOUT_S", 30.0)
    port, heard = await opened(line)
    port.write(bytes(60_000))
    port.close()
    assert not heard.data.done()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("serial")]
    (await opened(line))[0].close()


@pytest.mark.asyncio
async def test_a_port_without_a_descriptor_is_read_by_a_thread() -> None:
    port, heard = await opened("loop://")
    port.write(b"\0looped\0")
    assert await asyncio.wait_for(heard.data, patience(20)) in b"\0looped\0"
    port.close()


# --- how slow a line may be -------------------------------------------------------------------------------------


def test_the_slowest_line_bears_a_session_with_a_pulled_cable_and_a_reboot() -> None:
    lab = Lab(baud=LEAST_BAUD, plan=a_plan(300)).begin(5)
    task = lab.start(lab.all_cycles())
    lab.wait(3 * SECOND)
    lab.world.cut()
    lab.wait(2 * SECOND)
    lab.world.mend()
    lab.wait(8 * SECOND)
    lab.world.reboot_device()
    lab.until(lambda: task.done)
    task.outcome()
    assert_counted(lab, lab.close())


@pytest.mark.parametrize("baud", [300, 1_200, 2_400, 4_200])
def test_a_slower_line_bears_none(baud: int) -> None:
    with pytest.raises(LinkError):
        Lab(baud=baud, plan=a_plan(300)).begin(40)
