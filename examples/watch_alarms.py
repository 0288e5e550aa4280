"""An observer of a session whose needles clog easily: every alarm, and every change of the host's state.

TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
"""

import asyncio
import os
from collections import Counter

from devicectl import Plan, connect
from devicectl.session.entries import Note
from devicectl.session.machine import State


class Watch(Counter[State]):
    """Prints alarms, and counts how often each state was entered."""

    def changed(self, before: State, after: State, now: int) -> None:
        """The host's state changed, `now` microseconds into its time."""
        self[after] += 1

    def noted(self, note: Note) -> None:
        """Something was noted in the log."""
        if note.kind == "alarm":
            print(f"after {self[State.PUNCHING]} punches: {note.name} {note.detail}")


async def main() -> None:
    """Connect with an observer."""
    watch, url = Watch(), os.environ.get("HANDPIECE_URL", "sim://?seed=7&clog_hazard=0.02")
    print("TRAINING SIMULATOR - NOT A MEDICAL DEVICE")
    async with connect(url, observer=watch) as handpiece, handpiece.open_session(Plan(target_cores=100)) as session:
        await session.confirm_anesthesia()
        async for _ in session.run():
            pass
    print(", ".join(f"{state} {count}" for state, count in watch.most_common(5)))


if __name__ == "__main__":
    asyncio.run(main())
