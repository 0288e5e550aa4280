"""Runs tests again and again beside one busy process a core, until one fails: for those that hang on time.

python -m tests.repeat 50 -n auto tests/integration/test_pytest_plugin.py
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from firmware_sim.clock import monotonic
from protocols.units import SECOND


@contextmanager
def double_load() -> Iterator[None]:
    """As many processes that only count as there are cores."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
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
    with double_load():
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
