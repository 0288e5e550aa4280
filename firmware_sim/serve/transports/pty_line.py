"""A pseudo-terminal: a serial port for hosts that can open nothing else. POSIX only.

    host -- /dev/pts/N (slave, which `link` points to) == kernel == master -- this end -- the device's port

Like a UART it cannot tell whether a program has it open: a host that goes without BYE is noticed by its lease, and what
is sent while nobody reads is lost once the buffers are full, in whole frames. It is one port, for one host at a time.

The slave is kept open here as well: else the master fails when a host closes it, and the raw mode is forgotten. So
what a host does to the terminal outlives the host: while there is no link, its lock and its flow control are taken
away, at once when bytes come and else every `TIDY_EVERY_S`.
"""

import asyncio
import contextlib
import os
import tempfile
import tty
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from firmware_sim.ports import Port
from firmware_sim.serve.errors import OptionError, no_file
from firmware_sim.serve.transports.line_settings import left_on, tidy
from firmware_sim.serve.transports.table import Place, Served, Transport
from handpiece_shell.files import NamedFile, Use
from handpiece_shell.streams import say

READ_SIZE: Final = 4096
"""Bytes taken in one go, for the same reason as with TCP; it is also what the kernel keeps."""
MAX_UNREAD_BYTES: Final = 16 * 1024
"""Kept for a host that reads late: 1.4 s of a line of 115,200 baud. What comes then is lost, as on such a line."""
TIDY_EVERY_S: Final = 0.5
"""Seconds after which the next program can open a port that another one has left locked."""


@dataclass(frozen=True, slots=True)
class PtyPlace:
    """A pseudo-terminal to be opened; `link` is its name, None for one that this process chooses."""

    link: str | None

    @property
    def host(self) -> str:
        """None: only this machine has it."""
        return ""

    @property
    def files(self) -> Sequence[NamedFile]:
        """The link, which is made."""
        return [] if self.link is None else [NamedFile("--link", self.link, Use.HOLD)]

    async def open_transport(self, device: Served) -> Transport:
        """Open it, or raise OptionError."""
        return open_line(device, self.link)


def parse(text: str, extras: Mapping[str, str]) -> Place:
    """Check the options: any path may be a link until it is made."""
    return PtyPlace(extras.get("link"))


class PtyLine:
    """The one port at a pseudo-terminal."""

    def __init__(self, device: Served, master: int, slave: int, link: Path) -> None:
        self._device = device
        self._loop = asyncio.get_running_loop()
        self.link = link
        self._port: Port | None = device.attach("pty", self._write)
        self._begin(master, slave)

    def _begin(self, master: int, slave: int) -> None:
        self._is_open = True
        self._master = master
        self._slave = slave
        self._unsent = bytearray()
        self._loop.add_reader(master, self._readable)
        self._tidy_later()

    @property
    def url(self) -> str:
        """The device URL that a host on this machine opens."""
        return f"serial://{quote(str(self.link))}"

    @property
    def warning(self) -> str:
        """Nothing: only users that the file's mode admits can open it."""
        return ""

    async def close(self) -> None:
        """Close at once: what a host has not read by now is with the kernel, or with nobody."""
        if self._is_open:
            self._end()
        self._leave()

    def cut(self, *, host_knows: bool, device_knows: bool) -> None:
        """Hang up as a cable that is pulled: the name goes, and anyone who has the port open hears of it."""
        if device_knows:
            self._leave()
        if host_knows:
            self._end()

    def mend(self) -> None:
        """Be there again under the same name, with a port that knows nothing of before."""
        self._leave()
        self._port = self._device.attach("pty", self._write)
        if self._is_open:  # a host that did not know
            self._end()
        self._begin(*_open_pair(self.link))

    def _leave(self) -> None:
        if self._port is not None:
            port, self._port = self._port, None
            self._device.detach(port)

    def _end(self) -> None:
        self._tidying.cancel()
        self._tidy()
        self._is_open = False
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        with contextlib.suppress(OSError):
            if os.readlink(self.link) == os.ttyname(self._slave):
                self.link.unlink()
        os.close(self._master)
        os.close(self._slave)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        self._tidy()
        if self._port is not None:
            self._device.receive(self._port, data)

    def _tidy(self) -> None:
        """Between two links: note what a host has left on, and take away what would keep the next one out."""
        if self._port is not None and not self._port.exchange.linked:
            self._device.note_settings(self._port, left_on(self._slave))
            tidy(self._slave)

    def _tidy_later(self) -> None:
        self._tidy()
        self._tidying = self._loop.call_later(TIDY_EVERY_S, self._tidy_later)

    def _write(self, data: bytes) -> None:
        if not self._is_open:
            return
        if not self._unsent:
            sent = self._send(data)
            if sent == len(data):
                return
            data = data[sent:]  # the rest of a frame that has begun is never dropped
            self._loop.add_writer(self._master, self._writable)
        elif len(self._unsent) + len(data) > MAX_UNREAD_BYTES:
            return
        self._unsent += data

    def _writable(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if not self._unsent:
            self._loop.remove_writer(self._master)

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._master, data)
        except (BlockingIOError, InterruptedError):
            return 0


def open_line(device: Served, link: str | None) -> PtyLine:
    """Open a pseudo-terminal, and make `link` point to it; by default a name of this process in the runtime directory.

    Raises:
        OptionError: the link cannot be made, or no pseudo-terminal be had.
    """
    try:
        path = (Path(link) if link is not None else default_link()).absolute()
    except OSError as error:  # there is no working folder
        raise no_file("--link", f"make {link or 'one in the runtime directory'}", error) from error
    return PtyLine(device, *_open_pair(path), path)


def _open_pair(path: Path) -> tuple[int, int]:
    """Open both ends of a pseudo-terminal, and make `path` point to it."""
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise OptionError("--pty", f"this system gives no pseudo-terminal: {error.strerror}") from error
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        _make_link(path, os.ttyname(slave))
    except BaseException:
        os.close(master)
        os.close(slave)
        raise
    return master, slave


def default_link() -> Path:
    """Return a name in the user's runtime directory, or in the temporary folder if there is no such directory."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    if not folder or not (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        if folder:
            reason = f"$XDG_RUNTIME_DIR is not a folder that can be written ({folder})"
            say(f"firmware-sim: warning: {reason}; the link is made in {tempfile.gettempdir()}")
        folder = tempfile.gettempdir()
    return Path(folder) / f"handpiece-{os.getpid()}"


def _make_link(path: Path, target: str) -> None:
    """Make a symbolic link in place of nothing, or of one that a killed device left behind.

    Such a one dangles, or the number that it names has just been given out again, to us.
    """
    try:
        if path.is_symlink() and (not path.exists() or os.readlink(path) == target):
            path.unlink()
        path.symlink_to(target)
    except FileExistsError as error:
        raise OptionError("--link", f"{path} exists and is not left over; remove it or name another") from error
    except OSError as error:
        raise no_file("--link", f"make {path}", error) from error
