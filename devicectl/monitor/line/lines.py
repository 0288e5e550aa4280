"""A line and its ends, as descriptors that are read and written without waiting."""

import contextlib
import socket
from collections.abc import Callable
from typing import Final

from devicectl.monitor.wire import SENDERS, Kind

MAX_UNSENT_BYTES: Final = 64 * 1024
"""Kept for a peer that reads late. Over TCP the sender then waits; a serial line loses what comes beyond."""


class End:
    """One end: `waits` where its peer makes room in time, as over TCP; a serial line loses what nobody takes.

    `unsent` has what the system has not taken yet, `heard_all` is set once its peer will send no more.
    """

    def __init__(self, fd: int, sender: int, close: Callable[[], None], sock: socket.socket | None = None) -> None:
        self.fd = fd
        self.sender = sender
        self.close = close
        self.sock = sock
        self.waits = sock is not None
        self.line: Line | None = None
        self.unsent = bytearray()
        self.events = 0
        self.paused = False
        self.connecting = False
        self.heard_all = False
        self.said_all = False
        self.lost_bytes = 0

    @classmethod
    def of_socket(cls, sock: socket.socket, sender: int) -> "End":
        """Return the end of a TCP connection."""
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # one that has been reset since
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return cls(sock.fileno(), sender, sock.close, sock)

    def half_close(self) -> None:
        """Tell the peer that nothing more comes."""
        if self.sock is not None and not self.said_all:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
        self.said_all = True


class Line:
    """A line by its number; an end is None while nobody is there."""

    def __init__(self, number: int, host: End | None, device: End | None) -> None:
        self.number = number
        self.host = host
        self.device = device
        for end in self.ends:
            end.line = self

    @property
    def ends(self) -> list[End]:
        """The ends that are there."""
        return [end for end in (self.host, self.device) if end is not None]

    def other(self, end: End) -> End | None:
        """Return what is at the other side of an end."""
        return self.device if end is self.host else self.host

    @property
    def is_over(self) -> bool:
        """True once both peers have said all, and all of it was passed on."""
        return all(end.heard_all and not end.unsent for end in self.ends)


def side_of(end: End) -> str:
    """Return "host" or "device"."""
    return SENDERS[Kind(end.sender)]
