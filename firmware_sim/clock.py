"""The only reader of a clock in `firmware_sim`, and the only place that waits for one."""

import asyncio
import time
from datetime import UTC, datetime

from protocols.language.units import Micros


def monotonic() -> Micros:
    """Microseconds of the system's monotonic clock, the one that asyncio's loops count in seconds."""
    return Micros(time.monotonic_ns() // 1_000)


def wall() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


async def pause(duration: float) -> None:
    """Let `duration` seconds pass."""
    await asyncio.sleep(duration)
