"""Serial ports that cannot be had, for one plain reason each; ports without a descriptor; lines that are too slow."""

import asyncio
import contextlib
import errno
import os
import termios
import threading
import tty
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial.urlhandler.protocol_loop

import devicectl
from devicectl import clock
from devicectl.errors import LinkError
from devicectl.transports import serial_port
from devicectl.transports.port import Transport
from devicectl.transports.serial_port import open_transport
from devicectl.transports.urls import DEFAULT_BAUD, MIN_BAUD, DeviceUrl, SerialLine
from protocols.language.units import SECOND, Micros
from protocols.link.requests import MAX_TRIES
from tests.integration.host.test_wrong_ends import RightDevice
from tests.patience import patience
from tests.world import Lab, a_plan, assert_counted


class Heard:
    """A receiver whose `data` is done with the first bytes that came."""

    def __init__(self) -> None:
        self.data: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        self.notices: list[str] = []

    def noticed(self, what: str) -> None:
        self.notices.append(what)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()

    def received(self, data: Any) -> None:
        if not self.data.done():
            self.data.set_result(data)

    def closed(self, reason: str, *, final: bool = False) -> None:
        if not self.data.done():
            self.data.set_exception(LinkError(reason))


async def opened(path: str, **line: Any) -> tuple[Transport, Heard]:
    heard = Heard()
    url = DeviceUrl("", "serial", path=path, baud=DEFAULT_BAUD, line=SerialLine(**line))
    return await open_transport(url, "host-1", heard), heard


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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Not a valid port"), "Not a valid port"),
        (serial.SerialException(errno.EACCES, "could not open port: [Errno 13]"), os.strerror(errno.EACCES)),
        (serial.SerialException("Could not exclusively lock port"), "Could not exclusively lock port"),
        (OSError(errno.EBUSY, "of a driver"), "it is in use by another program"),
        (ValueError(), ""),
    ],
)
@pytest.mark.asyncio
async def test_why_a_port_cannot_be_opened(
    line: str, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(port: serial.Serial) -> None:
        raise error

    monkeypatch.setattr(serial.Serial, "open", fail)
    assert await reason_of(line) == said


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


# --- other readers, and a line that is hung up ------------------------------------------------------------------------


class Line:
    """A pseudo-terminal whose other end a test has."""

    def __init__(self) -> None:
        self.far, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)

    def say(self, data: bytes) -> None:
        os.write(self.far, data)

    def hang_up(self) -> None:
        if self.far >= 0:
            os.close(self.far)
            os.close(self._near)
            self.far = -1


@pytest.fixture
def far_end() -> Iterator[Line]:
    line = Line()
    yield line
    line.hang_up()


@pytest.mark.asyncio
async def test_a_port_that_another_program_reads_too_is_not_hung_up(
    far_end: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are told that there is something; whoever comes second finds nothing."""
    thief, read = os.open(far_end.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), os.read
    port, heard = await opened(far_end.path)
    found = []

    def second(fd: int, size: int) -> bytes:
        read(thief, size)
        found.append(read(fd, size))
        return found[-1]

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", second)
        far_end.say(b"an answer")
        async with asyncio.timeout(patience()):
            while not heard.notices:
                await clock.pause(0)
    os.close(thief)
    assert found == [b""], "the port was read, and nothing was there"
    assert heard.notices == [f"another program reads serial port {far_end.path} too, and takes what comes"]
    far_end.say(b"and now?")
    assert await asyncio.wait_for(heard.data, patience()) == b"and now?"
    port.close()


@pytest.mark.asyncio
async def test_a_port_that_another_program_holds_in_a_read_is_not_spun_on(
    far_end: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a reader that waits for more bytes than came: there is something to read, and nobody else gets it."""
    port, heard = await opened(far_end.path)
    times, read = 0, os.read

    def refused(fd: int, size: int) -> bytes:
        nonlocal times
        if times < 3:
            times += 1
            raise BlockingIOError
        return read(fd, size)

    monkeypatch.setattr(os, "read", refused)
    monkeypatch.setattr(serial_port, "RACE_PAUSE_S", 0.05)
    far_end.say(b"late")
    begun = clock.monotonic()
    assert await asyncio.wait_for(heard.data, patience()) == b"late"
    assert times == 3 and clock.monotonic() - begun >= 3 * 40_000
    assert len(set(heard.notices)) == 1
    port.close()


@pytest.mark.asyncio
async def test_a_port_that_is_closed_while_it_pauses_is_read_no_more(
    far_end: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = await opened(far_end.path)
    monkeypatch.setattr(serial_port, "RACE_PAUSE_S", 0.001)

    def refused(fd: int, size: int) -> bytes:
        raise BlockingIOError

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", refused)
        far_end.say(b"x")
        async with asyncio.timeout(patience()):
            while not heard.notices:
                await clock.pause(0)
    port.close()
    await clock.pause(0.01)
    assert not heard.data.done()


@pytest.mark.asyncio
async def test_a_port_that_is_hung_up(far_end: Line) -> None:
    port, heard = await opened(far_end.path)
    far_end.hang_up()
    with pytest.raises(LinkError, match="serial port /dev/.* was hung up|Input/output error"):
        await asyncio.wait_for(heard.data, patience())
    assert heard.notices == []
    port.close()


# --- what is written ------------------------------------------------------------------------------------------------


async def read_all(far_end: Line, size: int) -> bytes:
    os.set_blocking(far_end.far, False)
    came = b""
    async with asyncio.timeout(patience()):
        while len(came) < size:
            with contextlib.suppress(BlockingIOError):
                came += os.read(far_end.far, 65536)
            await clock.pause(0)
    return came


@pytest.mark.asyncio
async def test_what_does_not_fit_goes_out_as_room_comes_in_order(far_end: Line) -> None:
    port, heard = await opened(far_end.path)
    pieces = [bytes([number]) * 9_000 for number in range(1, 6)]
    for piece in pieces:
        port.write(piece)
    assert await read_all(far_end, 45_000) == b"".join(pieces)
    assert isinstance(port, serial_port._PolledSerial)
    async with asyncio.timeout(patience()):
        while port._unsent:
            await clock.pause(0)
    assert not asyncio.get_running_loop().remove_writer(port._fd), "it waits for room where nothing is to be sent"
    port.write(b"and more")
    assert await read_all(far_end, 8) == b"and more"
    assert not heard.data.done()
    port.close()


@pytest.mark.asyncio
async def test_a_device_that_reads_nothing_is_given_up(far_end: Line) -> None:
    port, heard = await opened(far_end.path)
    for _ in range(20):
        port.write(bytes(8_000))
        await clock.pause(0)
    with pytest.raises(LinkError, match="takes no more bytes"):
        await asyncio.wait_for(heard.data, patience())
    port.close()


@pytest.mark.asyncio
async def test_a_port_that_is_closed_takes_no_more_and_closes_once(far_end: Line) -> None:
    port, heard = await opened(far_end.path)
    port.write(b"last")
    assert await read_all(far_end, 4) == b"last"
    for _ in range(2):
        port.close()
        port.write(b"too late")
    await clock.pause(0)
    os.set_blocking(far_end.far, False)
    with pytest.raises(BlockingIOError):
        os.read(far_end.far, 100)
    assert not heard.data.done(), "who closes a port knows it"


@pytest.mark.asyncio
@pytest.mark.parametrize("call", ["write", "read"])
async def test_an_adapter_that_goes_while_it_is_in_use(
    call: str, far_end: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = await opened(far_end.path)

    def gone(fd: int, *_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, gone)
        if call == "write":
            port.write(b"x")
            port.write(b"y")
        else:
            far_end.say(b"x")
        with pytest.raises(LinkError, match=f"serial port {far_end.path}: {os.strerror(errno.EIO)}"):
            await asyncio.wait_for(heard.data, patience())
    port.close()
    (await opened(far_end.path))[0].close()


# --- how a port is opened ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ({}, (True, True, False)),
        ({"dtr": False}, (False, True, False)),
        ({"rts": False, "dtr": True}, (True, False, False)),
        ({"rtscts": True}, (True, True, True)),
    ],
)
@pytest.mark.asyncio
async def test_modem_lines_are_set_before_the_port_is_opened(
    line: dict[str, bool], seen: tuple[bool, bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards would be too late: the board has been reset by then."""
    at_opening = []
    open_port = serial.urlhandler.protocol_loop.Serial.open

    def opening(port: Any) -> None:
        at_opening.append((port.dtr, port.rts, port.rtscts))
        open_port(port)

    monkeypatch.setattr(serial.urlhandler.protocol_loop.Serial, "open", opening)
    (await opened("loop://", **line))[0].close()
    assert at_opening == [seen]


@pytest.mark.asyncio
async def test_a_board_is_left_in_peace_while_it_boots(far_end: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    waited = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        far_end.say(b"boot: all is well\r\n")

    monkeypatch.setattr(clock, "pause", pause)
    port, heard = await opened(far_end.path, wait_s=2.5)
    monkeypatch.undo()
    far_end.say(b"ready")
    assert await asyncio.wait_for(heard.data, patience()) == b"ready", "what it said while it booted is not the link's"
    assert waited == [2.5]
    port.close()


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt()])
@pytest.mark.asyncio
async def test_a_wait_that_is_broken_off_leaves_no_port_open(
    line: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pause(seconds: float) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(clock, "pause", pause)
        with pytest.raises(type(error)):
            await opened(line, wait_s=1.0)
    (await opened(line))[0].close()


@pytest.mark.asyncio
async def test_an_adapter_that_goes_while_its_board_boots(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*arguments: object) -> None:
        raise termios.error(errno.EIO, "of a port that is gone")

    async def pause(seconds: float) -> None:
        monkeypatch.setattr(termios, "tcflush", gone)

    monkeypatch.setattr(clock, "pause", pause)
    with pytest.raises(LinkError, match=os.strerror(errno.EIO)):
        await opened(line, wait_s=1.0)
    monkeypatch.undo()
    (await opened(line))[0].close()


@pytest.mark.asyncio
async def test_a_board_that_boots_for_longer_than_a_hello_is_tried(far_end: Line) -> None:
    """It swallows whatever comes until it is up: here a HELLO with all its tries, and one of the next."""
    loop, device, hellos = asyncio.get_running_loop(), RightDevice(), 0
    os.set_blocking(far_end.far, False)

    def answer() -> None:
        nonlocal hellos
        data = os.read(far_end.far, 4096)
        hellos += data.count(b"\0") // 2
        if hellos > MAX_TRIES + 1:
            os.write(far_end.far, device(data))

    loop.add_reader(far_end.far, answer)
    async with asyncio.timeout(patience()), devicectl.connect(f"serial://{far_end.path}") as handpiece:
        assert handpiece.device.serial == "SIM-00000007"
    assert hellos > MAX_TRIES + 1
    loop.remove_reader(far_end.far)


@pytest.mark.asyncio
async def test_a_mute_port_is_given_up(far_end: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_port._PolledSerial, "boot_us", Micros(2 * SECOND))
    begun = clock.monotonic()
    with pytest.raises(LinkError, match="no answer to Hello after 5 tries$"):
        async with asyncio.timeout(patience()), devicectl.connect(f"serial://{far_end.path}"):
            pass
    assert clock.monotonic() - begun >= 2 * SECOND


@pytest.mark.asyncio
async def test_who_takes_the_answers_is_told_in_the_error(far_end: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_port._PolledSerial, "boot_us", Micros(0))
    loop = asyncio.get_running_loop()

    def answer() -> None:
        os.read(far_end.far, 4096)
        far_end.say(b"an answer")

    def stolen(fd: int, size: int) -> bytes:
        data = read(fd, size)
        if fd == far_end.far:
            return data
        raise BlockingIOError  # it had been there

    read = os.read
    monkeypatch.setattr(os, "read", stolen)
    loop.add_reader(far_end.far, answer)
    with pytest.raises(LinkError) as caught:
        async with asyncio.timeout(patience()), devicectl.connect(f"serial://{far_end.path}"):
            pass
    assert f"after 5 tries: another program reads serial port {far_end.path} too" in str(caught.value)
    loop.remove_reader(far_end.far)


@pytest.mark.asyncio
async def test_a_loop_waits_for_descriptors_on_posix_alone(far_end: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with serial.Serial(far_end.path) as port:
        assert serial_port.has_descriptor(port)
        with monkeypatch.context() as patched:
            patched.setattr(os, "name", "nt")
            assert not serial_port.has_descriptor(port)
    assert not serial_port.has_descriptor(serial.serial_for_url("loop://"))


@pytest.mark.asyncio
async def test_a_port_without_a_descriptor_is_read_by_a_thread() -> None:
    port, heard = await opened("loop://")
    port.write(b"\0looped\0")
    assert await asyncio.wait_for(heard.data, patience(20)) in b"\0looped\0"
    port.close()


# --- how slow a line may be -------------------------------------------------------------------------------------


def test_the_slowest_line_bears_a_session_with_a_pulled_cable_and_a_reboot() -> None:
    lab = Lab(baud=MIN_BAUD, plan=a_plan(300)).begin(5)
    task = lab.start(lab.all_cycles())
    lab.wait(3 * SECOND)
    lab.world.cut()
    lab.wait(2 * SECOND)
    lab.world.mend()
    lab.wait(8 * SECOND)
    lab.reboot_device()
    lab.until(lambda: task.done)
    task.outcome()
    assert_counted(lab, lab.close())


def bears_a_session(baud: int) -> bool:
    """True if a session on such a line ends in a few minutes, and never loses its link."""
    lab = Lab(baud=baud, plan=a_plan(300))
    try:
        lab.begin(5).finish(5 * 60 * SECOND)
    except (LinkError, TimeoutError):
        return False
    return not any(note.name == "link_lost" for note in lab.notes)


@pytest.mark.parametrize("baud", [300, 1_200, 2_400, 3_600])
def test_a_slower_line_bears_none(baud: int) -> None:
    """4,200 baud would do, since the journal is read in fewer and longer pieces."""
    assert bears_a_session(MIN_BAUD)
    assert not bears_a_session(baud)
