"""A simulator in a process of its own for a test, whatever transport it is asked for.

Law: the standard library alone, as in `run`. The process is started with `-P`, and with no path in its environment that
has another `protocols`: a repository's own folder of that name stays out of the simulator.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from devicectl.testing.run import Run

STOP_TIMEOUT_S: Final = 10.0


@contextmanager
def served(run: Run) -> Iterator[str]:
    """The URL of a device for any host: of a simulator while the context lasts, or the one that was given."""
    if not run.simulated:
        yield run.device_url
        return
    url = run.device_url.replace("sim://", "sim+tcp://", 1) if run.scheme == "sim" else run.device_url
    url = url if run.scheme != "sim" or "anesthesia_wait_s" in url else f"{url}&anesthesia_wait_s=1"
    line = [sys.executable, "-P", "-m", "devicectl.simulation", url, "--trace", str(run.open_folder() / "trace.txt")]
    process = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        if not said:
            pytest.fail(f"no handpiece: {process.stderr.read().strip()}", pytrace=False)
        yield json.loads(said)["url"]
    finally:
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)  # closes its standard input, at which it ends
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _environment() -> dict[str, str]:
    """Ours, without the paths on which another `protocols` lies."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and not _has_another(Path(path))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(kept)}


def _has_another(path: Path) -> bool:
    return (path / "protocols").exists() and not (path / "protocols" / "serial_wire.py").exists()
