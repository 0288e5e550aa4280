#!/usr/bin/env bash
# what: pytest-embedded-serial takes a device at `socket://HOST:PORT`, and reads one byte from it every 50 ms: 20 bytes a
#   second, so that a line of 80 characters comes after four seconds. Its thread calls `read_all()` and pauses, which
#   empties a serial port's buffer; but pyserial's `socket://` never says that more than one byte is waiting. The same
#   bytes at a pseudo-terminal come at once. The log says nothing, and `expect` ends with its time limit.
# expected: A device at a TCP port is read as fast as one at a serial port.
# versions: pytest-embedded-serial 2.9.3, pyserial 3.5, Python 3.11
# packages: pytest-embedded==2.9.3 pytest-embedded-serial==2.9.3 pyserial==3.5 pytest==9.2.0
# reported: not found
# seen:
#   100 bytes at a pseudo-terminal: in less than a second
#   100 bytes at socket://: after 4.5 s at least
. "$(dirname "$0")/finding.bash"
observe <<'PYTHON'
import os
import pathlib
import pty
import socket
import subprocess
import sys
import tempfile
import tty

DATA = b"x" * 97 + b"END"
kept = tempfile.TemporaryDirectory()
folder = pathlib.Path(kept.name)
(folder / "pytest.ini").write_text("[pytest]\naddopts = --embedded-services serial -q -W ignore\n")
(folder / "test_time.py").write_text("""
import time

def test_time(dut):
    dut.serial.proc.write(b"?")
    assert dut.expect(b"!", timeout=50)
    began = time.monotonic()
    dut.serial.proc.write(b"?")
    assert dut.expect(b"END", timeout=50)
    open("took", "w").write(str(time.monotonic() - began))
""")


def took(port):
    """Start the test against a port; it writes how long it waited."""
    line = [sys.executable, "-m", "pytest", f"--port={port}", "test_time.py"]
    return subprocess.Popen(line, cwd=folder, stdout=subprocess.DEVNULL)


def seconds(test):
    assert test.wait(60) == 0
    return float((folder / "took").read_text())


device, line = pty.openpty()
tty.setraw(line)
test = took(os.ttyname(line))
os.read(device, 1)
os.write(device, b"!")
os.read(device, 1)
os.write(device, DATA)
print("100 bytes at a pseudo-terminal:", "in less than a second" if seconds(test) < 1 else "later")

with socket.create_server(("127.0.0.1", 0)) as server:
    test = took(f"socket://127.0.0.1:{server.getsockname()[1]}")
    connection, _ = server.accept()
    connection.recv(1)
    connection.sendall(b"!")
    connection.recv(1)
    connection.sendall(DATA)
    print("100 bytes at socket://:", "after 4.5 s at least" if (found := seconds(test)) >= 4.5 else f"after {found:.1f} s")
PYTHON
