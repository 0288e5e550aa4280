"""A disk whose power can go: what was not synced is then there or not, page by page and in any order. For memory files.

How it works: within `Disk.spun` the calls of `os` that write go through the disk, which notes how each file of its
folder read after each. A sync, which then costs nothing, forgets all but the last. When power goes, each page of a file
is as it was at any moment since the file's last sync, and so is the file's length; a name that was given to another
file stands for either, until the folder is synced.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.errors import NvmFileError

Draw = Callable[[int], int]
"""A number below the one that is given."""


class PowerCutError(Exception):
    """Power is gone: nothing that runs on this disk runs any more."""


class Disk:
    """The disk that holds `folder`; a page is what it writes whole."""

    def __init__(self, folder: Path, *, page_size: int = 512) -> None:
        self.folder = folder
        self.page_size = page_size
        self.calls = 0
        self.cut_at: int | None = None
        """The number of the call that is not carried out, since power goes."""
        self._versions: dict[int, list[bytes]] = {}
        """Of each file, by inode: how it read at its last sync, and after each call since."""
        self._replaced: dict[str, int | None] = {}
        """Name that was given to another file -> the inode that it may still stand for."""

    @contextlib.contextmanager
    def spun(self) -> Iterator[None]:
        """Be the disk under `folder` while the context lasts."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("pwrite", "write", "ftruncate", "posix_fallocate"):
                patch.setattr(os, name, self._writing(getattr(os, name)))
            patch.setattr(os, "fsync", self._sync)
            patch.setattr(os, "replace", self._renaming(os.replace))
            yield

    def lose_power(self, draw: Draw) -> None:
        """Let the folder hold what is left when power has gone. Whoever has a file of it open is gone as well."""
        for path in list(self.folder.iterdir()):
            inode: int | None = path.stat().st_ino
            if path.name in self._replaced and draw(2):
                inode = self._replaced[path.name]
            left = self._left(inode, draw) if inode in self._versions else path.read_bytes()
            path.unlink()  # another file from now on, with no lock of the one that is gone
            if inode is not None:
                path.write_bytes(left)
        self._versions.clear()
        self._replaced.clear()

    def _left(self, inode: int, draw: Draw) -> bytes:
        versions, page = self._versions[inode], self.page_size
        size = len(versions[draw(len(versions))])
        left = bytearray()
        for start in range(0, size, page):
            pages = list(dict.fromkeys(version[start : start + page] for version in versions))
            left += pages[draw(len(pages))].ljust(page, b"\0")
        return bytes(left[:size])

    def _tick(self) -> None:
        if self.cut_at is not None and self.calls >= self.cut_at:
            raise PowerCutError
        self.calls += 1

    def _writing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def write(descriptor: int, *arguments: Any) -> Any:
            if not self._is_ours(descriptor):
                return call(descriptor, *arguments)
            self._tick()
            versions = self._versions.setdefault(os.fstat(descriptor).st_ino, [_content(descriptor)])
            done = call(descriptor, *arguments)
            versions.append(_content(descriptor))
            return done

        return write

    def _sync(self, descriptor: int) -> None:
        self._tick()
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            for inode in self._replaced.values():  # whose number another file may have from now on
                self._versions.pop(inode or 0, None)
            self._replaced.clear()
        else:
            self._versions[status.st_ino] = [_content(descriptor)]

    def _renaming(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def replace(source: Path, target: Path) -> None:
            if target.parent != self.folder:
                call(source, target)
                return
            self._tick()
            inode = self._replaced[target.name] = target.stat().st_ino if target.exists() else None
            if inode is not None:
                self._versions.setdefault(inode, [target.read_bytes()])
            call(source, target)

        return replace

    def _is_ours(self, descriptor: int) -> bool:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        return status.st_ino in self._versions or any(
            path.stat().st_ino == status.st_ino for path in self.folder.iterdir()
        )


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


class Medium:
    """A store that knows how much of it is synced, and may fail to be."""

    def __init__(self) -> None:
        self.kept = self.synced = self.syncs = 0
        self.unsynced: list[str] = []
        """Keys of the steps since the last sync."""
        self.fails = False

    def append(self, key: str, value: Any) -> None:
        self.kept += 1
        self.unsynced.append(key)

    def sync(self) -> None:
        if self.fails:
            raise NvmFileError("the file", "could not be synced")
        self.synced = self.kept
        self.unsynced.clear()
        self.syncs += 1

    def reserve(self, size: int) -> None:
        pass
