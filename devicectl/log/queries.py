"""Reading the session log: what a controller needs to resume, and what a person asks.

Law: counts are folded from the stored rows each time. What host and device claimed at the end is read too, but only
to be held against the fold.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from devicectl.log import schema
from devicectl.session.entries import StoredSession, ZoneAnesthesia
from devicectl.session.plan import Plan
from protocols.enums import RecordKind
from protocols.records import Anesthesia
from protocols.wire import decode_record

_sessions = schema.sessions.c
_records = schema.records.c


def find(connection: Connection, device: str, epoch: int, session_no: int) -> StoredSession | None:
    """The session with the device's own number; of several the open one, else the latest."""
    row = connection.execute(
        select(schema.sessions)
        .where(_sessions.device == device, _sessions.epoch == epoch, _sessions.session_no == session_no)
        .order_by(_sessions.state != "open", _sessions.key.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _stored_session(connection, row)


def last_of_course(connection: Connection, course: str) -> tuple[date, int] | None:
    """Date and key of the latest session of a course that has a cycle."""
    punched = exists().where(schema.cycles.c.session_key == _sessions.key)
    row = connection.execute(
        select(_sessions.session_date, _sessions.key)
        .where(_sessions.course == course, punched)
        .order_by(_sessions.session_date.desc(), _sessions.key.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.session_date, row.key)


def _stored_session(connection: Connection, row: Row[Any]) -> StoredSession:
    anesthesia, last_uptime_ms, boots = _anesthesia(connection, row.key)
    return StoredSession(
        key=row.key,
        state=row.state,
        device=row.device,
        epoch=row.epoch,
        session_no=row.session_no,
        first_event_no=row.first_event_no,
        next_event_no=row.next_event_no,
        first_cycle_no=row.first_cycle_no,
        needles=row.needles,
        plan=Plan.model_validate_json(row.plan),
        course=row.course,
        session_date=row.session_date,
        seed=None if row.seed is None else int(row.seed),
        simulated=row.simulated,
        device_url=row.device_url,
        anesthesia=anesthesia,
        last_uptime_ms=last_uptime_ms,
        boots=boots,
        stored_wall=None if row.stored_wall is None else datetime.fromisoformat(row.stored_wall),
    )


def _anesthesia(connection: Connection, key: int) -> tuple[tuple[ZoneAnesthesia, ...], int | None, int]:
    """Each zone's anesthesia at the last stored record, that record's uptime, and how often the device has booted.

    Device time is summed over boots; while it was off it has none, so an age is the least it can be.
    """
    rows = connection.execute(
        select(_records.kind, _records.uptime_ms, _records.raw)
        .where(_records.session_key == key)
        .order_by(_records.event_no)
    )
    injected_ms: dict[int, int] = {}
    confirmed: dict[int, bool] = {}
    before_boot_ms, uptime_ms, boots = 0, None, 0
    for kind, record_uptime_ms, raw in rows:
        if kind == RecordKind.BOOT:
            before_boot_ms += uptime_ms or 0
            boots += 1
            confirmed.clear()
        uptime_ms = record_uptime_ms
        if kind == RecordKind.ANESTHESIA:
            record = decode_record(raw)
            assert isinstance(record, Anesthesia)
            injected_ms[record.zone] = before_boot_ms + record_uptime_ms - record.age_s * 1_000
            confirmed[record.zone] = record.confirmed != 0
    now_ms = before_boot_ms + (uptime_ms or 0)
    zones = tuple(
        ZoneAnesthesia(zone, (now_ms - injected_ms[zone]) // 1_000, confirmed.get(zone, False))
        for zone in sorted(injected_ms)
    )
    return zones, uptime_ms, boots
