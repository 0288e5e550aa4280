"""Reading the session log: what a controller needs to resume, and what a person asks.

Law: a report's counts are folded from the stored rows each time; what host and device claimed at the end, and what was
stored of the close, is read too, but only to be held against the fold. A list shows what was stored.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, exists, func, select

from devicectl.log import schema, totals
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.fields import FIELDS, reader_of
from devicectl.log.report import SessionReport, SessionSummary
from devicectl.session.count import Counts, Fold, coverage_percent, reconcile
from devicectl.session.entries import Note, SessionStart, StoredSession

_sessions = schema.sessions.c
_records = schema.records.c
_Row = Row[Any]
"""A row by the names of its columns, whose types the statement has and not the row."""
_Query = Select[Any]
"""The statement of such rows."""
_MAX_KEY: Final = 2**31 - 1
"""The largest INTEGER that every database has."""
_KEY: Final = bindparam("of", type_=_sessions.key.type)
"""Key of the session that is asked for."""


def find(connection: Connection, device: str, epoch: int, session_no: int) -> StoredSession | None:
    """The session with the device's own number; of several the open one, else the latest."""
    row = connection.execute(
        select(schema.sessions)
        .where(_sessions.device == device, _sessions.epoch == epoch, _sessions.session_no == session_no)
        .order_by(_sessions.state != "open", _sessions.key.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _stored_session(row)


# Statements that are asked for at every session are made once: to make one costs more than to run it.


@cache
def _open_session() -> _Query:
    return (
        select(schema.sessions)
        .where(_sessions.device == bindparam("of_device"), _sessions.epoch == bindparam("in_epoch"))
        .where(_sessions.state == "open")
        .order_by(_sessions.key.desc())
        .limit(1)
    )


@cache
def _session(version: int) -> _Query:
    return select(*schema.columns_of(schema.sessions, version)).where(_sessions.key == _KEY)


@cache
def _records_of() -> _Query:
    return select(_records.raw).where(_records.session_key == _KEY).order_by(_records.event_no)


@cache
def _truth_of() -> _Query:
    return select(schema.truth).where(schema.truth.c.session_key == _KEY)


@cache
def _notes_of(version: int) -> _Query:
    columns = schema.columns_of(schema.notes, version)
    return select(*columns).where(schema.notes.c.session_key == _KEY).order_by(schema.notes.c.key)


@cache
def _totals_between() -> Select[Any]:
    """Return the statement of totals as stored: key, cursor, cells and counts, from one key to another."""
    stored = schema.totals.c
    columns = (stored.session_key, stored.next_event_no, stored.cells, *(stored[name] for name in _COUNTS))
    return select(*columns).where(stored.session_key.between(bindparam("least"), bindparam("most")))


def find_open(connection: Connection, device: str, epoch: int) -> StoredSession | None:
    """The latest session of a device whose end is not stored."""
    row = connection.execute(_open_session(), {"of_device": device, "in_epoch": epoch}).one_or_none()
    return None if row is None else _stored_session(row)


def neighbors_in_course(connection: Connection, course: str, session_date: date) -> list[tuple[date, int]]:
    """Date and key of a course's nearest sessions that have a cycle: on or before a date, and after it."""
    punched = exists().where(schema.cycles.c.session_key == _sessions.key)
    of_course = select(_sessions.session_date, _sessions.key).where(_sessions.course == course, punched).limit(1)
    nearest = (
        of_course.where(_sessions.session_date <= session_date).order_by(
            _sessions.session_date.desc(), _sessions.key.desc()
        ),
        of_course.where(_sessions.session_date > session_date).order_by(_sessions.session_date, _sessions.key),
    )
    rows = (connection.execute(query).one_or_none() for query in nearest)
    return [(row.session_date, row.key) for row in rows if row is not None]


def records(connection: Connection, key: int) -> list[bytes]:
    """A session's raw records in the order of their event numbers."""
    return list(connection.execute(_records_of(), {"of": key}).scalars())


def summaries(
    connection: Connection, version: int, *, first_key: int, course: str | None, limit: int
) -> list[SessionSummary]:
    """At most `limit` sessions from `first_key` on, of one course or of any, in the order of their keys.

    What a session came to at its close is taken as it was stored; what has no such totals, or went on after them, is
    folded.
    """
    columns = [column for column in schema.columns_of(schema.sessions, version) if column.name in _IN_A_LIST]
    columns.append(schema.truth.c.cores_evacuated)
    query = select(*columns).outerjoin(schema.truth).where(_sessions.key >= first_key).order_by(_sessions.key)
    if course is not None:
        query = query.where(_sessions.course == course)
    result = connection.execute(query.limit(limit))
    read_start, rows = reader_of(tuple(result.keys())), result.all()
    of_session = {} if version < schema.SINCE[schema.totals] else _stored_totals(connection, rows)
    stale = [row.key for row in rows if row.key not in of_session]
    for found in totals.fold(connection, stale) if stale else ():
        of_session[found["session_key"]] = Counts(*(found[name] for name in _COUNTS)), found["cells"]
    return [
        _summary(
            row,
            read_start(row),
            *of_session[row.key],
            cores_evacuated=row.cores_evacuated,
            reconciled=row.reconciled,
        )
        for row in rows
    ]


_IN_A_LIST: Final = frozenset(field.name for field in FIELDS) | {
    "key", "state", "next_event_no", "reconciled", "session_seconds", "wall_seconds", "began_wall", "stored_wall",
}  # fmt: skip
"""Columns of `sessions` that a list has beside those of a session's start."""


_COUNTS: Final = tuple(field.name for field in fields(Counts))


def _stored_totals(connection: Connection, rows: Sequence[_Row]) -> dict[int, tuple[Counts, int]]:
    """The totals and cells of sessions by key, where they were stored and nothing has come after them."""
    if not rows:
        return {}
    cursors = {row.key: row.next_event_no for row in rows}
    stored = connection.execute(_totals_between(), {"least": rows[0].key, "most": rows[-1].key})
    return {
        key: (Counts(*counts), cells)
        for key, next_event_no, cells, *counts in stored
        if cursors.get(key) == next_event_no
    }


def count_sessions(connection: Connection, course: str | None) -> int:
    """Number of sessions, of one course or in all."""
    query = select(func.count()).select_from(schema.sessions)
    found = connection.execute(query if course is None else query.where(_sessions.course == course))
    return int(found.scalar_one())


def first_of_last(connection: Connection, last: int, course: str | None) -> int:
    """The key of the first of the `last` sessions; 0 where there are no more than that."""
    query = select(_sessions.key).order_by(_sessions.key.desc()).limit(1).offset(last - 1)
    if course is not None:
        query = query.where(_sessions.course == course)
    return int(connection.execute(query).scalar() or 0)


def load(connection: Connection, key: int, where: str, version: int = schema.SCHEMA_VERSION) -> SessionReport:
    """Everything stored of a session, its counts folded again.

    Raises:
        LogError: MISSING when there is no such session.
    """
    row = None
    if 0 < key <= _MAX_KEY:  # a database's driver raises on another
        row = connection.execute(_session(version), {"of": key}).one_or_none()
    if row is None:
        raise LogError(
            LogErrorKind.MISSING, where, f"has no session {key}: `devicectl sessions list` shows those it has"
        )
    raws = records(connection, key)
    fold = Fold(row.needles, row.first_cycle_no, first_event_no=row.first_event_no)
    for raw in raws:
        fold.add_raw(raw)
    differences = _differences(row, fold)
    if version >= schema.SINCE[schema.totals]:
        differences += _against_totals(_stored_totals(connection, [row]).get(key), fold)
    truth = connection.execute(_truth_of(), {"of": key}).mappings().one_or_none()
    notes, note_walls = _notes(connection, key, version)
    summary = _summary(
        row,
        reader_of(row._fields)(row),
        fold.counts,
        len(fold.cells),
        cores_evacuated=None if truth is None else truth["cores_evacuated"],
        reconciled=None if row.reconciled is None else row.reconciled and not differences,
    )
    return SessionReport(
        summary=summary,
        next_event_no=row.next_event_no,
        device_totals=_device_totals(row),
        differences=tuple(differences),
        truth=None if truth is None else {name: value for name, value in truth.items() if name != "session_key"},
        notes=notes,
        note_walls=note_walls,
        records=tuple(raws),
    )


def _summary(
    row: _Row,
    start: SessionStart,
    counts: Counts,
    cells: int,
    *,
    cores_evacuated: int | None,
    reconciled: bool | None,
) -> SessionSummary:
    return SessionSummary(
        key=row.key,
        state=row.state,
        start=start,
        counts=counts,
        cores_evacuated=cores_evacuated,
        cells_begun=cells,
        coverage_percent=coverage_percent(counts.cores_counted, cells, row.core_diameter_um),
        reconciled=reconciled,
        session_seconds=row.session_seconds,
        wall_seconds=row.wall_seconds,
        began_wall=_wall(row.began_wall),
        stored_wall=_wall(row.stored_wall),
    )


def _device_totals(row: _Row) -> Counts | None:
    values = {field.name: getattr(row, f"device_{field.name}") for field in fields(Counts)}
    return None if None in values.values() else Counts(**values)


def _differences(row: _Row, fold: Fold) -> list[str]:
    """Return why a session is not reconciled, by the fold of its records; an open one has no reason yet."""
    device = _device_totals(row)
    differences = list(fold.problems) if device is None else reconcile(fold, device).differences
    if row.state != "open" and device is None:
        differences.append("the device's own totals were not read")
    if row.next_event_no != fold.next_event_no:
        differences.append(f"the cursor is at event {row.next_event_no}, the records end before {fold.next_event_no}")
    if row.cells_begun not in (None, len(fold.cells)):
        differences.append(f"cells begun: {row.cells_begun} at the end of the session, {len(fold.cells)} here")
    return differences


def _against_totals(stored: tuple[Counts, int] | None, fold: Fold) -> list[str]:
    """Return where the list of sessions shows another number than the fold."""
    if stored is None:
        return []
    closed, here = ({**asdict(counts), "cells": cells} for counts, cells in (stored, (fold.counts, len(fold.cells))))
    return [
        f"{name}: {closed[name]} at the close, {count} here" for name, count in here.items() if closed[name] != count
    ]


def _notes(connection: Connection, key: int, version: int) -> tuple[tuple[Note, ...], tuple[datetime | None, ...]]:
    """A session's notes in the order in which they were stored, and when each was committed."""
    rows = connection.execute(_notes_of(version), {"of": key}).mappings().all()
    notes = (
        Note(row["kind"], row["at_us"], row["name"], row["detail"], row["device_uptime_ms"], row.get("cycle_no"))
        for row in rows
    )
    return tuple(notes), tuple(_wall(row.get("logged_wall")) for row in rows)


def _wall(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _stored_session(row: _Row) -> StoredSession:
    return StoredSession(
        key=row.key,
        start=reader_of(row._fields)(row),
        began_wall=_wall(row.began_wall),
        stored_wall=_wall(row.stored_wall),
    )
