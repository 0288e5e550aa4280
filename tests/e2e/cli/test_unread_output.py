"""Whoever should read does not: a signal is obeyed all the same, and the session closed."""

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import DEVICECTL, devicectl, started, wait_until
from tests.patience import patience
from tests.programs import serve

LONG = ("--target-cores", "9000", "--explain", "--device", "sim://?anesthesia_wait_s=1", "--seed", "7")


def is_full(descriptor: int) -> bool:
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    return not room.poll(0)


@pytest.fixture
def unread(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A named pipe whose reader never reads, and a descriptor for writing that tells when it is full."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    yield path, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("option", ["--trace", None])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_session_is_closed(
    unread: tuple[Path, int], tmp_path: Path, option: str | None, number: signal.Signals
) -> None:
    path, writer = unread
    log = tmp_path / "log.sqlite"
    line = [*DEVICECTL, "run", *LONG, "--log", str(log), *([option, str(path)] if option else [])]
    stdout = subprocess.DEVNULL if option else writer
    with started(line, stdout=stdout, stderr=subprocess.PIPE) as process:
        wait_until(lambda: is_full(writer) and log.exists(), "the pipe is full", patience())
        process.send_signal(number)
        _, err = process.communicate(timeout=patience())
        assert process.returncode == 1, err
        assert "Traceback" not in err
        assert option or err.endswith(f"nobody reads it; session 1 is in the log {log}\n"), err
    done = devicectl("sessions", "list", "--json", "--log", log, code=0)
    (session,) = json.loads(done.stdout) if done.stdout.startswith("[") else map(json.loads, done.stdout.splitlines())
    assert session["state"] == "aborted" and session["reconciled"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_device_ends(unread: tuple[Path, int], number: signal.Signals) -> None:
    path, writer = unread
    with serve("--tcp", "127.0.0.1:0", "--trace", str(path)) as served:
        with socket.create_connection(served.tcp) as host:
            host.setblocking(False)

            def filled() -> bool:
                if select.select([], [host], [], 0)[1]:
                    host.send(b"no frame\0" * 100)
                return is_full(writer)

            wait_until(filled, "the pipe is full", patience())
            served.process.send_signal(number)
            assert served.process.wait(patience()) == 0
        assert served.process.stderr is not None and "nobody reads it" in served.process.stderr.read()
