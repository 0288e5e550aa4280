"""The file of a recording. One that takes no more ends the recording, and nothing else.

What is written is passed on at once and in whole blocks, so that a program that is killed leaves a recording up to its
end: one without a verdict, which is put into the header when the file is closed.
"""

import contextlib
import errno
import os
import platform
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from handpiece_shell.limited_file import open_limited
from handpiece_shell.patient_file import open_to_write
from handpiece_shell.version import VERSION, is_compiled
from protocols.capture.blocks import interface_block, packet_block, section_block
from protocols.capture.contents import encode_data, encode_event
from protocols.capture.packet import (
    DIRECTIONS,
    EVENTS,
    MAX_COMMENT_BYTES,
    MAX_INTERFACES,
    NO_DIRECTION,
    Capture,
    CaptureError,
)
from protocols.capture.reader import read_capture
from protocols.capture.seal import Seal
from protocols.language.version import MAJOR, MINOR
from protocols.mqtt.wire import Publication

VERDICT_BYTES: Final = 4096
"""Bytes that the header keeps free for what is known at the end."""
BLOCK_PACKETS: Final = 512
"""Packets that are written together where time is virtual: a killed session is repeated by its seed."""


def versions() -> dict[str, object]:
    """Return the versions by which a recording can be repeated, for its comment."""
    return {
        "devicectl": VERSION,
        "compiled": is_compiled(),
        "protocol": f"{MAJOR}.{MINOR}",
        "python": platform.python_version(),
    }


def comment_of(
    program: str, seed: int | None, scenario: Mapping[str, object] | None = None, **more: object
) -> dict[str, object]:
    """Return the comment of a recording that begins: its program, seed and scenario, and `more` of it."""
    return {"program": program, "versions": versions(), "scenario": scenario, "seed": seed, "faults": [], **more}


class RecordingFile:
    """The recording in the file at `path`, which is emptied. `comment` is what is known at the beginning.

    Without `at_once` packets are written in blocks. `warn` hears once of a failure.
    """

    def __init__(
        self, path: str, comment: Mapping[str, object], warn: Callable[[str], None], *, at_once: bool = True
    ) -> None:
        """Open it.

        Raises:
            OSError, ValueError: it cannot be opened, is no regular file, or the comment is too long.
        """
        self.verdict: Mapping[str, object] | None = None
        """Outcome of what is recorded; set before it is closed, unless nobody knows."""
        self.faults: list[Mapping[str, object]] = []
        """Faults that have fired."""
        self._path = path
        self._warn = warn
        self._comment: dict[str, object] = {**comment, "verdict": None}
        self._size = min(len(section_block(self._comment)) + VERDICT_BYTES, MAX_COMMENT_BYTES)
        header = section_block(self._comment, self._size)
        self._block_packets = 1 if at_once else BLOCK_PACKETS
        self._interfaces: dict[str, int] = {}
        self._seal = Seal()
        self._unwritten: list[bytes] = []
        self._end = 0
        self._failed = False
        self._file = open_to_write(path)
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            raise OSError(errno.EINVAL, "is no regular file, whose header can be written last", path)
        self._write(header)

    def heard(self, port: str, sender: str, data: bytes | Publication, at_us: int) -> None:
        """Record what "host" or "device" sent on a port."""
        self._add(port, at_us, DIRECTIONS[sender], encode_data(data))

    def event(self, name: str, at_us: int, values: Mapping[str, object]) -> None:
        """Record what is on no wire."""
        self._add(EVENTS, at_us, NO_DIRECTION, encode_event(name, values))

    def close(self) -> None:
        """Put faults, verdict and seal into the header, and close the file."""
        if not self._failed:
            self._write(b"".join(self._unwritten))
        try:
            with self._file:
                self._file.seek(0)
                known = {**self._comment, "faults": self.faults, "verdict": self.verdict}
                self._file.write(section_block(known if self._failed else self._seal.close(known), self._size))
        except (OSError, CaptureError) as error:
            self._fail(error)

    def _add(self, name: str, at_us: int, direction: int, data: bytes) -> None:
        if self._failed:
            return
        try:
            if name not in self._interfaces:
                self._interfaces[name] = self._new_interface(name)
            packet = (at_us, self._interfaces[name], direction, data)
            self._unwritten.append(packet_block(*packet))
            self._seal.add(name, packet)
        except CaptureError as error:
            self._write(b"".join(self._unwritten))
            self._fail(error)
            return
        if len(self._unwritten) >= self._block_packets:
            self._write(b"".join(self._unwritten))
            self._unwritten.clear()

    def _new_interface(self, name: str) -> int:
        number = len(self._interfaces)
        if number == MAX_INTERFACES:
            raise CaptureError("interface", "one more", f"at most {MAX_INTERFACES}")
        self._unwritten.append(interface_block(name))
        return number

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):  # what stays behind the last whole block is read as cut short
                self._file.truncate(self._end)
            self._fail(error)
        else:
            self._end += len(data)

    def _fail(self, error: OSError | CaptureError) -> None:
        if not self._failed:
            self._failed = True
            reason = str(error.strerror if isinstance(error, OSError) else error)
            self._comment["incomplete"] = reason[:80]
            self._warn(f"{self._path}: {reason}; the recording ends here")


@contextlib.contextmanager
def read_recording(path: str, *, of_anybody: bool = False) -> Iterator[Capture]:
    """Open the recording in the file at `path`, or a capture `of_anybody`; packets are read as they are asked for.

    Raises:
        CaptureError: it cannot be read, or is none; also later, from its packets.
    """
    with contextlib.ExitStack() as stack:
        try:
            if not of_anybody and not stat.S_ISREG(os.stat(path).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file, and is read twice")
            file = stack.enter_context(open_limited(path))
        except (OSError, ValueError) as error:
            raise CaptureError(path, getattr(error, "strerror", None) or str(error), "a recording") from error

        def read(size: int) -> bytes:
            try:
                return file.read(size)
            except OSError as error:
                raise CaptureError("reading", error.strerror or str(error), "a recording") from error

        try:
            yield read_capture(read, of_anybody=of_anybody)
        except CaptureError as error:
            raise CaptureError(f"{path}, {error.where}", error.found, error.expected) from error
