"""A file that appears whole: a program that waits for it never reads half of it, nor one of an earlier run."""

import contextlib
import os
from pathlib import Path

from firmware_sim.serve.errors import OptionError, ServeError, no_file
from handpiece_shell.fresh_file import create_beside


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
        try:
            self.path.unlink(missing_ok=True)
            fresh, descriptor = create_beside(self.path)
            os.close(descriptor)
            fresh.unlink()
        except (OSError, ValueError) as error:
            raise no_file(option, f"write {path}", error) from error

    def write(self, text: str) -> None:
        """Let it appear.

        Raises:
            ServeError: it cannot be written.
        """
        try:
            fresh, descriptor = create_beside(self.path)
            with contextlib.ExitStack() as undo:
                undo.callback(fresh.unlink, missing_ok=True)
                with open(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                fresh.replace(self.path)
                undo.pop_all()
        except OSError as error:
            raise ServeError(f"{self._option} {self.path}: {error.strerror}") from error
