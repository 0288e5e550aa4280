"""The answering half of an exchange: what makes a command be carried out at most once on a link.

Law: the last sixteen final answers of motions, and as many of all else, are kept and repeated from memory. A
state-changing command that is neither remembered nor newer than the newest one taken is expired, so that a late ARM or
RESUME cannot act after a STOP, be it a duplicate or the first to arrive. STOP itself is exempt: it is harmless twice.
"""

from typing import Final

from protocols.language.enums import Lane
from protocols.language.message import Message

REMEMBERED: Final = 16
"""Answers kept of motions, and as many of all else: a journal read by page must not push out a motion's answer."""
TRAIL: Final = 0x4000
"""The most by which the newest state-changing command may lie behind the newest command of any lane. Without a bound a
host that only asked for half a circle of correlation ids would find its next motion expired."""


_MOTION: Final = Lane.MOTION
_QUERY: Final = Lane.QUERY


class Answer:
    """A command and its answer so far; RECEIVED is the answer of one that is running, None before it."""

    __slots__ = ("answer", "command", "final")

    def __init__(self, command: Message) -> None:
        self.command = command
        self.answer: Message | None = None
        self.final = False


class Answers:
    """Commands of one link, by correlation id."""

    def __init__(self) -> None:
        self._held: dict[int, Answer] = {}
        self._motions: list[int] = []
        self._others: list[int] = []
        self._newest: int | None = None

    def known(self, correlation_id: int) -> Answer | None:
        """Return the command and answer that this link holds for a correlation id."""
        return self._held.get(correlation_id)

    def expired(self, correlation_id: int, lane: Lane | None) -> bool:
        """True for a state-changing command that comes too late to be carried out."""
        return lane is _MOTION and self._newest is not None and not newer(correlation_id, self._newest)

    def begin(self, correlation_id: int, command: Message) -> None:
        """Take a command that is about to be carried out."""
        self._held[correlation_id] = Answer(command)
        newest = self._newest
        if command.LANE is not _QUERY:
            if newest is None or newer(correlation_id, newest):
                self._newest = correlation_id
        elif newest is not None and TRAIL <= (correlation_id - newest & 0xFFFF) < 0x8000:
            self._newest = correlation_id - TRAIL & 0xFFFF
            # These ids will come again; by then they must not look like retries.
            for old in self._motions:
                del self._held[old]
            self._motions.clear()

    def finish(self, correlation_id: int, answer: Message) -> None:
        """Keep the final answer, and forget the oldest of its kind."""
        held = self._held[correlation_id]
        held.answer, held.final = answer, True
        kept = self._motions if held.command.LANE is _MOTION else self._others
        kept.append(correlation_id)
        if len(kept) > REMEMBERED:
            del self._held[kept.pop(0)]


def newer(candidate: int, reference: int) -> bool:
    """Serial arithmetic on 16 bits (RFC 1982): true when `candidate` lies in the half circle after `reference`."""
    return 0 < (candidate - reference & 0xFFFF) < 0x8000
