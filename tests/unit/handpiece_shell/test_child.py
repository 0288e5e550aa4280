"""A child's exit code is its own, whatever signal meets it."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from handpiece_shell.child import signal_child


def test_a_signal_to_a_child_that_has_just_ended_leaves_its_exit_code_to_the_loop() -> None:
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
    process: Any = SimpleNamespace(pid=child.pid, returncode=None, send_signal=child.send_signal)
    signal_child(process, signal.SIGTERM)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 7


def test_a_child_that_has_ended_gets_no_signal() -> None:
    process: Any = SimpleNamespace(pid=os.getpid(), returncode=0)
    signal_child(process, signal.SIGTERM)
