"""Traces that hosts leave at a pseudo-terminal: settings that change bytes, and the lock that keeps others out.

Both belong to the terminal and not to the program that made them: they stay when it is killed, and some programs leave
them when they quit. POSIX only.
"""

import fcntl
import termios
from typing import Final

_IFLAG, _OFLAG, _LFLAG = 0, 1, 3
"""Places in the list of `tcgetattr`."""
_CHANGING: Final = tuple(
    (place, name, getattr(termios, name))
    for place, name in (
        (_IFLAG, "ISTRIP"),
        (_IFLAG, "INLCR"),
        (_IFLAG, "IGNCR"),
        (_IFLAG, "ICRNL"),
        (_IFLAG, "IUCLC"),
        (_IFLAG, "IXON"),
        (_IFLAG, "PARMRK"),
        (_OFLAG, "OPOST"),
        (_LFLAG, "ISIG"),
        (_LFLAG, "ICANON"),
        (_LFLAG, "ECHO"),
    )
    if hasattr(termios, name)  # not every system has all
)
"""Settings by which bytes are changed, kept, dropped or sent back."""


def left_on(slave: int) -> tuple[str, ...]:
    """The names of the settings that are on at a terminal and that a binary line must not have."""
    settings = termios.tcgetattr(slave)
    return tuple(name for place, name, flag in _CHANGING if settings[place] & flag)


def tidy(slave: int) -> None:
    """Let others open the terminal again, and let bytes flow that a program's XOFF had stopped for good."""
    fcntl.ioctl(slave, termios.TIOCNXCL)
    settings = termios.tcgetattr(slave)
    if settings[_IFLAG] & termios.IXON:
        settings[_IFLAG] &= ~termios.IXON
        termios.tcsetattr(slave, termios.TCSANOW, settings)
