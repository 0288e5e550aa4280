"""Reading the session log: what a controller needs to resume, and what a person asks.

Law: counts are folded from the stored rows each time. What host and device claimed at the end is read too, but only
to be held against the fold.
"""

import json
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, exists, func, select

from devicectl.log import schema
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.report import SessionReport, SessionSummary
from devicectl.session.count import Counts, Fold, coverage_percent, reconcile
from devicectl.session.entries import Note, StoredSession, ZoneAnesthesia
from devicectl.session.plan import Plan
from protocols.enums import RecordKind
from protocols.records import Anesthesia
from protocols.wire import decode_record

_sessions = schema.sessions.c
_records = schema.records.c
_MOST_KEY: Final = 2**31 - 1
"""Of an INTEGER that every database has."""


def find(connection: Connection, device: str, epoch: int, session_no: int) -> StoredSession | None:
    """The session with the device's own number; of several the open one, else the latest."""
    row = connection.execute(
        select(schema.sessions)
        .where(_sessions.device == device, _sessions.epoch == epoch, _sessions.session_no == session_no)
        .order_by(_sessions.state != "open", _sessions.key.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _stored_session(connection, row)


def find_open(connection: Connection, device: str, epoch: int) -> StoredSession | None:
    """The latest session of a device whose end is not stored."""
    row = connection.execute(
        select(schema.sessions)
        .where(_sessions.device == device, _sessions.epoch == epoch, _sessions.state == "open")
        .order_by(_sessions.key.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _stored_session(connection, row)


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
    rows = connection.execute(select(_records.raw).where(_records.session_key == key).order_by(_records.event_no))
    return list(rows.scalars())


def summaries(connection: Connection) -> list[SessionSummary]:
    """All sessions, the first first. Their counts are folded in SQL by the same rules as `Fold`'s."""
    of_session = {row.session_key: row for row in connection.execute(_folded_cycles())}
    evacuated = {row.session_key: row.cores_evacuated for row in connection.execute(select(schema.truth))}
    found = []
    for row in connection.execute(select(schema.sessions).order_by(_sessions.key)):
        fold = of_session.get(row.key)
        counted = (0, 0, 0, 0) if fold is None else (fold.cycles, fold.punctures, fold.cores_counted, fold.cells)
        found.append(_summary(row, *counted, cores_evacuated=evacuated.get(row.key), reconciled=row.reconciled))
    return found


def _folded_cycles() -> Any:
    """Each session's cycles, punctures, cores and cells: of its own cycles, and of the first ending of each."""
    columns = schema.cycles.c
    first = (
        select(columns.session_key, func.min(columns.event_no).label("event_no"))
        .join(schema.sessions, _sessions.key == columns.session_key)
        .where(columns.cycle_no >= _sessions.first_cycle_no)
        .group_by(columns.session_key, columns.cycle_no)
        .subquery()
    )
    return (
        select(
            columns.session_key,
            func.count().label("cycles"),
            func.sum(columns.punctures).label("punctures"),
            func.sum(columns.cores_counted).label("cores_counted"),
            func.count(columns.cell.distinct()).label("cells"),
        )
        .join(first, (first.c.session_key == columns.session_key) & (first.c.event_no == columns.event_no))
        .group_by(columns.session_key)
    )


def load(connection: Connection, key: int, where: str) -> SessionReport:
    """Everything stored of a session, its counts folded anew.

    Raises:
        LogError: MISSING when there is no such session.
    """
    row = None
    if 0 < key <= _MOST_KEY:  # a database's driver raises on another
        row = connection.execute(select(schema.sessions).where(_sessions.key == key)).one_or_none()
    if row is None:
        raise LogError(
            LogErrorKind.MISSING, where, f"has no session {key}: `devicectl sessions list` shows those it has"
        )
    raws = records(connection, key)
    fold = Fold(row.needles, row.first_cycle_no, first_event_no=row.first_event_no)
    for raw in raws:
        fold.add_raw(raw)
    differences = _differences(row, fold)
    counts = fold.counts
    truth = connection.execute(select(schema.truth).where(schema.truth.c.session_key == key)).mappings().one_or_none()
    summary = _summary(
        row,
        counts.cycles,
        counts.punctures,
        counts.cores_counted,
        len(fold.cells),
        cores_evacuated=None if truth is None else truth["cores_evacuated"],
        reconciled=None if row.reconciled is None else row.reconciled and not differences,
    )
    return SessionReport(
        summary=summary,
        session_no=row.session_no,
        epoch=row.epoch,
        device_model=row.device_model,
        device_url=row.device_url,
        plan=Plan.model_validate_json(row.plan),
        needles=row.needles,
        core_diameter_um=row.core_diameter_um,
        versions=json.loads(row.versions),
        first_event_no=row.first_event_no,
        next_event_no=row.next_event_no,
        first_cycle_no=row.first_cycle_no,
        counts=counts,
        device_totals=_device_totals(row),
        differences=tuple(differences),
        truth=None if truth is None else {name: value for name, value in truth.items() if name != "session_key"},
        notes=_notes(connection, key),
        records=tuple(raws),
        wall_seconds=row.wall_seconds,
        began_wall=_wall(row.began_wall),
        stored_wall=_wall(row.stored_wall),
    )


def _summary(
    row: Row[Any],
    cycles: int,
    punctures: int,
    cores_counted: int,
    cells: int,
    *,
    cores_evacuated: int | None,
    reconciled: bool | None,
) -> SessionSummary:
    return SessionSummary(
        key=row.key,
        state=row.state,
        session_date=row.session_date,
        course=row.course,
        device=row.device,
        simulated=row.simulated,
        seed=None if row.seed is None else int(row.seed),
        model_version=json.loads(row.versions).get("model", ""),
        target_cores=Plan.model_validate_json(row.plan).target_cores,
        cycles=cycles,
        punctures=punctures,
        cores_counted=cores_counted,
        cores_evacuated=cores_evacuated,
        cells_begun=cells,
        coverage_percent=coverage_percent(cores_counted, cells, row.core_diameter_um),
        reconciled=reconciled,
        session_seconds=row.session_seconds,
    )


def _device_totals(row: Row[Any]) -> Counts | None:
    values = {field.name: getattr(row, f"device_{field.name}") for field in fields(Counts)}
    return None if None in values.values() else Counts(**values)


def _differences(row: Row[Any], fold: Fold) -> list[str]:
    """Why a session is not reconciled, by the fold of what is stored; as yet none for one that is open."""
    device = _device_totals(row)
    differences = list(fold.problems) if device is None else reconcile(fold, device).differences
    if row.state != "open" and device is None:
        differences.append("the device's own totals were not read")
    if row.next_event_no != fold.next_event_no:
        differences.append(
            f"the cursor stands at event {row.next_event_no}, the records end before {fold.next_event_no}"
        )
    if row.cells_begun not in (None, len(fold.cells)):
        differences.append(f"cells begun: {row.cells_begun} at the end of the session, {len(fold.cells)} here")
    return differences


def _notes(connection: Connection, key: int) -> tuple[Note, ...]:
    columns = schema.notes.c
    rows = connection.execute(select(schema.notes).where(columns.session_key == key).order_by(columns.key))
    return tuple(Note(row.kind, row.at_us, row.name, row.detail, row.device_uptime_ms) for row in rows)


def _wall(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _stored_session(connection: Connection, row: Row[Any]) -> StoredSession:
    return StoredSession(
        key=row.key,
        epoch=row.epoch,
        session_no=row.session_no,
        first_event_no=row.first_event_no,
        first_cycle_no=row.first_cycle_no,
        needles=row.needles,
        core_diameter_um=row.core_diameter_um,
        plan=Plan.model_validate_json(row.plan),
        course=row.course,
        session_date=row.session_date,
        anesthesia=_anesthesia(connection, row.key),
        stored_wall=_wall(row.stored_wall),
    )


def _anesthesia(connection: Connection, key: int) -> tuple[ZoneAnesthesia, ...]:
    """Each zone's anesthesia at the last stored record.

    Device time is summed over boots; while it was off it has none, so an age is the least it can be.
    """
    rows = connection.execute(
        select(_records.kind, _records.uptime_ms, _records.raw)
        .where(_records.session_key == key)
        .order_by(_records.event_no)
    )
    injected_ms: dict[int, int] = {}
    before_boot_ms = uptime_ms = 0
    for kind, record_uptime_ms, raw in rows:
        if kind == RecordKind.BOOT:
            before_boot_ms += uptime_ms
        uptime_ms = record_uptime_ms
        if kind == RecordKind.ANESTHESIA:
            record = decode_record(raw)
            assert isinstance(record, Anesthesia)
            injected_ms[record.zone] = before_boot_ms + record_uptime_ms - record.age_s * 1_000
    now_ms = before_boot_ms + uptime_ms
    return tuple(ZoneAnesthesia(zone, (now_ms - injected_ms[zone]) // 1_000) for zone in sorted(injected_ms))
