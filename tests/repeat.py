"""Runs tests again and again on a machine with four times as many busy processes as cores, until one fails.

python -m tests.repeat 50 -n auto tests/integration/plugin/test_pytest_plugin.py
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Final

from firmware_sim.clock import monotonic
from protocols.language.units import SECOND

LOAD: Final = 4
"""Busy processes for each core, beside those of the tests themselves."""


@contextmanager
def loaded() -> Iterator[None]:
    """A machine that is busy with everything else: processes that only count."""
    count = LOAD * (os.cpu_count() or 1)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> None:
    """Exits with the first run's code that is not 0, after its output."""
    times, options = int(sys.argv[1]), sys.argv[2:]
    took: list[float] = []
    with loaded():
        for number in range(1, times + 1):
            begun = monotonic()
            line = [sys.executable, "-m", "pytest", "-q", *options]
            run = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            took.append((monotonic() - begun) / SECOND)
            print(f"{number}: {run.stdout.rstrip().splitlines()[-1]}", flush=True)
            if run.returncode:
                print(run.stdout)
                sys.exit(run.returncode)
    print(f"{times} runs, none failed; {median(took):.0f} s each in the median, {max(took):.0f} s the longest")


if __name__ == "__main__":
    main()
