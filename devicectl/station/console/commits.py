"""Commits of a lesson's hosts, held in memory while it runs, and written to a session log when it is over.

A lesson follows from its acts, which are durable: its records need not be.

Law: what a host resumes from is what was committed, and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from devicectl.campaign.bench import BenchClock
from devicectl.recorder import Log, Recorder
from devicectl.session.engine import Entry
from devicectl.session.entries import Batch, Finish, SessionStart, StoredSession
from protocols.language.units import Micros


class Commit(NamedTuple):
    """Entries that one host has committed together; `life` is the number of that host."""

    at_us: Micros
    life: int
    entries: tuple[Entry, ...]


class Commits:
    """The commits of one lesson, in their order. `now()` is its time, `life` the number of the host that writes."""

    def __init__(self, now: Callable[[], Micros], wall: BenchClock) -> None:
        self.life = 1
        self.commits: list[Commit] = []
        self.start: SessionStart | None = None
        self.finish: Finish | None = None
        self.records: list[bytes] = []
        self.now = now
        self._wall = wall

    def write(self, entries: Sequence[Entry]) -> None:
        """Keep what a host commits now."""
        self.commits.append(Commit(self.now(), self.life, tuple(entries)))
        for entry in entries:
            if isinstance(entry, SessionStart):
                self.start = entry
            elif isinstance(entry, Batch):
                self.records += entry.records
            elif isinstance(entry, Finish):
                self.finish = entry

    @property
    def wall_now(self) -> datetime:
        """The wall time of now."""
        return self._wall.at(self.now())

    @property
    def stored(self) -> StoredSession | None:
        """The session that a host could resume; None where none was begun."""
        if self.start is None:
            return None
        began = next(one.at_us for one in self.commits if self.start in one.entries)
        return StoredSession(1, self.start, self._wall.at(began), self._wall.at(self.commits[-1].at_us))

    def store(self, log: Log, wall: BenchClock | None = None, day: date | None = None) -> int:
        """Write all of it to a log, as its hosts would have; return the session's key there.

        `wall` is the log's clock, where its times are to be those of the lesson; `day` is the date of the session,
        where it is to be another than the one that the lesson was executed with.
        """
        recorder, life = Recorder(log), 0
        for commit in self.commits:
            if commit.life != life:  # a host that has ended takes the notes with it that it had not committed
                recorder, life = Recorder(log, recorder.key), commit.life
            if wall is not None:
                wall.now = partial(Micros, commit.at_us)
            recorder.write([_on(day, entry) for entry in commit.entries])
        assert recorder.key is not None, "a lesson begins with an open session"
        return recorder.key


def _on(day: date | None, entry: Entry) -> Entry:
    """Return an entry as one of a session of that day."""
    return replace(entry, session_date=day) if day is not None and isinstance(entry, SessionStart) else entry
