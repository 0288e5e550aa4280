"""A memory file on a disk that is full, or that fails: what the device refuses, what ends it, and what is left."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, DeviceState
from protocols.language.messages import Refused
from tests.client import Client, tcp
from tests.e2e.processes import DEVICECTL, devicectl
from tests.e2e.sessions import PARAMETERS, assert_exact
from tests.patience import patience
from tests.programs import environment, firmware_sim, serve

LIMIT_BYTES: Final = 20_000
"""Of every file that a process writes: a disk that is full soon. Some ten cycles beside what must be free."""


def limit(size: int) -> str:
    """What limits every file that a process writes; its own modules, compiled, would be cut off as well."""
    return f"from resource import *; setrlimit(RLIMIT_FSIZE, ({size}, {size})); sys.dont_write_bytecode = True"


LIMITED: Final = limit(LIMIT_BYTES)
FAILING: Final = """
from firmware_sim.errors import NvmFileError
from firmware_sim.memory_file import FileStore
from tests.patience import patience
left, append = 5, FileStore.append
def fail(store, key, value):
    global left
    left -= key == "end_cycle"
    if left < 0:
        raise NvmFileError("memory", "Input/output error")
    append(store, key, value)
FileStore.append = fail
"""
"""The record of the sixth cycle is not taken, nor anything after it."""
OPEN: Final = M.SessionOpen(target_cores=300, coverage_bp=600, depth_um=3_000, zones_cm2=(40,))


def after(first: str, program: str = "firmware_sim") -> list[str]:
    """A program in a process that does something `first`."""
    return [sys.executable, "-P", "-c", f"import sys; {first}\nfrom {program}.cli import main; main()"]


def arm(host: Client) -> M.SessionOpenDone:
    host.link()
    session = host.ask(OPEN)
    assert isinstance(session, M.SessionOpenDone)
    host.ask(M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
    host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="me"))
    assert isinstance(host.ask(M.Arm()), M.ArmDone)
    return session


def cycles_until_refused(host: Client) -> tuple[int, Refused]:
    """Whole cycles, a cell after the other; how many, and the first refusal."""
    for done in range(1_000):
        if done % 16 == 0:
            answer = host.ask(M.Reposition(zone=0, cell=done // 16))
            if isinstance(answer, Refused):
                return done, answer
        cycle_no = done + 1
        answer = host.ask(M.Punch(cycle_no=cycle_no, depth_um=3_000, deadline_ms=0x7000_0000))
        if isinstance(answer, Refused):
            return done, answer
        for command in (
            M.Suction(cycle_no=cycle_no),
            M.Advance(cycle_no=cycle_no, steps=1),
            M.Count(cycle_no=cycle_no),
        ):
            assert not isinstance(host.ask(command), Refused)
    raise AssertionError("it is never refused")


QUICK: Final = ("--param", "anesthesia_wait_s=0", "--param", "reposition_mean_s=0.01")


def test_a_full_disk_refuses_new_cycles_and_lets_the_session_be_closed(tmp_path: Path) -> None:
    memory = tmp_path / "handpiece.nvm"
    with serve("--nvm", str(memory), *QUICK, program=after(LIMITED)) as device:
        with tcp(device.tcp) as host:
            session = arm(host)
            cycles, refused = cycles_until_refused(host)
            assert refused.code is Code.E_STORAGE
            assert refused.sentence == "the memory takes no more (File too large): nothing was begun"
            assert isinstance(host.ask(M.Stop()), M.StopDone)
            close = M.SessionClose(
                session_no=session.session_no,
                reason=CloseReason.ABANDONED,
                **dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0),
            )
            closed = host.ask(close)
            assert isinstance(closed, M.SessionCloseDone) and closed.cycles == closed.completed == cycles > 5
            assert isinstance(host.ask(M.FaultReset()), M.FaultResetDone)
            answer = host.ask(OPEN)
            assert isinstance(answer, Refused) and answer.code is Code.E_STORAGE
        with tcp(device.tcp) as host:
            assert host.link().state is DeviceState.IDLE, "it lives, and can be asked"
        assert device.stop() == 0
        assert device.process.stderr is not None and device.process.stderr.read() == ""
    assert memory.stat().st_size < LIMIT_BYTES
    with serve("--nvm", str(memory), *QUICK) as device, tcp(device.tcp) as host:
        welcome = host.link()
        assert (welcome.cycle_no, welcome.session_no) == (cycles, 0)
        assert isinstance(host.ask(OPEN), M.SessionOpenDone), "there is room again"


def test_a_host_ends_its_session_with_equal_counts_on_a_full_disk(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    with serve("--nvm", str(tmp_path / "handpiece.nvm"), *PARAMETERS, program=after(LIMITED)) as device:
        done = devicectl("run", "--target-cores", "90", "--device", device.urls[0], "--log", log, code=1)
        assert device.process.poll() is None
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("devicectl: ")]
    assert said == "devicectl: Punch: the memory takes no more (File too large): nothing was begun (E_STORAGE)"
    assert_exact(log, state="aborted", cycles=5)


def test_a_record_that_cannot_be_kept_ends_the_device_and_no_count(tmp_path: Path) -> None:
    """The disk takes the memory's place and then fails: nothing goes on that could not be told."""
    memory, log = tmp_path / "handpiece.nvm", tmp_path / "log.sqlite"
    with serve("--nvm", str(memory), *PARAMETERS, program=after(FAILING)) as device:
        line = [*DEVICECTL, "run", "--target-cores", "30", "--device", device.urls[0], "--log", str(log)]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as host:
            assert device.process.wait(patience()) == 1
            assert device.process.stderr is not None
            assert device.process.stderr.read() == "firmware-sim: --nvm memory: Input/output error\n"
            host.kill()
    with serve("--nvm", str(memory), *PARAMETERS) as device:
        with tcp(device.tcp) as viewer:
            welcome = viewer.link()
            assert (welcome.state, welcome.cycle_no, welcome.cycles) == (DeviceState.SAFE, 6, 6)
        done = devicectl("run", "--resume", "--json", "--device", device.urls[0], "--log", log, code=0)
        assert json.loads(done.stdout)["session_id"] == 1
    assert_exact(log, cycles=6)


def test_a_disk_that_is_full_from_the_start_is_one_line(tmp_path: Path) -> None:
    memory = tmp_path / "handpiece.nvm"
    with serve("--nvm", str(memory)):
        pass
    size = memory.stat().st_size
    for path, most in ((memory, size), (tmp_path / "new.nvm", 5)):
        line = [*after(limit(most)), "serve", "--nvm", str(path)]
        done = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=patience())
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(f"firmware-sim: --nvm: {path}: ")
    assert memory.stat().st_size == size
    assert list(tmp_path.iterdir()) == [memory], "nothing half made is left"


@pytest.mark.parametrize("fails", [LIMITED, FAILING], ids=["full", "failing"])
def test_in_one_process_too(tmp_path: Path, fails: str) -> None:
    memory = tmp_path / "handpiece.nvm"
    line = [*after(fails, "devicectl"), "run", "--json"]
    done = subprocess.run(
        [*line, "--target-cores", "90", "--device", f"sim://?nvm={memory}", "--log", "sqlite://"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=patience(),
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    said = done.stderr.splitlines()[-1]
    if fails == LIMITED:
        assert said == "devicectl: Punch: the memory takes no more (File too large): nothing was begun (E_STORAGE)"
        assert json.loads(done.stdout)["reconciled"] is True
    else:
        assert said == "devicectl: the simulated device has ended: its memory failed: memory: Input/output error"
        assert "while closing" not in done.stderr, "the same error once more is no news"
    again = devicectl("run", "--abandon", "--device", f"sim://?nvm={memory}", "--log", "sqlite://", code=0)
    assert ("nothing to abandon" if fails == LIMITED else "session 1 was closed as aborted") in again.stdout
    assert firmware_sim("serve", "--nvm", str(memory), "--max-seconds", "0.01").returncode == 0
