"""The log fails in the middle of a session: the device is left safe, what was committed is there, and it is resumed."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import devicectl
from devicectl import Plan, clock
from devicectl.handpiece import Handpiece, Session
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from devicectl.simulation.virtual_time import VirtualTimeDriver
from protocols.language.enums import DeviceState
from protocols.language.messages import TruthGetDone, Welcome
from protocols.language.records import Cycle, decode_record
from protocols.language.units import SECOND, Micros
from tests.e2e import sessions
from tests.e2e.processes import DEVICECTL, read_until, started
from tests.e2e.processes import devicectl as run_devicectl
from tests.e2e.sessions import assert_retracted_and_vented
from tests.integration.log.log_builders import EPOCH, a_finish, a_start, cycle_batch
from tests.patience import patience
from tests.programs import Served, serve

PLAN = Plan(target_cores=120)
QUICK = [*(f"--param={name}={value}" for name, value in {**sessions.QUICK, "anesthesia_wait_s": "0"}.items())]
SIX_CYCLES_A_CELL = "--param=needles=8"
TWO_CELLS = Plan(target_cores=60)
WRITES = ("begin", "store", "note", "finish", "store_truth")


class FailingLog:
    """A session log whose disk is full from its `at`-th write on, of those that are in `of`."""

    def __init__(self, log: SessionLog, at: int, of: tuple[str, ...] = WRITES) -> None:
        self.log = log
        self.left = at - 1
        self.writes = 0
        self.failed = threading.Event()
        for name in of:
            setattr(self, name, self._write(getattr(log, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    def _write(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any) -> Any:
            if self.left == 0:
                self.failed.set()
                raise LogError(LogErrorKind.FULL, self.log.where, "there is no space left")
            self.left -= 1
            self.writes += 1
            return write(*arguments)

        return guarded


async def whole(session: Session) -> None:
    await session.confirm_anesthesia()
    async for _ in session.run():
        pass


def assert_safe(handpiece: Handpiece) -> None:
    """SAFE or unarmed, the needles home, the line vented; the session is open."""
    driver = handpiece.driver
    assert isinstance(driver, VirtualTimeDriver)
    device, later = driver.world.device, Micros(driver.now + SECOND)
    assert device.board.state in (DeviceState.SAFE, DeviceState.IDLE) and not device.board.armed
    assert device.plant.needle.depth_um(later) == 0 and not device.plant.vacuum.pump_on
    assert device.plant.vacuum.pressure_kpa(later) > -1
    assert device.nvm.register is None


def assert_exact(path: Path, state: str = "completed") -> None:
    with SessionLog.open(path) as log:
        report = log.load(1)
    assert (report.summary.state, report.summary.reconciled) == (state, True), report.differences
    numbers = [record.cycle_no for raw in report.records if isinstance(record := decode_record(raw), Cycle)]
    assert numbers == list(range(1, report.counts.cycles + 1))


async def count_writes() -> int:
    with SessionLog.open("sqlite://") as log:
        failing = FailingLog(log, 1_000_000)
        url = "sim://?seed=7&anesthesia_wait_s=1"
        async with devicectl.connect(url, log=failing) as handpiece, handpiece.open_session(PLAN) as session:
            await whole(session)
        return failing.writes


@pytest.mark.asyncio
async def test_whichever_write_fails(tmp_path: Path) -> None:
    writes = await count_writes()
    assert writes >= 10
    for at in range(1, writes + 1):
        await fail_and_resume(tmp_path / str(at), at)


async def fail_and_resume(folder: Path, at: int) -> None:
    folder.mkdir()
    path, url = folder / "log.sqlite", f"sim://?seed=7&anesthesia_wait_s=1&nvm={folder / 'nvm'}"
    with SessionLog.open(path, wall_clock=clock.wall) as log:
        failing = FailingLog(log, at)
        async with devicectl.connect(url, log=failing) as handpiece:
            session = handpiece.open_session(PLAN)
            with pytest.raises(LogError, match="no space left"):
                async with session:
                    await whole(session)
            assert isinstance(session.log_error, LogError)
            assert_safe(handpiece)
            acknowledged = handpiece.driver.world.device.nvm.tail  # type: ignore[attr-defined]
    with SessionLog.open(path, wall_clock=clock.wall) as log:
        if at > 1:
            assert log.load(1).next_event_no >= acknowledged, "only what is durable was acknowledged"
        async with devicectl.connect(url, log=log) as handpiece:
            if at == 1:
                abandoned = await handpiece.abandon_session()
                assert abandoned is not None and abandoned.summary is None
                return
            if not handpiece.open_session_no and log.load(1).summary.state != "open":
                return  # the write that failed was no part of the session's records
            async with handpiece.resume_session() as session:
                await whole(session)
            assert session.summary.state == "completed" and session.summary.reconciled
    assert_exact(path)


@pytest.mark.asyncio
async def test_a_failure_while_leaving_is_a_note_and_is_told(tmp_path: Path) -> None:
    with SessionLog.open(tmp_path / "log.sqlite") as log:
        failing = FailingLog(log, 1_000_000)
        async with devicectl.connect("sim://?seed=7&anesthesia_wait_s=1", log=failing) as handpiece:
            with pytest.raises(ZeroDivisionError) as caught:
                async with handpiece.open_session(PLAN) as session:
                    await session.confirm_anesthesia()
                    await anext(session.run())
                    failing.left = 0
                    _ = 1 // 0
            assert "no space left" in caught.value.__notes__[0]
            assert session.log_error is not None and session.summary.state == "open"
            assert_safe(handpiece)


def test_a_locked_log_is_exit_4_and_is_resumed_by_another_process(tmp_path: Path) -> None:
    path, url = tmp_path / "log.sqlite", f"sim://?seed=7&anesthesia_wait_s=1&nvm={tmp_path / 'nvm'}"
    common = ("--device", url, "--log", str(path))
    line = [*DEVICECTL, "run", "--explain", "--json", "--target-cores", "3000", *common]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = read_until(process, "Cycle 5:")
        with sqlite3.connect(path, isolation_level=None, timeout=patience()) as lock:
            lock.execute("BEGIN IMMEDIATE")
            out, _ = process.communicate(timeout=patience())
            with suppress(sqlite3.OperationalError):
                lock.execute("ROLLBACK")
        lock.close()
        assert process.returncode == 4, said + out
        assert "Traceback" not in out
        assert "another process is writing to it" in out.splitlines()[-1]
        summary = json.loads(out.splitlines()[-2])
        assert (summary["state"], summary["reconciled"]) == ("open", False)
    done = run_devicectl("run", "--json", "--resume", *common, code=0)
    assert json.loads(done.stdout)["cores_counted"] >= 3000
    assert_exact(path)


# --- the log's files are taken away while it is open -------------------------------------------------------------


def replace(path: Path) -> None:
    """What an editor, a backup program or a synchronized folder does: a copy takes the name."""
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.replace(path)


def lead_elsewhere(path: Path) -> None:
    """The log's name is a link."""
    link = path.parent.with_name("link")
    link.unlink()
    link.symlink_to(path.parent.parent)


TAKEN: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("moved")),
    "replaced": replace,
    "wal removed": lambda path: path.with_name("log.sqlite-wal").unlink(),
    "wal replaced": lambda path: replace(path.with_name("log.sqlite-wal")),
    "shm removed": lambda path: path.with_name("log.sqlite-shm").unlink(),
    "its folder moved": lambda path: path.parent.rename(path.parent.with_name("other")),
    "its folder removed": lambda path: shutil.rmtree(path.parent),
    "its link leads elsewhere": lead_elsewhere,
}


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """The path of a log in a folder, by a link to the folder."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    return tmp_path / "link" / "log.sqlite"


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.asyncio
async def test_a_log_that_is_taken_away_ends_the_session_at_the_next_batch(linked: Path, how: str) -> None:
    with SessionLog.open(linked) as log:
        async with devicectl.connect("sim://?seed=7&anesthesia_wait_s=1", log=log) as handpiece:
            session = handpiece.open_session(Plan(target_cores=3000))
            with pytest.raises(LogError, match="has gone|is another file now") as caught:
                async with session:
                    await session.confirm_anesthesia()
                    async for cycle in session.run():
                        if cycle.cycle_no == 30:
                            TAKEN[how](linked.parent.resolve() / linked.name)
            assert caught.value.kind is LogErrorKind.UNWRITABLE
            assert session.log_error is caught.value and session.summary.state == "open"
            assert session.summary.cycles < 100, "it went on for cells"
            assert_safe(handpiece)


@pytest.mark.parametrize("step", ["begin", "store", "note", "finish", "store_truth", "find", "records"])
def test_no_step_is_done_in_a_log_that_was_taken_away(tmp_path: Path, step: str) -> None:
    path = tmp_path / "log.sqlite"
    note = Note("warning", 1, "x", "y", None)
    truth = TruthGetDone(
        session_no=1, cycles_commanded=1, cycles_completed=1, punctures=3, cores_evacuated=2, cores_counted=2, clogs=0
    )
    steps: dict[str, Callable[[SessionLog], object]] = {
        "begin": lambda log: log.begin(a_start()),
        "store": lambda log: log.store(1, cycle_batch(1, 1)),
        "note": lambda log: log.note(1, [note]),
        "finish": lambda log: log.finish(1, a_finish()),
        "store_truth": lambda log: log.store_truth(1, truth),
        "find": lambda log: log.find("SIM-0007", EPOCH, 1),
        "records": lambda log: log.records(1),
    }
    with SessionLog.open(path) as log:
        log.begin(a_start())
        path.rename(tmp_path / "moved")
        with pytest.raises(LogError, match="log.sqlite has gone"):
            steps[step](log)
        (tmp_path / "moved").rename(path)
        steps[step](log)


def test_a_log_that_was_moved_is_exit_4_and_is_gone_on_with_where_it_is_put_back(tmp_path: Path) -> None:
    path, url = tmp_path / "log.sqlite", f"sim://?seed=7&anesthesia_wait_s=1&nvm={tmp_path / 'nvm'}"
    common = ("--device", url, "--log", str(path))
    line = [*DEVICECTL, "run", "--explain", "--json", "--speed", "20", "--target-cores", "3000", *common]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = read_until(process, "Cycle 5:")
        path.rename(tmp_path / "moved")
        out, _ = process.communicate(timeout=patience())
        assert process.returncode == 4, said + out
        assert "Traceback" not in out
        assert f"session log {path}: log.sqlite has gone" in out.splitlines()[-1]
        assert json.loads(out.splitlines()[-2])["reconciled"] is False
    (tmp_path / "moved").rename(path)
    done = run_devicectl("run", "--json", "--resume", *common, code=0)
    assert json.loads(done.stdout)["cores_counted"] >= 3000
    assert_exact(path)


# --- over a real transport: the log has a thread of its own ------------------------------------------------------


@pytest.mark.parametrize(("of", "at"), [("begin", 1), ("store", 2), ("finish", 1), ("store_truth", 1)])
@pytest.mark.asyncio
async def test_over_tcp_whichever_write_fails(tmp_path: Path, of: str, at: int) -> None:
    path = tmp_path / "log.sqlite"
    with serve("--tcp", "127.0.0.1:0", *QUICK, SIX_CYCLES_A_CELL) as served, SessionLog.open(path) as log:
        url, failing = served.urls[0], FailingLog(log, at, (of,))
        async with devicectl.connect(url, log=failing) as handpiece:
            session = handpiece.open_session(TWO_CELLS)
            with pytest.raises(LogError, match="no space left"):
                async with session:
                    await whole(session)
            assert isinstance(session.log_error, LogError) and failing.failed.is_set()
            welcome = await safe(served)
        await all_is_there(served, log, welcome, begun=of != "begin")


@pytest.mark.asyncio
async def test_over_tcp_a_failure_while_nobody_awaits_is_raised_at_the_next_step(tmp_path: Path) -> None:
    with (
        serve("--tcp", "127.0.0.1:0", *QUICK, SIX_CYCLES_A_CELL) as served,
        SessionLog.open(tmp_path / "log.sqlite") as log,
    ):
        failing = FailingLog(log, 1_000_000, ("store",))
        async with devicectl.connect(served.urls[0], log=failing) as handpiece:
            with pytest.raises(LogError, match="no space left"):
                async with handpiece.open_session(TWO_CELLS) as session:
                    await session.confirm_anesthesia()
                    async for cycle in session.run():
                        assert cycle.cycle_no == 1
                        failing.left = 0
                        session._engine.read_aside()
                        await asyncio.to_thread(failing.failed.wait, patience())
            assert session.log_error is not None
            welcome = await safe(served)
        await all_is_there(served, log, welcome)


async def safe(served: Served) -> Welcome:
    """The device was stopped; that this host lets go of the link is not what stops it."""
    welcome = await asyncio.to_thread(assert_retracted_and_vented, served.tcp)
    assert welcome.state in (DeviceState.SAFE, DeviceState.IDLE)
    return welcome


async def all_is_there(served: Served, log: SessionLog, welcome: Welcome, *, begun: bool = True) -> None:
    """Nothing that is not in the log was acknowledged, and the session comes to its end."""
    if not begun:
        assert welcome.session_no == 1
        async with devicectl.connect(served.urls[0], log=log) as handpiece:
            abandoned = await handpiece.abandon_session()
        assert abandoned is not None and abandoned.summary is None
        return
    assert welcome.journal_tail <= log.load(1).next_event_no, "only what is durable was acknowledged"
    if welcome.session_no or log.load(1).summary.state == "open":
        async with devicectl.connect(served.urls[0], log=log) as handpiece, handpiece.resume_session() as session:
            await whole(session)
        assert session.summary.succeeded
    assert (report := log.load(1)).summary.reconciled, report.differences
