"""Standard output and standard error, whatever they lead to and whatever their encoding lacks.

Law: printing decides about nothing else. What an encoding lacks is replaced; what cannot be written is lost in silence,
and told once, to the caller who asks at the end. Until then the descriptors stay as they are: a command that is run has
the same ones. A loss of standard error is not reported, since nobody would read it.
"""

import contextlib
import errno
import io
import os
import select
import sys
from typing import BinaryIO, Final, TextIO

from handpiece_shell.patient_file import PatientFile
from protocols.text.escape import printable

_FAILING: Final = ("strict", "surrogateescape")
"""Ways to meet a character that an encoding lacks, by an exception; a user may have chosen another one."""


class Output(io.TextIOWrapper):
    """A stream that takes whatever is written; `lost` is what kept it from passing that on, None where nothing did."""

    lost: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write, or lose, all of a text."""
        if self.lost is None:
            try:
                return super().write(text)
            except OSError as error:
                self.lost = error
        return len(text)

    def flush(self) -> None:
        """Pass on what was written."""
        if self.lost is None:
            try:
                super().flush()
            except OSError as error:
                self.lost = error


def guard_streams() -> None:
    """Put an `Output` in place of both standard streams; one that is closed is lost from the beginning."""
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)


def _guarded(stream: object, descriptor: int) -> Output:
    if isinstance(stream, io.TextIOWrapper):
        stream.flush()
        return Output(
            _patient(stream.buffer),
            encoding=stream.encoding,
            errors="replace" if stream.errors in _FAILING else stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
    # Python has no stream where the descriptor was closed. The next file to be opened must not get that number.
    _point(descriptor, os.O_RDONLY)
    return Output(open(descriptor, "wb", closefd=False), encoding="utf-8", errors="backslashreplace")


def _patient(buffer: BinaryIO) -> BinaryIO:
    """The same file, whose writes end with the program; one that is not the system's own stays as it is."""
    raw = getattr(buffer, "raw", buffer)
    if not isinstance(raw, io.FileIO):
        return buffer
    file = PatientFile(raw.fileno(), "w", closefd=False)
    return file if raw is buffer else io.BufferedWriter(file)  # without a buffer of its own where there was none


def to_utf8(stream: TextIO) -> None:
    """From here on what is written goes out as UTF-8, its line ends as they are: as into a file for programs."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", newline="")


def say(*lines: str) -> None:
    """Print lines on standard error, at once. Text from others in them cannot steer the terminal."""
    if sys.stderr is not None:  # else `print` would take standard output
        with contextlib.suppress(OSError):
            print("\n".join(map(printable, lines)), file=sys.stderr, flush=True)


def loss_of(stream: TextIO) -> OSError | None:
    """Return the error that kept text from a stream; None if there was none, or the stream is not a guarded one."""
    stream.flush()
    lost: OSError | None = getattr(stream, "lost", None)
    return lost


def why_lost() -> str | None:
    """Return the reason why standard output is not complete; None if it is.

    Raises:
        BrokenPipeError: its reader has gone, and wants to hear no more.
    """
    lost = loss_of(sys.stdout)
    if lost is None:
        return None
    if isinstance(lost, BrokenPipeError):
        raise lost
    return "it is closed" if lost.errno == errno.EBADF else lost.strerror


def has_reader(stream: TextIO) -> bool:
    """Return False once whoever read a stream's pipe or terminal has gone, which else shows at the next write."""
    if not hasattr(select, "poll"):
        return True
    look = select.poll()
    try:
        look.register(stream.fileno(), 0)  # an end is reported to who asks for nothing
    except (OSError, ValueError):
        return True
    return not any(event & (select.POLLERR | select.POLLHUP) for _, event in look.poll(0))


def settle() -> None:
    """At a program's end: let a stream that lost something lead nowhere, else Python would try again, and fail."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        if loss_of(stream) is not None:
            _point(descriptor, os.O_WRONLY)


def _point(descriptor: int, how: int) -> None:
    """Have a descriptor of a standard stream lead to the null device; written to, one that is for reading fails."""
    null = os.open(os.devnull, how)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
