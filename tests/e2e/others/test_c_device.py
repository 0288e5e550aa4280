"""The device in C as a process: with the host in C, with ours, over lines that break, and under a flood."""

import asyncio
import contextlib
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devicectl.session.machine import State
from protocols.language import messages as M
from protocols.language.enums import DeviceState, Role
from protocols.text.notice import NOTICE
from tests.client import Client, tcp
from tests.e2e.lines import TcpLine
from tests.e2e.others.test_c_host import NoisyLine, said
from tests.e2e.processes import DEVICECTL, devicectl, started
from tests.e2e.sessions import PLAN, When, assert_exact, whole_session
from tests.integration.c_device import built_device
from tests.integration.c_device.built_device import LONG_LEASE, QUICK, SOURCES
from tests.patience import patience
from tests.programs import environment

MOST_LINES, MOST_LINES_OF_HEADERS, MOST_LINES_OF_BOARD, MOST_COLUMNS = 900, 265, 210, 132
KIT_TAKES_S = 200.0
"""Seconds for all cases in real time: most of them are waits."""


@pytest.fixture(scope="session")
def built(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which it was built with the sanitizers."""
    return built_device.device(program, tmp_path_factory)


@pytest.fixture(scope="session")
def c_host(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host in C, built with the sanitizers."""
    return built_device.host(program, tmp_path_factory) / "c_host"


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    return host, int(port)


# --- whole sessions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [("--tcp", "0"), ("--pty",)])
def test_the_two_programs_in_c_hold_a_session(at: tuple[str, ...], built: Path, c_host: Path) -> None:
    """Nothing of this project's is between them, nor in either of them."""
    with built_device.served(
        built / "c_device", *at, *QUICK, *LONG_LEASE, "--seed", "7", "--param", "miss_p=0.1"
    ) as url:
        for session_no in ("1", "2"):
            env = environment({"HANDPIECE_URL": url})
            done = subprocess.run([c_host], env=env, capture_output=True, text=True, timeout=patience(), check=False)
            assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
            assert done.stdout.startswith(NOTICE + "\n")
            assert (said(done.stdout)["reason"], said(done.stdout)["agreed"]) == ("completed", "yes")
            assert int(said(done.stdout)["cores_counted"]) >= 30 and said(done.stdout)["session"] == session_no


def test_the_two_programs_in_c_count_alike_over_a_bad_line(built: Path, c_host: Path) -> None:
    five = ("--param", "needles=5")  # fewer cycles: on such a line each takes a second
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(built_device.served(built / "c_device", "--tcp", "0", *QUICK, *LONG_LEASE, *five))
        line = stack.enter_context(NoisyLine(address_of(url), seed=1).carrying())
        env = environment({"HANDPIECE_URL": line.url})
        done = subprocess.run([c_host], env=env, capture_output=True, text=True, timeout=patience(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert line.lost > 5 and line.flipped > 5 and int(said(done.stdout)["retries"]) > 5
    assert said(done.stdout)["agreed"] == "yes"


@pytest.mark.parametrize("at", [("--tcp", "0"), ("--pty",)])
def test_devicectl_takes_it_through_60_cores(at: tuple[str, ...], built: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    with built_device.served(built / "c_device", *at, *QUICK, *LONG_LEASE, "--seed", "7") as url:
        done = devicectl("run", "--device", url, "--target-cores", "60", "--log", log, code=0)
    assert "60 of 60 cores counted" in done.stdout
    assert_exact(log, cycles=20)


@pytest.mark.parametrize("state", [State.PUNCHING, State.SUCTIONING, State.REPOSITIONING])
def test_a_link_that_is_lost_is_resumed(state: State, built: Path, tmp_path: Path) -> None:
    with built_device.served(built / "c_device", "--tcp", "0", *QUICK, "--seed", "7") as url:
        line = TcpLine(address_of(url))

        async def hold() -> None:
            async with line.listening() as through:
                await whole_session(through, tmp_path / "log.sqlite", When((state, line.cut)), plan=PLAN)

        asyncio.run(hold())
        assert line.cuts == 1
    assert_exact(tmp_path / "log.sqlite", cycles=20)


def armed(host: Client) -> M.Welcome:
    """Link, and bring the device to ARMED at a cell."""
    welcome = host.link()
    for step in (
        M.SessionOpen(target_cores=60, coverage_bp=600, depth_um=3000, zones_cm2=(5,)),
        M.AnesthesiaStart(zone=0, age_s=600, method=""),
        M.AnesthesiaConfirm(zone=0, confirmed_by="test"),
        M.Arm(),
        M.Reposition(zone=0, cell=0),
    ):
        assert type(done := host.ask(step)).__name__ == f"{type(step).__name__}Done", done
    return welcome


@pytest.mark.parametrize("close", [True, False])
def test_a_host_that_is_gone_leaves_it_safe(close: bool, built: Path) -> None:
    """By the end of its connection at once, by silence after the lease."""
    with built_device.served(built / "c_device", "--tcp", "0", *QUICK) as url, contextlib.ExitStack() as stack:
        viewer = stack.enter_context(tcp(address_of(url), host_id=77, role=Role.VIEWER))
        viewer.link()
        host = stack.enter_context(tcp(address_of(url)))
        armed(host)
        if close:
            host.channel.socket.close()  # type: ignore[attr-defined]
        viewer.pump(lambda: any(isinstance(told, M.Alarm) and told.code == 1501 for told in viewer.told))
        assert viewer.link().state is DeviceState.SAFE


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_it_keeps_every_rule_that_the_kit_tries(seed: int, built: Path, tmp_path: Path) -> None:
    """Without a baseline, at the model's own times."""
    report = tmp_path / "report.json"
    with built_device.served(built / "c_device", "--tcp", "0", "--seed", str(seed)) as url:
        line = [*DEVICECTL, "conform", "device", "--device", url, "--json", str(report)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=patience(KIT_TAKES_S), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict: passed" in done.stdout and report.exists()


# --- bad input -----------------------------------------------------------------------------------------------------


def test_a_flood_and_a_host_that_reads_nothing(built: Path) -> None:
    """Neither keeps others from being answered; who takes nothing is given up."""
    with built_device.served(built / "c_device", "--tcp", "0", *QUICK) as url, contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.create_connection(address_of(url), patience()))
        stranger = b"\0" + bytes.fromhex("061002080302020302040103040101010531833747") + b"\0"
        noise = bytes(range(1, 256)) * 64
        for _ in range(50):
            with contextlib.suppress(OSError):  # it may have been given up already
                deaf.sendall(stranger * 50 + noise)
        with tcp(address_of(url)) as host:
            host.link()
            host.echo()


def test_more_connections_than_places(built: Path) -> None:
    """One without a link gives way."""
    with built_device.served(built / "c_device", "--tcp", "0") as url, contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(address_of(url), patience()))
        with tcp(address_of(url)) as host:
            host.link()
            host.echo()


def test_valgrind_finds_nothing(program: Callable[[str], str], built: Path, c_host: Path, tmp_path: Path) -> None:
    """What the sanitizers do not look for: bytes that nobody wrote."""
    plain = tmp_path / "c_device"
    shutil.copytree(SOURCES, plain, ignore=shutil.ignore_patterns("c_device"))
    subprocess.run([program("make"), "CC=cc"], cwd=plain, capture_output=True, timeout=patience(), check=True)
    report = tmp_path / "report"
    line = [program("valgrind"), "--quiet", "--error-exitcode=9", f"--log-file={report}", str(plain / "c_device")]
    pipe = subprocess.PIPE
    with started([*line, "--tcp", "0", *QUICK, *LONG_LEASE], stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        env = environment({"HANDPIECE_URL": process.stdout.readline().strip()})
        done = subprocess.run([c_host], env=env, capture_output=True, text=True, timeout=patience(), check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience()) == 0, report.read_text()
    assert report.read_text() == ""


# --- its command line, its sources ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        (),
        ("--tcp",),
        ("--tcp", "x"),
        ("--tcp", "70000"),
        ("--tcp", "-1"),
        ("--tcp", "0", "--pty"),
        ("--pty", "--seed", "x"),
        ("--pty", "--param", "needles=9"),
        ("--pty", "--param", "nothing=1"),
        ("--pty", "--param", "needles"),
        ("--quick", "1"),
    ],
)
def test_wrong_options_are_one_line(line: tuple[str, ...], built: Path) -> None:
    done = subprocess.run([built / "c_device", *line], capture_output=True, text=True, timeout=patience(), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("c_device: ") and done.stderr.count("\n") == 1 and "usage: " in done.stderr


def test_a_port_that_is_taken_is_one_line(built: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        line = [str(built / "c_device"), "--tcp", str(taken.getsockname()[1])]
        done = subprocess.run(line, capture_output=True, text=True, timeout=patience(), check=False)
    assert done.returncode == 1 and done.stderr.startswith("c_device: port ") and done.stderr.count("\n") == 1


def sources() -> Iterator[tuple[str, str]]:
    """Name and text of each C file that is written by hand."""
    for path in sorted(SOURCES.rglob("*.[ch]")):
        if path.name != "hlp1.h":
            yield path.relative_to(SOURCES).as_posix(), path.read_text(encoding="utf-8")


def test_the_example_stays_small() -> None:
    """Its own lines; what is in board/ stands in for a machine. No memory but what is there from the start."""
    lines = {name: text.splitlines() for name, text in sources()}
    assert sum(len(text) for name, text in lines.items() if name.endswith(".c") and "/" not in name) <= MOST_LINES
    assert sum(len(lines[name]) for name in ("device.h", "tables.h")) <= MOST_LINES_OF_HEADERS
    assert sum(len(text) for name, text in lines.items() if name.startswith("board/")) <= MOST_LINES_OF_BOARD
    assert max(len(line) for text in lines.values() for line in text) <= MOST_COLUMNS
    asked = re.compile(r"\b(?:malloc|calloc|realloc|strdup|alloca)\b")
    assert not [name for name, text in sources() if asked.search(text)]
    assert all(NOTICE in text for name, text in sources() if name in ("board/main.c", "device.h", "tables.h"))


def test_only_main_knows_the_time_and_does_io() -> None:
    pattern = r"clock_gettime|\btime\(|#include <(?:unistd|sys/|poll|fcntl|time|signal)"
    assert [name for name, text in sources() if re.search(pattern, text)] == ["board/main.c"]
