"""The exception tree of the device.

    SimulatorError
    |-- ParameterError      a value that a parameter cannot have
    |   `-- UnknownParameterError   there is no parameter of that name
    |-- SeedError           a memory is of a device with another seed
    |-- NvmError            the firmware used its non-volatile memory out of order: a defect of the caller
    `-- NvmFileError        the file that holds the non-volatile memory cannot be used

    PowerLostError          power is lost within a write; no part of the firmware may catch it

Each message is one line that says what is right, since it is shown to the person who gave the value.
"""


class SimulatorError(Exception):
    """Base of every exception raised by `firmware_sim`."""


class ParameterError(SimulatorError, ValueError):
    """`value` is not one that the parameter `name` can have (None: no value can help); `reason` says what is."""

    def __init__(self, name: str, value: float | None, reason: str) -> None:
        self.name = name
        self.value = value
        self.reason = reason
        super().__init__(f"{name}: {reason}")


class UnknownParameterError(ParameterError):
    """There is no parameter `name`; `nearest` is the one that looks most like it, "" if none does."""

    def __init__(self, name: str, nearest: str) -> None:
        self.nearest = nearest
        super().__init__(name, None, f"no such parameter{f'; did you mean {nearest}?' if nearest else ''}")


class SeedError(SimulatorError):
    """A device with the seed `wanted` was to run on the memory of one with the seed `kept`."""

    def __init__(self, kept: int, wanted: int) -> None:
        self.kept = kept
        self.wanted = wanted
        super().__init__(f"the memory is of the device with seed {kept}, not {wanted}")


class NvmError(SimulatorError):
    """A cycle or session was begun, moved on or ended out of order."""


class PowerLostError(BaseException):
    """Power went away in the midst of a write. It passes through the firmware, which has no say in it."""


class NvmFileError(SimulatorError):
    """File at `path` that cannot serve as non-volatile memory; `reason` says why."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")
