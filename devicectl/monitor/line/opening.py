"""Opening of a line's ends: ports, connections, and what is listened at."""

import contextlib
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Final

from devicectl.monitor.line.lines import End
from devicectl.monitor.places import Place, Way
from protocols.text.addresses import format_address

BACKLOG: Final = 16


class CannotOpenError(Exception):
    """An end cannot be had; its text is one line."""


def listen(place: Place) -> socket.socket:
    """Listen.

    Raises:
        CannotOpenError: it cannot.
    """
    where = format_address(place.host, place.port)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotOpenError(f"cannot listen at {where}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


class Dialer:
    """The way to a device at TCP. Its name is looked up once."""

    def __init__(self, place: Place) -> None:
        """Look it up.

        Raises:
            CannotOpenError: the name is not known.
        """
        self.where = format_address(place.host, place.port)
        try:
            self._found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            raise CannotOpenError(f"cannot find {self.where}: {error.strerror or error}") from error

    def dial(self, sender: int) -> End:
        """Return an end that is connecting.

        Raises:
            OSError: it is refused at once.
        """
        family, kind, protocol, _, address = self._found
        sock = socket.socket(family, kind, protocol)
        end = End.of_socket(sock, sender)
        try:
            sock.connect(address)
        except BlockingIOError:
            end.connecting = True
        except OSError:
            sock.close()
            raise
        return end


def open_standing(place: Place, sender: int) -> tuple[End, str]:
    """Open a serial port, or make a pseudo-terminal; return its end, and the URL at which the other side opens it.

    Raises:
        CannotOpenError: it cannot be had.
    """
    return _open_pty(place, sender) if place.way is Way.PTY else (_open_serial(place, sender), place.text)


def _open_serial(place: Place, sender: int) -> End:
    from devicectl.errors import LinkError
    from devicectl.transports.serial_port import open_port

    try:
        port = open_port(place.path, place.baud, place.line)
    except LinkError as error:
        raise CannotOpenError(str(error)) from error
    fd = port.fileno()
    os.set_blocking(fd, False)
    return End(fd, sender, port.close)


def _open_pty(place: Place, sender: int) -> tuple[End, str]:
    if sys.platform == "win32":
        raise CannotOpenError("this system has no pseudo-terminals; tcp://127.0.0.1:0 is there")
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)  # held open: else the master fails when a host closes it, and the raw mode is forgotten
    os.set_blocking(master, False)
    folder = None if place.path else tempfile.mkdtemp(prefix="devicectl-")
    link = Path(place.path) if place.path else Path(str(folder)) / "host"
    try:
        link.symlink_to(os.ttyname(slave))
    except OSError as error:
        os.close(master)
        os.close(slave)
        raise CannotOpenError(f"cannot make {link}: {error.strerror}") from error

    def close() -> None:
        with contextlib.suppress(OSError):
            link.unlink()
            if folder is not None:
                os.rmdir(folder)
        os.close(master)
        os.close(slave)

    return End(master, sender, close), f"serial://{link}"
