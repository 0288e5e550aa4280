r"""The non-volatile memory in a file, for a device that is a process: it survives a kill and a power cut.

    "HLP/NVM\n" | version u32 | step*
    step: length u32 | CRC-32C u32 over length and body | body, JSON [key, value]

How it works: a disk writes what was not synced in any order, so that power may go between the second of two steps and
the first. After each sync a mark is therefore written, a step that does nothing: whatever is before it was on the disk.

    epoch boot mark append append mark append ????? append       the hole was never synced: cut off there
    epoch boot mark append ?????? mark append                    what was synced is damaged: an error

Law: a step is in the file whole or not at all. What was not synced is kept up to its first hole, and no further; damage
to what was is an error, since to drop it would use cycle numbers again. Steps leave the file only by rename; behind the
last one there may be zeros, which hold the place of steps to come. One process at a time: the file is locked (`flock`,
so this module needs a POSIX system) from `load` to `close`.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from firmware_sim.errors import NvmError, NvmFileError
from firmware_sim.memory.image import replay, snapshot
from firmware_sim.memory.nvm import Nvm
from handpiece_shell.fresh_file import create_beside
from protocols.language.checksum import crc32c

MAGIC: Final = b"HLP/NVM\n"
VERSION: Final = 4
"""2 has the device's seed, 3 has marks, 4 has `put` for each plain number. An older file is read, and written again at
once. A number or step that is added to the memory needs no other version: a file that has it says so."""
COMPACT_SIZE: Final = 1 << 20
"""Bytes: some 2,500 cycles, replayed in a tenth of a second; a snapshot is below 100 KiB."""
MIN_NUMBERS: Final = 32
"""A boot takes two, and each alarm of a device that may begin nothing takes one."""
PLACE_SIZE: Final = 1 << 16
"""Bytes that are taken from the disk beyond those asked for: some 150 cycles, so that few steps have to ask."""

_HEADER: Final = struct.Struct("<8sI")
_STEP: Final = struct.Struct("<II")
_LENGTH: Final = struct.Struct("<I")
_MIN_BODY: Final = len('["",[]]')
_MARKED_SINCE: Final = 3


def _encode_step(key: str, value: object) -> bytes:
    body = json.dumps([key, value], separators=(",", ":")).encode()
    crc = crc32c(_LENGTH.pack(len(body)) + body)
    return _STEP.pack(len(body), crc) + body


_MARK: Final = _encode_step("synced", [])
"""All before it is on the medium. It has bytes that no JSON has, so no other step can look like it in part."""


class FileStore:
    """The steps in the file at `path`; `snapshot` is asked when the file has grown to `compact_size` bytes."""

    def __init__(self, path: Path, descriptor: int, size: int, *, compact_size: int = COMPACT_SIZE) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size = size
        self._end = size
        """End of the place that is taken from the disk; from `_size` on it is zeros."""
        self._compact_at = compact_size
        self._broken = ""
        self.snapshot: Callable[[], object] | None = None

    def append(self, key: str, value: object) -> None:
        """Keep one step.

        Raises:
            NvmFileError: it could not be written; the file is as it was before.
        """
        self._check()
        if self._size >= self._compact_at and self.snapshot is not None:
            self._compact()
        raw = _encode_step(key, value)
        try:
            written = os.pwrite(self._descriptor, raw, self._size)
            if written != len(raw):
                raise OSError(f"only {written} of {len(raw)} bytes were written: is the disk full?")
        except OSError as error:
            self._roll_back()
            raise NvmFileError(str(self._path), _reason(error)) from error
        self._size += len(raw)
        self._end = max(self._end, self._size)

    def reserve(self, size: int) -> None:
        """Take place for steps of `size` bytes in all, so that a full disk cannot keep them out.

        Raises:
            NvmFileError: there is none; the file is as it was before.
        """
        self._check()
        if self._end - self._size >= size:
            return
        least = self._size + size
        for wanted in (least + PLACE_SIZE, least):
            try:
                _take_place(self._descriptor, self._end, wanted - self._end)
            except OSError as error:
                reason = _reason(error)
                with contextlib.suppress(OSError):  # more zeros than are counted on do no harm
                    os.ftruncate(self._descriptor, self._end)
            else:
                self._end = wanted
                return
        raise NvmFileError(str(self._path), reason)

    def sync(self) -> None:
        """Wait until all steps are on the medium.

        Raises:
            NvmFileError: it has not; nothing can be kept in this file any more, since the system may forget
                the data that it could not write.
        """
        self._check()
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._broken = f"could not be synced ({_reason(error)}); restart the device"
            raise NvmFileError(str(self._path), self._broken) from error
        # One that is lost, or not taken, leaves only the latest damage untold from a hole.
        with contextlib.suppress(OSError):
            if os.pwrite(self._descriptor, _MARK, self._size) == len(_MARK):
                self._size += len(_MARK)
                self._end = max(self._end, self._size)

    def rewrite(self) -> None:
        """Put one snapshot in the place of all steps, in a file of this version. The old file is kept until it is safe.

        Raises:
            NvmFileError: it could not be written; the old file goes on, unless the new one may be there already.
        """
        assert self.snapshot is not None
        place = self._end - self._size
        first = _encode_step("snapshot", self.snapshot())
        try:
            fresh, descriptor, size = _write(self._path, first, like=self._descriptor, place=place)
        except OSError as error:
            raise NvmFileError(str(self._path), f"could not be compacted: {_reason(error)}") from error
        try:
            _put_in_place(fresh, self._path)
        except OSError as error:
            os.close(descriptor)
            self._broken = f"could not be replaced ({_reason(error)}); restart the device"
            raise NvmFileError(str(self._path), self._broken) from error
        os.close(self._descriptor)
        self._descriptor, self._size, self._end = descriptor, size, size + place
        # A memory as large as the limit must not be written again at each step.
        self._compact_at = max(self._compact_at, 2 * size)

    def close(self) -> None:
        """Let go of the file and its lock; harmless twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):  # zeros at the end do no harm
                os.ftruncate(self._descriptor, self._size)
            os.close(self._descriptor)
            self._descriptor = -1
        self._broken = "is closed"

    def _check(self) -> None:
        if self._broken:
            raise NvmFileError(str(self._path), self._broken)

    def _roll_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._size)
            self._end = self._size
        except OSError as error:
            self._broken = f"could not be cut back ({_reason(error)}); restart the device"

    def _compact(self) -> None:
        """A file that cannot be compacted, since the disk is full, grows on and is tried again later."""
        try:
            self.rewrite()
        except NvmFileError:
            self._check()
            self._compact_at = self._size + PLACE_SIZE


def load(path: str | os.PathLike[str], *, epoch: int | None = None, compact_size: int = COMPACT_SIZE) -> Nvm:
    """Return the memory in the file at `path`, which keeps further steps; a new one has `epoch`, or a random one.

    Raises:
        NvmFileError: locked by another device, not such a file, of a newer version, damaged, or out of reach.
    """
    where = Path(path)
    first = epoch if epoch is not None else int.from_bytes(os.urandom(4), "little") or 1
    try:
        where = Path(os.path.realpath(path))  # where a link leads: when the file is written again, the link stays
        descriptor = _open(where, _encode_step("epoch", [first]))
        try:
            return _load(where, descriptor, compact_size)
        except BaseException:
            os.close(descriptor)
            raise
    except FileNotFoundError as error:
        raise NvmFileError(
            str(where), f"cannot be used: {_reason(error)}; name a file in a folder that exists"
        ) from error
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
    if nvm.numbers_left < MIN_NUMBERS:
        raise NvmFileError(str(path), "has used up its numbers; move it away to start with an empty memory")
    if size != len(data):
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)  # or what is cut off might come back behind the next steps
    store = FileStore(path, descriptor, size, compact_size=compact_size)
    store.snapshot = lambda: snapshot(nvm)
    nvm.attach(store)
    if version != VERSION:
        store.rewrite()
    return nvm


def _decode(path: Path, data: bytes) -> tuple[int, list[tuple[str, Any]], int]:
    """Return a file's version, its steps, and how many of its bytes they fill; what follows was never synced."""
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise NvmFileError(str(path), "is not a memory file of this simulator")
    _, version = _HEADER.unpack_from(data)
    if version > VERSION:
        raise NvmFileError(str(path), f"was written by a newer version ({version}; this one reads up to {VERSION})")
    steps = []
    offset = _HEADER.size
    while (end := _end_of_step(data, offset)) is not None:
        if data[offset:end] != _MARK:
            key, value = json.loads(data[offset + _STEP.size : end])
            steps.append((key, value))
        offset = end
    if not steps or _synced_beyond(version, data, offset):
        raise NvmFileError(str(path), f"is damaged at byte {offset}; move it away to start with an empty memory")
    return version, steps, offset


def _synced_beyond(version: int, data: bytes, offset: int) -> bool:
    """Tell damage from a hole: True if what is at `offset`, which is no whole step, was on the medium once."""
    if version >= _MARKED_SINCE:
        return data.find(_MARK, offset) >= 0
    # The last byte of a step is no zero, and what place was taken for steps to come is nothing else.
    return any(_end_of_step(data, later) is not None for later in range(offset + 1, len(data.rstrip(b"\0"))))


def _end_of_step(data: bytes, offset: int) -> int | None:
    """Return the end of the step at `offset`; None if there is no whole one."""
    if offset + _STEP.size > len(data):
        return None
    length, crc = _STEP.unpack_from(data, offset)
    end = offset + _STEP.size + length
    if length < _MIN_BODY or end > len(data):
        return None
    body = data[offset + _STEP.size : end]
    return end if crc32c(_LENGTH.pack(length) + body) == crc else None


def _read_all(descriptor: int) -> bytes:
    data, size = b"", os.fstat(descriptor).st_size
    while chunk := os.pread(descriptor, size - len(data), len(data)):
        data += chunk
    return data


def _open(path: Path, first_step: bytes) -> int:
    """Open and lock the file; where there is none, or an empty one, make it with one step."""
    descriptor, made = _open_locked(path)
    if os.fstat(descriptor).st_size:
        return descriptor
    try:
        fresh, filled, _ = _write(path, first_step, like=descriptor)
        try:
            _put_in_place(fresh, path)
        except BaseException:
            os.close(filled)
            raise
    except BaseException:
        if made:
            path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return filled


def _open_locked(path: Path) -> tuple[int, bool]:
    """Open and lock the file; True if it was made for that, and is empty."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        made = True
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            descriptor, made = os.open(path, flags), False
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, descriptor)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NvmFileError(str(path), "is no regular file")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise NvmFileError(str(path), "is in use by another device") from error
            # Between open and lock the holder may have put another file in its place.
            if os.path.samestat(status, os.stat(path)):
                undo.pop_all()
                return descriptor, made


def _write(path: Path, first_step: bytes, *, like: int, place: int = 0) -> tuple[Path, int, int]:
    """Make a file beside `path` with one step, locked and synced, and with the place of `place` bytes more.

    Anyone who may read the file `like` may read it, and nobody else. Where it cannot be written there is none. Returns
    its path, its descriptor and its size.
    """
    raw = _HEADER.pack(MAGIC, VERSION) + first_step + _MARK  # nobody sees the file before it is synced
    fresh, descriptor = create_beside(path)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, descriptor)
        undo.callback(fresh.unlink, missing_ok=True)
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(like).st_mode))
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.write(descriptor, raw) != len(raw):
            raise OSError("the disk is full")
        if place:
            _take_place(descriptor, len(raw), place)
        os.fsync(descriptor)
        undo.pop_all()
        return fresh, descriptor, len(raw)


def _put_in_place(fresh: Path, path: Path) -> None:
    """Put the file `fresh` at `path`, to be there after a loss of power too. If that fails, it is removed."""
    try:
        os.replace(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _take_place(descriptor: int, start: int, size: int) -> None:
    """Have the disk hold `size` bytes from `start` on, which reads as zeros."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, start, size)
            return
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # what this kind of disk cannot do, writing can
                raise
    if os.pwrite(descriptor, bytes(size), start) != size:
        raise OSError("the disk is full")


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
