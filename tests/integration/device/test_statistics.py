"""The default session over many seeds: each one lawful, and all of them together within the model's reference bands.

The bands are the model's own (300 seeds in throw-away code): 1,811 +- 37 s, 3,408 +- 10 cycles, yield 0.978 +- 0.003,
8.3 +- 2.9 clogs. Means of thirty sessions lie far closer than that.
"""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pytest

from devicectl.session.count import coverage_percent
from devicectl.session.plan import Plan
from protocols.language.alarm_codes import DENSITY_NEAR, LINE_BLOCKED
from protocols.language.units import Micros
from tests.runs.once import once
from tests.world import Lab, assert_counted

FEWEST_FOR_THE_BANDS = 30
TAKES_S = 600.0


class Outcome(NamedTuple):
    """What one session came to."""

    seconds: float
    cores: int
    cycles: int
    punctures: int
    clogs: int
    coverage: float


def session_of(seed: int) -> Outcome:
    """One default session with everything about it checked."""
    lab = Lab(seed, plan=Plan(), parameters={})
    lab.open()
    lab.numb()
    finish = lab.finish()
    assert_counted(lab, finish)
    assert DENSITY_NEAR not in lab.alarms_read, "the plan fills each cell in one visit"
    assert LINE_BLOCKED not in lab.alarms_read, "needles clog one by one"
    counts, truth = finish.device_totals, lab.device.plant.truth
    opened, _ = lab.engine.session()
    coverage = coverage_percent(counts.cores_counted, finish.cells_begun, opened.core_diameter_um)
    return Outcome(finish.session_seconds, counts.cores_counted, counts.cycles, counts.punctures, truth.clogs, coverage)


def outcomes_of(seeds: range) -> list[Outcome]:
    with ProcessPoolExecutor(max_workers=2) as pool:
        return list(pool.map(session_of, seeds))


@pytest.fixture(scope="module")
def outcomes(seeds: range, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """What each seed's session came to: run once, whichever processes ask."""

    def keep(path: Path) -> None:
        path.write_text(json.dumps(outcomes_of(seeds)))

    path = once(tmp_path_factory, "default_sessions.json", keep, seconds=TAKES_S)
    return [Outcome(*row) for row in json.loads(path.read_text())]


@pytest.mark.timeout(TAKES_S)
def test_each_session_is_lawful(seeds: range, outcomes: list[Outcome]) -> None:
    assert len(outcomes) == len(seeds)
    for outcome in outcomes:
        assert outcome.cores >= 10_000
        assert 1_650 < outcome.seconds < 1_960
        assert 4 <= outcome.coverage <= 8


@pytest.mark.timeout(TAKES_S)
def test_means_lie_in_the_reference_bands(seeds: range, outcomes: list[Outcome]) -> None:
    if len(seeds) < FEWEST_FOR_THE_BANDS:
        pytest.skip(f"the bands are made for {FEWEST_FOR_THE_BANDS} seeds or more")
    assert fmean(outcome.seconds for outcome in outcomes) == pytest.approx(1_811, abs=20)
    assert fmean(outcome.cycles for outcome in outcomes) == pytest.approx(3_408, abs=10)
    assert fmean(outcome.cores / outcome.punctures for outcome in outcomes) == pytest.approx(0.978, abs=0.003)
    assert fmean(outcome.clogs for outcome in outcomes) == pytest.approx(8.3, abs=2.9)


def digest_of_a_session(seed: int) -> str:
    """SHA-256 over every byte of a session in both directions, with its sender and its time."""
    digest = hashlib.sha256()

    def tap(sender: str, data: bytes, now: Micros) -> None:
        digest.update(f"{sender} {now} {len(data)} ".encode() + data)

    lab = Lab(seed, tap=tap)
    lab.begin()
    lab.finish()
    return digest.hexdigest()


def test_same_seed_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    program = "from tests.integration.device.test_statistics import digest_of_a_session as d; print(d(7))"
    digests = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("0", "4711")
    ]
    assert digests[0] == digests[1] == digest_of_a_session(7)
    assert digests[0] != digest_of_a_session(8)


if __name__ == "__main__":
    results = outcomes_of(range(1, 31))
    seconds = [result.seconds for result in results]
    print(f"seconds {fmean(seconds):.1f}, {min(seconds)}..{max(seconds)}")
    print(f"cycles {fmean(r.cycles for r in results):.1f}, clogs {fmean(r.clogs for r in results):.2f}")
    print(f"yield {fmean(r.cores / r.punctures for r in results):.4f}")
    print(f"coverage {min(r.coverage for r in results):.2f}..{max(r.coverage for r in results):.2f}")
