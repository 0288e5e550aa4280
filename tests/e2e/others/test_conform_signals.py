"""A run of the kit that a supervisor ends: nothing of it stays behind, also where a shell has Ctrl-C ignored."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.processes import DEVICECTL, devicectl, one_line, started, wait_until
from tests.patience import patience

_HANGING: Final = (
    "import os, pathlib, sys, time\n"
    "new = pathlib.Path(sys.argv[1] + '.new')\n"
    "new.write_text(str(os.getpid()))\n"
    "new.rename(sys.argv[1])\n"
    "time.sleep(600)\n"
)
_IGNORING: Final = (
    "import os, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nos.execv(sys.executable, sys.argv[1:])\n"
)
"""What a shell does before a job in the background."""


@pytest.mark.parametrize("ignored", [False, True], ids=["plain", "background"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_ends_its_controllers(number: signal.Signals, ignored: bool, tmp_path: Path) -> None:
    named = tmp_path / "pid"
    command = (sys.executable, "-c", _HANGING, str(named))
    line = [*DEVICECTL, "conform", "controller", "--case", "plain.*", "--", *command]
    before = [sys.executable, "-c", _IGNORING] if ignored else []
    with started([*before, *line]) as process:
        wait_until(named.exists, "the controller has started")
        controller = int(named.read_text())
        try:
            process.send_signal(number)
            assert process.wait(patience()) == 130
            assert not Path(f"/proc/{controller}/exe").exists(), "it is gone, and not only signalled"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(controller, signal.SIGKILL)


@pytest.mark.parametrize("end", [("device", ()), ("controller", ("--", "true"))])
def test_a_file_is_no_folder_for_recordings(end: tuple[str, tuple[str, ...]], tmp_path: Path) -> None:
    name, command = end
    (tmp_path / "file").write_text("as it was")
    done = devicectl("conform", name, "--record", tmp_path / "file", *command, code=2)
    assert f"--record: {tmp_path / 'file'} is no folder" in one_line(done)
    assert (tmp_path / "file").read_text() == "as it was"
