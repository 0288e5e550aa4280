"""Memory of one further device in a process that has some already: idle, with a port on which nobody has linked.

python -m benchmarks.idle_device        prints it
"""

import gc
import tracemalloc
from typing import Final

from firmware_sim.device import Device

DEVICES: Final = 50
"""Enough for a mean that no single block of the allocator moves."""


def measure() -> float:
    """Return bytes a device, by tracemalloc: what Python has allocated, without what is shared by all devices."""
    devices = [_device(0)]  # takes what all share
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        devices += [_device(seed) for seed in range(1, DEVICES + 1)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / DEVICES


def _device(seed: int) -> Device:
    device = Device(seed=seed)
    device.attach("line")
    return device


if __name__ == "__main__":
    print(f"{measure() / 1024:.1f} KiB")
