"""The only reader of a clock in `firmware_sim`."""

import time

from protocols.units import Micros


def monotonic() -> Micros:
    """Microseconds of the system's monotonic clock, the one that asyncio's loops count in seconds."""
    return Micros(time.monotonic_ns() // 1_000)
