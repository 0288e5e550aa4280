"""The answering half of an exchange: what makes a command be carried out at most once on a link.

Law: the last sixteen final answers are kept and repeated from memory. A state-changing command that is neither
remembered nor newer than the newest one taken is expired, so that a late duplicate of ARM or RESUME cannot act
after a STOP. STOP itself is exempt: it is harmless twice.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from protocols.enums import Lane
from protocols.message import Message

REMEMBERED: Final = 16
"""Answers kept: three times the widest window, so a retry always finds its answer."""


class Answer(NamedTuple):
    """A command and its answer so far; RECEIVED is the answer of one that is running."""

    command: Message
    answer: Message | None


class Answers:
    """What one link has been told, by correlation id."""

    def __init__(self) -> None:
        self._running: dict[int, Answer] = {}
        self._final: OrderedDict[int, Answer] = OrderedDict()
        self._newest: int | None = None

    def known(self, correlation_id: int) -> Answer | None:
        """What this link already holds for a correlation id."""
        return self._running.get(correlation_id) or self._final.get(correlation_id)

    def expired(self, correlation_id: int, lane: Lane | None) -> bool:
        """True for a state-changing command that comes too late to be carried out."""
        return lane is Lane.MOTION and self._newest is not None and not newer(correlation_id, self._newest)

    def begin(self, correlation_id: int, command: Message) -> None:
        """Take a command that is about to be carried out."""
        self._running[correlation_id] = Answer(command, None)
        if command.LANE is Lane.MOTION:
            self._newest = correlation_id

    def running(self, correlation_id: int) -> bool:
        """True from `begin` to `finish`."""
        return correlation_id in self._running

    def progress(self, correlation_id: int, answer: Message) -> None:
        """Keep RECEIVED, to repeat it to a retry while the command runs."""
        self._running[correlation_id] = Answer(self._running[correlation_id].command, answer)

    def finish(self, correlation_id: int, answer: Message) -> None:
        """Keep the final answer, and forget the oldest of them."""
        self._final[correlation_id] = Answer(self._running.pop(correlation_id).command, answer)
        if len(self._final) > REMEMBERED:
            self._final.popitem(last=False)


def newer(candidate: int, reference: int) -> bool:
    """Serial arithmetic on 16 bits (RFC 1982): true when `candidate` lies in the half circle after `reference`."""
    return 0 < (candidate - reference & 0xFFFF) < 0x8000
