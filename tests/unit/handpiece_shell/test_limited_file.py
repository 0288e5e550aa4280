"""Files that may be pipes: a writer that comes late is waited for, one that never comes has a limit."""

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from handpiece_shell import limited_file
from handpiece_shell.limited_file import open_limited, read_limited
from tests.patience import patience

SHORT_S = 0.05


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A pipe with a name, and nobody at it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@contextlib.contextmanager
def written(path: Path, *pieces: bytes) -> Iterator[None]:
    """Write to a pipe once somebody reads it."""

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    writer.join()


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert read_limited(tmp_path / "file", 3) == b"abc"
    with pytest.raises(OSError, match="it has more than 2 bytes"):
        read_limited(tmp_path / "file", 2)


def test_a_pipe_is_waited_for_and_read_to_its_end(pipe: Path) -> None:
    with written(pipe, b"a" * 100_000, b"bc"), open_limited(str(pipe), patience()) as file:
        assert file.read() == b"a" * 100_000 + b"bc"


def test_a_pipe_that_nobody_writes_to_has_a_limit(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_file, "SILENT_LIMIT_S", SHORT_S)
    with pytest.raises(OSError, match=r"nobody has written to it for 0\.05 s") as caught:
        read_limited(pipe, 10)
    assert caught.value.errno == errno.ETIMEDOUT


def test_a_writer_that_falls_silent_has_the_same_limit(pipe: Path) -> None:
    with open_limited(str(pipe), SHORT_S) as file, pipe.open("wb", buffering=0) as writer:
        writer.write(b"abc")
        assert file.read(3) == b"abc"
        with pytest.raises(OSError, match="nobody has written to it"):
            file.read(1)


def test_what_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(OSError, match="it has more than 1000 bytes"):
        read_limited(Path("/dev/zero"), 1_000)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_limited(str(tmp_path))
