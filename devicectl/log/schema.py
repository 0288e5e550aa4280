"""The tables of the session log.

Law: `records` has every journal record as it came and is the only source of counts; `cycles` says the same of cycles
in columns, so that a person with SQL can read each needle's outcome; `totals` is what these came to at the close, so
that a list need not count again; `truth` is apart, since it was never counted. A lesson of the trainers' station is
its file, its seed and its `acts`; the session that it closed is a session like any other. Columns of a session's start
are made from `fields.FIELDS`. What came after the first version is in `SINCE`. A u32 of the wire needs a big integer:
PostgreSQL's is signed.

    log_meta                      sessions 1 --- n records, cycles, notes
    app, schema_version                    1 --- 1 totals, truth
                                  lessons  1 --- n acts
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from devicectl.log.fields import FIELDS, LATER, Field, Form

APP: Final = "devicectl"
SCHEMA_VERSION: Final = max(3, *(field.kept.since for field in FIELDS))
"""3, or that of the latest field of a session's start."""

metadata: Final = MetaData()


_TYPES: Final = {
    Form.FLAG: Boolean,
    Form.SMALL: Integer,
    Form.WIDE: BigInteger,
    Form.TEXT: Text,
    Form.DIGITS: Text,
    Form.DAY: Date,
    Form.JSON: Text,
}


def _start_column(field: Field) -> Column[Any]:
    return Column(field.name, _TYPES[field.form], nullable=field.optional, doc=field.kept.about)


def _session_key(*, primary: bool) -> Column[int]:
    return Column("session_key", ForeignKey("sessions.key"), primary_key=primary, nullable=False)


log_meta: Final = Table(
    "log_meta",
    metadata,
    Column("app", String(32), primary_key=True),
    Column("schema_version", Integer, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("key", Integer, primary_key=True, doc="the log's own; it never travels"),
    Column("state", String(16), nullable=False, doc="open, completed, aborted, faulted"),
    *map(_start_column, FIELDS),
    Column("next_event_no", BigInteger, nullable=False, doc="the host's cursor in the journal"),
    Column("began_wall", String(32), doc="ISO 8601, UTC; empty when no clock was given"),
    Column("stored_wall", String(32), doc="the same, of the last commit"),
    # From here on: what the host and the device claimed at the end. Shown beside the fold, never believed.
    Column("reconciled", Boolean),
    Column("session_seconds", Float),
    Column("wall_seconds", Float),
    Column("cells_begun", Integer),
    Column("device_cycles", BigInteger),
    Column("device_completed", BigInteger),
    Column("device_aborted", BigInteger),
    Column("device_ambiguous", BigInteger),
    Column("device_punctures", BigInteger),
    Column("device_cores_counted", BigInteger),
    Index("sessions_by_device", "device", "epoch", "session_no"),
    Index("sessions_by_course", "course", "session_date"),
    sqlite_autoincrement=True,
)

records: Final = Table(
    "records",
    metadata,
    _session_key(primary=True),
    Column("event_no", BigInteger, primary_key=True),
    Column("kind", Integer, nullable=False, doc="protocols.language.enums.RecordKind"),
    Column("uptime_ms", BigInteger, nullable=False),
    Column("raw", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

cycles: Final = Table(
    "cycles",
    metadata,
    _session_key(primary=True),
    Column("event_no", BigInteger, primary_key=True, doc="not cycle_no: a second ending must be kept to be shown"),
    Column("cycle_no", BigInteger, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("depth_um", Integer, nullable=False),
    Column("ending", String(16), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("punctures", Integer, nullable=False),
    Column("cores_counted", Integer, nullable=False),
    Column("outcomes", Text, nullable=False, doc='JSON, needle 0 first: ["counted", "empty", "counted"]'),
    sqlite_with_rowid=False,
)

notes: Final = Table(
    "notes",
    metadata,
    Column("key", Integer, primary_key=True),
    _session_key(primary=False),
    Column("kind", String(16), nullable=False, doc="action, alarm, refusal, warning"),
    Column("at_us", BigInteger, nullable=False, doc="host's clock, since the host started"),
    Column("name", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("device_uptime_ms", BigInteger),
    Column("cycle_no", BigInteger, doc="the cycle number used last"),
    Column("logged_wall", String(32), doc="ISO 8601, UTC: when it was committed; empty when no clock was given"),
    Index("notes_by_session", "session_key", "key"),
)

totals: Final = Table(
    "totals",
    metadata,
    _session_key(primary=True),
    Column(
        "next_event_no",
        BigInteger,
        nullable=False,
        doc="the session's cursor then: the totals are valid while it is the same",
    ),
    Column("cycles", BigInteger, nullable=False),
    Column("completed", BigInteger, nullable=False),
    Column("aborted", BigInteger, nullable=False),
    Column("ambiguous", BigInteger, nullable=False),
    Column("punctures", BigInteger, nullable=False),
    Column("cores_counted", BigInteger, nullable=False),
    Column("cells", BigInteger, nullable=False),
)

lessons: Final = Table(
    "lessons",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False, doc="the lesson's file, YAML"),
    Column("seed", Text, nullable=False, doc="decimal digits"),
    Column("station", Integer, nullable=False),
    Column("trainee", Text, nullable=False, doc="a name, or empty"),
    Column("parent", ForeignKey("lessons.key"), doc="the lesson of which this is a further attempt"),
    Column("parent_at_us", BigInteger, doc="time in the parent's world from which this one goes its own way"),
    Column("version", String(32), nullable=False, doc="of the program: another may execute the lesson otherwise"),
    Column("began_wall", String(32), doc="ISO 8601, UTC; empty when no clock was given"),
    Column("ended_us", BigInteger, doc="time of the world at its end; empty while it is unfinished"),
    Column("session_key", ForeignKey("sessions.key"), doc="the session that it closed"),
    Column("ended_wall", String(32)),
    sqlite_autoincrement=True,
)

acts: Final = Table(
    "acts",
    metadata,
    Column("key", Integer, primary_key=True, doc="in the order in which they were done"),
    Column("lesson_key", ForeignKey("lessons.key"), nullable=False),
    Column("at_us", BigInteger, nullable=False, doc="time of the lesson's world"),
    Column("view", String(16), nullable=False, doc="trainee, instructor, presenter, server"),
    Column("name", String(32), nullable=False),
    Column("arguments", Text, nullable=False, doc="JSON"),
    Column("logged_wall", String(32), doc="ISO 8601, UTC: when it was committed; empty when no clock was given"),
    Index("acts_by_lesson", "lesson_key", "key"),
)

_list_of_course: Final = Index("sessions_of_course", sessions.c.course, sessions.c.key)

SINCE: Final[dict[object, int]] = {
    totals: 2,
    notes.c.cycle_no: 2,
    notes.c.logged_wall: 2,
    _list_of_course: 2,
    lessons: 3,
    acts: 3,
    **{sessions.c[field.name]: field.kept.since for field in LATER},
}
"""Tables, columns and indexes that a log of an earlier schema version does not have."""


def columns_of(table: Table, version: int) -> list[Column[Any]]:
    """Return the columns of `table` that a log of schema `version` has."""
    return [column for column in table.columns if SINCE.get(column, 1) <= version]


truth: Final = Table(
    "truth",
    metadata,
    _session_key(primary=True),
    Column("cycles_commanded", BigInteger, nullable=False),
    Column("cycles_completed", BigInteger, nullable=False),
    Column("punctures", BigInteger, nullable=False),
    Column("cores_evacuated", BigInteger, nullable=False),
    Column("cores_counted", BigInteger, nullable=False),
    Column("clogs", BigInteger, nullable=False),
)
