"""The pytest plugin in a repository that has a `protocols` of its own; `make wheel` runs this outside the sources too.

In an editable install a package that is hidden still finds its modules, so these tests look at who imports which.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

from tests.patience import patience
from tests.programs import environment, serve

PYTEST: Final = Path(sysconfig.get_path("scripts")) / "pytest"
"""The program itself: `python -m pytest` would have the repository on its path from the beginning."""
PLAIN: Final = ("-o", "asyncio_default_fixture_loop_scope=function", "-p", "no:randomly", "-p", "no:cacheprovider")
OWN: Final = """
import os, pathlib

OURS = True
with open(os.environ["IMPORTERS"], "a") as file:
    print(os.getpid(), file=file)
"""
TESTS: Final = """
import os, pathlib, socket, sys

import protocols
import pytest

def test_its_own():
    assert protocols.OURS

def test_host(handpiece_url):
    host, port = handpiece_url.removeprefix("tcp://").split(":")
    socket.create_connection((host, int(port))).close()
    assert [int(line) for line in pathlib.Path(os.environ["IMPORTERS"]).read_text().split()] == [os.getpid()]
    assert not [name for name in sys.modules if name.startswith("protocols.")], "ours was asked for here"

@pytest.mark.asyncio
async def test_in_process(handpiece):
    pass
"""


def run_pytest(repository: Path, *options: str, path: tuple[Path, ...] = ()) -> str:
    """What pytest says there, with these places before all others in PYTHONPATH."""
    (repository / "test_it.py").write_text(TESTS)
    inherited = environment()["PYTHONPATH"].split(os.pathsep)
    paths = os.pathsep.join([*map(str, path), *inherited])
    env = environment() | {"PYTHONPATH": paths, "IMPORTERS": str(repository / "importers.txt")}
    line = [sys.executable, str(PYTEST), *PLAIN, *options]
    done = subprocess.run(line, cwd=repository, env=env, capture_output=True, text=True, timeout=patience())
    return done.stdout + done.stderr


def test_a_folder_in_the_repository(tmp_path: Path) -> None:
    """Neither checking URLs, nor a simulator, nor a look at a device that is there already, imports it or hides it."""
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "__init__.py").write_text(OWN)
    with serve("--tcp", "127.0.0.1:0") as device:
        said = run_pytest(tmp_path, "--handpiece-url", "sim+tcp://", "--handpiece-url", device.urls[0])
    assert " 3 passed, 2 errors in " in said, said
    assert f"\n{tmp_path / 'protocols'} hides the package `protocols` that the handpiece is made with: " in said


def test_a_folder_and_a_module_on_the_path(tmp_path: Path) -> None:
    first, second = tmp_path / "src", tmp_path / "lib"
    first.mkdir()
    (first / "protocols.py").write_text(OWN)
    (second / "protocols").mkdir(parents=True)
    (second / "protocols" / "__init__.py").write_text(OWN)
    said = run_pytest(tmp_path, path=(first, second))
    assert " 2 passed, 1 error in " in said, said
    assert f"\n{first / 'protocols.py'} hides the package `protocols` " in said
