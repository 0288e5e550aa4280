"""Faults of a session log, as one exception with a kind to branch on."""

from enum import StrEnum

from devicectl.errors import DevicectlError


class LogErrorKind(StrEnum):
    """Reasons why a log cannot be used.

    UNWRITABLE: the place is not there or may not be written. LOCKED: another process is writing and does not let go.
    FOREIGN: it is another program's file. NEWER_SCHEMA, UNKNOWN_SCHEMA: written by another version of this program.
    FULL: no space. CORRUPT: damaged, or no SQLite file at all. MISSING: no log is there to be read, or no such session
    in it. OUT_OF_ORDER: what is to be stored does not follow what is stored.
    """

    UNWRITABLE = "unwritable"
    LOCKED = "locked"
    FOREIGN = "foreign"
    NEWER_SCHEMA = "newer_schema"
    UNKNOWN_SCHEMA = "unknown_schema"
    FULL = "full"
    CORRUPT = "corrupt"
    MISSING = "missing"
    OUT_OF_ORDER = "out_of_order"


class LogError(DevicectlError):
    """The log at `path` cannot be used; its text is one line: what is wrong, where, and what would be right.

    What was committed before is not lost by it, whatever the kind.
    """

    exit_code = 4

    def __init__(self, kind: LogErrorKind, path: str, reason: str) -> None:
        self.kind = kind
        self.path = path
        self.reason = reason
        super().__init__(f"session log {path}: {reason}")
