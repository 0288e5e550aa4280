"""The file of a trace. One that takes no more ends the trace, and nothing else."""

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from handpiece_shell.patient_file import open_to_write
from protocols.text.escape import printable

Write = Callable[[Sequence[str]], None]


@contextlib.contextmanager
def open_trace(path: str, warn: Callable[[str], None]) -> Iterator[Write]:
    """Open the file at `path`, empty, and give a function that writes lines to it; `warn` hears once of a failure.

    What is written is passed on at once, so that a program that is killed leaves a trace up to its end.

    Raises:
        OSError, ValueError: it cannot be opened.
    """
    file = io.TextIOWrapper(io.BufferedWriter(open_to_write(path)), encoding="utf-8", line_buffering=True)
    writing: TextIO | None = file

    def write(lines: Sequence[str]) -> None:
        nonlocal writing
        try:
            if writing is not None:
                # A peer's words may be in a line. One write for all, since each write is passed on.
                writing.write("\n".join([*map(printable, lines), ""]))
        except OSError as error:
            writing = None
            warn(f"{path}: {error.strerror}; the trace ends here")

    try:
        yield write
    finally:
        with contextlib.suppress(OSError):  # it was said when it was written
            file.close()
