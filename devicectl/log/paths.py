"""Where the session log is, when nobody says so and when somebody does."""

import os
from pathlib import Path
from typing import Final

import platformdirs

LOG_VARIABLE: Final = "DEVICECTL_LOG"
"""Environment variable: a path or a SQLAlchemy URL."""


def user_log_path() -> Path:
    """The log in the user's own data directory."""
    return Path(platformdirs.user_data_dir("devicectl", appauthor=False)) / "sessions.sqlite"


def default_log_path(option: str | None = None) -> str:
    """The log to use, as a path or URL: `--log`, else `$DEVICECTL_LOG`, else the one in the user's data directory.

    An option that is empty names no log, which opening it says; a variable that is empty is not set.
    """
    return option if option is not None else os.environ.get(LOG_VARIABLE) or str(user_log_path())
