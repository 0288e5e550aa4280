"""Sessions as processes, pure and compiled: the default one beside its floor, with a trace, and campaigns.

Law: in each round every case runs once, and a ratio is made within a round.
"""

import json
import os
import statistics
import subprocess
import sys
import timeit
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
COMPILED: Final = os.environ.get("COMPILED_PYTHON", "")
"""Python of an environment where the core is compiled and uvloop installed, as `make bench` makes it; "" for none."""


def spread(values: Sequence[float], digits: int = 4) -> dict[str, Any]:
    """Return median, least and most of what the rounds gave."""
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
        "rounds": len(values),
    }


def python(*arguments: str) -> str:
    """Return the output of `python -m` with these arguments, in the tree."""
    return _output([sys.executable, "-m", *arguments], HERE.parent)


def compiled(*arguments: str, folder: Path) -> str:
    """Return the output of the compiled core's Python, in a folder where no sources stand in for it."""
    return _output([COMPILED, "-P", *arguments], folder)


def _output(line: Sequence[str], folder: Path) -> str:
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(line[1:])} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


# --- the default session -------------------------------------------------------------------------------------------

_RUN: Final = ("devicectl", "run", "--json", "--seed", "7", "--log")


def measure(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure the default session beside the floor, and show where its time goes."""
    times: dict[str, list[float]] = {}
    summaries = []
    for number in range(rounds):
        where = folder / f"round-{number}"
        where.mkdir()
        taken = {"floor": float(python("benchmarks.floor"))}
        taken["session"] = json.loads(python("benchmarks.session", str(where / "api.sqlite")))["wall_seconds"]
        start = timeit.default_timer()
        said = python(*_RUN, str(where / "cli.sqlite"))
        taken["command"] = timeit.default_timer() - start
        start = timeit.default_timer()
        python(*_RUN, str(where / "traced.sqlite"), "--trace", str(where / "trace.txt"))
        taken["traced"] = timeit.default_timer() - start
        summaries.append(json.loads(said.splitlines()[-1]))
        if COMPILED:
            taken |= _compiled_session(where)
        for name, seconds in taken.items():
            times.setdefault(name, []).append(seconds)
    first = summaries[0]
    assert all(summary["cores_counted"] == first["cores_counted"] for summary in summaries), "a seed repeats everything"
    return {
        **{f"{name}_s": spread(seconds) for name, seconds in times.items()},
        **_ratios(times),
        "times_real_time": spread([first["session_seconds"] / taken for taken in times["session"]], 0),
        "session": {key: first[key] for key in ("seed", "cores_counted", "cycles", "session_seconds", "reconciled")},
        "log_bytes": (folder / "round-0" / "api.sqlite").stat().st_size,
        "profile_s": json.loads(python("benchmarks.session", str(folder / "profile.sqlite"), "--profile")),
    }


def _compiled_session(where: Path) -> dict[str, float]:
    """Return the seconds of the same session and commands where the core is compiled."""
    said = compiled(str(HERE / "session.py"), str(where / "compiled.sqlite"), folder=where)
    start = timeit.default_timer()
    compiled("-m", *_RUN, str(where / "compiled-cli.sqlite"), folder=where)
    between = timeit.default_timer()
    compiled("-m", *_RUN, str(where / "compiled-traced.sqlite"), "--trace", "compiled-trace.txt", folder=where)
    return {
        "compiled": float(json.loads(said)["wall_seconds"]),
        "compiled_command": between - start,
        "compiled_traced": timeit.default_timer() - between,
    }


_OVER: Final = {
    "session_of_floor": ("session", "floor"),
    "command_of_floor": ("command", "floor"),
    "traced_of_command": ("traced", "command"),
    "compiled_of_floor": ("compiled", "floor"),
    "compiled_command_of_floor": ("compiled_command", "floor"),
    "compiled_traced_of_command": ("compiled_traced", "compiled_command"),
}
"""Ratio -> what is divided by what."""


def _ratios(times: dict[str, list[float]]) -> dict[str, Any]:
    """Return every ratio whose two sides were measured."""
    return {
        name: spread([mine / theirs for mine, theirs in zip(times[upper], times[lower], strict=True)], 2)
        for name, (upper, lower) in _OVER.items()
        if upper in times
    }


# --- campaigns -----------------------------------------------------------------------------------------------------


def measure_campaigns(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure short sessions per second of processor time, without a log and with one on disk."""
    rates: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, log in (("", []), ("_logged", [str(folder / f"campaign-{number}.sqlite")])):
            rates.setdefault(f"pure{name}", []).append(float(python("benchmarks.campaign", *log)))
            if COMPILED:
                log = [f"{path}.compiled" for path in log]
                found = compiled(str(HERE / "campaign.py"), *log, folder=folder)
                rates.setdefault(f"compiled{name}", []).append(float(found))
    return {name: spread(found, 1) for name, found in rates.items()}


def measure_trials(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure sessions under faults and judges beside the same without, and all single faults of a short one."""
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        said = {"pure": python("benchmarks.campaign", "--faults")}
        if COMPILED:
            said["compiled"] = compiled(str(HERE / "campaign.py"), "--faults", folder=folder)
        for core, figures in said.items():
            for name, figure in json.loads(figures).items():
                found.setdefault(core, {}).setdefault(name, []).append(figure)
    return {core: {name: spread(values, 2) for name, values in of.items()} for core, of in found.items()}
