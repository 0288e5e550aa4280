"""A file that appears whole: whoever waits for it never reads half of it, nor one of an earlier run."""

import contextlib
import os
from pathlib import Path

from firmware_sim.serve.errors import OptionError, ServeError, no_file


class WholeFile:
    """The file at `path` that the option `option` names. There is none until it is written."""

    def __init__(self, option: str, path: str) -> None:
        """Remove an earlier one, and see that there can be a new one.

        Raises:
            OptionError: the path cannot be used.
        """
        if os.path.exists(path) and not os.path.isfile(path):  # unlike Path's, both bear any path
            raise OptionError(option, f"{path} is no regular file; name one that may be replaced")
        self.path = Path(path)
        self._option = option
        self._fresh = Path(f"{path}.{os.getpid()}.new")
        try:
            self.path.unlink(missing_ok=True)
            self._fresh.touch()
            self._fresh.unlink()
        except (OSError, ValueError) as error:
            raise no_file(option, f"write {path}", error) from error

    def write(self, text: str) -> None:
        """Let it appear.

        Raises:
            ServeError: it cannot be written.
        """
        try:
            self._fresh.write_text(text, encoding="utf-8")
            self._fresh.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._fresh.unlink()
            raise ServeError(f"{self._option} {self.path}: {error.strerror}") from error
