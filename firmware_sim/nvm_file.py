r"""The non-volatile memory in a file, for a device that is a process: what it is told survives a kill and a power cut.

    "HLP/NVM\n" | version u32 | step*
    step: length u32 | CRC-32C u32 over length and body | body, JSON [key, value]

Law: a step is in the file whole or not at all. A last step that is torn is dropped; damage before a whole step is an
error, since to drop what follows would use cycle numbers again. The file shrinks only by rename. One process at a
time: the file is locked (`flock`, so this module needs a POSIX system) from `load` to `close`.
"""

import contextlib
import fcntl
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import google_crc32c

from firmware_sim.errors import NvmError, NvmFileError
from firmware_sim.nvm import Nvm
from firmware_sim.nvm_image import replay, snapshot

MAGIC: Final = b"HLP/NVM\n"
VERSION: Final = 2
"""2 has the device's seed. A file of version 1 is read, and written anew at once."""
COMPACT_SIZE: Final = 1 << 20
"""Bytes: some 2,500 cycles, replayed in a tenth of a second; a snapshot is below 100 KiB."""

_HEADER: Final = struct.Struct("<8sI")
_STEP: Final = struct.Struct("<II")
_LENGTH: Final = struct.Struct("<I")
_LEAST_BODY: Final = len('["",[]]')


class FileStore:
    """The steps in the file at `path`; `snapshot` is asked when the file has grown to `compact_size` bytes."""

    def __init__(self, path: Path, descriptor: int, size: int, *, compact_size: int = COMPACT_SIZE) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size = size
        self._compact_at = compact_size
        self._broken = ""
        self.snapshot: Callable[[], Any] | None = None

    def append(self, key: str, value: Any) -> None:
        """Keep one step.

        Raises:
            NvmFileError: it could not be written; the file is as it was before.
        """
        if self._broken:
            raise NvmFileError(str(self._path), self._broken)
        if self._size >= self._compact_at and self.snapshot is not None:
            self.rewrite()
        raw = _encode_step(key, value)
        try:
            written = os.write(self._descriptor, raw)
            if written != len(raw):
                raise OSError(f"only {written} of {len(raw)} bytes were written: is the disk full?")
        except OSError as error:
            self._roll_back()
            raise NvmFileError(str(self._path), _reason(error)) from error
        self._size += len(raw)

    def sync(self) -> None:
        """Wait until the medium has it all.

        Raises:
            NvmFileError: it has not; nothing can be kept in this file any more, since the system may forget
                the data that it could not write.
        """
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._broken = f"could not be synced ({_reason(error)}); restart the device"
            raise NvmFileError(str(self._path), self._broken) from error

    def rewrite(self) -> None:
        """Put one snapshot in the place of all steps, in a file of this version.

        Raises:
            NvmFileError: it could not be written; the file is as it was before.
        """
        assert self.snapshot is not None
        self._compact(self.snapshot())

    def close(self) -> None:
        """Let go of the file and its lock; harmless twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._broken = "is closed"

    def _roll_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError as error:
            self._broken = f"could not be cut back ({_reason(error)}); restart the device"

    def _compact(self, image: Any) -> None:
        """Put a file with one snapshot in the place of this one. The old one stands until the new one is safe."""
        try:
            descriptor, size = _create(self._path, _encode_step("snapshot", image))
        except OSError as error:
            raise NvmFileError(str(self._path), f"could not be compacted: {_reason(error)}") from error
        os.close(self._descriptor)
        self._descriptor, self._size = descriptor, size
        # A memory as large as the limit must not be written anew at each step.
        self._compact_at = max(self._compact_at, 2 * size)


def load(path: str | os.PathLike[str], *, epoch: int | None = None, compact_size: int = COMPACT_SIZE) -> Nvm:
    """The memory in the file at `path`, which goes on to keep it; a new one with `epoch`, by default at random.

    Raises:
        NvmFileError: locked by another device, not such a file, of a newer version, damaged, or out of reach.
    """
    where = Path(path)
    try:
        descriptor = _open_locked(where)
        if descriptor is None:
            first = epoch if epoch is not None else int.from_bytes(os.urandom(4), "little") or 1
            descriptor, _ = _create(where, _encode_step("epoch", [first]))
        try:
            return _load(where, descriptor, compact_size)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise NvmFileError(str(where), f"cannot be used: {_reason(error)}") from error


def close(nvm: Nvm) -> None:
    """Let go of the file that keeps `nvm`, and of its lock; a memory that no file keeps is left alone."""
    if isinstance(nvm.store, FileStore):
        nvm.store.close()


def _load(path: Path, descriptor: int, compact_size: int) -> Nvm:
    data = _read_all(descriptor)
    version, steps, size = _decode(path, data)
    try:
        nvm = replay(steps)
    except NvmError as error:
        raise NvmFileError(str(path), f"is damaged: {error}") from error
    if size != len(data):
        os.ftruncate(descriptor, size)
    store = FileStore(path, descriptor, size, compact_size=compact_size)
    store.snapshot = lambda: snapshot(nvm)
    nvm.attach(store)
    if version != VERSION:
        store.rewrite()
    return nvm


def _decode(path: Path, data: bytes) -> tuple[int, list[tuple[str, Any]], int]:
    """A file's version, its steps, and how many of its bytes they fill; what follows is a torn last step."""
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise NvmFileError(str(path), "is not a memory file of this simulator")
    _, version = _HEADER.unpack_from(data)
    if version > VERSION:
        raise NvmFileError(str(path), f"was written by a newer version ({version}; this one reads up to {VERSION})")
    steps = []
    offset = _HEADER.size
    while (end := _end_of_step(data, offset)) is not None:
        key, value = json.loads(data[offset + _STEP.size : end])
        steps.append((key, value))
        offset = end
    if any(_end_of_step(data, later) is not None for later in range(offset + 1, len(data))):
        raise NvmFileError(str(path), f"is damaged at byte {offset}; move it away to start with an empty memory")
    return version, steps, offset


def _end_of_step(data: bytes, offset: int) -> int | None:
    """Where the step at `offset` ends; None if there is no whole one."""
    if offset + _STEP.size > len(data):
        return None
    length, crc = _STEP.unpack_from(data, offset)
    end = offset + _STEP.size + length
    if length < _LEAST_BODY or end > len(data):
        return None
    body = data[offset + _STEP.size : end]
    return end if google_crc32c.extend(google_crc32c.value(_LENGTH.pack(length)), body) == crc else None


def _encode_step(key: str, value: Any) -> bytes:
    body = json.dumps([key, value], separators=(",", ":")).encode()
    crc = google_crc32c.extend(google_crc32c.value(_LENGTH.pack(len(body))), body)
    return _STEP.pack(len(body), crc) + body


def _read_all(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    chunks: list[bytes] = []
    while size > 0 and (chunk := os.pread(descriptor, size, sum(len(done) for done in chunks))):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _open_locked(path: Path) -> int | None:
    """The file, open and locked; None if there is none, or an empty one."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise NvmFileError(str(path), "is in use by another device") from error
            status = os.fstat(descriptor)
            # Between open and lock the holder may have put a compacted file in its place.
            if not os.path.samestat(status, os.stat(path)):
                continue
            if status.st_size == 0:
                return None
            undo.pop_all()
            return descriptor


def _create(path: Path, first_step: bytes) -> tuple[int, int]:
    """A file with one step at `path`, locked, in the place of what was there; its descriptor and size."""
    raw = _HEADER.pack(MAGIC, VERSION) + first_step
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.write(descriptor, raw) != len(raw):
            raise OSError("the disk is full")
        os.fsync(descriptor)
        os.replace(fresh, path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        undo.pop_all()
        return descriptor, len(raw)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
