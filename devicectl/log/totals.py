"""Totals of the cycles of sessions, in SQL, by the same rules as `session.count.Fold`'s.

Why: to fold 3,500 records in Python takes 15 ms a session, and to fold them in SQL 4; a list of thousands must do
neither. So it is done once, at the close, and stored.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select

from devicectl.log import schema
from protocols.language.enums import Ending


def fold(connection: Connection, keys: Sequence[int]) -> Sequence[Row[Any]]:
    """The totals of sessions now, a row each in the order of the table's columns.

    They are of a session's own cycles, and of the first ending of each.
    """
    cycles, sessions = schema.cycles.c, schema.sessions.c
    first = (
        select(cycles.session_key, func.min(cycles.event_no).label("event_no"))
        .join(schema.sessions, sessions.key == cycles.session_key)
        .where(cycles.session_key.in_(keys), cycles.cycle_no >= sessions.first_cycle_no)
        .group_by(cycles.session_key, cycles.cycle_no)
        .subquery()
    )
    counted = (
        select(
            cycles.session_key,
            func.count().label("cycles"),
            *(_ended(ending) for ending in (Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS)),
            func.sum(cycles.punctures).label("punctures"),
            func.sum(cycles.cores_counted).label("cores_counted"),
            func.count(cycles.cell.distinct()).label("cells"),
        )
        .join(first, (first.c.session_key == cycles.session_key) & (first.c.event_no == cycles.event_no))
        .group_by(cycles.session_key)
        .subquery()
    )
    names = [column.name for column in schema.totals.columns][2:]
    counts = [func.coalesce(counted.c[name], 0).label(name) for name in names]
    return connection.execute(
        select(sessions.key.label("session_key"), sessions.next_event_no, *counts)
        .outerjoin(counted, counted.c.session_key == sessions.key)
        .where(sessions.key.in_(keys))
        .order_by(sessions.key)
    ).all()


def store(connection: Connection, key: int) -> None:
    """Store what a session comes to; again where it was stored before."""
    connection.execute(delete(schema.totals).where(schema.totals.c.session_key == key))
    connection.execute(insert(schema.totals), [row._asdict() for row in fold(connection, [key])])


def _ended(ending: Ending) -> Any:
    name = ending.name.lower()
    return func.sum(case((schema.cycles.c.ending == name, 1), else_=0)).label(name)
