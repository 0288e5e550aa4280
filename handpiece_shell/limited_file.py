"""Reading a file that a user names, which may be a pipe: a pipe is waited for, and not for ever.

Law: a regular file is opened as any other. Nothing else keeps a reader waiting longer than the limit for its next byte.
"""

import errno
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final, cast

SILENT_LIMIT_S: Final = 10.0
"""Seconds for the next byte of a pipe."""


class _Pipe(io.RawIOBase):
    """A file that comes byte by byte from somebody else."""

    def __init__(self, descriptor: int, limit_s: float) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._limit_s = limit_s

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Read what there is; 0 at the end.

        Raises:
            OSError: nothing came within the limit.
        """
        import select  # has poll() wherever there are such files

        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if not poll.poll(self._limit_s * 1_000):
            raise OSError(errno.ETIMEDOUT, f"nobody has written to it for {self._limit_s:g} s")
        view = memoryview(cast("bytearray", buffer)).cast("B")
        data = os.read(self._descriptor, len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def open_limited(path: str, limit_s: float | None = None) -> BinaryIO:
    """Open a file for reading; one that is no regular file has `limit_s`, else `SILENT_LIMIT_S`, for each next byte.

    Raises:
        OSError, ValueError: it cannot be opened. OSError also later, once the limit is over.
    """
    status = os.stat(path)
    if stat.S_ISREG(status.st_mode) or not hasattr(os, "O_NONBLOCK"):
        return open(path, "rb")
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)  # a pipe is open before it has a writer
    return io.BufferedReader(_Pipe(descriptor, SILENT_LIMIT_S if limit_s is None else limit_s))


def read_limited(path: Path, max_bytes: int) -> bytes:
    """Return all that a file has.

    Raises:
        OSError: it cannot be read, is too slow, or has more.
    """
    with open_limited(str(path)) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"it has more than {max_bytes} bytes")
    return data
