"""`spy+` before a device URL: in virtual time, over TCP, by the API, and before a reader who reads nothing."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from devicectl import Plan, connect
from devicectl.cli.program import call
from devicectl.errors import UrlError
from tests.e2e.processes import devicectl, one_line
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import environment, serve

SHORT = "anesthesia_wait_s=1"
PROGRAM = """
import asyncio
import sys

import devicectl


async def main():
    async with devicectl.connect(sys.argv[1]) as handpiece:
        async with handpiece.open_session(devicectl.Plan(target_cores=12)) as session:
            await session.confirm_anesthesia()
            async for _ in session.run():
                pass
        print("reconciled:", session.summary.reconciled, flush=True)


asyncio.run(main())
"""


def test_a_session_in_virtual_time_is_shown_in_full_and_is_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plain, spied = tmp_path / "plain.trace", tmp_path / "spied.trace"
    log = str(tmp_path / "log.sqlite")
    for url, trace in ((f"sim://?seed=7&{SHORT}", plain), (f"spy+sim://?seed=7&{SHORT}", spied)):
        line = ["run", "--device", url, "--target-cores", "60", "--log", log, "--trace", str(trace)]
        assert call(line) == 0
    shown = capfd.readouterr().err.splitlines()
    frames = plain.read_text().splitlines()[1:]
    assert spied.read_text() == plain.read_text()
    assert shown[0].startswith("TRAINING SIMULATOR - NOT A MEDICAL DEVICE: spy+sim://")
    assert shown[1 : 1 + len(frames)] == frames
    assert shown[1 + len(frames)].startswith("statistics of ")


def test_names_select_and_a_recording_has_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file, log = tmp_path / "line.pcapng", str(tmp_path / "log.sqlite")
    with serve("--tcp", "127.0.0.1:0", "--seed", "7", *PARAMETERS) as device:
        url = f"spy+{device.urls[0]}?spy_only=punch&spy_record={file}"
        assert call(["run", "--device", url, "--target-cores", "6", "--log", log]) == 0
    messages = [line for line in capfd.readouterr().err.splitlines() if ">device" in line or ">host" in line]
    assert len(messages) == 2 and all("COMMAND   Punch  " in line for line in messages)
    assert call(["check", str(file)]) == 0
    assert "made by devicectl spy" in capfd.readouterr().out


async def _opened_and_aborted(url: str, heard: list[str]) -> None:
    async with (
        connect(url, tap=lambda sender, data, now: heard.append(sender)) as handpiece,
        handpiece.open_session(Plan(target_cores=3)) as session,
    ):
        await session.abort()


@pytest.mark.parametrize("scheme", ["spy+sim", "spy+sim+tcp"])
def test_the_api_takes_it(scheme: str, capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    asyncio.run(_opened_and_aborted(f"{scheme}://?seed=7&{SHORT}", heard))
    said = capfd.readouterr().err
    assert "COMMAND   SessionOpen" in said and "SessionCloseDone" in said and "latency, ms" in said
    assert {"host", "device"} == set(heard)


def test_a_file_that_cannot_be_written_is_one_line() -> None:
    with pytest.raises(UrlError, match="spy_record: cannot write /nowhere/x"):
        asyncio.run(_opened_and_aborted("spy+sim://?spy_record=/nowhere/x", []))


def test_a_file_of_its_own_may_not_be_another_one(tmp_path: Path) -> None:
    file = str(tmp_path / "one")
    done = devicectl("run", "--device", f"spy+sim://?spy_record={file}", "--record", file, code=2, env=environment())
    assert "spy_record" in one_line(done)


def test_a_reader_who_reads_nothing_keeps_no_session_over_tcp_waiting(tmp_path: Path) -> None:
    """A program that writes nothing else there: the lines of `devicectl run` wait for their reader as ever.

    Its pipe takes a page, a fifth of what such a session says.
    """
    with serve("--tcp", "127.0.0.1:0", "--seed", "7", *PARAMETERS) as device:
        line = [sys.executable, "-P", "-c", PROGRAM, f"spy+{device.urls[0]}"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            line, cwd=tmp_path, env=environment(), stdout=pipe, stderr=pipe, pipesize=4096
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            assert b"TRAINING SIMULATOR" in process.stderr.readline()
            assert process.stdout.readline() == b"reconciled: True\n"
            process.communicate(timeout=patience())
            assert process.returncode == 0
