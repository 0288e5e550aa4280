"""Instructions that a session, the codec and the programs' starts take: a count that a busy machine cannot change.

Law: each case is a process under callgrind, its hashes seeded. Where a case has little and much work, the difference
counts, so that the start and the first frame are in neither. The counts to be held are in instructions.json, by version
of Python: `make nightly` fails at 5 % more. Whoever makes something cheaper, or dearer for a reason, renews them.

python -m benchmarks.instructions            counts, and compares
python -m benchmarks.instructions --renew    writes the counts as those to be held
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from handpiece_shell.version import is_compiled

HERE: Final = Path(__file__).parent
KEPT: Final = HERE / "instructions.json"
MAX_MORE: Final = 0.05
"""Share by which a count may be above the one that is kept; what a patch release of a library changes is below it."""

_RUN: Final = ("-m", "devicectl", "run", "--json", "--seed", "7", "--log", "log.sqlite", "--target-cores")
_CODEC: Final = """
import gc, sys
from benchmarks.codec import _ours
gc.disable()  # else one collection of all that was imported falls among the calls, or does not
for name, case in _ours().items():
    if name == f"ours/{sys.argv[1]}":
        for _ in range(int(sys.argv[2])):
            case()
"""
_SERVE: Final = (
    "-m",
    "firmware_sim",
    "serve",
    "--json",
    "--seed",
    "7",
    "--tcp",
    "127.0.0.1:0",
    "--max-seconds",
    "0.01",
)
CASES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "session: 240 cores": ((*_RUN, "300"), (*_RUN, "60")),
    "encode: 2,000 messages": (("-c", _CODEC, "encode", "2100"), ("-c", _CODEC, "encode", "100")),
    "decode: 2,000 messages": (("-c", _CODEC, "decode", "2100"), ("-c", _CODEC, "decode", "100")),
    "devicectl --version": (("-m", "devicectl", "--version"), ()),
    "devicectl --help": (("-m", "devicectl", "--help"), ()),
    "firmware-sim serve --tcp, start to end": (_SERVE, ()),
}
"""Name -> the line after `python` with much work, and that with little; () where there is none to take away."""
_FLOOR: Final = ("-m", "benchmarks.floor", "--cycles")
NEEDLES: Final = 3
"""Cores of a cycle: as many cycles has the floor of a session."""


def over_floor(*, quick: bool = False) -> float:
    """Return how many times the instructions of its floor a session takes; callgrind must be installed.

    A short session and its floor are taken away from a longer one and its: of 3,000 cores, which are made as the 10,000
    of a default session are, in a third of the time; or of 300, if `quick`.
    """
    much, little = 300 if quick else 3_000, 60
    session = _count((*_RUN, str(much))) - _count((*_RUN, str(little)))
    floor = _count((*_FLOOR, str(much // NEEDLES))) - _count((*_FLOOR, str(little // NEEDLES)))
    return session / floor


def measure() -> dict[str, int] | None:
    """Return the instructions of each case; None where callgrind is not installed."""
    if shutil.which("valgrind") is None:
        return None
    return {name: _count(much) - (_count(little) if little else 0) for name, (much, little) in CASES.items()}


def _count(arguments: tuple[str, ...]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        line = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, *arguments]
        paths = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": paths}
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return int(found[1])


def exceeded(counts: dict[str, int], kept: dict[str, int]) -> list[str]:
    """Sentences about what takes more than it may."""
    return [
        f"{name}: {count:,} instructions, {count / kept[name] - 1:.1%} more than the {kept[name]:,} that are kept"
        for name, count in counts.items()
        if name in kept and count > kept[name] * (1 + MAX_MORE)
    ]


def main() -> int:
    """Count and compare; 1 where a case takes more than it may, or none is kept to compare it with."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="keep these counts as the ones to be held")
    options = parser.parse_args()
    counts = measure()
    if counts is None:
        print("instructions are not counted: valgrind is not installed")
        return 1 if os.environ.get("CI") else 0  # .ci/run installs it: without it the bound would hold nothing there
    version = "{}.{}".format(*sys.version_info) + (", compiled" if is_compiled() else "")
    table: dict[str, dict[str, int]] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    kept = table.get(version, {})
    for name, count in counts.items():
        print(f"{count:15,}  {name}" + (f"  {count / kept[name] - 1:+.1%}" if name in kept else ""))
    if options.renew:
        KEPT.write_text(json.dumps({**table, version: counts}, indent=2) + "\n", encoding="utf-8")
        return 0
    missing = [f"{name}: no count is kept for Python {version}; --renew keeps it" for name in counts.keys() - kept]
    worse = exceeded(counts, kept) + missing
    print(*worse, sep="\n")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
