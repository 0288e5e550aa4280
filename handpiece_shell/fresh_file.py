"""A file that is made beside another one, to take its place whole: nobody ever reads half of it."""

import os
from pathlib import Path
from typing import Final

_FLAGS: Final = (
    *(os.O_RDWR, os.O_CREAT, os.O_EXCL),
    *(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")),  # which not every system has
)


def create_beside(path: Path) -> tuple[Path, int]:
    """A new file in the folder of `path`: its path, and a descriptor to read and write it.

    A name that can be guessed may be that of a user's own file, or of a link to one: this one nobody has.

    Raises:
        OSError: there can be none.
    """
    fresh = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
    return fresh, os.open(fresh, sum(_FLAGS), 0o666)
