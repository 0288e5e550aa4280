"""Short sessions one after the other in one process, as a campaign of many holds them.

Each is of 20 cycles without a fault and an anesthesia of one second, with a device of its own seed; all are in one log
on disk, or in none. What counts is processor time, so that the figure is of one core, whatever else the machine does.

python -m benchmarks.campaign [LOG]    prints sessions per second of processor time
"""

import asyncio
import sys
import time
from contextlib import nullcontext
from datetime import date
from typing import Final

import devicectl
from devicectl.log.store import SessionLog

SESSIONS: Final = 60
"""Sessions that are measured: a second of work or two."""
TARGET_CORES: Final = 60
"""20 cycles of three needles; 21 where suction leaves a core, all else that loses one is switched off in `DEVICE`."""
DEVICE: Final = "sim://?anesthesia_wait_s=1&miss_p=0&clog_hazard=0&sensor_false_negative_p=0&seed="
WARM_UP: Final = 3
"""Sessions before those, in which what all share is made."""


async def rate(log_path: str | None, sessions: int = SESSIONS) -> float:
    """Return sessions per second of processor time; without a path they have no log."""
    with nullcontext() if log_path is None else SessionLog.open(log_path) as log:
        for seed in range(WARM_UP):
            await _hold(log, seed)
        start = time.process_time()
        for seed in range(WARM_UP, WARM_UP + sessions):
            await _hold(log, seed)
        return sessions / (time.process_time() - start)


async def _hold(log: SessionLog | None, seed: int) -> None:
    plan = devicectl.Plan(target_cores=TARGET_CORES)
    async with (
        devicectl.connect(f"{DEVICE}{seed}", log=log) as handpiece,
        handpiece.open_session(plan, session_date=date(2026, 1, 1)) as session,
    ):
        await session.confirm_anesthesia()
        async for _ in session.run():
            pass
    assert session.summary.reconciled, f"seed {seed}: {session.summary}"


if __name__ == "__main__":
    print(asyncio.run(rate(sys.argv[1] if len(sys.argv) > 1 else None)))
