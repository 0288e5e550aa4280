"""A file whose reader may let it wait, but not beyond the end that the program was asked for.

A pipe or a terminal that nobody reads is full at some time, and a write then waits, which is right: a person reads
`less` as slowly as he likes. But the program hears no signal meanwhile, since its event loop is what writes. So a write
waits where it can look up, and once `hurry` was called, it waits for `GRACE_S` and then says that nobody reads.
"""

import errno
import io
import os
import select
import stat
from typing import Any, Final

GRACE_S: Final = 0.5
"""Seconds that a write waits for its reader when the program is to end."""
_LOOK_MS: Final = 50
NOBODY_READS: Final = "nobody reads it"


class _End:
    """The end of the program. No lock guards it: a second signal would wait in its handler for the first one's."""

    is_near = False


def hurry() -> None:
    """From now on no write waits long: the program is to end. Safe in a signal's handler."""
    _End.is_near = True


def take_time() -> None:
    """From now on a write waits for its reader, as at the beginning."""
    _End.is_near = False


class PatientFile(io.FileIO):
    """A file that is written to."""

    _waits: bool | None = None
    """True if its reader may let it wait; None before the first write."""

    def write(self, data: Any, /) -> int:
        """Write all of it, as its reader makes room.

        Raises:
            TimeoutError: the program is to end, and nobody reads.
        """
        if self._waits is None:
            self._waits = hasattr(select, "poll") and not stat.S_ISREG(os.fstat(self.fileno()).st_mode)
        if not self._waits:
            return super().write(data)
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            try:
                _wait_for_room(self.fileno())
            except KeyboardInterrupt:
                hurry()
                raise
            rest = rest[super().write(rest[: select.PIPE_BUF]) :]  # no more has room for certain
        return size


def _wait_for_room(descriptor: int) -> None:
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    looks = round(GRACE_S * 1000 / _LOOK_MS)
    while not room.poll(_LOOK_MS):  # a signal is heard between two looks at the latest
        looks -= _End.is_near
        if not looks:
            raise TimeoutError(errno.ETIMEDOUT, NOBODY_READS)


def open_to_write(path: str) -> PatientFile:
    """Open the file at `path`, empty. A named pipe must have its reader: there is no waiting for one that may not come.

    Raises:
        OSError, ValueError: it cannot be opened.
    """
    return PatientFile(path, "w", opener=_opened_at_once)


def _opened_at_once(path: str, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "is a pipe that nobody reads", path) from error
        raise
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor
