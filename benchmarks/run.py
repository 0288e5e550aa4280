"""`make bench`: everything in one run, round by round, to benchmarks/results.md and results.json.

Law: in each round every case runs once, so that a slow moment of the machine falls on all of them, and a ratio is made
within a round. A peer that is not installed is named as missing; nothing is promised about another machine. The exit
code is 1 where a target is not met. Programs are started with their modules compiled, as they are for whoever starts
one a second time.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks import codec, lists, mqtt, plugin, report
from benchmarks.awake import awake
from benchmarks.servers import COMPILED, COMPILED_NAME, SERVERS, Running, Server, all_running
from benchmarks.targets import judge

HERE: Final = Path(__file__).parent
SCRATCH: Final = HERE.parent / "build"
"""On the disk of the tree, where a user's log would be: a folder for temporary files may be in memory."""
PEERS: Final = ("lewis", "pymavlink", "pymodbus", "sinstruments")
ROUND_TRIPS: Final = 2_000


def spread(values: Sequence[float], digits: int = 4) -> dict[str, Any]:
    """Median, least and most of what the rounds gave."""
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
        "rounds": len(values),
    }


# --- servers -------------------------------------------------------------------------------------------------------


def measure_servers(rounds: int, folder: Path) -> dict[str, Any]:
    """Starts, round trips and memory of every server that is installed."""
    installed = [server for server in SERVERS if server.installed]
    missing = sorted({server.name for server in SERVERS if not server.installed})
    starts = _starts(installed, rounds, folder)
    usable = [server for server in installed if starts[_key(server)]]
    rates: dict[str, list[float]] = {_key(server): [] for server in usable}
    memory: dict[str, Any] = {}
    with all_running(usable, folder) as running:
        with awake() as kept_awake:
            for _ in range(rounds):
                for server in running:
                    rates[_key(server.server)].append(server.rate(ROUND_TRIPS))
        for server in running:
            if server.server.wire == "tcp":
                memory[server.server.name] = server.memory_mib()
    return {
        "round_trips_per_s": {key: spread(values, 0) for key, values in rates.items()},
        "round_trips_of_ours": {key: _ratio(rates, key) for key in rates},
        "round_trips_of_compiled": {key: _ratio(rates, key, COMPILED_NAME) for key in rates},
        "first_answer_s": {key: spread(values) for key, values in starts.items() if values},
        "memory_mib": memory,
        "kept_awake": kept_awake,
        "missing": missing,
        "failed": sorted(key for key, values in starts.items() if not values),
    }


def _key(server: Server) -> str:
    return f"{server.name}/{server.wire}"


def _ratio(rates: dict[str, list[float]], key: str, name: str = "firmware-sim") -> float | None:
    """How many times as many round trips ours makes on the same wire; the median of the rounds' ratios."""
    ours = rates.get(f"{name}/{key.split('/')[1]}")
    if ours is None:
        return None
    return round(statistics.median(mine / theirs for mine, theirs in zip(ours, rates[key], strict=True)), 2)


def _starts(servers: list[Server], rounds: int, folder: Path) -> dict[str, list[float]]:
    starts: dict[str, list[float]] = {_key(server): [] for server in servers}
    broken: set[str] = set()
    for _ in range(rounds):
        for server in servers:
            if _key(server) in broken:
                continue
            try:
                with Running(server, folder) as running:
                    starts[_key(server)].append(running.first_answer_s)
            except (OSError, RuntimeError) as error:
                print(f"  {_key(server)}: {error}", file=sys.stderr)
                broken.add(_key(server))
                starts[_key(server)].clear()
            for left in folder.glob("*.pty"):
                left.unlink()
    return starts


# --- sessions ------------------------------------------------------------------------------------------------------


def measure_session(rounds: int, folder: Path) -> dict[str, Any]:
    """The default session beside the floor, and where its time goes."""
    floors, sessions, commands, summaries = [], [], [], []
    compiled: list[tuple[float, float]] = []
    for number in range(rounds):
        floors.append(float(_python("benchmarks.floor")))
        if COMPILED:
            compiled.append(_compiled_session(folder, number))
        summary = json.loads(_python("benchmarks.session", str(folder / f"api-{number}.sqlite")))
        sessions.append(summary["wall_seconds"])
        log = str(folder / f"cli-{number}.sqlite")
        start = timeit.default_timer()
        said = _python("devicectl", "run", "--json", "--seed", "7", "--log", log)
        commands.append(timeit.default_timer() - start)
        summaries.append(json.loads(said.splitlines()[-1]))
    profile = json.loads(_python("benchmarks.session", str(folder / "profile.sqlite"), "--profile"))
    first = summaries[0]
    assert all(summary["cores_counted"] == first["cores_counted"] for summary in summaries), "a seed repeats everything"
    return {
        "floor_s": spread(floors),
        "session_s": spread(sessions),
        "command_s": spread(commands),
        "session_of_floor": spread([taken / floor for taken, floor in zip(sessions, floors, strict=True)], 2),
        "command_of_floor": spread([taken / floor for taken, floor in zip(commands, floors, strict=True)], 2),
        **_compiled_figures(compiled, floors),
        "times_real_time": spread([first["session_seconds"] / taken for taken in sessions], 0),
        "session": {key: first[key] for key in ("seed", "cores_counted", "cycles", "session_seconds", "reconciled")},
        "log_bytes": (folder / "api-0.sqlite").stat().st_size,
        "profile_s": profile,
    }


def _compiled_session(folder: Path, number: int) -> tuple[float, float]:
    """Seconds of the same session and of the same command where the core is compiled."""
    where = folder / f"compiled-{number}"
    where.mkdir()
    done = subprocess.run(
        [COMPILED, "-P", str(HERE / "session.py"), "api.sqlite"], cwd=where, capture_output=True, text=True, check=True
    )
    line = [COMPILED, "-P", "-m", "devicectl", "run", "--json", "--seed", "7", "--log", "cli.sqlite"]
    start = timeit.default_timer()
    subprocess.run(line, cwd=where, capture_output=True, check=True)
    return float(json.loads(done.stdout)["wall_seconds"]), timeit.default_timer() - start


def _compiled_figures(taken: list[tuple[float, float]], floors: list[float]) -> dict[str, Any]:
    """The figures of the compiled core; empty where there is none."""
    if not taken:
        return {}
    sessions, commands = zip(*taken, strict=True)
    return {
        "compiled_s": spread(sessions),
        "compiled_of_floor": spread([one / floor for one, floor in zip(sessions, floors, strict=True)], 2),
        "compiled_command_s": spread(commands),
        "compiled_command_of_floor": spread([one / floor for one, floor in zip(commands, floors, strict=True)], 2),
    }


def _python(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode != 0:
        raise RuntimeError(
            f"python -m {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}"
        )
    return done.stdout


def measure_plugin(rounds: int, folder: Path) -> dict[str, Any]:
    """What the pytest plugin costs whoever does not use it."""
    pairs = plugin.measure(rounds, folder)
    return {
        "tests": plugin.TESTS,
        "with_s": spread([used for used, _ in pairs], 3),
        "without_s": spread([unused for _, unused in pairs], 3),
        "ratio": spread([used / unused for used, unused in pairs], 2),
    }


# --- lists ---------------------------------------------------------------------------------------------------------


def measure_lists(rounds: int, folder: Path) -> dict[str, Any]:
    """Processor time of `sessions list` by the size of the log, and beside that of an empty one."""
    found = lists.measure(rounds, folder)
    return {
        "cpu_s": {case: spread([times[case] for times in found], 3) for case in lists.CASES},
        "of_empty": {
            case: spread([times[case] / times["empty"] for times in found], 2)
            for case in lists.CASES
            if case != "empty"
        },
    }


# --- all -----------------------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """What the figures depend on, and nothing that names the machine."""
    versions = {}
    for name in ("devicectl", *PEERS):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "missing"
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": versions,
    }


def main() -> int:
    """Measure, print and write; 1 where a target is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=7, help="of servers and sessions; the codec takes seven times as many"
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder for results.md and results.json")
    options = parser.parse_args()
    SCRATCH.mkdir(exist_ok=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # for the programs that are started
    results: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="bench-") as name:
        folder = Path(name)
        print("codec", file=sys.stderr)
        results["codec"] = codec.measure(7 * options.rounds)
        print("session", file=sys.stderr)
        results["session"] = measure_session(options.rounds, folder)
        print("servers", file=sys.stderr)
        results["servers"] = measure_servers(options.rounds, folder)
        print("mqtt", file=sys.stderr)
        with awake() as kept_awake:
            results["mqtt"] = {**mqtt.measure(options.rounds), "kept_awake": kept_awake}
        print("lists", file=sys.stderr)
        results["lists"] = measure_lists(options.rounds, folder)
        print("plugin", file=sys.stderr)
        results["plugin"] = measure_plugin(options.rounds, folder)
    (options.output / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    text = report.page(results)
    (options.output / "results.md").write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(met for _, _, met in judge(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
