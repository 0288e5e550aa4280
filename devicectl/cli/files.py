"""The files of a command line: no two of them are one where one is written; outputs; a log that is only read."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from devicectl.errors import DevicectlError
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.paths import LOG_VARIABLE
from devicectl.transports.urls import DeviceUrl
from handpiece_shell.files import NamedFile, Use, explain_no_file, find_clash
from handpiece_shell.fresh_file import create_beside
from handpiece_shell.patient_file import open_to_write

if TYPE_CHECKING:
    from devicectl.log.reader import LogReader

EXIT_ARGUMENT: Final = 2
SQLITE_FILES: Final = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a database, by their ending. [sqlite.org/tempfiles.html]"""


def device_files(url: DeviceUrl, named_by: str) -> list[NamedFile]:
    """The files that a device URL names; `named_by` is what named the URL where that was no option, else empty."""
    of = f"of {named_by or '--device'}"
    read = {} if url.broker is None else url.broker.files
    files = [NamedFile(f"{name} {of}", path, Use.READ) for name, path in read.items()]
    if url.nvm is not None:
        files.append(NamedFile(f"nvm {of}", url.nvm, Use.WRITE))
    if url.spy is not None and url.spy.record is not None:
        files.append(NamedFile(f"spy_record {of}", url.spy.record, Use.WRITE))
    if url.path:
        files.append(NamedFile(f"the port {of}", url.path, Use.HOLD))
    return files


def log_files(option: str | None, where: str, use: Use) -> list[NamedFile]:
    """The file of the session log at `where`, which `--log` names, or else the environment; none on a server.

    Raises:
        LogError: `where` is neither a path nor a database URL.
    """
    from devicectl.log.connection import named_file

    path = named_file(where)
    if path is None:
        return []
    otherwise = f"${LOG_VARIABLE}" if os.environ.get(LOG_VARIABLE) else "the user's own log"
    return [NamedFile("--log" if option is not None else otherwise, path, use, SQLITE_FILES)]


def output_file(option: str, path: Path | None) -> list[NamedFile]:
    """The file that an option names for what is to be written."""
    return [] if path is None else [NamedFile(option, str(path), Use.WRITE)]


def refuse_clash(files: Sequence[NamedFile]) -> None:
    """See that no two files of a command line are one.

    Raises:
        typer.BadParameter: two are, and one of them would be written.
    """
    clash = find_clash(files)
    if clash is not None:
        raise typer.BadParameter(clash.reason, param_hint=clash.option)


def require_writable(option: str, path: Path | None) -> None:
    """See that a file which is written at the end can be had; one that is there stays as it is until then.

    Raises:
        typer.BadParameter: it cannot.
    """
    if path is None:
        return
    try:
        if path.is_fifo():
            return  # to open it would wait for its reader, and to close it would be an end to that one
        if path.exists():
            path.open("ab").close()
        else:
            fresh, descriptor = create_beside(path)
            os.close(descriptor)
            fresh.unlink()
    except (OSError, ValueError) as error:
        raise typer.BadParameter(explain_no_file(f"write {path}", error), param_hint=option) from error


def write_file(option: str, path: Path | None, data: bytes) -> None:
    """Write a file that an option names; none where it names none.

    Raises:
        DevicectlError: it takes no more, or is not to be had any more.
    """
    if path is None:
        return
    try:
        with open_to_write(str(path)) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError as error:
        raise DevicectlError(f"{option}: {explain_no_file(f'write {path}', error)}") from error


@contextmanager
def open_log(where: str) -> "Iterator[LogReader]":
    """Open the log at a path or database URL for a command that only reads it.

    Raises:
        LogError: there is no log, or no such session in it, and an argument is wrong; or it cannot be read.
    """
    from devicectl.log.reader import LogReader

    try:
        with LogReader.open(where) as reader:
            yield reader
    except LogError as error:
        if error.kind is LogErrorKind.MISSING:
            error.exit_code = EXIT_ARGUMENT
        raise
