"""One attempt at a lesson: its room, and its place in the log.

Law: the log has an act before anybody is answered. An attempt is never changed by a later one: that has its own row,
whose parent this one is.
"""

from dataclasses import dataclass
from typing import Self

from devicectl.log.lessons.lesson import LessonStart
from devicectl.log.lessons.store import LessonLog
from devicectl.log.store import SessionLog
from devicectl.station.room import Room


@dataclass
class Shelf:
    """The place of attempts: the session log, and its lessons."""

    log: SessionLog
    lessons: LessonLog


class Attempt:
    """An attempt that is in the log as `key`, `stored` acts of it. `name` is that of its lesson in the library."""

    def __init__(self, shelf: Shelf, key: int, room: Room, name: str, *, stored: int = 0) -> None:
        self.key = key
        self.room = room
        self.name = name
        self.ended = False
        self._shelf = shelf
        self._stored = stored

    @classmethod
    def begun(cls, shelf: Shelf, start: LessonStart, room: Room, name: str) -> Self:
        """Enter an attempt into the log, with the acts that its room has behind it.

        Raises:
            LogError: it could not be stored.
        """
        attempt = cls(shelf, shelf.lessons.begin(start), room, name)
        attempt.store()
        return attempt

    def store(self) -> None:
        """Store the acts that the log does not have yet.

        Raises:
            LogError: they could not be stored; they are tried again with the next.
        """
        acts = self.room.acts[self._stored :]
        if acts:
            self._shelf.lessons.append(self.key, *acts)
            self._stored += len(acts)

    @property
    def owes(self) -> bool:
        """True while something has to be stored: an act, or the session that was closed."""
        return self._stored < len(self.room.acts) or (self.room.ended and not self.ended)

    def settle(self) -> None:
        """Store the acts, and end the lesson by its session if that was closed.

        Raises:
            LogError: they could not be stored; nothing of the session was then.
        """
        self.store()
        if self.room.ended and not self.ended:
            began = self._shelf.lessons.load(self.key).summary.began_wall
            with self._shelf.log.transaction():
                day = None if began is None else began.astimezone().date()
                opened = self.room.commits.start is not None
                session = self.room.store(self._shelf.log, day=day) if opened else None
                self._shelf.lessons.end(self.key, at_us=self.room.now, session_key=session)
            self.ended = True

    def give_up(self) -> None:
        """End the lesson where it is: another attempt goes on.

        Raises:
            LogError: it could not be stored.
        """
        self.settle()
        if not self.ended:
            self._shelf.lessons.end(self.key, at_us=self.room.now)
            self.ended = True
