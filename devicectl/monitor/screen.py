"""The screen of a watch: a thread writes, so that nothing waits for whoever reads."""

import contextlib
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, TextIO

from protocols.text.escape import printable

MAX_LINES: Final = 20_000
"""Lines that wait for a reader who is slow; what comes beyond is not shown, and that is said."""
TOGETHER: Final = 200


class Screen:
    """Lines for a stream. One that `waits` keeps its caller waiting for a slow reader; any other one loses lines."""

    def __init__(self, stream: TextIO, *, waits: bool = False) -> None:
        self._stream = stream
        self._waits = waits
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.not_shown = 0
        """Lines for which there was no room."""
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    def show(self, lines: Sequence[str], *, always: bool = False) -> None:
        """Have lines written; `always` also where many wait."""
        with self._changed:
            while self._waits and len(self._lines) >= MAX_LINES:
                self._changed.wait()
            room = len(lines) if always or self._waits else max(0, MAX_LINES - len(self._lines))
            self._lines.extend(lines[:room])
            self.not_shown += len(lines[room:])
            self._changed.notify_all()

    def close(self) -> None:
        """Write the rest, for as long as its reader takes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closed:
                    self._changed.wait()
                if not self._lines:
                    return
                taken = [self._lines.popleft() for _ in range(min(TOGETHER, len(self._lines)))]
                self._changed.notify_all()
            with contextlib.suppress(OSError, ValueError):  # a stream that takes no more, or was closed: lost
                self._stream.write("\n".join([*map(printable, taken), ""]))
                self._stream.flush()
