"""A served pseudo-terminal keeps nothing of a program that has gone, neither lock nor flow control, and tells of it."""

import asyncio
import contextlib
import errno
import fcntl
import os
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from devicectl import clock
from firmware_sim.device import Device
from firmware_sim.model.parameters import Parameters
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports.line_settings import left_on
from firmware_sim.serve.transports.pty_line import PtyLine, open_line
from protocols.language.units import Micros
from protocols.trace import HEADING
from tests.client import serial_port
from tests.e2e.processes import wait_until
from tests.patience import patience
from tests.programs import serve

TIOCGEXCL: Final = 0x8004_5440
"""Linux: whether a terminal is locked; Python has no name for it."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whether a terminal is locked")


def is_locked(terminal: int) -> bool:
    return fcntl.ioctl(terminal, TIOCGEXCL, b"\0\0\0\0") != b"\0\0\0\0"


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[int]:
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield terminal
    finally:
        os.close(terminal)


def leave_on(terminal: int, *, iflag: int = 0, lflag: int = 0) -> None:
    settings = termios.tcgetattr(terminal)
    settings[0] |= iflag
    settings[3] |= lflag
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def free(path: str | Path) -> bool:
    """Whether anybody can have the port as if nobody had had it. Of a locked one that is root alone."""
    try:
        with opened(path) as terminal:
            return not is_locked(terminal) and "IXON" not in left_on(terminal)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False


def lock(terminal: int) -> None:
    """As Qt and GNU screen do, and neither undoes it."""
    fcntl.ioctl(terminal, termios.TIOCEXCL)
    leave_on(terminal, iflag=termios.IXON)


# --- in this process ------------------------------------------------------------------------------------------------


class Settings:
    """A tap that keeps what the line was set to."""

    def __init__(self) -> None:
        self.seen: list[Sequence[str]] = []

    def heard(self, sender: str, data: object, now: Micros) -> None:
        """Nothing is asked of it."""

    def line_set(self, left_on: Sequence[str], now: Micros) -> None:
        self.seen.append(tuple(left_on))

    def noted(self, what: str, now: Micros) -> None:
        """Nothing is asked of it."""

    def closed(self, now: Micros) -> None:
        """Nothing is asked of it."""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(patience()):
        while not condition():
            await clock.pause(0.01)


@contextlib.asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[tuple[PtyLine, Settings]]:
    settings = Settings()
    device = RealTimeDevice(Device(seed=7, parameters=Parameters({})), open_tap=lambda name, now: settings)
    line = open_line(device, str(tmp_path / "line"))
    try:
        yield line, settings
    finally:
        device.close()
        await line.close()


@pytest.mark.asyncio
async def test_a_port_that_nobody_linked_on_is_free_again(tmp_path: Path) -> None:
    async with served(tmp_path) as (line, settings):
        with opened(line.link) as terminal:
            lock(terminal)
            leave_on(terminal, lflag=termios.ECHO)
            assert is_locked(terminal) and left_on(terminal) == ("IXON", "ECHO")
        await until(lambda: free(line.link))
        assert ("IXON", "ECHO") in settings.seen


@pytest.mark.asyncio
async def test_bytes_that_come_before_a_link_find_the_line_free_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware_sim.serve.transports.pty_line.TIDY_EVERY_S", 3600.0)
    async with served(tmp_path) as (line, settings):
        with opened(line.link) as terminal:
            lock(terminal)
            os.write(terminal, b"hello?")
            await until(lambda: free(line.link))
        assert settings.seen[-1] == ("IXON",)


@pytest.mark.asyncio
async def test_a_host_that_has_a_link_keeps_its_lock(tmp_path: Path) -> None:
    with serve("--pty") as served_device, serial_port(served_device.pty) as host:
        host.link()
        fcntl.ioctl(host.channel.port.fileno(), termios.TIOCEXCL)  # type: ignore[attr-defined]
        for _ in range(10):
            host.echo()
        assert is_locked(host.channel.port.fileno())  # type: ignore[attr-defined]


@pytest.mark.asyncio
async def test_what_is_left_on_when_the_device_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.serve.transports.pty_line.TIDY_EVERY_S", 3600.0)
    async with served(tmp_path) as (line, settings):
        with opened(line.link) as terminal:
            leave_on(terminal, iflag=termios.ICRNL)
    assert settings.seen[-1] == ("ICRNL",)


# --- with other people's programs -----------------------------------------------------------------------------------


def test_a_port_that_gnu_screen_had_is_free_after_it_has_quit(tmp_path: Path, program: Callable[[str], str]) -> None:
    screen, folder = program("screen"), tmp_path / "screens"
    folder.mkdir(mode=0o700)
    environment = {**os.environ, "SCREENDIR": str(folder), "TERM": "vt100"}

    def ask(*arguments: str) -> None:
        subprocess.run([screen, *arguments], env=environment, check=True, timeout=patience(), stdin=subprocess.DEVNULL)

    trace = tmp_path / "trace.txt"
    with serve("--pty", "--trace", str(trace)) as device:
        assert free(device.pty)
        path = os.path.realpath(device.pty)
        ask("-dmS", "line", path, "115200")
        wait_until(lambda: "IXON" in trace.read_text(encoding="utf-8"), "screen at the port")
        ask("-S", "line", "-X", "quit")
        wait_until(lambda: free(device.pty), "a port that can be opened again")
        with serial_port(device.pty) as host:
            host.link()
            host.echo()
        assert device.stop() == 0
    text = trace.read_text(encoding="utf-8")
    assert text.startswith(HEADING) and " s the host has IXON on\n" in text


KILLED: Final = """
import fcntl, sys, termios
from tests.client import serial_port
from tests.integration.device.test_pty_line import lock
with serial_port(sys.argv[1]) as host:
    host.link()
    lock(host.channel.port.fileno())
    print("linked", flush=True)
    host.pump(lambda: False, 3600)
"""


def test_a_port_whose_host_was_killed_with_a_link_is_free_when_that_has_ended() -> None:
    with serve("--pty", "--param", "lease_idle_ms=1000", "--param", "heartbeat_idle_ms=300") as device:
        line = [sys.executable, "-c", KILLED, device.pty]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as host:
            assert host.stdout is not None and host.stdout.readline() == "linked\n"
            host.kill()
            host.wait(patience())
        wait_until(lambda: free(device.pty), "a port that can be opened again")
        with serial_port(device.pty) as host_after:
            host_after.link()
