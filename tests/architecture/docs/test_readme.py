"""README's commands do what README says. A command that no test here knows fails by name."""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import sysconfig
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.architecture.tree import ROOT
from tests.patience import patience

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPTS: Final = Path(sysconfig.get_path("scripts"))
NOTICE: Final = "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"


def _commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for raw in block.splitlines() if (line := raw.split("#")[0].strip())]


def _environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join((str(SCRIPTS), os.environ.get("PATH", "")))
    return {**os.environ, "PATH": path, "DEVICECTL_LOG": str(folder / "log.sqlite"), "PYTHONUNBUFFERED": "1"}


def _run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(line), cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=patience()
    )


@contextlib.contextmanager
def _running(line: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        shlex.split(line),
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _make(line: str, folder: Path) -> None:
    """The target is there; whether it works is seen where it is run, and not from inside itself."""
    (target,) = line.split()[1:]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def _venv(line: str, folder: Path) -> None:
    assert line == "python3 -m venv .venv"


def _pip(line: str, folder: Path) -> None:
    """What pip is asked to install is this tree, and what it installs can be imported: see also `make wheel`."""
    assert line == ".venv/bin/pip install -e '.[test]'"
    assert (ROOT / "pyproject.toml").read_text(encoding="utf-8").count("\ntest = [") == 1
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for target in project["scripts"].values():
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))


def _pytest(line: str, folder: Path) -> None:
    """What runs here: that it finds the tests."""
    assert _run("python -m pytest --collect-only -q tests/architecture/docs/test_readme.py", ROOT).returncode == 0


def _activate(line: str, folder: Path) -> None:
    """It comes before the commands that are called by their names alone, and a venv has it."""
    names = [command for command in _commands() if command.startswith(("devicectl", "firmware-sim"))]
    assert _commands().index(line) < _commands().index(names[0])
    assert (SCRIPTS / "activate").is_file()


def _default_run(line: str, folder: Path) -> None:
    """A whole session of 10,000 cores, as anyone starts it first."""
    done = _run("devicectl run", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert NOTICE in done.stdout
    assert re.search(r"^session completed, reconciled: 10\d{3} of 10000 cores counted\b", done.stdout, re.MULTILINE)
    assert (folder / "log.sqlite").stat().st_size > 0


def _explained_run(line: str, folder: Path) -> None:
    """In real time: it comes to its first cycle within ten seconds, and Ctrl-C ends it in order.

    The times are the device's: how long a busy machine takes to start a program is not README's. They follow from the
    seed, by which a hand takes its time: of 400 seeds 11 needed longer than ten seconds, and README names one.
    """
    assert "--speed 1" in line and "seed=7" in line
    with _running(line, folder) as process:
        assert process.stdout is not None
        said: list[str] = []
        while not said or not re.search(r"s  Cycle 1\b", said[-1]):
            said.append(process.stdout.readline())
            assert said[-1], "".join(said)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=patience())
    assert float(said[-1].split()[0]) < 10
    text = "".join(said) + rest
    assert NOTICE in text
    assert "Traceback" not in text, text
    assert process.returncode == 1


def _run_over_mqtt(line: str, folder: Path) -> None:
    done = _run(line, folder)
    assert done.returncode == 0, done.stderr
    assert NOTICE in done.stdout and "reconciled" in done.stdout


def _serve(line: str, folder: Path) -> None:
    """It answers at both addresses that it prints."""
    with _running(line, folder) as process:
        assert process.stdout is not None
        urls: list[str] = []
        while len(urls) < 2:
            said = process.stdout.readline()
            assert said, "it ended before it had said its addresses"
            urls += re.findall(r"(?:tcp|serial)://\S+", said)
        serial, tcp = sorted(urls)
        assert Path(urlsplit(serial).path).exists()
        address = urlsplit(tcp)
        assert address.hostname is not None
        socket.create_connection((address.hostname, address.port or 0), timeout=patience(10)).close()
        process.terminate()
        assert process.wait(timeout=patience(10)) == 0


def _exec(line: str, folder: Path) -> None:
    """The host finds the address, and its exit code is the verdict."""
    host = folder / "your_host"
    host.write_text(
        f'#!{sys.executable}\nimport os, sys\nsys.exit(7 * os.environ["HANDPIECE_URL"].startswith("tcp://"))\n'
    )
    host.chmod(0o755)
    assert _run(line, folder).returncode == 7


def _sessions(line: str, folder: Path) -> None:
    assert _run("devicectl run --target-cores 30 --seed 7", folder).returncode == 0
    done = _run(line, folder)
    assert done.returncode == 0, done.stderr
    assert NOTICE in done.stdout


def _scenario(line: str, folder: Path) -> None:
    file = line.split()[-1]
    assert (ROOT / file).is_file()
    done = _run(line.replace(file, str(ROOT / file)), folder)
    assert done.returncode == 0 and "verdict: right" in done.stdout, done.stderr


def _campaign(line: str, folder: Path) -> None:
    done = _run(line, folder)
    assert done.returncode == 0 and "0 wrong or stuck" in done.stderr + done.stdout, done.stderr


def _conform(line: str, folder: Path) -> None:
    done = _run(line, folder)
    assert done.returncode == 0 and "verdict: passed" in done.stdout, done.stdout + done.stderr


def _station(line: str, folder: Path) -> None:
    """It prints a link to the presenter's page, and there is the page."""
    with _running(f"{line} --no-open --port 0", folder) as process:
        assert process.stdout is not None
        said: list[str] = []
        while not said or not said[-1].startswith("presenter"):
            said.append(process.stdout.readline())
            assert said[-1], "".join(said)
        assert NOTICE in "".join(said)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(said[-1].split()[-1], timeout=patience()) as page:
            assert b"presenter.js" in page.read()


CHECKS: Final[dict[str, Callable[[str, Path], None]]] = {
    "make": _make,
    "python3 -m venv": _venv,
    ".venv/bin/pip install": _pip,
    ".venv/bin/devicectl run": _default_run,
    ".venv/bin/python -m pytest": _pytest,
    ". .venv/bin/activate": _activate,
    "devicectl run --explain": _explained_run,
    "devicectl run --scenario": _scenario,
    "devicectl campaign": _campaign,
    "devicectl conform": _conform,
    "devicectl station": _station,
    "devicectl run --device 'sim+mqtt://": _run_over_mqtt,
    "devicectl sessions": _sessions,
    "firmware-sim serve": _serve,
    "firmware-sim exec": _exec,
}
"""How a command begins -> what holds it to its word."""


@pytest.mark.parametrize("line", _commands())
def test_command(line: str, tmp_path: Path) -> None:
    checks = [check for start, check in CHECKS.items() if line.startswith(start)]
    assert len(checks) == 1, f"no test knows `{line}`"
    checks[0](line, tmp_path)


def test_the_program_on_the_first_screen_counts_as_it_says(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(README.partition(program)[0].splitlines()) + len(program.splitlines()) < 40
    (tmp_path / "first.py").write_text(program, encoding="utf-8")
    done = _run(f"{sys.executable} first.py", tmp_path)
    assert done.returncode == 0, done.stderr
    *cycles, last = done.stdout.splitlines()
    counted = sum(int(line.split()[1]) for line in cycles)
    assert last == f"{counted} cores, reconciled: True"
    assert counted >= 300


def test_the_page_of_the_package_index_needs_nothing_of_the_tree() -> None:
    """No links, which would lead nowhere there, and no drawing; the program is the one of README."""
    page = (ROOT / "docs" / "package.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["readme"] == "docs/package.md"
    assert not re.findall(r"\]\(|```mermaid", page)
    assert re.findall(r"```python\n.*?```", page, re.DOTALL) == re.findall(r"```python\n.*?```", README, re.DOTALL)
    assert set(re.findall(r"devicectl\[(\w+)\]", page)) <= set(project["optional-dependencies"])
    assert NOTICE in page


def test_readme_names_both_commands() -> None:
    assert {"make run", "make test"} <= set(_commands())


def test_readme_shows_the_notice() -> None:
    assert NOTICE in README


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("firmware-sim exec --pty -- {python} {example}/own_host.py", "3 needles"),
        ("firmware-sim exec --tcp 127.0.0.1:0 -- {python} {example}/own_host.py", "3 needles"),
        ("{python} {example}/count_cores.py", "reconciled: True"),
    ],
)
def test_example(line: str, said: str, tmp_path: Path) -> None:
    done = _run(line.format(python=sys.executable, example=ROOT / "examples"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert NOTICE in done.stdout
    assert said in done.stdout
