"""What all tests share: how many examples, seeds, a broker; and that a missing program fails where it must be there."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
import pytest_timeout
from hypothesis import settings

from tests.brokers import Mosquitto, running
from tests.patience import look, patience
from tests.runs.imports import import_first, part_of, without_garbage
from tests.runs.order import begun_early

# A shell starts what goes on in the background with Ctrl-C ignored, and nohup what it starts with SIGHUP; so would be
# all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
# Where no compiled module is kept, each of the thousand programs that the tests start compiles them all anew, and each
# process of the run every test module.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# An example has no deadline: a busy machine is not a defect. The suite's own timeout, below, ends what hangs.
settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=2_000)
settings.load_profile("default")

# The device of whoever runs the tests has no part in them.
os.environ.pop("HANDPIECE_URL", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--seeds N`: sessions of a statistical test; its bounds are made for 30 or more."""
    parser.addoption("--seeds", type=int, default=30, help="how many seeds a statistical test runs")
    parser.addoption("--pythons", default="3.11 3.12 3.13", help="those that repeat recordings: versions, or paths")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: two processes for each core, since the tests in real time wait for most of theirs."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Each of several processes imports a part of its own first."""
    config, worker = session.config, getattr(session.config, "workerinput", None)
    with without_garbage():
        if worker is not None:
            named = (config.args, config.getoption("ignore") or ())
            places, left_out = ([config.rootpath / name for name in names] for names in named)
            part = int(worker["workerid"].removeprefix("gw"))
            import_first(part_of(places, left_out, part, worker["workercount"]), config.rootpath)
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest is begun first; `--dist worksteal` and `tests/runs/order.py` are made for each other."""
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = begun_early([(item.nodeid.partition("::")[0], item) for item in items], processes)


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Any:
    """A test's own limit, of pytest-timeout: it follows the machine, as each limit inside a test does."""
    look()
    return pytest_timeout.pytest_timeout_set_timer(item, settings._replace(timeout=patience(settings.timeout)))


@pytest.fixture(scope="session")
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds of a statistical test."""
    return range(1, int(request.config.getoption("--seeds")) + 1)


_ASIDE: Final = ("/usr/sbin", "/usr/local/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
"""Where Debian has programs that users do not start."""


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of a system program; where it is missing the test is skipped, and in CI fails."""

    def find(name: str) -> str:
        path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(_ASIDE))
        if path is None:
            _missing(f"{name} is not installed", ".ci/run")
        return path

    return find


@pytest.fixture(scope="session")
def package() -> Callable[[str], None]:
    """The same for a package that is an extra."""

    def find(name: str) -> None:
        if importlib.util.find_spec(name) is None:
            _missing(f"{name} is not installed", "pyproject.toml")

    return find


def _missing(what: str, where: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI must have it: see {where}")
    pytest.skip(what)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; where none may be mounted the test is skipped, and in CI fails."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = () if os.geteuid() == 0 else ("sudo", "-n")  # as in .ci/run
    options = f"size=256k,mode=700,uid={os.getuid()},gid={os.getgid()}"
    line = [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        said = done.stderr.strip() if done.returncode else None
    except OSError as error:
        said = f"{line[0]}: {error.strerror}"
    if said is not None:
        _missing(f"no tmpfs can be mounted ({said})", ".ci/run")
    yield folder
    subprocess.run([*as_root, "umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def held_to_modes(program: Callable[[str], str]) -> tuple[str, ...]:
    """What begins a command that is to be held to the modes of files and folders, which root is not."""
    if os.geteuid() != 0:
        return ()
    return (program("setpriv"), "--bounding-set=-dac_override,-dac_read_search")


@pytest.fixture
def mosquitto(program: Callable[[str], str], tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker on this machine, without passwords and encryption."""
    with running(program("mosquitto"), tmp_path) as broker:
        yield broker
