"""The writing end of the pipe to the process that watches, which never keeps a line waiting."""

import contextlib
import os
from typing import Final

from devicectl import clock
from devicectl.monitor.wire import Kind, encode

FLUSH_BYTES: Final = 16 * 1024
FLUSH_US: Final = 20_000
"""Observations are passed on together, at the latest after this time: each write costs as much as a frame."""
MAX_UNWATCHED_BYTES: Final = 64 * 1024 * 1024
"""Kept for a process that watches and is slow: a minute of 10,000 long frames a second."""
PIPE_BYTES: Final = 1024 * 1024
_F_SETPIPE_SZ: Final = 1031
"""Linux's command of fcntl. [fcntl(2)]"""


class WatcherGoneError(Exception):
    """Nobody watches any more."""


class Observations:
    """Observations for the pipe `fd`."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            fcntl.fcntl(fd, _F_SETPIPE_SZ, PIPE_BYTES)
        self._fresh: list[bytes] = []
        self._fresh_bytes = 0
        self._since_us = 0
        self._unsent = bytearray()
        self._left_out = 0

    def add(self, kind: int, line: int, at_us: int, data: bytes = b"") -> None:
        """Tell of something; passed on when it is worth it."""
        if len(self._unsent) > MAX_UNWATCHED_BYTES:
            self._left_out += 1
            return
        if not self._fresh:
            self._since_us = at_us
        self._fresh.append(encode(kind, line, at_us, data))
        self._fresh_bytes += len(data)
        if self._fresh_bytes > FLUSH_BYTES or at_us > self._since_us + FLUSH_US:
            self.flush()

    @property
    def fresh(self) -> bool:
        """True while something waits to be passed on together with more."""
        return bool(self._fresh)

    @property
    def blocked(self) -> bool:
        """True while the pipe is full."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Pass on what there is, as far as the pipe takes it.

        Raises:
            WatcherGoneError: nobody is there.
        """
        self._unsent += b"".join(self._fresh)
        self._fresh.clear()
        self._fresh_bytes = 0
        try:
            while self._unsent:
                del self._unsent[: os.write(self.fd, self._unsent[:PIPE_BYTES])]
        except BlockingIOError:
            return
        except OSError as error:
            raise WatcherGoneError from error
        if self._left_out:
            left_out, self._left_out = self._left_out, 0
            self.add(Kind.UNWATCHED, 0, clock.monotonic(), str(left_out).encode())

    def finish(self) -> None:
        """Pass on the rest, and wait for that."""
        os.set_blocking(self.fd, True)
        with contextlib.suppress(WatcherGoneError):
            self.flush()
            self.flush()
