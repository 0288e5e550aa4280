"""A serial port through pyserial: by the event loop's reader where the port has a file descriptor, else by threads."""

import asyncio
import contextlib
import errno
import os
import queue
import re
import select
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

import serial

from devicectl import clock
from devicectl.errors import LinkError, UrlError
from devicectl.transports.foreign import WITHIN
from devicectl.transports.line_options import BOOT_US, LINE_OPTIONS, parse_line
from devicectl.transports.port import MAX_UNSENT_BYTES, Receiver, Transport
from devicectl.transports.urls import (
    DEFAULT_BAUD,
    DeviceUrl,
    Scheme,
    SerialLine,
    none_left,
    parse_baud,
    split,
)
from protocols.link.port import AnyWire
from protocols.serial.wire import SerialWire

READ_SIZE: Final = 4096
WRITE_TIMEOUT_S: Final = 2.0
"""At 9,600 baud a window of frames takes about a second."""
READ_TIMEOUT_S: Final = 0.1
"""Time in which a thread that reads notices that it is to end, where reading cannot be cancelled."""
RACE_PAUSE_S: Final = 0.02
"""After another program was quicker: else the loop would spin for as long as that one holds the port's lock."""
CLOSE_TIMEOUT_S: Final = 1.0
"""Time for the last words; nothing else runs meanwhile."""

_PORT_ERRORS: tuple[type[Exception], ...] = (OSError, ValueError)
"""Errors that pyserial raises of a port; its own are OSErrors. Not every call that it makes of the system's module of
terminals is guarded, and that module's error is of neither kind."""
with contextlib.suppress(ImportError):
    import termios

    _PORT_ERRORS += (termios.error,)

_BOARD: Final = "serial:///dev/ttyUSB0?wait=2.5&dtr=0"
_LOST_MARK: Final = re.compile(r"[&;,](?:baud|wait|dtr|rts|rtscts)=")


def parse(text: str, row: Scheme) -> DeviceUrl:
    """Check the URL of a port: a device file or a name such as COM3, its speed and its lines.

    Raises:
        UrlError: it is none.
    """
    netloc, rest, options = split(text, row)
    path, example = unquote(netloc + rest), row.example
    if not path.strip("/") or "\0" in path:
        raise UrlError(text, "path", "no serial port is named", example)
    if path.startswith("dev/"):
        raise UrlError(text, "path", "a device file begins with a third slash", example)
    if _LOST_MARK.search(path):
        raise UrlError(text, "path", "options follow a ?", example)
    inner, is_url, _ = path.partition("://")
    if is_url:
        reason, instead = WITHIN.get(inner.lower(), ("a URL within the URL is no serial port", example))
        raise UrlError(text, "path", reason, instead)
    baud = parse_baud(text, options.pop("baud", str(DEFAULT_BAUD)), example)
    line = parse_line(text, options, _BOARD)
    none_left(text, options, LINE_OPTIONS, example)
    return DeviceUrl(text, row.scheme, path=path, baud=baud, line=line)


def make_wire(url: DeviceUrl, client: str) -> AnyWire:
    """Make the wire of frames on a line of this speed."""
    return SerialWire(url.baud)


def open_port(path: str, baud: int, line: SerialLine) -> serial.Serial:
    """Open a port for this program alone.

    Raises:
        LinkError: there is no such port, it is in use, or not a serial port.
    """
    try:
        port = serial.serial_for_url(
            path,
            do_not_open=True,
            baudrate=baud,
            timeout=READ_TIMEOUT_S,
            write_timeout=WRITE_TIMEOUT_S,
            exclusive=True,
            rtscts=line.rtscts,
        )
        if line.dtr is not None:
            port.dtr = line.dtr
        if line.rts is not None:
            port.rts = line.rts
        port.open()
    except _PORT_ERRORS as error:
        raise LinkError(f"cannot open serial port {path}: {_reason(error)}") from error
    return port


async def open_transport(url: DeviceUrl, client: str, receiver: Receiver) -> Transport:
    """Open the port, and leave the device in peace for `wait` seconds.

    Raises:
        LinkError: there is no such port, it is in use, or not a serial port.
    """
    path, line = url.path, url.line
    port = open_port(path, url.baud, line)
    try:
        if line.wait_s:
            await clock.pause(line.wait_s)
            port.reset_input_buffer()  # the boot's own words
    except _PORT_ERRORS as error:
        port.close()
        raise LinkError(f"serial port {path}: {_reason(error)}") from error
    except BaseException:
        port.close()
        raise
    loop = asyncio.get_running_loop()
    return (_PolledSerial if has_descriptor(port) else _ThreadedSerial)(port, receiver, loop)


def has_descriptor(port: serial.SerialBase) -> bool:
    """True if an event loop can wait for this port, which it cannot for loop:// and its like."""
    return os.name == "posix" and isinstance(port, serial.Serial)


def _reason(error: Exception) -> str:
    """Return why a port cannot be opened. pyserial puts a number and its own words around what the system said."""
    first = next(iter(error.args), None)
    number = first if isinstance(first, int) else None
    cause = error.__context__  # the terminal settings' own error, which is a class that not every system has
    if cause is not None and cause.args[:1] == (errno.ENOTTY,):
        return "it is no serial port"
    if number in (errno.EAGAIN, errno.EBUSY):
        return "it is in use by another program"
    return str(error) if number is None else os.strerror(number)


def _is_hung_up(fd: int) -> bool:
    """True if nothing will come any more. A read does not tell: without a byte it returns none in either case."""
    poller = select.poll()
    poller.register(fd, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poller.poll(0))


class _PolledSerial:
    """The loop waits for the descriptor; reads and writes never block."""

    boot_us: Final = BOOT_US

    def __init__(self, port: serial.Serial, receiver: Receiver, loop: asyncio.AbstractEventLoop) -> None:
        self._port = port
        self._receiver = receiver
        self._loop = loop
        self._unsent = bytearray()
        self._open = True
        self._fd = port.fileno()
        os.set_blocking(self._fd, False)
        loop.add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            data = b""
        except OSError as error:
            self._fail(f"serial port {self._port.name}: {error.strerror}")
            return
        if data:
            self._receiver.received(data)
        elif _is_hung_up(self._fd):
            self._fail(f"serial port {self._port.name} was hung up")
        else:
            self._robbed()

    def _robbed(self) -> None:
        """There was something to read, and now there is nothing: somebody else has it. Be back in a moment."""
        self._receiver.noticed(f"another program reads serial port {self._port.name} too, and takes what comes")
        self._loop.remove_reader(self._fd)
        self._loop.call_later(RACE_PAUSE_S, self._listen_again)

    def _listen_again(self) -> None:
        if self._open:
            self._loop.add_reader(self._fd, self._readable)

    def write(self, data: bytes) -> None:
        if not self._open:
            return
        if not self._unsent:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._fail(f"serial port {self._port.name}: {error.strerror}")
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._fd, self._writable)
        self._unsent += data
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self._fail(f"serial port {self._port.name} takes no more bytes")

    def _writable(self) -> None:
        try:
            del self._unsent[: os.write(self._fd, self._unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(f"serial port {self._port.name}: {error.strerror}")
            return
        if not self._unsent:
            self._loop.remove_writer(self._fd)

    def _fail(self, reason: str) -> None:
        if self._open:
            self.close()
            # Not from within a write: the host hears of it between two events, as of anything else.
            self._loop.call_soon(self._receiver.closed, reason)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._port.close()


class _ThreadedSerial:
    """A thread reads and another one writes; for ports without a descriptor that a loop can wait for."""

    boot_us: Final = BOOT_US

    def __init__(self, port: serial.Serial, receiver: Receiver, loop: asyncio.AbstractEventLoop) -> None:
        self._port = port
        self._receiver = receiver
        self._loop = loop
        self._open = True
        self._unsent: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._unsent_size = 0
        self._reader = self._start(self._read, "serial reader")
        self._writer = self._start(self._write, "serial writer")

    def _start(self, work: Callable[[], None], name: str) -> threading.Thread:
        def watched() -> None:
            try:
                work()
            # TypeError: it was closed while it was read. RuntimeError: the loop was.
            except (serial.SerialException, OSError, TypeError, RuntimeError) as error:
                if self._open:  # else nobody waits to hear it
                    self._loop.call_soon_threadsafe(self._fail, f"serial port {self._port.name}: {error}")

        thread = threading.Thread(target=watched, name=name, daemon=True)
        thread.start()
        return thread

    # --- in the threads --------------------------------------------------------------------------------------

    def _read(self) -> None:
        while self._open:
            data = self._port.read(1)
            if data:
                data += self._port.read(self._port.in_waiting)
                self._loop.call_soon_threadsafe(self._pass_on, data)

    def _write(self) -> None:
        while (data := self._unsent.get()) is not None:
            self._port.write(data)
            self._loop.call_soon_threadsafe(self._sent, len(data))

    # --- on the loop -----------------------------------------------------------------------------------------

    def _pass_on(self, data: bytes) -> None:
        if self._open:
            self._receiver.received(data)

    def _sent(self, size: int) -> None:
        self._unsent_size -= size

    def _fail(self, reason: str) -> None:
        if self._open:
            self._end(0.0)
            self._receiver.closed(reason)

    def write(self, data: bytes) -> None:
        if self._open:
            self._unsent_size += len(data)
            self._unsent.put(data)
            if self._unsent_size > MAX_UNSENT_BYTES:
                # Not from within a write: the host hears of it between two events, as of anything else.
                self._loop.call_soon(self._fail, f"serial port {self._port.name} takes no more bytes")

    def close(self) -> None:
        if self._open:
            self._end(CLOSE_TIMEOUT_S)

    def _end(self, patience_s: float) -> None:
        """Close, once what was written has gone out or `patience_s` are over."""
        self._open = False
        self._unsent.put(None)
        with contextlib.suppress(AttributeError):  # not every kind of port can break off
            self._port.cancel_read()
            self._writer.join(patience_s)
            self._port.cancel_write()
        for thread in (self._reader, self._writer):
            thread.join(CLOSE_TIMEOUT_S)
        self._port.close()
