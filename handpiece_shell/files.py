"""The files that one command takes: no two of them may be one where one of the two is written.

How it works: each file has *marks*, such as its inode, its name and the place that its links lead to. Two files with a
mark in common are one file:

    --log log.sqlite     inode 7     /data/log.sqlite, and the same of log.sqlite-wal, log.sqlite-shm ...
    --output copy        inode 7     /data/copy                     a hard link: one file

A file that is not there yet has no inode; its name counts then, without case and in one Unicode form, since on many
file systems `A` and `a` are one file. What was redirected is a file of the command as well. /dev/null, a terminal and
a standard stream under its own name may be written twice; a serial port may not.
"""

import contextlib
import os
import stat
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

from protocols.text.names import one_form

_STREAMS: Final = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
_MAX_LINKS: Final = 40
"""Links that the system follows; more are a loop."""


class Use(Enum):
    """Purpose of a file of a command. HOLD is a port or its name, which nobody else may write to."""

    READ = "read"
    WRITE = "write"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file as a user named it, by `option`; `beside` are the endings of files that are kept beside it."""

    option: str
    path: str
    use: Use
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clash:
    """Two of a command's files are one: `option` names the one that should be another, and `reason` says why."""

    option: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Folded:
    """The name of a file that is not there, as file systems compare it that take `A` for `a`."""

    name: str

    @classmethod
    def of(cls, name: str) -> Self:
        """The mark of a name."""
        return cls(one_form(name).casefold())


@dataclass(frozen=True, slots=True)
class _Place:
    """One file: `words` are for the one to be changed and for the other one, `marks` tell it from others."""

    words: tuple[str, str]
    use: Use
    marks: frozenset[Hashable]
    terminal: bool = False


def find_clash(files: Sequence[NamedFile]) -> Clash | None:
    """The first two of `files`, or of them and the redirected standard streams, that are one file; None if no two are.

    Of two it is the later one that should be another: name first what must be kept.
    """
    redirected = list(_redirected())
    earlier: list[_Place] = []
    for file in files:
        places = list(_places(file))
        for place in places:
            for other in (*earlier, *redirected):
                if _are_one(place, other):
                    return Clash(file.option, f"{place.words[0]} {_relation(place, other)}; name another one")
        earlier += places
    return None


def explain_no_file(deed: str, error: OSError | ValueError) -> str:
    """Return the sentence for a file that cannot be had: the `deed`, such as "write trace.txt", ended in `error`."""
    reason = getattr(error, "strerror", None) or str(error)
    return f"cannot {deed}: {reason}; name a file in a folder that exists"


def _are_one(one: _Place, other: _Place) -> bool:
    uses = {one.use, other.use}
    if uses == {Use.READ} or not one.marks & other.marks:
        return False
    return Use.HOLD in uses or not one.terminal  # and so is the other: it is the same


def _relation(one: _Place, other: _Place) -> str:
    if all(isinstance(mark, _Folded) for mark in one.marks & other.marks):
        return f"differs from {other.words[1]} in case alone, which many file systems do not see"
    return f"is the same file as {other.words[1]}"


def _redirected() -> Iterator[_Place]:
    """Standard output and standard error, where they lead to a file."""
    for descriptor, name in ((1, "standard output"), (2, "standard error")):
        with contextlib.suppress(OSError):  # closed
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                yield _Place((name, name), Use.WRITE, frozenset({(status.st_dev, status.st_ino)}))


def _places(file: NamedFile) -> Iterator[_Place]:
    """A named file, and each that is kept beside it."""
    if _is_stream(file.path):
        return
    for ending in ("", *file.beside):
        path, named = file.path + ending, f"{file.option} {file.path}"
        words = (f"{path}, kept beside it,", f"{path} beside {named}") if ending else (path, named)
        with contextlib.suppress(OSError, ValueError):  # no working folder, no name: what opens it has words for that
            # What is beside a symbolic link may be beside the link or, as with SQLite, beside what it leads to.
            yield _place({path, os.path.realpath(file.path) + ending}, words, file.use)


def _place(paths: set[str], words: tuple[str, str], use: Use) -> _Place:
    marks: set[Hashable] = set()
    terminal = False
    for path in paths:
        folder, name = os.path.split(os.path.abspath(path))
        names = {os.path.join(os.path.realpath(folder), name), os.path.realpath(path)}
        marks |= names
        try:
            status = os.stat(path)
        except OSError:
            marks |= {_Folded.of(one) for one in names}
        else:
            marks.add((status.st_dev, status.st_ino))
            terminal = terminal or not stat.S_ISREG(status.st_mode)
    return _Place(words, use, frozenset(marks), terminal)


def _is_stream(path: str) -> bool:
    """True if a path is a standard stream's own name, or leads to one by symbolic links."""
    for _ in range(_MAX_LINKS):
        if os.path.normpath(path).startswith(_STREAMS):
            return True
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))
        except (OSError, ValueError):  # no link
            return False
    return False
