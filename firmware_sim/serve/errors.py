"""What can keep a device from being served; a branch of the tree in `firmware_sim.errors`.

    SimulatorError
    `-- ServeError          ends the program with `exit_code`
        |-- OptionError     2   an option that cannot be carried out as it was given
        |-- NoAddressError  3   an address that another program holds
        `-- NoBrokerError   3   a broker that is not there, or that keeps the device out

Each message is one line that says what is wrong and what would be right.
"""

from typing import ClassVar

from firmware_sim.errors import SimulatorError


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


class NoAddressError(ServeError):
    """The address `address` is in use."""

    exit_code: ClassVar[int] = 3

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(f"--tcp {address}: in use by another program; port 0 takes a free one")


class NoBrokerError(ServeError):
    """The broker cannot be used; `reason` says why."""

    exit_code: ClassVar[int] = 3

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"--mqtt: {reason}")


def no_file(option: str, deed: str, error: OSError | ValueError) -> OptionError:
    """The file that an option names cannot be had: the `deed`, such as "write trace.txt", ended in `error`."""
    reason = getattr(error, "strerror", None) or str(error)
    return OptionError(option, f"cannot {deed}: {reason}; name a file in a folder that exists")
