"""A watch over lines: pieces in, lines of text out, everything counted.

Law: it only reads. Whatever bytes come, in pieces of any size, nothing raises, and no more is kept of a direction than
one frame.
"""

from collections.abc import Callable
from typing import Final

from devicectl.monitor.selection import Selection
from devicectl.monitor.statistics import Statistics
from devicectl.transports.names import BAD_FRAME, UNKNOWN
from protocols.language.message import REGISTRY
from protocols.language.units import SECOND, Micros
from protocols.link.port import BadFrame
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.trace import Tracer, stamp_of

QUIET_US: Final = Micros(SECOND)
"""Time after which bytes that are no whole frame yet are shown: on the slowest line a frame takes half of it."""


class _Direction:
    """One direction of one line: its bytes that are no frame yet, and since when; `told` once they were shown."""

    def __init__(self) -> None:
        self.decoder = FrameDecoder()
        self.since_us = 0
        self.told = False


Due = Callable[[_Direction], bool]


class Watch:
    """A watch that shows what `selection` takes."""

    def __init__(self, selection: Selection) -> None:
        self.statistics = Statistics()
        self._selection = selection
        self._tracer = Tracer()
        self._directions: dict[tuple[int, str], _Direction] = {}

    def heard(self, sender: str, data: bytes | Publication, at_us: Micros, line: int = 1) -> list[str]:
        """Return the lines of what "host" or "device" has completed by this piece."""
        if isinstance(data, Publication):
            return self._publication(sender, data, at_us, line)
        self.statistics.heard(sender, len(data), at_us)
        direction = self._directions.get((line, sender))
        if direction is None:
            direction = self._directions[line, sender] = _Direction()
        lines: list[str] = []
        for item in direction.decoder.feed(data):
            lines += self._item(sender, item, at_us, line)
        direction.since_us, direction.told = at_us, False
        return lines

    def _item(self, sender: str, item: Frame | BadFrame, at_us: Micros, line: int) -> list[str]:
        if isinstance(item, BadFrame):
            name = BAD_FRAME
            self.statistics.failed(sender, item.reason.value)
        else:
            header = item.header
            model = REGISTRY.get((header.major_and_kind & 0x0F, header.message_id))
            name = UNKNOWN if model is None else model.__name__
            self.statistics.message(line, sender, name, header, at_us)
        if not self._selection.takes(sender, name):
            return []
        return _of_line(line, self._tracer.describe_item(sender, item, at_us))

    def _publication(self, sender: str, data: Publication, at_us: Micros, line: int) -> list[str]:
        self.statistics.heard(sender, len(data.body), at_us)
        header, message, problem = decode_publication(data)
        if message is not None:
            name = type(message).__name__
            self.statistics.message(line, sender, name, header, at_us)
        else:
            name = BAD_FRAME
            self.statistics.failed(sender, "body" if problem is None else problem.code.name)
        if not self._selection.takes(sender, name):
            return []
        return _of_line(line, self._tracer.describe(sender, data, at_us))

    def quiet(self, now_us: int) -> list[str]:
        """Return a line for bytes that have waited too long for the rest of their frame; they still wait."""
        return self._unfinished(lambda direction: now_us >= direction.since_us + QUIET_US)

    def close(self, line: int | None = None) -> list[str]:
        """Return a line for what was left unfinished, and forget it: on all lines, or on one that has ended."""
        ended = [key for key in self._directions if line in (None, key[0])]
        lines = self._unfinished(lambda _: True, ended)
        for key in ended:
            left = self._directions.pop(key)
            if left.decoder.kept:
                self.statistics.failed(key[1], "unfinished")
        return lines

    def _unfinished(self, due: Due, keys: list[tuple[int, str]] | None = None) -> list[str]:
        lines = []
        for key in list(self._directions) if keys is None else keys:
            line, sender = key
            direction = self._directions[key]
            kept = direction.decoder.kept
            if kept and not direction.told and due(direction):
                direction.told = True
                if self._selection.takes(sender, BAD_FRAME):
                    text = (
                        f"{stamp_of(sender, Micros(direction.since_us))}UNFINISHED {len(kept)} bytes  hex {kept.hex()}"
                    )
                    lines += _of_line(line, [text])
        return lines


def _of_line(line: int, lines: list[str]) -> list[str]:
    """Mark text of any line but the first."""
    return lines if line == 1 else [f"#{line} {text}" for text in lines]
