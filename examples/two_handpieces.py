"""Two handpieces at once, and a session that is broken off after five cycles: its counts are exact all the same.

    python examples/two_handpieces.py

TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
"""

import asyncio

import devicectl


async def treat(url: str, most_cycles: int) -> devicectl.Summary:
    """One session, of at most so many cycles; leaving it early stops the device and closes it as aborted."""
    async with devicectl.connect(url) as handpiece:
        async with handpiece.open_session(devicectl.Plan(target_cores=60)) as session:
            await session.confirm_anesthesia()
            async for cycle in session.run():
                if cycle.cycle_no == most_cycles:
                    break
        return session.summary


async def main() -> None:
    """Both, side by side."""
    print("TRAINING SIMULATOR - NOT A MEDICAL DEVICE")
    both = await asyncio.gather(treat("sim://?seed=1", 1_000), treat("sim://?seed=2&needles=4", 5))
    for summary in both:
        print(f"{summary.device}: {summary.state}, {summary.cores_counted} cores, reconciled: {summary.reconciled}")


if __name__ == "__main__":
    asyncio.run(main())
