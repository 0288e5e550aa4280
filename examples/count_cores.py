"""A session of 300 cores from Python: the whole public API of the host.

    python examples/count_cores.py                                             in process, virtual time
    firmware-sim exec --param anesthesia_wait_s=1 -- python examples/count_cores.py   against a served device

TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
"""

import asyncio
import os

import devicectl


async def main() -> None:
    """Connect, open, confirm, count, close."""
    url = os.environ.get("HANDPIECE_URL", "sim://?seed=7")
    target = int(os.environ.get("TARGET_CORES", "300"))
    print("TRAINING SIMULATOR - NOT A MEDICAL DEVICE")
    async with devicectl.connect(url) as handpiece:
        async with handpiece.open_session(devicectl.Plan(target_cores=target)) as session:
            await session.confirm_anesthesia(method="lidocaine injection", confirmed_by="trainer")
            async for cycle in session.run():
                if cycle.cycle_no % 20 == 0:
                    print(f"cycle {cycle.cycle_no}: {cycle.total_cores_counted} cores")
        summary = session.summary
        print(f"{summary.state}: {summary.cores_counted} cores counted, reconciled: {summary.reconciled}")


if __name__ == "__main__":
    asyncio.run(main())
