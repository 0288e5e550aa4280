"""How `firmware-sim serve` ends: by signal, by time, with its parent, with its memory; and what it leaves behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.clock import monotonic
from firmware_sim.serve.service import ORPHAN_CHECK_S
from protocols.language import messages as M
from protocols.language.enums import DeviceState
from protocols.language.units import SECOND
from tests.client import serial_port, tcp
from tests.e2e.processes import WITH_A_FULL_DEVICE, wait_until
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, environment, firmware_sim, kill_parent_of, serve

OPEN = M.SessionOpen(target_cores=30, coverage_bp=400, depth_um=3000, zones_cm2=(1,))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    link, ready = tmp_path / "port", tmp_path / "ready.json"
    with serve("--pty", "--link", str(link), "--tcp", "127.0.0.1:0", "--ready-file", str(ready)) as served:
        assert link.is_symlink() and ready.exists()
        served.process.send_signal(number)
        assert served.process.wait(patience()) == 0
        assert served.process.stderr is not None and served.process.stderr.read() == ""
    assert list(tmp_path.iterdir()) == []


def test_a_signal_ends_it_while_hosts_are_linked_and_one_does_not_read() -> None:
    with (
        serve("--pty", "--tcp", "127.0.0.1:0") as served,
        tcp(served.tcp) as one,
        serial_port(served.pty, host_id=2) as two,
    ):
        one.link()
        two.link()
        assert served.stop() == 0


def test_it_ends_when_its_time_is_over() -> None:
    began = monotonic()
    done = firmware_sim("serve", "--json", "--max-seconds", "0.3")
    assert done.returncode == 0 and done.stderr == ""
    assert monotonic() - began >= 0.3 * SECOND


def test_it_ends_when_its_parent_dies(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    kill_parent_of("--ready-file", str(ready))
    assert not ready.exists()


ORPHANED = "firmware-sim: the program that started it is gone, and so the device ends; with --keep-running it stays\n"


@pytest.fixture
def orphan(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A device whose parent has been killed: its number, and the file of its standard error.

    It is started with the parameter's options; with "nohup" among them, where SIGHUP is ignored.
    """
    ready, said = tmp_path / "ready.json", tmp_path / "said"
    words = list(request.param)
    hup = "signal.signal(signal.SIGHUP, signal.SIG_IGN); " if "nohup" in words else ""
    line = [*FIRMWARE_SIM, "serve", "--ready-file", str(ready), *(word for word in words if word != "nohup")]
    parent = (
        f"import signal, subprocess, sys; {hup}"
        f"subprocess.Popen({line!r}, stdout=subprocess.DEVNULL, stderr=open({str(said)!r}, 'w')); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, env=environment()) as process:
        wait_until(ready.exists, "it answers")
        number = json.loads(ready.read_text())["pid"]
        process.kill()
    try:
        yield number, said
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGTERM)
        wait_until(lambda: not ready.exists(), "it has ended")


@pytest.mark.parametrize("orphan", [[], ["nohup", "--no-keep-running"]], indirect=True, ids=["as usual", "told to"])
def test_it_says_that_it_ends_with_its_parent(orphan: tuple[int, Path]) -> None:
    _, said = orphan
    wait_until(lambda: said.read_text() == ORPHANED, "it says so")


@pytest.mark.parametrize("orphan", [["nohup"], ["--keep-running"]], indirect=True, ids=["nohup", "told to"])
def test_it_stays_where_it_is_to_outlive_its_parent(orphan: tuple[int, Path]) -> None:
    """A signal that it ignores is no end either; one that it does not ignore ends it, as the fixture sees."""
    number, said = orphan
    began = monotonic()
    wait_until(lambda: monotonic() - began > 3 * ORPHAN_CHECK_S * SECOND, "it would have looked for its parent")
    os.kill(number, signal.SIGHUP)
    address = json.loads((said.parent / "ready.json").read_text())["urls"][0]
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with tcp((host, int(port))) as one:
        one.link()
    assert said.read_text() == ""


def test_it_ends_when_nobody_is_left_to_read_its_announcement() -> None:
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen(
        [*FIRMWARE_SIM, "serve", "--json"], stdout=write, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        os.close(write)
        _, said = process.communicate(timeout=patience())
        assert process.returncode == 1
        assert len(said.splitlines()) == 1 and "Traceback" not in said


def test_it_needs_no_standard_output(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with subprocess.Popen(
        ["sh", "-c", 'exec "$@" >&-', "sh", *FIRMWARE_SIM, "serve", "--ready-file", str(ready)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        wait_until(ready.exists, "the ready file")
        process.terminate()
        _, said = process.communicate(timeout=patience())
        assert (process.returncode, said) == (0, "")


@WITH_A_FULL_DEVICE
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_announcement_on_a_full_disk_is_one_line(unbuffered: str) -> None:
    done = firmware_sim("serve", redirected=">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert done.stderr == "firmware-sim: nobody reads the announcement: No space left on device\n"


def test_a_link_left_over_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "port"
    with serve("--pty", "--link", str(link)) as first:
        first.kill()
        assert link.is_symlink()
        with serve("--pty", "--link", str(link)) as second, serial_port(second.pty) as host:
            host.link()


def test_a_link_that_dangles_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to(tmp_path / "nothing")
    with serve("--pty", "--link", str(link)) as served, serial_port(served.pty) as host:
        host.link()


def test_the_link_of_another_device_is_left_alone_and_stays_at_its_end(tmp_path: Path) -> None:
    link = tmp_path / "port"
    with serve("--pty", "--link", str(link)) as first:
        done = firmware_sim("serve", "--pty", "--link", str(link))
        assert done.returncode == 2 and "--link" in done.stderr
        with serial_port(first.pty) as host:
            host.link()
        link.unlink()
        link.write_text("somebody else's")
        assert first.stop() == 0
    assert link.read_text() == "somebody else's"


def test_the_default_link_is_in_the_runtime_directory_and_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with serve("--pty") as served:
        assert Path(served.pty) == tmp_path / f"handpiece-{served.process.pid}"
        assert served.stop() == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["gone", "a-file", "locked"])
def test_the_default_link_is_in_the_temporary_folder_where_there_is_no_other(folder: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "locked").mkdir(mode=0o500)
    if folder == "locked" and os.access(tmp_path / "locked", os.W_OK):
        pytest.skip("this user may write everywhere")
    done = firmware_sim(
        *("serve", "--pty", "--max-seconds", "0.01"),
        XDG_RUNTIME_DIR=str(tmp_path / folder),
        TMPDIR=str(tmp_path / "temporary"),
    )
    assert done.returncode == 0
    assert f"HANDPIECE_URL=serial://{tmp_path}/temporary/handpiece-" in done.stdout
    assert "warning: $XDG_RUNTIME_DIR is not a folder that can be written" in done.stderr
    assert f"the link is made in {tmp_path}/temporary" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_memory_file_resumes_the_session(end: str, tmp_path: Path) -> None:
    memory = str(tmp_path / "handpiece.nvm")
    quick = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")
    with serve("--nvm", memory, "--seed", "7", *quick) as served, tcp(served.tcp) as host:
        first = host.link()
        session = host.ask(OPEN)
        assert isinstance(session, M.SessionOpenDone)
        host.ask(M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
        host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="me"))
        assert isinstance(host.ask(M.Arm()), M.ArmDone)
        assert isinstance(host.ask(M.Reposition(zone=0, cell=0)), M.RepositionDone)
        punch = M.Punch(cycle_no=session.first_cycle_no, depth_um=3000, deadline_ms=0xFFFF_FFFF >> 1)
        assert isinstance(host.ask(punch), M.PunchDone)
        if end == "kill":
            served.kill()
        else:
            assert served.stop() == 0
    with serve("--nvm", memory, "--seed", "7") as served, tcp(served.tcp) as host:
        again = host.link()
        assert again.state is DeviceState.SAFE
        assert again.session_no == session.session_no
        assert again.cycle_no == session.first_cycle_no
        assert again.boot_count == first.boot_count + 1
        assert again.link_id > first.link_id
        assert again.journal_epoch == first.journal_epoch
        assert again.cycles == 1 and again.punctures == session.needles


def test_a_memory_file_has_the_seed(tmp_path: Path) -> None:
    memory = str(tmp_path / "handpiece.nvm")
    with serve("--nvm", memory) as served, tcp(served.tcp) as host:
        first = served.said
        assert host.link().boot_count == 1
    for seed in ([], ["--seed", str(first["seed"])]):
        with serve("--nvm", memory, *seed) as served:
            assert (served.said["seed"], served.said["serial"]) == (first["seed"], first["serial"])
    trace, other = tmp_path / "trace", first["seed"] + 1
    done = firmware_sim("serve", "--nvm", memory, "--seed", str(other), "--trace", str(trace))
    assert done.returncode == 2 and done.stdout == ""
    said = f"--seed: {other} is not the seed {first['seed']} of the device in {memory}; leave it out"
    assert done.stderr == f"firmware-sim: {said}\n"
    assert not trace.exists()
    with serve("--nvm", memory) as served, tcp(served.tcp) as host:
        assert host.link().boot_count == 4, "a device that was refused has not run"


def test_a_memory_file_serves_one_device_at_a_time(tmp_path: Path) -> None:
    memory = str(tmp_path / "handpiece.nvm")
    with serve("--nvm", memory):
        done = firmware_sim("serve", "--nvm", memory)
        assert done.returncode == 2
        assert "in use" in done.stderr and len(done.stderr.splitlines()) == 1
