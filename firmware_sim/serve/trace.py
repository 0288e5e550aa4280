"""The trace: what went over each port, decoded, a line a frame; times are from the start of the trace.

tcp:127.0.0.1:50312     0.004250 s host>device  LINK      Hello  seq=1 link=0 correlation=1  majors=2 ...
"""

import contextlib
from collections.abc import Iterator, Sequence

from firmware_sim.clock import monotonic
from firmware_sim.serve.errors import no_file
from firmware_sim.serve.options import STANDARD_ERROR
from firmware_sim.serve.real_time import OpenTap
from handpiece_shell.streams import say
from handpiece_shell.trace_file import Write, open_trace
from protocols.language.units import SECOND, Micros
from protocols.mqtt.wire import Publication
from protocols.trace import HEADING, Tracer


class PortTrace:
    """The trace of one port. Each connection is a new port, so that no half frame of another one is left."""

    def __init__(self, name: str, write: Write, start: Micros, now: Micros) -> None:
        self._name = name
        self._write = write
        self._start = start
        self._tracer = Tracer()
        self._left_on: tuple[str, ...] = ()
        self._note("opened", now)

    def heard(self, sender: str, data: bytes | Publication, now: Micros) -> None:
        """A piece of bytes, or a publication."""
        lines = self._tracer.describe(sender, data, Micros(now - self._start))
        self._write([f"{self._name} {line}" for line in lines])

    def line_set(self, left_on: Sequence[str], now: Micros) -> None:
        """A host has set its terminal; noted where that is news."""
        if tuple(left_on) != self._left_on:
            self._left_on = tuple(left_on)
            self._note(f"the host has {', '.join(left_on)} on" if left_on else "the line is raw", now)

    def noted(self, what: str, now: Micros) -> None:
        """A host has done something with its line."""
        self._note(what, now)

    def closed(self, now: Micros) -> None:
        """The port is gone."""
        self._note("closed", now)

    def _note(self, what: str, now: Micros) -> None:
        self._write([f"{self._name} {(now - self._start) / SECOND:12.6f} s {what}"])


@contextlib.contextmanager
def trace(path: str, seed: int) -> Iterator[OpenTap]:
    """Write to the file at `path`, `-` for standard error. One that takes no more ends the trace, and nothing else.

    Raises:
        OptionError: it cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        try:
            write = _to_standard_error if path == STANDARD_ERROR else stack.enter_context(open_trace(path, _warn))
        except (OSError, ValueError) as error:
            raise no_file("--trace", f"write {path}", error) from error
        write([HEADING, f"simulated handpiece, seed {seed}"])
        start = monotonic()
        yield lambda name, now: PortTrace(name, write, start, now)


def _warn(text: str) -> None:
    say(f"firmware-sim: warning: --trace {text}")


def _to_standard_error(lines: Sequence[str]) -> None:
    if lines:
        say(*lines)
