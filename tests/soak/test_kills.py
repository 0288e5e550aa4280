"""SIGKILL of real processes at random moments: no row is lost or doubled, nothing stays open or unreconciled.

    python -m tests.soak.test_kills 25 7        so many sessions of each way to kill, from seed 7; prints the figures

`make nightly` runs twelve parts, each of some fifty kills of either end.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.soak.kill_bench import KillBench

WAYS: Final = {"host": ("host",), "device": ("device",), "host and device": ("host", "device")}
SESSIONS: Final = 2
PARTS: Final = range(12)
NIGHTLY_SESSIONS: Final = 16
LEAST_KILLS: Final = 42
"""Of each end in a part: 504 in all."""


def kill(folder: Path, ways: dict[str, tuple[str, ...]], sessions: int, seed: str) -> KillBench:
    """So many sessions of each way to kill."""
    with ExitStack() as stack:
        bench = KillBench(folder, stack, seed)
        for ends in ways.values():
            for _ in range(sessions):
                bench.session(*ends)
    print(bench.report)
    return bench


@pytest.mark.parametrize("way", WAYS)
def test_an_end_is_killed_again_and_again(tmp_path: Path, way: str) -> None:
    bench = kill(tmp_path, {way: WAYS[way]}, SESSIONS, way)
    assert sum(bench.kills.values()) >= SESSIONS


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("part", PARTS)
def test_either_end_is_killed_many_times(tmp_path: Path, part: int) -> None:
    bench = kill(tmp_path, WAYS, NIGHTLY_SESSIONS, f"part {part}")
    assert min(bench.kills["host"], bench.kills["device"]) >= LEAST_KILLS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        kill(Path(place), WAYS, int(sys.argv[1]), sys.argv[2])
