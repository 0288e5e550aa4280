"""Errors that keep a device from being served; a branch of the tree in `firmware_sim.errors`.

    SimulatorError
    `-- ServeError          ends the program with `exit_code`
        |-- OptionError     2   an option that cannot be carried out as it was given
        `-- NoPlaceError    3   an address that another program holds; a broker that is not there, or keeps us out

Each message is one line that says what is wrong and what would be right.
"""

from typing import ClassVar

from firmware_sim.errors import SimulatorError
from handpiece_shell.files import explain_no_file


class ServeError(SimulatorError):
    """The device cannot be served, or can be served no longer."""

    exit_code: ClassVar[int] = 1


class OptionError(ServeError):
    """The option `option` cannot be carried out; `reason` says why and what could be."""

    exit_code: ClassVar[int] = 2

    def __init__(self, option: str, reason: str) -> None:
        self.option = option
        self.reason = reason
        super().__init__(f"{option}: {reason}")


class NoPlaceError(ServeError):
    """The option `option` is right, but its place cannot be had now; `reason` says why."""

    exit_code: ClassVar[int] = 3

    def __init__(self, option: str, reason: str) -> None:
        self.option = option
        self.reason = reason
        super().__init__(f"{option}: {reason}")


def no_file(option: str, deed: str, error: OSError | ValueError) -> OptionError:
    """Return the error for a file that an option names and that cannot be had."""
    return OptionError(option, explain_no_file(deed, error))
