"""SIGKILL of real processes at random moments, over TCP with the memory in a file: nothing stays open or unreconciled.

A moment is a line that the host says, so that a busy machine kills at the same places as an idle one.
"""

import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devicectl.log.store import SessionLog
from tests.e2e.processes import DEVICECTL, started
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import Served, serve

MOST_LINES = 30
"""A session of two cycles says some twenty-five with --explain."""
CORES = ("--target-cores", "6")
STARTS = 6
"""Of the host in one round: the killed one, one that resumes, and as many as a device needs that is killed as well."""
ROUNDS = 4
NIGHTLY_ROUNDS = 100

ROUND_COUNTS = [ROUNDS, pytest.param(NIGHTLY_ROUNDS, marks=[pytest.mark.nightly, pytest.mark.timeout(7200)])]


class Bench:
    """One device whose memory outlives it, one log, and as many hosts as it takes."""

    def __init__(self, folder: Path, stack: ExitStack, seed: str) -> None:
        self.draw = random.Random(seed)
        self.log = folder / "log.sqlite"
        self._nvm = folder / "nvm"
        self._stack = stack
        self.said: list[str] = []
        self.device = self._serve("127.0.0.1:0")

    def _serve(self, where: str) -> Served:
        return self._stack.enter_context(serve("--tcp", where, "--nvm", str(self._nvm), *PARAMETERS))

    def restart_device(self) -> None:
        """Take its power away, and start it at the same port."""
        host, port = self.device.tcp
        self.device.kill()
        self.device = self._serve(f"{host}:{port}")

    def line(self, *options: str) -> list[str]:
        """A host's command line."""
        return [*DEVICECTL, "run", *options, "--device", self.device.urls[0], "--log", str(self.log)]

    def run(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """One host to its end."""
        line = self.line(*options)
        done = subprocess.run(line, capture_output=True, text=True, timeout=3 * patience(), stdin=subprocess.DEVNULL)
        self.said.append(done.stdout + done.stderr)
        return done

    def disturbed(self, lines: int, *, kill_host: bool, kill_device: bool) -> None:
        """One host that is disturbed when it has said so many lines."""
        with started(self.line("--explain", *CORES), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as host:
            assert host.stdout is not None
            self.said.append("".join(line for line in (host.stdout.readline() for _ in range(lines)) if line))
            if kill_host:
                host.kill()
            if kill_device:
                self.restart_device()
            self.said.append(host.communicate(timeout=3 * patience())[0])

    def close_what_is_open(self) -> None:
        """As a person would: resume what the log knows, abandon what it does not."""
        for _ in range(STARTS):
            done = self.run("--resume", "--json")
            if done.returncode == 0 or "no open session to resume" in done.stderr:
                return
            if "--abandon" in done.stderr and "does not know it" in done.stderr:
                assert self.run("--abandon").returncode == 0
                return
        raise AssertionError(f"still open after {STARTS} hosts:\n" + "\n".join(self.said[-3:]))

    def judge(self) -> None:
        """No session is open, each is reconciled, and nobody has met a traceback."""
        assert not [said for said in self.said if "Traceback" in said]
        if not self.log.exists():
            return  # each host was killed before it had one
        with SessionLog.open(self.log) as log:
            for key in range(1, 1 + self._sessions()):
                report = log.load(key)
                assert report.summary.state in ("completed", "aborted") and report.summary.reconciled, (
                    report.differences
                )

    def _sessions(self) -> int:
        line = [*DEVICECTL, "sessions", "list", "--log", str(self.log)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=patience(), stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        return sum(" SIM-" in row for row in done.stdout.splitlines())


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack, request.node.name)


@pytest.mark.parametrize("rounds", ROUND_COUNTS)
@pytest.mark.parametrize("killed", ["host", "device", "host and device"])
def test_an_end_is_killed_again_and_again(bench: Bench, killed: str, rounds: int) -> None:
    for _ in range(rounds):
        lines = bench.draw.randrange(MOST_LINES)
        bench.disturbed(lines, kill_host="host" in killed, kill_device="device" in killed)
        bench.close_what_is_open()
        bench.judge()
    summary = json.loads(bench.run("--json", *CORES).stdout)
    assert summary["reconciled"] and summary["cores_counted"] >= 6
