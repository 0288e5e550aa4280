"""Short sessions one after the other in one process, as a campaign of many holds them.

Each is of 20 cycles and an anesthesia of one second, with a device of its own seed. Plain ones have no fault; all are
in one log on disk, or in none. Those of `--faults` are as `devicectl campaign` holds them: faults are drawn from the
usual profile, and every judge is asked. In turn with each, the same session is held without faults and judges, in the
same world and with the same log. What counts is processor time, so that the figure is of one core, whatever else the
machine does.

python -m benchmarks.campaign [LOG]       prints sessions per second of processor time
python -m benchmarks.campaign --faults    prints those under faults and bare, their ratio, and the seconds that all
                                          single faults of a session of 2 cycles take, as JSON
"""

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import Final
from unittest.mock import patch

import devicectl
from devicectl.campaign.exhaustive.every import Exhaustive
from devicectl.campaign.many.draw import draw
from devicectl.campaign.many.profile import make_profile
from devicectl.campaign.many.trials import Trials
from devicectl.campaign.many.usual import USUAL_PROFILE
from devicectl.campaign.scenario import Scenario
from devicectl.log.store import SessionLog

SESSIONS: Final = 60
"""Sessions that are measured: a second of work or two."""
TARGET_CORES: Final = 60
"""20 cycles of three needles; 21 where suction leaves a core, all else that loses one is switched off in `DEVICE`."""
DEVICE: Final = "sim://?anesthesia_wait_s=1&miss_p=0&clog_hazard=0&sensor_false_negative_p=0&seed="
WARM_UP: Final = 3
"""Sessions before those, in which what all share is made."""
CYCLES: Final = 20
SHORT_CYCLES: Final = 2


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


# --- under faults --------------------------------------------------------------------------------------------------


def rates(sessions: int = SESSIONS) -> dict[str, float]:
    """Return sessions per second, judged under faults and bare, and the one over the other."""
    profile = make_profile(USUAL_PROFILE)
    judged = bare = 0.0
    with Trials() as trials:
        for seed in range(WARM_UP + sessions):
            scenario = draw(profile, seed, CYCLES)
            taken = judged_s(trials, scenario), bare_s(trials, scenario)
            if seed >= WARM_UP:
                judged, bare = judged + taken[0], bare + taken[1]
    return {"judged": sessions / judged, "bare": sessions / bare, "ratio": bare / judged}


def singles_s() -> float:
    """Return the seconds that all single faults of a short session take."""
    work = Exhaustive(faults=1, cycles=SHORT_CYCLES, seed=1)
    start = time.process_time()
    assert all(work.judge(part).words.keys() == {"right"} for part in work.tasks())
    return time.process_time() - start


def judged_s(trials: Trials, scenario: Scenario) -> float:
    """Return the seconds of a session as it is."""
    start = time.process_time()
    verdict = trials.run(scenario).verdict
    taken = time.process_time() - start
    assert verdict.good, f"seed {scenario.seed}: {verdict}"
    return taken


def bare_s(trials: Trials, scenario: Scenario) -> float:
    """Return the seconds of a session without its faults, which nobody judges."""
    with patch("devicectl.campaign.trial.judge_all", return_value=([], Counter())):
        return judged_s(trials, replace(scenario, faults=()))


def main() -> None:
    """Measure what the command line asks for, and print it."""
    if sys.argv[1:] == ["--faults"]:
        print(json.dumps({**rates(), "singles_s": singles_s()}))
    else:
        print(asyncio.run(rate(sys.argv[1] if len(sys.argv) > 1 else None)))


if __name__ == "__main__":
    main()
