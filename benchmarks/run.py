"""`make bench`: everything in one run, round by round, to benchmarks/results.md and results.json.

Law: in each round every case runs once, so that a slow moment of the machine falls on all of them, and a ratio is made
within a round. A peer that is not installed is named as missing; nothing is promised about another machine. The exit
code is 1 where a target is not met. Programs are started with their modules compiled, as they are for those who start
one a second time. `--quick` is one round, which shows that every row is measured: its figures are not kept.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks import codec, instructions, lists, mqtt, plugin, report, sessions
from benchmarks.awake import awake
from benchmarks.gateway import round_trips
from benchmarks.servers import COMPILED_NAME, SERVERS, Running, Server, all_running
from benchmarks.sessions import COMPILED, compiled, spread
from benchmarks.station import browser, load, press, ready, rewind
from benchmarks.targets import judge

HERE: Final = Path(__file__).parent
SCRATCH: Final = HERE.parent / "build"
"""On the disk of the tree, where a user's log would be: a folder for temporary files may be in memory."""
PEERS: Final = ("lewis", "pymavlink", "pymodbus", "sinstruments")
ROUND_TRIPS: Final = 2_000
QUICK_ROUND_TRIPS: Final = 100


# --- servers -------------------------------------------------------------------------------------------------------


def measure_servers(rounds: int, folder: Path, round_trips: int) -> dict[str, Any]:
    """Measure starts, round trips and memory of every server that is installed."""
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
                    rates[_key(server.server)].append(server.rate(round_trips))
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
    """Return how many times as many round trips ours makes on the same wire; the median of the rounds' ratios."""
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


# --- codec ---------------------------------------------------------------------------------------------------------


def measure_codec(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure every codec, and ours once more where the core is compiled."""
    return {**codec.measure(7 * rounds), "compiled": _compiled_codec(rounds, folder) if COMPILED else {}}


def _compiled_codec(rounds: int, folder: Path) -> dict[str, Any]:
    """Return messages a second of the compiled codec, and how many times as many that is as a peer has beside it."""
    rates: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    for _ in range(rounds):
        ours = json.loads(compiled(str(HERE / "codec.py"), "--json", "--rounds", "7", folder=folder))["cases"]
        theirs = codec.measure(7)["cases"]
        for act in ("encode", "decode"):
            rates.setdefault(act, []).append(ours[f"ours/{act}"]["median"])
            for peer in codec.PEERS:
                if (name := f"{peer}/{act}") in theirs:
                    ratios.setdefault(name, []).append(rates[act][-1] / theirs[name]["median"])
    return {
        "cases": {act: spread(values, 0) for act, values in rates.items()},
        "ratios": {name: spread(values, 2) for name, values in ratios.items()},
    }


# --- the rest ------------------------------------------------------------------------------------------------------


def measure_instructions(*, quick: bool) -> dict[str, Any]:
    """Count instructions; {} where valgrind is not installed."""
    counts = instructions.measure()
    if counts is None:
        return {}
    return {
        "millions": {name: round(count / 1e6, 1) for name, count in counts.items()},
        "over_floor": round(instructions.over_floor(quick=quick), 2),
    }


def measure_plugin(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure what the pytest plugin costs those who do not use it."""
    pairs = plugin.measure(rounds, folder)
    return {
        "tests": plugin.TESTS,
        "with_s": spread([used for used, _ in pairs], 3),
        "without_s": spread([unused for _, unused in pairs], 3),
        "ratio": spread([used / unused for used, unused in pairs], 2),
    }


def measure_lists(rounds: int, folder: Path) -> dict[str, Any]:
    """Measure processor time and memory of `sessions list` by the size of the log, beside those of an empty one."""
    found = lists.measure(rounds, folder)
    peaks = {case: [used[case].peak_mib for used in found] for case in lists.CASES}
    return {
        "cpu_s": {case: spread([used[case].cpu_s for used in found], 3) for case in lists.CASES},
        "peak_mib": {case: max(known) for case, values in peaks.items() if (known := [*filter(None, values)])},
        "of_empty": {
            case: spread([used[case].cpu_s / used["empty"].cpu_s for used in found], 2)
            for case in lists.CASES
            if case != "empty"
        },
    }


def measure_mqtt(rounds: int) -> dict[str, Any]:
    """Measure round trips over a broker; {} where Mosquitto is not installed."""
    with awake() as kept_awake:
        found = mqtt.measure(rounds)
    return {**found, "kept_awake": kept_awake} if found else {}


def measure_gateway(rounds: int, folder: Path, count: int) -> dict[str, Any]:
    """Measure round trips by RFC 2217; those of ser2net only where it is installed."""
    with awake() as kept_awake:
        found = round_trips.measure(rounds, count, folder)
    return {**found, "kept_awake": kept_awake}


def measure_station(*, quick: bool) -> dict[str, Any]:
    """Measure the trainers' station; its pages only where Chromium is installed."""
    found = {"rewind": asyncio.run(rewind.measure(1 if quick else 3)), "load": load.measure()}
    if not browser.is_installed():
        return found
    presses = press.press_ms(20 if quick else press.PRESSES)
    return {
        **found,
        "press": {"trigger to motion": ready.figures(presses)},
        "ready": ready.measure(2 if quick else ready.OPENINGS),
    }


# --- all -----------------------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """Return what the figures depend on, and nothing that names the machine."""
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


def measure(rounds: int, folder: Path, *, quick: bool) -> dict[str, Any]:
    """Measure everything, one part after the other."""
    results: dict[str, Any] = {"machine": {**machine(), "quick": quick}}
    parts: dict[str, Callable[[], Any]] = {
        "codec": lambda: measure_codec(rounds, folder),
        "session": lambda: sessions.measure(rounds, folder),
        "campaign": lambda: sessions.measure_campaigns(rounds, folder),
        "trials": lambda: sessions.measure_trials(rounds, folder),
        "servers": lambda: measure_servers(rounds, folder, QUICK_ROUND_TRIPS if quick else ROUND_TRIPS),
        "gateway": lambda: measure_gateway(rounds, folder, QUICK_ROUND_TRIPS if quick else ROUND_TRIPS),
        "mqtt": lambda: measure_mqtt(rounds),
        "lists": lambda: measure_lists(rounds, folder),
        "plugin": lambda: measure_plugin(rounds, folder),
        "idle_device_kib": lambda: round(float(sessions.python("benchmarks.idle_device").split()[0]), 1),
        "station": lambda: measure_station(quick=quick),
        "instructions": lambda: measure_instructions(quick=quick),
    }
    for name, part in parts.items():
        print(name, file=sys.stderr)
        results[name] = part()
    return results


def main() -> int:
    """Measure, print and write; 1 where a target is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=7, help="of servers and sessions; the codec takes seven times as many"
    )
    parser.add_argument(
        "--output", type=Path, help="folder for results.md and results.json; benchmarks, if not --quick"
    )
    parser.add_argument("--quick", action="store_true", help="one round, into build: shows that every row is measured")
    options = parser.parse_args()
    SCRATCH.mkdir(exist_ok=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # for the programs that are started
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="bench-") as name:
        results = measure(1 if options.quick else options.rounds, Path(name), quick=options.quick)
    output = options.output or (SCRATCH if options.quick else HERE)
    (output / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    text = report.page(results)
    (output / "results.md").write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(met for _, _, met in judge(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
