"""Reading the device's journal: page by page, into the fold and the log, acknowledged once it is durable.

Law: the host's own cursor is the authority; the acknowledgement only frees the device's ring. A batch is handed to
the log whole, and nothing is acknowledged before the log has said that it is on disk.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from devicectl.errors import CommandRefusedError
from devicectl.session.count import Fold
from devicectl.session.device_time import AnesthesiaClock, SessionClock
from devicectl.session.entries import Batch, Note
from devicectl.session.procedures import Procedure, ask
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmState, Code, RecordKind
from protocols.language.records import KIND_OFFSET, whole_records

RECORDS_PER_PAGE: Final = 6
"""Records that fit one payload."""


class JournalReader:
    """One session's reading of the journal. `emit` takes what is for the log; `durable` waits until it is written.

    `closed` is the record that a session was closed, once that was read; `alarms` how often each code was raised;
    `clock` how long the session has taken, `anesthesia` how old each zone's is.
    """

    def __init__(
        self, *, epoch: int, fold: Fold, emit: Callable[[Batch | Note], None], durable: Callable[[], Procedure[None]]
    ) -> None:
        assert fold.next_event_no is not None
        self.fold = fold
        self.clock = SessionClock()
        self.anesthesia = AnesthesiaClock()
        self.epoch = epoch
        self._emit = emit
        self.closed: R.SessionClosed | None = None
        self.alarms = Counter[int]()
        self._durable = durable
        self._busy = False
        self._ahead = False
        self._notes: list[Note] = []
        self._acknowledged = self.cursor

    @property
    def cursor(self) -> int:
        """The number of the next record to read."""
        assert self.fold.next_event_no is not None
        return self.fold.next_event_no

    @property
    def busy(self) -> bool:
        """A reading is under way."""
        return self._busy

    def read(self) -> Procedure[int]:
        """Read to the journal's head, hand the records to the log, acknowledge; returns how many were new."""
        yield lambda: not self._busy
        self._busy = True
        try:
            return (yield from self._read())
        finally:
            self._busy = False
            self._emit_notes()

    def note(self, note: Note) -> None:
        """Hand a note to the log; while a reading is under way with its batch, so that both are one commit."""
        self._notes.append(note)
        if not self._busy:
            self._emit_notes()

    def _emit_notes(self) -> None:
        notes, self._notes = self._notes, []
        for note in notes:
            self._emit(note)

    def _read(self) -> Procedure[int]:
        first, records = self.cursor, list[bytes]()
        try:
            yield from self._read_pages(records)
        finally:
            # Also when the link is lost half way: what the fold has seen, the log must get.
            self._emit_notes()
            if records:
                self._emit(Batch(self.epoch, first, self.cursor, tuple(records)))
        # Also what was read before a loss, and not acknowledged.
        if self.cursor > self._acknowledged and not self._ahead:
            yield from self._durable()
            yield from self._acknowledge()
        return len(records)

    def _acknowledge(self) -> Procedure[None]:
        """Free the device's ring of what is logged. A device that will not, or cannot, takes nothing away by that."""
        try:
            done = yield from ask(M.JournalAck(epoch=self.epoch, upto=self.cursor))
        except CommandRefusedError as refused:
            if refused.code not in (Code.E_AUTH, Code.E_STORAGE):  # another host's by now; its memory is full
                raise
        else:
            self._acknowledged = done.tail

    def _read_pages(self, records: list[bytes]) -> Procedure[None]:
        head = self.cursor + 1
        while self.cursor < head:
            page = yield from ask(M.JournalRead(epoch=self.epoch, first=self.cursor, max_records=RECORDS_PER_PAGE))
            head, asked_from = page.head, self.cursor
            self.compare_head(head)
            for raw in whole_records(page.records):
                before = self.cursor
                if self.closed is not None and raw[KIND_OFFSET] == RecordKind.SESSION_OPENED:
                    return  # another host was quick to open the next session: from here on it is the other's
                self.add(raw)
                if self.cursor != before:  # one that came again is a problem of the fold, and no new row
                    records.append(raw)
            if self.cursor == asked_from:
                break  # a page that brings nothing new would be asked for for ever

    def compare_head(self, head: int) -> None:
        """Compare the end of the device's journal with what was read: it numbers again what it has forgotten."""
        if head < self.cursor and not self._ahead:
            self._ahead = True  # nothing is acknowledged any more: it might be in place of what was read
            text = f"the device's journal ends before event {head}, and was read up to {self.cursor - 1}"
            self.fold.problems.append(f"{text}: it has forgotten what it showed")

    def reopen(self) -> None:
        """The device holds the session open, whatever the records say."""
        if self.closed is not None:
            self.fold.problems.append(f"event {self.closed.event_no}: closed, and the device holds the session open")
            self.closed = None

    def add(self, raw: bytes) -> None:
        """Fold a record that was read, or that the log holds from an earlier run."""
        before = self.cursor
        record = self.fold.add_raw(raw)
        if record is None or self.cursor == before:
            return  # of a later version; or it came again
        self.clock.add(record)
        self.anesthesia.add(record)
        if isinstance(record, R.SessionClosed):
            self.closed = record
        elif isinstance(record, R.AlarmChanged) and record.state is AlarmState.ACTIVE:
            self.alarms[record.code] += 1
