"""Standard output and standard error where they are closed, or lead to a disk that is full.

Law: what cannot be said on standard error is lost, since nobody can be told. Where a descriptor was closed, Python has
None for the stream. The descriptors stay as they are: in `exec` they are the command's as well.
"""

import contextlib
import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """A line or several on standard error, at once."""
    if sys.stderr is not None:  # else `print` would take standard output
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)


def settle(stream: TextIO | None) -> None:
    """Let a stream lead nowhere that cannot take what is in its buffer, at which Python would fail at its exit."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
