#!/usr/bin/env bash
# what: with labgrid and pytest-embedded in one virtual environment each test that takes pytest-embedded's `dut` is
#   skipped, and the run ends with 0. Both plugins have a fixture named `target`: that of pytest-embedded is the chip's
#   name and a part of `dut`, that of labgrid is a place on its bench, whose own fixture skips for want of `--lg-env`.
#   labgrid's comes last, and so counts. A suite that was green says "skipped", and CI that looks at the exit code
#   has tested nothing since labgrid was installed.
# expected: Installing one more plugin changes no test that does not use it, or fails it.
# versions: labgrid 26.0.1, pytest-embedded 2.9.3, pytest 9.2.0, Python 3.11
# packages: labgrid==26.0.1 pytest-embedded==2.9.3 pytest-embedded-serial==2.9.3 pytest==9.2.0
# reported: not found
# seen:
#   pytest-embedded with labgrid beside it: exit 0, 1 skipped: missing environment config (use --lg-env)
#   the same with -p no:labgrid: exit 0, 1 passed
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import threading
import tty

device, line = pty.openpty()
tty.setraw(line)


def answer():
    """Say ready to whoever asks, as a board does."""
    while os.read(device, 1):
        os.write(device, b"ready\n")


threading.Thread(target=answer, daemon=True).start()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --embedded-services serial -q -rs -W ignore\n")
    (folder / "test_board.py").write_text('def test_board(dut):\n    dut.write("?")\n    dut.expect("ready", timeout=20)\n')
    for words, options in (("pytest-embedded with labgrid beside it", ()), ("the same with", ("-p", "no:labgrid"))):
        run = [sys.executable, "-m", "pytest", *options, f"--port={os.ttyname(line)}", "test_board.py"]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=60)
        said = re.search(r"^(1 \w+)", done.stdout, re.MULTILINE).group(1)
        why = re.search(r"SKIPPED \[1\] .*?: (.*)", done.stdout)
        print(f"{' '.join((words, *options))}: exit {done.returncode}, {said}{f': {why.group(1)}' if why else ''}")
PYTHON
