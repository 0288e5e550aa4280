"""Cores that do not fall asleep while round trips are measured.

To wake a sleeping core, a virtual one above all, takes longer than an answer does, and whether it sleeps depends on a
few microseconds more or less: ratios of round trips varied threefold from one minute to the next. A process of the
lowest priority on each core keeps it awake and gives way to whatever else there is.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

_SPIN = """
import os
os.sched_setaffinity(0, {int(os.environ["CORE"])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
parent = os.getppid()
print("awake", flush=True)
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""
"""Ends with the process that started it, however that ends."""


@contextlib.contextmanager
def awake() -> Iterator[bool]:
    """Keep every core awake while the context lasts; False where the system does not give such a priority."""
    if not hasattr(os, "SCHED_IDLE"):
        yield False
        return
    kept = True
    with contextlib.ExitStack() as stack:
        for core in sorted(os.sched_getaffinity(0)):
            process = subprocess.Popen(
                [sys.executable, "-c", _SPIN],
                env={**os.environ, "CORE": str(core)},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            stack.callback(process.stdout.close)
            kept = bool(process.stdout.readline()) and kept
        yield kept
