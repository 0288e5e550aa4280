"""Time to go back in a session of 10,000 cores: `python -m benchmarks.station.rewind`.

The session is that of the automatic operator, with a log in memory. To go back is what the server does for it: the
lesson is executed again, is entered in the log as a further attempt, and its pages are sent what is different. A figure
beyond its bound ends the program with 1.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from devicectl import Plan, clock
from devicectl.log.lessons.store import LessonLog
from devicectl.log.store import SessionLog
from devicectl.station.acts import PRESENTER
from devicectl.station.lesson import Begin, Lesson
from devicectl.station.ready import find_lesson
from devicectl.station.server.attempt import Shelf
from devicectl.station.server.hub import Hub
from devicectl.station.server.projections import projections
from devicectl.station.server.station import Station
from protocols.language.units import MILLISECOND, SECOND, Micros

CORES: Final = 10_000
MAX_S: Final = 3.0
SEED: Final = 7
PARTS: Final = (0.25, 0.5, 0.75, 1.0)
"""Parts of the session to whose ends the lesson goes back."""
STEP_US: Final = 10 * SECOND


def long_lesson() -> Lesson:
    """Return the usual lesson with a whole session ahead, armed at its first cell."""
    lesson = find_lesson("normal-session")
    scenario = replace(lesson.scenario, plan=Plan(target_cores=CORES))
    return replace(lesson, begin=Begin("armed", 0), acts=(), acts_us=Micros(0), scenario=scenario)


async def measure(rounds: int = 3) -> dict[str, Any]:
    """Return seconds of processor time and of the wall for each part, over so many rounds."""
    with SessionLog.open("sqlite://") as log:
        hub = Hub(Shelf(log, LessonLog(log)), projections(practice=False), lambda: SEED)
        station = await hub.start(long_lesson(), name="long")
        took_ms = _to_the_end(station)
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(rounds):
            for part in PARTS:
                found.setdefault(f"{part:.0%}", []).append(await _back(hub, station, round(part * took_ms)))
    return {part: _figures(pairs) for part, pairs in found.items()}


def _to_the_end(station: Station) -> int:
    """Let the automatic operator close the session; return the milliseconds that it takes."""
    room = station.room
    answer = station.act(PRESENTER, "automatic", {"on": True}, clock.monotonic())
    assert answer.ok, answer.words
    while not room.ended:
        room.advance(Micros(room.now + STEP_US))
    assert room.controller.screen.cores >= CORES
    return (room.now - room.began) // MILLISECOND


async def _back(hub: Hub, station: Station, to_ms: int) -> tuple[float, float]:
    processor_s, wall = time.process_time(), clock.monotonic()
    await hub.rewind(station, to_ms)
    return time.process_time() - processor_s, (clock.monotonic() - wall) / SECOND


def _figures(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    processor_s, wall_s = zip(*pairs, strict=True)
    return {"cpu_s": round(statistics.median(processor_s), 2), "wall_s": round(statistics.median(wall_s), 2)}


def main() -> int:
    """Measure, print, and judge by the processor's time: what the wall says depends on who else works here."""
    found = asyncio.run(measure())
    print(json.dumps(found))
    return 0 if all(one["cpu_s"] < MAX_S for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
