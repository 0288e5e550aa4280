"""Faults of a simulated device and its wire, as data: the catalogue, when one begins, and what it does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_sim.device import Device
    from firmware_sim.faults.injected import InjectedFaults
    from protocols.language.units import Micros


def inject(device: "Device", now: "Micros") -> "InjectedFaults":
    """Return what injects faults into a device; loaded now, since few devices need it."""
    from firmware_sim.faults.injected import InjectedFaults

    return InjectedFaults(device, now, in_file=device.nvm.store is not None)
