"""Programs that tests start: the simulated handpiece as a process, and programs of the system.

Law: each is ended by the one who started it, by its process, and what a test waits for is a condition with a deadline.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.patience import patience

ROOT: Final = Path(__file__).parent.parent
FIRMWARE_SIM: Final = (sys.executable, "-P", "-m", "firmware_sim")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which the package is found, installed or not."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(extra or {})}


def firmware_sim(
    *arguments: str, cwd: Path | None = None, redirected: str = "", **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `firmware-sim` to its end, with its streams `redirected` as a shell writes it."""
    through = ("sh", "-c", f'exec "$@" {redirected}', "sh") if redirected else ()
    return subprocess.run(
        [*through, *FIRMWARE_SIM, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(),
        cwd=cwd,
        env=environment(extra),
        check=False,
    )


def loaded_by(package: str, folder: Path, *arguments: str, code: int = 0) -> set[str]:
    """Return the modules that `package`'s program had loaded when it ended with `code`; a file is left in `folder`."""
    path = folder / "modules"
    listing = (
        f"import json, sys; from {package}.cli import call; code = call(sys.argv[2:]); "
        "open(sys.argv[1], 'w').write(json.dumps(sorted(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", listing, str(path), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience(),
        env=environment(),
        check=False,
    )
    assert done.returncode == code, done.stderr
    return set(json.loads(path.read_text()))


def kill_parent_of(*arguments: str) -> None:
    """Start a device as another process's child, kill that process when the device is ready, await the device's end.

    The pipe is the device's standard output: it ends when the last process that holds it has ended.
    """
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({[*FIRMWARE_SIM, 'serve', '--json', *arguments]!r})\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline().startswith(b"{")
        process.kill()
        assert process.stdout.read() == b""


@dataclass(slots=True)
class Served:
    """A `firmware-sim serve` that answers."""

    process: subprocess.Popen[str]
    said: dict[str, Any]

    @property
    def urls(self) -> list[str]:
        """Its addresses, a pseudo-terminal first."""
        return list(self.said["urls"])

    @property
    def tcp(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = next(url for url in self.urls if url.startswith("tcp://"))[6:].rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def pty(self) -> str:
        """The path of its pseudo-terminal."""
        return next(url for url in self.urls if url.startswith("serial://"))[9:]

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(patience())

    def kill(self) -> None:
        """Take its power away."""
        self.process.kill()
        self.process.wait(patience())


@contextlib.contextmanager
def serve(*arguments: str, program: Sequence[str] = FIRMWARE_SIM) -> Iterator[Served]:
    """Serve a handpiece while the context lasts."""
    with subprocess.Popen(
        [*program, "serve", "--json", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield Served(process, json.loads(line))
        finally:
            process.terminate()  # so that it takes its link with it
            try:
                process.wait(patience())
            except subprocess.TimeoutExpired:
                process.kill()


HARDWARE: Final = """
from firmware_sim import device
from firmware_sim.commands import queries
from firmware_sim.cli import main
from tests.unit.protocols.language.altered import altered

identity, welcome = queries.identity, device.welcome
queries.identity = lambda of: altered(identity(of), simulated=False, has_truth=False)
device.welcome = lambda *of: altered(welcome(*of), simulated=False)
main()
"""


@contextlib.contextmanager
def hardware_served(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a device that does not say that it is simulated, and knows no truth."""
    script = folder / "hardware.py"
    script.write_text(HARDWARE)
    line = [sys.executable, "-P", str(script), "serve", "--json", "--tcp", "127.0.0.1:0", *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["urls"][0]
        finally:
            process.terminate()
