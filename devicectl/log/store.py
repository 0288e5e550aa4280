"""Writing the session log: one transaction a batch, holding the rows and the cursor together.

Law: what `store` has returned from is on disk, in the file that the log's name leads to, and only then may the journal
be acknowledged; what it has raised from has left no trace in that file. The cursor moves by compare-and-set, so two
writers of one session cannot both win.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from devicectl.log import connection as database
from devicectl.log import queries, schema, totals
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.fields import to_columns
from devicectl.log.place import Place
from devicectl.log.prepared import Prepared, driver_transaction, joined_cursor
from devicectl.log.report import SessionReport
from devicectl.log.rows import CycleRow, RecordRow, cycle_row, record_row
from devicectl.session.entries import Batch, Finish, Note, SessionStart, StoredSession
from protocols.language.messages import TruthGetDone
from protocols.language.records import event_no_of

WallClock = Callable[[], datetime]
"""The time in UTC. Without such a clock the log has no wall time."""

_END: Final = update(schema.sessions).where(schema.sessions.c.key == bindparam("ended"))
"""Sets the columns that are given with it. Made once, as each statement here: to make one costs more than to run it."""

_BEGIN: Final = insert(schema.sessions)
_ADD_NOTE: Final = insert(schema.notes)
_ADD_TRUTH: Final = insert(schema.truth)
_FORGET_TRUTH: Final = delete(schema.truth).where(schema.truth.c.session_key == bindparam("of"))

_CLEAR: Final = tuple(
    delete(table) for table in reversed(schema.metadata.sorted_tables) if table is not schema.log_meta
)


class SessionLog:
    """A session log that is open for writing. One thread uses it at a time; another may have made it.

    How it works: a batch of 17 records is stored by one transaction. It moves the session's cursor from the batch's
    first event to the next one (from 100 to 117: `UPDATE ... WHERE next_event_no = 100`), and inserts
    the records, the cycles among them in columns, and the notes. If the cursor was elsewhere, nothing was changed:
    either the same batch came again and its stored part is compared and dropped, or it is refused as out of order.
    The commit is synced to disk before `store` returns; then the controller acknowledges the records, and the device
    may forget them.
    """

    def __init__(
        self, connection: Connection, where: str, wall_clock: WallClock | None, *, named: str | None = None
    ) -> None:
        self.where = where
        self._place = Place(connection, named)
        self._connection = connection
        self._wall_clock = wall_clock
        columns = schema.sessions.c
        move = (
            update(schema.sessions)
            .values(next_event_no=bindparam("to"), stored_wall=bindparam("wall"))
            .where(columns.key == bindparam("of"), columns.epoch == bindparam("in_epoch"))
            .where(columns.next_event_no == bindparam("at"))
        )
        self.dialect = dialect = connection.dialect
        assert dialect.dbapi is not None
        self._driver_error: type[Exception] = dialect.dbapi.Error
        self._begin = "BEGIN IMMEDIATE" if dialect.name == "sqlite" else None
        self._move = Prepared(move, dialect, ("to", "wall", "of", "in_epoch", "at"))
        self._insert_record = Prepared.insert(schema.records, dialect)
        self._insert_cycle = Prepared.insert(schema.cycles, dialect)
        self._insert_note = Prepared.insert(schema.notes, dialect, without=("key",))

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        wall_clock: WallClock | None = None,
        busy_timeout_ms: int = database.BUSY_TIMEOUT_MS,
    ) -> Self:
        """Open, and make if need be, the log at a path or SQLAlchemy URL; `sqlite://` is one in memory.

        Raises:
            LogError: it cannot be written, or is not ours.
        """
        url = database.parse_where(where)
        shown = database.show(url)
        database.refuse_no_file(url)
        database.make_folder(url)
        is_new = database.is_new_file(url)
        connection = database.connect(url, readonly=False, busy_timeout_ms=busy_timeout_ms)
        try:
            with database.translated(shown):
                database.prepare(connection, shown)
                return cls(connection, shown, wall_clock, named=url.database if database.is_file(url) else None)
        except LogError as error:
            database.disconnect(connection)
            if is_new and error.kind is not LogErrorKind.LOCKED:
                database.remove_unfinished(url)
            raise

    def close(self) -> None:
        """Close the database. Nothing is pending: every call has committed."""
        database.disconnect(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def begin(self, start: SessionStart) -> int:
        """Enter a session; its key in this log, 1 for the first.

        Raises:
            LogError: it could not be stored.
        """
        wall = self.wall()
        values = {
            "state": "open",
            **to_columns(start),
            "next_event_no": start.first_event_no,
            "began_wall": wall,
            "stored_wall": wall,
        }
        with self.transaction() as connection:
            inserted = connection.execute(_BEGIN, values).inserted_primary_key
        assert inserted is not None
        return int(inserted[0])

    def store(self, key: int, batch: Batch, notes: Sequence[Note] = ()) -> None:
        """Store a batch's records, move the cursor to its end, and add the notes; all of it or nothing.

        Records that are stored already are passed over, so the same batch may come again.

        Raises:
            LogError: it could not be stored; OUT_OF_ORDER when it begins beyond the cursor, is of another epoch, or
                differs from what is stored.
        """
        records, cycles = self._to_rows(key, batch)
        move = (batch.next_event_no, self.wall(), key, batch.epoch, batch.first_event_no)
        with self.quick_transaction() as cursor:
            moved = self._move.run(cursor, move) == 1
            if moved:
                self._insert_record.run_many(cursor, records)
                self._insert_cycle.run_many(cursor, cycles)
                self._insert_note.run_many(cursor, note_rows(key, notes, move[1]))
        if not moved:
            # Nothing was changed. Either the batch is refused, or what of it is new begins at the cursor.
            self.store(key, self._new_part(key, batch), notes)

    def note(self, key: int, notes: Sequence[Note]) -> None:
        """Add notes to a session.

        Raises:
            LogError: they could not be stored.
        """
        with self.quick_transaction() as cursor:
            self._insert_note.run_many(cursor, note_rows(key, notes, self.wall()))

    def finish(self, key: int, finish: Finish, notes: Sequence[Note] = ()) -> None:
        """End a session in the log.

        Raises:
            LogError: it could not be stored.
        """
        values: dict[str, object] = {
            "state": finish.state,
            "reconciled": finish.reconciled,
            "session_seconds": finish.session_seconds,
            "wall_seconds": finish.wall_seconds,
            "cells_begun": finish.cells_begun,
            "stored_wall": self.wall(),
            **{f"device_{name}": count for name, count in asdict(finish.device_totals).items()},
        }
        with self.transaction() as connection:
            ended = connection.execute(_END, {**values, "ended": key})
            if ended.rowcount != 1:
                raise self._missing(key)
            if notes:
                wall = {"session_key": key, "logged_wall": self.wall()}
                connection.execute(_ADD_NOTE, [{**asdict(note), **wall} for note in notes])
            totals.store(connection, key)

    def store_truth(self, key: int, truth: TruthGetDone) -> None:
        """Store a simulated device's ground truth, apart from everything counted.

        Raises:
            LogError: it could not be stored.
        """
        values = truth.as_dict()
        del values["session_no"]
        with self.transaction() as connection:
            connection.execute(_FORGET_TRUTH, {"of": key})
            connection.execute(_ADD_TRUTH, {"session_key": key, **values})

    def clear(self) -> None:
        """Forget every session of a log in memory, to use it again; one that is a file is kept for good."""
        if self._place.is_file:
            raise ValueError(f"{self.where} is a file, and what is in it is kept")
        with self.transaction() as connection:
            for statement in _CLEAR:
                connection.execute(statement)

    def find(self, device: str, epoch: int, session_no: int) -> StoredSession | None:
        """The session of a device by its own number, for `--resume`; None when this log does not have it.

        The same seed run twice has the same numbers twice: then the latest one that is still open, else the latest.

        Raises:
            LogError: the log cannot be read.
        """
        with self.transaction() as connection:
            return queries.find(connection, device, epoch, session_no)

    def find_open(self, device: str, epoch: int) -> StoredSession | None:
        """The latest session of a device whose end is not stored, None if every one has ended.

        Raises:
            LogError: the log cannot be read.
        """
        with self.transaction() as connection:
            return queries.find_open(connection, device, epoch)

    def records(self, key: int) -> list[bytes]:
        """A session's stored records in order, for the fold of a controller that resumes it.

        Raises:
            LogError: the log cannot be read.
        """
        with self.transaction() as connection:
            return queries.records(connection, key)

    def load(self, key: int) -> SessionReport:
        """Everything stored of a session.

        Raises:
            LogError: MISSING when there is no such session; else the log cannot be read.
        """
        with self.transaction() as connection:
            return queries.load(connection, key, self.where)

    def neighbors_in_course(self, course: str, session_date: date) -> list[tuple[date, int]]:
        """Date and key of a course's nearest sessions on or before a date, and after it, where there are such.

        Only those in which the skin was punctured count.

        Raises:
            LogError: the log cannot be read.
        """
        with self.transaction() as connection:
            return queries.neighbors_in_course(connection, course, session_date)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction of this log. One that is begun within it is a part of it: all is stored at its end, or nothing.

        Raises:
            LogError: what is done in it cannot be done, or not be stored.
        """
        if self._connection.in_transaction():
            yield self._connection
            return
        with database.translated(self.where, self._driver_error), self._connection.begin():
            yield self._connection
        self._place.require(self.where)

    @contextmanager
    def quick_transaction(self) -> Iterator[DBAPICursor]:
        """A transaction for prepared statements, or their part of one that was begun.

        Raises:
            LogError: what is done in it cannot be done, or not be stored.
        """
        if self._connection.in_transaction():
            with joined_cursor(self._connection) as cursor:
                yield cursor
            return
        with (
            database.translated(self.where, self._driver_error),
            driver_transaction(self._connection, self._begin) as cursor,
        ):
            yield cursor
        self._place.require(self.where)

    def _missing(self, key: int) -> LogError:
        return LogError(LogErrorKind.MISSING, self.where, f"has no session {key}")

    def wall(self) -> str | None:
        """The time as a text; None without a clock."""
        return None if self._wall_clock is None else self._wall_clock().isoformat()

    def _to_rows(self, key: int, batch: Batch) -> tuple[list[RecordRow], list[CycleRow]]:
        """A batch's rows, after a look at their order: the log keeps what a device says, but each event once."""
        records = [record_row(key, raw) for raw in batch.records]
        previous = batch.first_event_no - 1
        for row in records:
            if not previous < row[1] < batch.next_event_no:
                reason = f"event {row[1]} is out of order in {batch.first_event_no}..{batch.next_event_no - 1}"
                raise LogError(LogErrorKind.OUT_OF_ORDER, self.where, reason)
            previous = row[1]
        cycles = [cycle_row(key, raw) for raw in batch.records]
        return records, [row for row in cycles if row is not None]

    def _new_part(self, key: int, batch: Batch) -> Batch:
        """Return the part of `batch` from the cursor on. Raises unless the part before it equals what is stored."""
        columns = schema.sessions.c
        with self.transaction() as connection:
            session = connection.execute(
                select(columns.epoch, columns.next_event_no).where(columns.key == key)
            ).one_or_none()
            if session is None:
                raise self._missing(key)
            cursor = session.next_event_no
            if session.epoch != batch.epoch:
                reason = f"session {key} is of epoch {session.epoch}, the batch of {batch.epoch}: the device was erased"
                raise LogError(LogErrorKind.OUT_OF_ORDER, self.where, reason)
            if batch.first_event_no > cursor:
                reason = f"session {key} is at event {cursor}, the batch begins at {batch.first_event_no}"
                raise LogError(LogErrorKind.OUT_OF_ORDER, self.where, reason)
            for raw in batch.records:
                if event_no_of(raw) < cursor:
                    self._hold_against_stored(connection, key, raw)
        return Batch(
            epoch=batch.epoch,
            first_event_no=cursor,
            next_event_no=max(cursor, batch.next_event_no),
            records=tuple(raw for raw in batch.records if event_no_of(raw) >= cursor),
        )

    def _hold_against_stored(self, connection: Connection, key: int, raw: bytes) -> None:
        columns = schema.records.c
        event_no = event_no_of(raw)
        stored = select(columns.raw).where(columns.session_key == key, columns.event_no == event_no)
        if connection.execute(stored).scalar() != raw:
            reason = f"event {event_no} of session {key} came again with other content: a record never changes"
            raise LogError(LogErrorKind.OUT_OF_ORDER, self.where, reason)


def note_rows(key: int, notes: Sequence[Note], wall: str | None) -> list[tuple[object, ...]]:
    """Rows of `notes`, in the order of its columns less the key."""
    return [
        (key, note.kind, note.at_us, note.name, note.detail, note.device_uptime_ms, note.cycle_no, wall)
        for note in notes
    ]
