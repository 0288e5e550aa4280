"""The one motion that a device makes at a time, and the one who waits for its answer."""

from collections.abc import Callable
from typing import Final, Protocol

from protocols.language.message import Message
from protocols.language.units import SECOND, Micros

PROGRESS_EVERY_US: Final = SECOND
"""A motion longer than this reports how it goes; a host that sees nothing for long suspects the link."""

Then = Callable[[Micros], None]
"""The next step of a motion, called with the time at which it is due."""


class Asker(Protocol):
    """Sender of a command, for as long as an answer is owed."""

    @property
    def correlation_id(self) -> int:
        """Number of the command on its link."""

    def reply(self, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Answer; no-op when the link is gone."""


class Nobody:
    """Waits for no answer."""

    correlation_id = 0

    def reply(self, message: Message, now: Micros, *, replayed: bool = False) -> None:
        """Do nothing."""


class Motion:
    """The motion under way: who asked, when the next step is due, and what to do then."""

    __slots__ = ("asker", "began", "due", "expected_us", "next_progress", "then")

    def __init__(self, asker: Asker, began: Micros, due: Micros, expected_us: int, then: Then) -> None:
        self.asker = asker
        self.began = began
        self.due = due
        self.expected_us = expected_us
        self.then = then
        self.next_progress = Micros(began + PROGRESS_EVERY_US)
