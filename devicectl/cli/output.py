"""Standard output that cannot be written, as an error of this program."""

from devicectl.errors import DevicectlError
from handpiece_shell.streams import why_lost


class OutputError(DevicectlError):
    """Standard output could not be written. `kept` says where the same can be found, if anywhere."""

    def __init__(self, reason: str, kept: str = "") -> None:
        super().__init__(f"standard output cannot be written: {reason}" + (f"; {kept}" if kept else ""))


def require_written(kept: str = "") -> None:
    """Flush standard output, at the end of a command.

    Raises:
        OutputError: not all of it could be written.
        BrokenPipeError: its reader has gone.
    """
    reason = why_lost()
    if reason is not None:
        raise OutputError(reason, kept)
