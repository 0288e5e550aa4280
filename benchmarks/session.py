"""A default session of 10,000 cores with its log on disk: how long it takes, and where the time goes.

python -m benchmarks.session LOG            prints the session's JSON
python -m benchmarks.session LOG --profile  prints seconds by part, as cProfile sees them
"""

import argparse
import asyncio
import cProfile
import json
import pstats
from datetime import date
from pathlib import Path
from typing import Any, Final

import devicectl
from devicectl.log.store import SessionLog

SEED: Final = 7
PARTS: Final = (
    ("sqlite3", "log: SQLite itself"),
    ("/sqlalchemy/", "log: SQLAlchemy"),
    ("/devicectl/log/", "log: ours"),
    ("/devicectl/session/", "host: session engine"),
    ("/devicectl/simulation/", "virtual time"),
    ("/devicectl/", "host: the rest"),
    ("/firmware_sim/plant", "device: physics"),
    ("/firmware_sim/", "device: firmware, memory"),
    ("/protocols/", "protocol"),
    ("/transitions/", "transitions"),
    ("/pydantic", "pydantic"),
)
"""Piece of a file's name -> the part that the file belongs to, by the first that fits. The rest is Python's library."""


async def run(log_path: str, seed: int) -> dict[str, Any]:
    """One whole session; its summary as JSON has it."""
    with SessionLog.open(log_path) as log:
        async with devicectl.connect(f"sim://?seed={seed}", log=log) as handpiece:
            async with handpiece.open_session(devicectl.Plan(), session_date=date(2026, 1, 1)) as session:
                await session.confirm_anesthesia()
                async for _ in session.run():
                    pass
            return session.summary.to_json()


def profile(log_path: str, seed: int) -> dict[str, float]:
    """Seconds by part; what a built-in function took counts where it was called from."""
    profiler = cProfile.Profile()
    profiler.enable()
    asyncio.run(run(log_path, seed))
    profiler.disable()
    seconds: dict[str, float] = {}
    table: dict[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for (file, _, name), (_, _, own, _, callers) in table.items():
        if file == "~" and "sqlite3" not in name:
            for (caller_file, _, caller_name), (_, _, taken, _) in callers.items():
                _add(seconds, caller_file, caller_name, taken)
        else:
            _add(seconds, file, name, own)
    return {part: round(taken, 4) for part, taken in sorted(seconds.items(), key=lambda item: -item[1])}


def _add(seconds: dict[str, float], file: str, name: str, taken: float) -> None:
    where = name if file == "~" else Path(file).as_posix()
    part = next((part for mark, part in PARTS if mark in where), "Python's library")
    seconds[part] = seconds.get(part, 0.0) + taken


def main() -> None:
    """Run once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session", description=__doc__)
    parser.add_argument("log")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.profile:
        print(json.dumps(profile(options.log, options.seed)))
    else:
        print(json.dumps(asyncio.run(run(options.log, options.seed))))


if __name__ == "__main__":
    main()
