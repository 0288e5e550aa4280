"""Standard output that cannot be written, as an error of this program."""

from devicectl.errors import DevicectlError
from handpiece_shell.streams import why_lost


class OutputError(DevicectlError):
    """What was to be printed could not be. `kept` says where it can be found all the same, if it can."""

    def __init__(self, reason: str, kept: str = "") -> None:
        super().__init__(f"standard output cannot be written: {reason}" + (f"; {kept}" if kept else ""))


def require_written(kept: str = "") -> None:
    """Flush standard output, at the end of a command.

    Raises:
        OutputError: not all of it could be written.
        BrokenPipeError: whoever read it has gone.
    """
    reason = why_lost()
    if reason is not None:
        raise OutputError(reason, kept)
