"""Debriefs as pages: each is executed once, and again when its lesson has gone on.

Law: bounded. Debriefs are executed one at a time, so that whoever asks again and again waits and costs nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from devicectl.log.lessons.lesson import StoredLesson
from protocols.language.units import Micros

MAX_PAGES: Final = 8
"""Pages that are kept, those that were asked for last: a class has no more stations."""

Attempts = Mapping[int, StoredLesson]
"""A lesson of the log and the attempts before it, by their keys."""


class Debriefs:
    """The pages that were asked for last. `make(key, load, until)` executes a lesson; it is called in a thread."""

    def __init__(self, make: Callable[[int, Callable[[int], StoredLesson], Micros | None], str]) -> None:
        self._make = make
        self._pages: dict[int, tuple[Attempts, Micros | None, str]] = {}
        self._executing = asyncio.Lock()

    async def page(self, lesson: int, attempts: Attempts, until: Micros | None = None) -> str:
        """Return the debrief of a lesson that the log has like this, and that has come to `until` if it goes on here.

        Raises:
            DevicectlError: it cannot be executed again.
        """
        async with self._executing:
            kept = self._pages.pop(lesson, None)
            if kept is None or kept[:2] != (attempts, until):
                made = await asyncio.to_thread(self._make, lesson, attempts.__getitem__, until)
                kept = attempts, until, made
            self._pages[lesson] = kept
            for longest_ago in list(self._pages)[:-MAX_PAGES]:
                del self._pages[longest_ago]
            return kept[2]
