"""Progress of a run of the kit, for a person before a terminal on which nothing else would happen for a minute.

Law: one line of standard error, written over itself and taken away at the end. Where that is no terminal, nothing.
"""

import shutil
from types import TracebackType
from typing import Final, Self, TextIO

_CLEAR: Final = "\r\x1b[K"


class Progress:
    """The line; as a context it takes itself away."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shows = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write(_CLEAR)

    def tell(self, done: int, total: int, what: str) -> None:
        """Show how much of a run is done, and what it is at."""
        text = f"{done} of {total}: {what}"
        self._write(_CLEAR + text[: shutil.get_terminal_size().columns - 1])

    def _write(self, text: str) -> None:
        if self._shows:
            self._stream.write(text)
            self._stream.flush()
