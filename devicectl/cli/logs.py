"""The session log as the commands that only read it open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from devicectl.log.errors import LogError, LogErrorKind

if TYPE_CHECKING:
    from devicectl.log.reader import LogReader

EXIT_ARGUMENT: Final = 2


@contextmanager
def open_log(where: str) -> "Iterator[LogReader]":
    """The log at a path or database URL.

    Raises:
        LogError: there is no log, or no such session in it, and an argument is wrong; or it cannot be read.
    """
    from devicectl.log.reader import LogReader

    try:
        with LogReader.open(where) as reader:
            yield reader
    except LogError as error:
        if error.kind is LogErrorKind.MISSING:
            error.exit_code = EXIT_ARGUMENT
        raise
