"""The process that watches: it starts the one that passes bytes on, and decodes, counts, records and shows.

How it works: observations come through a pipe, and each is recorded first, then decoded. What is shown goes to a
thread. A first signal lets go of the passing process, which says the rest and ends; what is left in the pipe is taken.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Final

from devicectl import clock
from devicectl.errors import LinkError
from devicectl.monitor.places import Place
from devicectl.monitor.watch import Watch
from devicectl.monitor.wire import SENDERS, Decoder, Kind, Observation
from handpiece_shell.patient_file import hurry
from handpiece_shell.recording_file import RecordingFile
from protocols.language.units import SECOND, Micros

READ_SIZE: Final = 1024 * 1024
LOOK_S: Final = 0.25
"""Pause after which bytes that are no whole frame are looked at."""
END_S: Final = 5.0
"""Seconds in which the passing process ends once it was let go of."""
SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")

Show = Callable[[list[str]], None]
_Handler = Callable[[int, FrameType | None], object] | int | None


@dataclass(slots=True)
class Watched:
    """Outcome of a watch: how many lines there were, and what was lost of them to this process."""

    lines: int = 0
    unwatched: int = 0
    failure: str = ""


class Watching:
    """A watch over the lines between two places."""

    def __init__(
        self,
        watch: Watch,
        show: Show,
        recording: RecordingFile | None,
        listening: Callable[[str], None],
        is_read: Callable[[], bool],
    ) -> None:
        self._watch = watch
        self._show = show
        self._recording = recording
        self._listening = listening
        self._is_read = is_read
        self._names: dict[int, str] = {0: "device"}
        self.watched = Watched()

    def run(self, host: Place, device: Place) -> Watched:
        """Watch until a signal comes, the passing process ends, or nobody reads and nothing is recorded.

        Raises:
            LinkError: an end could not be had, or a port has gone.
        """
        command = [sys.executable, "-P", "-m", "devicectl.monitor.line", host.text, device.text]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, bufsize=0
        ) as process:
            try:
                with _letting_go(process):
                    self._follow(process)
            finally:
                _end(process)
        self._show(self._watch.close())
        if process.returncode and not self.watched.failure:
            self.watched.failure = f"what passes the bytes on has ended with {process.returncode}"
        if self.watched.failure:
            raise LinkError(self.watched.failure)
        return self.watched

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        fd, decoder = process.stdout.fileno(), Decoder()
        at_us, heard = 0, clock.monotonic()
        while self._recording is not None or self._is_read():
            ready, _, _ = select.select([fd], [], [], LOOK_S)
            if ready:
                data = os.read(fd, READ_SIZE)
                if not data:
                    return
                lines: list[str] = []
                for observation in decoder.feed(data):
                    at_us, heard = observation.at_us, clock.monotonic()
                    lines += self._take(observation)
                if lines:
                    self._show(lines)
            elif lines := self._watch.quiet(at_us + clock.monotonic() - heard):
                self._show(lines)

    def _take(self, observation: Observation) -> list[str]:
        kind, line, at_us, data = observation
        if (sender := SENDERS.get(kind)) is not None:
            if self._recording is not None:
                self._recording.heard(self._names.get(line, str(line)), sender, data, at_us)
            return self._watch.heard(sender, data, Micros(at_us), line)
        text = data.decode(errors="replace")
        match kind:
            case Kind.LISTENING:
                self._listening(text)
                return []
            case Kind.FAILED:
                self.watched.failure = text
                return []
            case Kind.UNWATCHED:
                self.watched.unwatched += int(text)
                return [f"{text} pieces were passed on and not watched: this process was too slow"]
            case Kind.OPENED:
                self.watched.lines += 1
                self._names[line] = text
                text = f"opened: the host is {text}"
        mark = "" if line == 1 else f"#{line} "
        lines = self._watch.close(line) if kind is Kind.CLOSED else []
        return [*lines, f"{mark}{at_us / SECOND:12.6f} s line {'closed: ' if kind is Kind.CLOSED else ''}{text}"]


@contextlib.contextmanager
def _letting_go(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Within it a first signal lets go of the passing process, and a second one interrupts."""
    asked = False

    def hear(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        hurry()  # a reader of the screen that does not read must not keep the end waiting
        if asked:
            raise KeyboardInterrupt
        asked = True
        assert process.stdin is not None
        process.stdin.close()

    earlier: dict[int, _Handler] = {}
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            earlier[number] = signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
