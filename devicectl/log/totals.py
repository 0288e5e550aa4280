"""Totals of the cycles of sessions, in SQL, by the same rules as `session.count.Fold`'s.

Why: to fold 3,500 records takes 15 ms a session in Python and 1.5 in SQL; a list of thousands must do neither. So it is
done once, at the close, and stored.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
)

from devicectl.log import schema
from protocols.language.enums import Ending

_KEYS: Final[BindParameter[int]] = bindparam("keys", expanding=True)
"""Keys of the sessions that are asked for."""
_FORGET: Final = delete(schema.totals).where(schema.totals.c.session_key == bindparam("of"))
_ADD: Final = insert(schema.totals)


def fold(connection: Connection, keys: Sequence[int]) -> list[dict[str, int]]:
    """Return the totals of sessions as they are now, each by the names of the table's columns, in the order of keys.

    They are of a session's own cycles, and of the first ending of each. To find the first endings takes three times as
    long as to count; so it is done for sessions in which a cycle ended twice, which no proper device has.
    """
    found = {row["session_key"]: row for row in _fold(connection, keys, _totals_of_all())}
    twice = [key for key, row in found.items() if row.pop("numbers") != row["cycles"]]
    if twice:
        for row in _fold(connection, twice, _totals_of_first_endings()):
            del row["numbers"]
            found[row["session_key"]] = row
    return list(found.values())


def _fold(connection: Connection, keys: Sequence[int], statement: Select[tuple[int, ...]]) -> list[dict[str, int]]:
    return [row._asdict() for row in connection.execute(statement, {"keys": list(keys)})]


# Each statement is made once: to make it takes longer than to run it on a short session.


@cache
def _totals_of_all() -> Select[tuple[int, ...]]:
    return _totals_in(schema.cycles)


@cache
def _totals_of_first_endings() -> Select[tuple[int, ...]]:
    """Return the totals of the first ending of each number alone."""
    cycles, sessions = schema.cycles.c, schema.sessions.c
    first = (
        select(cycles.session_key, func.min(cycles.event_no).label("event_no"))
        .join(schema.sessions, sessions.key == cycles.session_key)
        .where(cycles.session_key.in_(_KEYS), cycles.cycle_no >= sessions.first_cycle_no)
        .group_by(cycles.session_key, cycles.cycle_no)
        .subquery()
    )
    same = (first.c.session_key == cycles.session_key) & (first.c.event_no == cycles.event_no)
    return _totals_in(select(schema.cycles).join(first, same).subquery())


def _totals_in(table: FromClause) -> Select[tuple[int, ...]]:
    """Return the totals of each session's own rows in `table`, and how many `numbers` of cycles these have."""
    cycles, sessions = table.c, schema.sessions.c
    counted = (
        select(
            cycles.session_key,
            func.count().label("cycles"),
            *(_ended(cycles.ending, ending) for ending in (Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS)),
            func.sum(cycles.punctures).label("punctures"),
            func.sum(cycles.cores_counted).label("cores_counted"),
            func.count(cycles.cell.distinct()).label("cells"),
            func.count(cycles.cycle_no.distinct()).label("numbers"),
        )
        .join(schema.sessions, sessions.key == cycles.session_key)
        .where(cycles.session_key.in_(_KEYS), cycles.cycle_no >= sessions.first_cycle_no)
        .group_by(cycles.session_key)
        .subquery()
    )
    names = [*(column.name for column in schema.totals.columns)][2:]
    counts = [func.coalesce(counted.c[name], 0).label(name) for name in (*names, "numbers")]
    return (
        select(sessions.key.label("session_key"), sessions.next_event_no, *counts)
        .outerjoin(counted, counted.c.session_key == sessions.key)
        .where(sessions.key.in_(_KEYS))
        .order_by(sessions.key)
    )


def store(connection: Connection, key: int) -> None:
    """Store what a session comes to; again where it was stored before."""
    connection.execute(_FORGET, {"of": key})
    connection.execute(_ADD, fold(connection, [key]))


def _ended(ended: ColumnElement[str], ending: Ending) -> ColumnElement[int]:
    name = ending.name.lower()
    return func.sum(case((ended == name, 1), else_=0)).label(name)
