"""The only reader of a clock in `devicectl`, and the only place that waits for one."""

import asyncio
import time
from datetime import UTC, date, datetime

from protocols.language.units import Micros


def monotonic() -> Micros:
    """Microseconds of the system's monotonic clock."""
    return Micros(time.monotonic_ns() // 1_000)


def wall() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The local date."""
    return datetime.now().astimezone().date()


async def pause(duration: float) -> None:
    """Let `duration` seconds pass; 0 only lets other tasks run, and a cancellation through."""
    await asyncio.sleep(duration)
