"""The pipe between the process that passes bytes on and the one that watches: observations as bytes, and back."""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct("<BIQI")


class Kind(IntEnum):
    """Kinds of observation."""

    HOST = 0
    """Bytes that the host has sent."""
    DEVICE = 1
    """Bytes that the device has sent."""
    LISTENING = 2
    """A URL at which the host can connect."""
    OPENED = 3
    """Name of a line that is there now."""
    NOTE = 4
    """A sentence about a line."""
    CLOSED = 5
    """A line is over; why, as a sentence."""
    UNWATCHED = 6
    """Number of observations that were left out, since the watching process took none."""
    FAILED = 7
    """The end of all, as a sentence: no port, no device."""


SENDERS: Final = {Kind.HOST: "host", Kind.DEVICE: "device"}


class Observation(NamedTuple):
    """Something that was heard on a line, or has become of it."""

    kind: Kind
    line: int
    at_us: int
    data: bytes


def encode(kind: int, line: int, at_us: int, data: bytes) -> bytes:
    """Return an observation as bytes."""
    return _HEAD.pack(kind, line, at_us, len(data)) + data


class Decoder:
    """Finds observations in pieces of any size."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[Observation]:
        """Return what `data` completes, in order."""
        data = self._kept + data
        found, at = [], 0
        while at + _HEAD.size <= len(data):
            kind, line, at_us, size = _HEAD.unpack_from(data, at)
            end = at + _HEAD.size + size
            if end > len(data):
                break
            found.append(Observation(Kind(kind), line, at_us, data[at + _HEAD.size : end]))
            at = end
        self._kept = data[at:]
        return found
