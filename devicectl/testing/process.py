"""Processes of a test: a simulator, whatever transport it is asked for, and one that answers questions about URLs.

Law: the standard library and pytest alone. A process is started with `-P`, and with no path in its environment that has
another `protocols`: one of a repository's own stays out of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pytest

from devicectl.testing.names import has_another
from devicectl.testing.run import Run

STOP_TIMEOUT_S: Final = 10.0


@contextmanager
def served(run: Run) -> Iterator[str]:
    """The URL of a device for any host: of a simulator while the context lasts, or the one that was given."""
    if not run.simulated:
        run.given_url = run.host_url
        yield run.host_url
        return
    folder = run.open_folder()
    names = {"--trace": "trace.txt", "--record": "recording.pcapng", "--report": "report.txt"}
    kept = [word for option, name in names.items() for word in (option, str(folder / name))]
    if run.scenario is not None:
        kept += ["--scenario", str(run.scenario)]
    line = _line("devicectl.simulation", run.host_url, *kept)
    process = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        if not said:
            pytest.fail(f"no handpiece: {process.stderr.read().strip()}", pytrace=False)
        run.given_url = json.loads(said)["url"]
        yield run.given_url
    finally:
        try:
            _, wrong = process.communicate(timeout=STOP_TIMEOUT_S)  # closes its standard input, at which it ends
        except subprocess.TimeoutExpired:
            process.kill()
            _, wrong = process.communicate()
    if run.scenario is not None and process.returncode:
        pytest.fail(wrong.strip(), pytrace=False)


def check(urls: Sequence[str]) -> str:
    """Return what is wrong with the first wrong URL, empty if all are right."""
    done = _asked("check", *urls)
    return done.stderr.strip() if done.returncode else ""


def identify(url: str) -> bool:
    """Return true if the device at `url` says that it is simulated. Fails the test if there is none."""
    done = _asked("identify", url)
    if done.returncode:
        pytest.fail(f"no handpiece: {done.stderr.strip()}", pytrace=False)
    return json.loads(done.stdout) is True


def doubts_of(twin: str, max_age: str, firmware: str) -> tuple[list[str], str]:
    """Return the reasons not to trust the twin in a file; and what is wrong with the file or the age, if anything."""
    done = _asked("twin", twin, max_age, firmware)
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else [], done.stderr.strip()


def _asked(*question: str) -> "subprocess.CompletedProcess[str]":
    line = _line("devicectl.testing", *question)
    return subprocess.run(
        line, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_environment(), check=False
    )


def _line(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", module, *arguments]


def _environment() -> dict[str, str]:
    """Ours, without the paths on which another `protocols` lies."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and not has_another(path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(kept)}
