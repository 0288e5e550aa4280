"""Files whose reader does not read: a write waits for it, but not beyond the end of the program."""

import errno
import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from handpiece_shell.patient_file import NOBODY_READS, PatientFile, hurry, open_to_write, take_time
from handpiece_shell.streams import guard_streams, loss_of, why_lost
from handpiece_shell.trace_file import open_trace
from tests.patience import patience

if TYPE_CHECKING:
    from _typeshed import TraceFunction

MUCH = b"0123456789abcdef" * 16_384
"""More than a pipe takes."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    take_time()
    read, write = os.pipe()
    yield read, write
    take_time()
    for descriptor in (read, write):
        os.close(descriptor)


def read_all(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(descriptor, size)
    return data


@pytest.mark.parametrize("hurried", [False, True])
@pytest.mark.parametrize("buffered", [False, True])
def test_a_reader_that_reads_gets_it_all(pipe: tuple[int, int], hurried: bool, buffered: bool) -> None:
    read, write = pipe
    raw = PatientFile(write, "w", closefd=False)
    file = io.BufferedWriter(raw) if buffered else raw
    if hurried:
        hurry()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(read_all(read, len(MUCH))))
    reader.start()
    assert file.write(MUCH) == len(MUCH)
    file.flush()
    reader.join(patience())
    assert got == [MUCH]


def test_a_second_signal_comes_at_any_line_of_the_first_ones_handler() -> None:
    def second(frame: FrameType, event: str, argument: object) -> "TraceFunction":
        hurry()  # is not traced itself
        return second

    def first() -> None:
        sys.settrace(second)
        hurry()
        sys.settrace(None)

    handler = threading.Thread(target=first, daemon=True)
    handler.start()
    handler.join(patience())
    try:
        assert not handler.is_alive(), "the second waits for the first, and the first for the second"
    finally:
        take_time()


def test_nobody_reads_and_the_program_is_to_end(pipe: tuple[int, int]) -> None:
    file = PatientFile(pipe[1], "w", closefd=False)

    def hurry_when_it_is_full() -> None:
        while select.select([], [pipe[1]], [], 0)[1]:
            pass
        hurry()

    threading.Thread(target=hurry_when_it_is_full).start()
    with pytest.raises(TimeoutError, match=NOBODY_READS):
        file.write(MUCH)


def test_standard_output_that_nobody_reads_is_lost_and_told(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stdout", "stderr"):
        stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(pipe[1], "w", closefd=False)), encoding="utf-8")
        monkeypatch.setattr(sys, name, stream)
    guard_streams()
    hurry()
    print(MUCH.decode())
    assert why_lost() == NOBODY_READS
    lost = loss_of(sys.stdout)
    assert lost is not None and lost.errno == errno.ETIMEDOUT
    read_all(pipe[0], select.PIPE_BUF)
    while select.select([pipe[0]], [], [], 0)[0]:
        os.read(pipe[0], len(MUCH))  # else the buffer that is left behind waits for room


def test_a_pipe_without_a_reader_is_refused_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    with pytest.raises(OSError, match="is a pipe that nobody reads"):
        open_to_write(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open_to_write(path) as file:
        assert os.get_blocking(file.fileno())
        file.write(b"text")
    assert os.read(reader, 9) == b"text"
    os.close(reader)


def test_a_trace_that_nobody_reads_ends_with_the_program(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    warnings: list[str] = []
    hurry()
    try:
        with open_trace(path, warnings.append) as write:
            write([MUCH.decode()])
            write(["more"])
    finally:
        take_time()
        os.close(reader)
    assert warnings == [f"{path}: {NOBODY_READS}; the trace ends here"]
