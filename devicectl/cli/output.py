"""Standard output and standard error where they are closed, or on a disk that is full.

Law: what cannot be written is lost in silence and told once, at the end. A session does not end because nobody can
read of it: it is in its log. A reader of a pipe that has gone is another matter, and raises `BrokenPipeError`.
"""

import errno
import io
import os
import sys
from typing import TextIO

from devicectl.errors import DevicectlError


class OutputError(DevicectlError):
    """What was to be printed could not be. `kept` says where it can be found all the same, if it can."""

    def __init__(self, error: OSError, kept: str = "") -> None:
        reason = "it is closed" if error.errno == errno.EBADF else error.strerror
        super().__init__(f"standard output cannot be written: {reason}" + (f"; {kept}" if kept else ""))


class Output(io.TextIOWrapper):
    """A stream that takes whatever is written; `lost` is what kept it from passing that on, None where nothing did."""

    lost: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write, or lose, all of a text."""
        try:
            return super().write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            self._lose(error)
            return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = self.lost or error
        discard(self)


def guard_streams() -> None:
    """Put an `Output` in place of both standard streams; one that is closed is lost from the beginning."""
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)


def _guarded(stream: object, descriptor: int) -> Output:
    if isinstance(stream, io.TextIOWrapper):
        stream.flush()
        return Output(
            stream.buffer,
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
    # Python has no stream where the descriptor was closed. The next file to be opened must not get that number.
    _point(descriptor, os.O_RDONLY)
    return Output(open(descriptor, "wb", closefd=False), encoding="utf-8", errors="backslashreplace")


def require_written(kept: str = "") -> None:
    """Flush standard output, at the end of a command.

    Raises:
        OutputError: not all of it could be written.
    """
    sys.stdout.flush()
    lost = getattr(sys.stdout, "lost", None)
    if lost is not None:
        raise OutputError(lost, kept)


def discard(stream: TextIO) -> None:
    """Let a stream lead nowhere: what is still in its buffer must not fail again at the program's end."""
    _point(stream.fileno(), os.O_WRONLY)


def _point(descriptor: int, how: int) -> None:
    """Have a descriptor of a standard stream lead to the null device; written to, one that is for reading fails."""
    null = os.open(os.devnull, how)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
