"""Powering on a device from a seed, parameters and a file with its memory, as both programs do it.

Law: a wrong value is one error, which names the option that it came by; each program says it in the words of its own
command line. A file that was opened stays locked until `close_memory`.
"""

from collections.abc import Callable

from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError, SeedError, SimulatorError
from firmware_sim.memory.nvm import Nvm, choose_seed
from firmware_sim.model.parameters import Parameters
from protocols.language.units import Micros


class StartError(SimulatorError):
    """A device that cannot be powered on: `option` is "seed" or "nvm", `reason` says what is wrong with it."""

    def __init__(self, option: str, reason: str) -> None:
        self.option = option
        self.reason = reason
        super().__init__(f"{option}: {reason}")


def open_memory(path: str) -> Nvm:
    """Open the memory in the file at `path`; an empty one where there is no file yet.

    Raises:
        StartError: it cannot be used, or this system cannot keep one: only POSIX locks a file.
    """
    try:
        from firmware_sim.memory_file import load
    except ImportError as missing:
        raise StartError("nvm", "this system cannot lock a file; leave it out") from missing
    try:
        return load(path)
    except NvmFileError as error:
        raise StartError("nvm", str(error)) from error


def close_memory(nvm: Nvm | None) -> None:
    """Close the file of a memory, if it has one."""
    if nvm is not None and nvm.store is not None:
        from firmware_sim.memory_file import close

        close(nvm)


def seed_for(wanted: int | None, nvm: Nvm | None, path: str | None, draw: Callable[[], int]) -> int:
    """Return the seed of a device on this memory, which is in the file at `path`: see `choose_seed`.

    Raises:
        StartError: the one that is wanted is not the memory's.
    """
    try:
        return choose_seed(wanted, nvm, draw)
    except SeedError as error:
        reason = f"{error.wanted} is not the seed {error.kept} of the device in {path}; leave it out"
        raise StartError("seed", reason) from error


def power_on(seed: int, parameters: Parameters, nvm: Nvm | None, now: Micros = Micros(0)) -> Device:
    """Power on the device.

    Raises:
        StartError: its boot cannot be kept.
    """
    try:
        return Device(seed=seed, now=now, parameters=parameters, nvm=nvm)
    except SimulatorError as error:
        raise StartError("nvm", str(error)) from error
