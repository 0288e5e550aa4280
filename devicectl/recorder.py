"""The recorder: it writes the engine's entries to the session log, one transaction a batch, its notes with it.

Law: it knows the order in which entries mean something, and no SQL.
"""

from collections.abc import Sequence
from typing import Protocol

from devicectl.session.engine import Entry
from devicectl.session.entries import Batch, Finish, Note, SessionStart, StoredSession
from protocols.language.messages import TruthGetDone


class Log(Protocol):
    """The session log as a connection uses it: `devicectl.log.store.SessionLog`, or anyone's own.

    Each method may raise `LogError`. What has returned is durable: only then is the device's journal acknowledged.
    """

    @property
    def where(self) -> str:
        """Place of the log, for people."""

    def find(self, device: str, epoch: int, session_no: int) -> StoredSession | None:
        """Find the session that a device holds open; None where this log does not know it."""

    def find_open(self, device: str, epoch: int) -> StoredSession | None:
        """Find the newest session of a device that has no end here; None where there is none."""

    def records(self, key: int) -> list[bytes]:
        """Return the records that are stored of a session, in order."""

    def begin(self, start: SessionStart) -> int:
        """Enter a session; return its key in this log."""

    def store(self, key: int, batch: Batch, notes: Sequence[Note] = ()) -> None:
        """Store records, notes and cursor in one transaction."""

    def note(self, key: int, notes: Sequence[Note]) -> None:
        """Store notes alone."""

    def finish(self, key: int, finish: Finish, notes: Sequence[Note] = ()) -> None:
        """Store how the session ended."""

    def store_truth(self, key: int, truth: TruthGetDone) -> None:
        """Store the ground truth, apart from the counts."""


class Recorder:
    """Writes one host's session. `key` is the session's in the log, None before it was begun."""

    def __init__(self, log: Log, key: int | None = None) -> None:
        self.key = key
        self._log = log
        self._notes: list[Note] = []

    def write(self, entries: Sequence[Entry]) -> None:
        """Make entries durable, in order. Notes wait for the next batch, but not beyond this call.

        Raises:
            LogError: the log could not be written; what was committed before stays.
        """
        for entry in entries:
            if isinstance(entry, Note):
                self._notes.append(entry)
            else:
                self._write(entry)
        if self._notes and self.key is not None:
            self._log.note(self.key, self._take_notes())

    def _write(self, entry: SessionStart | Batch | Finish | TruthGetDone) -> None:
        if isinstance(entry, SessionStart):
            self.key = self._log.begin(entry)
            return
        assert self.key is not None, "a session is begun before anything of it is written"
        if isinstance(entry, Batch):
            self._log.store(self.key, entry, self._take_notes())
        elif isinstance(entry, Finish):
            self._log.finish(self.key, entry, self._take_notes())
        else:
            self._log.store_truth(self.key, entry)

    def _take_notes(self) -> list[Note]:
        notes, self._notes = self._notes, []
        return notes


def forget(entries: Sequence[Entry]) -> None:
    """Write nothing: there is no log."""
