"""The place of the session log: the one that a user names, else the default."""

import os
from pathlib import Path
from typing import Final

from devicectl.log.errors import LogError, LogErrorKind

LOG_VARIABLE: Final = "DEVICECTL_LOG"
"""Environment variable: a path or a SQLAlchemy URL."""


def user_log_path() -> Path:
    """The log in the user's own data directory.

    Raises:
        LogError: this user has none, as in a container that runs under a number without a name.
    """
    import platformdirs

    try:
        folder = Path(platformdirs.user_data_dir("devicectl", appauthor=False))
    except (RuntimeError, KeyError):
        folder = Path("~")
    if folder.parts[0] == "~":  # earlier versions leave it at that
        reason = f"this user has no home to keep it in: name a file with --log or ${LOG_VARIABLE}"
        raise LogError(LogErrorKind.UNWRITABLE, "of the user", reason)
    return folder / "sessions.sqlite"


def default_log_path(option: str | None = None) -> str:
    """The log to use, as a path or URL: `--log`, else `$DEVICECTL_LOG`, else the one in the user's data directory.

    An option that is empty names no log, which opening it says; a variable that is empty is not set.

    Raises:
        LogError: nothing is named, and the user has no data directory.
    """
    return option if option is not None else os.environ.get(LOG_VARIABLE) or str(user_log_path())
