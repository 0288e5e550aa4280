"""Seal of a recording: it tells a file that was cut short or edited from a run that comes to something else.

The comment has the number of packets, and a CRC-32 of all of them and of itself. Blocks that other programs add, the
order of bytes and padding do not count.
"""

import struct
from collections.abc import Mapping
from typing import Final
from zlib import crc32

from protocols.capture.blocks import encode_json
from protocols.capture.packet import CaptureError

COUNT: Final = "packets"
SUM: Final = "crc32"
_UNSEALED: Final = ("recording", SUM)
"""Keys of the comment that the sum leaves out: the version, which a reader looks at first, and the sum itself."""
_HEAD: Final = struct.Struct("<QBII")


class Seal:
    """Packets of one recording so far: how many, and their sum."""

    def __init__(self) -> None:
        self._packets = 0
        self._sum = 0

    def add(self, name: str, packet: tuple[int, int, int, bytes]) -> None:
        """Take the next packet, a `Packet` or a tuple of the same; `name` is its interface's."""
        at_us, _, direction, data = packet
        interface = name.encode(errors="replace")
        head = _HEAD.pack(at_us, direction, len(interface), len(data))
        self._packets += 1
        self._sum = crc32(data, crc32(head + interface, self._sum))

    def close(self, comment: Mapping[str, object]) -> dict[str, object]:
        """Return the comment with its seal."""
        counted = {**comment, COUNT: self._packets}
        return {**counted, SUM: self._sum_with(counted)}

    def check(self, comment: Mapping[str, object]) -> None:
        """Hold the packets of a whole file against its comment, if that has a seal.

        Raises:
            CaptureError: they are others.
        """
        if SUM not in comment:
            return
        if comment.get(COUNT) != self._packets:
            expected = f"{str(comment.get(COUNT))[:20]}, as its comment says"
            raise CaptureError("its end", f"{self._packets} packets", f"{expected}: it was cut short or edited")
        if comment[SUM] != self._sum_with(comment):
            raise CaptureError("its end", "another CRC-32 than its comment has", "the same: it was edited")

    def _sum_with(self, comment: Mapping[str, object]) -> str:
        sealed = {name: value for name, value in comment.items() if name not in _UNSEALED}
        return f"{crc32(encode_json(sealed), self._sum):08x}"
