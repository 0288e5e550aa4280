"""Sessions as tables for spreadsheets: one table a file, each row with its session, device and course.

Law: a number of a session is in one row, so that a column can be added up. Every row says that it is of a simulator,
its seed and its model's version. No cell can become a formula or steer a terminal, wherever its text comes from.

    sessions    a row a session: what it came to
    cycles      a row a cycle: what each needle did; the session's own cycles, and of each its first ending
    notes       a row for all else: the device's journal by event number, then the host's notes as they were stored
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

from devicectl.log.exports import named
from devicectl.log.exports.export import identity_of, iso, provenance_of, totals_of
from devicectl.log.fields import LATER
from devicectl.log.report import SessionReport, SessionSummary
from devicectl.session.count import MAX_NEEDLES, tally
from protocols.language.records import Cycle, Record, Refusal, event_no_of
from protocols.text.escape import printable

NEEDLES: Final = tuple(f"needle_{number}" for number in range(1, MAX_NEEDLES + 1))
"""Columns of the needles: as many in every file, so that files can be put together."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of a cell that make a spreadsheet evaluate it, also after blanks, which some skip.

The last four are the full-width forms of the first four. A tab or line end, which do it too, is printed as an escape.
"""
_BYTE_ORDER_MARK: Final = "\ufeff"


_FIRST: Final = (
    "notice", "simulated", "seed", "model_version", "session_id", "session_no", "device", "course", "session_date",
)  # fmt: skip
SESSION_COLUMNS: Final = (
    *_FIRST, "state", "target_cores", "cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted",
    "cores_evacuated", "cells_begun", "core_diameter_um", "coverage_percent", "session_seconds", "reconciled",
    "wall_seconds", "began_wall", "stored_wall", *(field.name for field in LATER),
)  # fmt: skip
CYCLE_COLUMNS: Final = (
    *_FIRST, "event_no", "uptime_ms", "cycle_no", "zone", "cell", "depth_um", "ending", "phase", "punctures",
    "cores_counted", *NEEDLES,
)  # fmt: skip
NOTE_COLUMNS: Final = (
    *_FIRST, "source", "event_no", "uptime_ms", "at_us", "logged_wall", "kind", "name", "cycle_no", "detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """Look of a file: `byte_order_mark` tells a spreadsheet that it is UTF-8."""

    delimiter: str = ","
    decimal_comma: bool = False
    byte_order_mark: bool = False


PLAIN: Final = Style()


def write_sessions(summaries: Iterable[SessionSummary], out: TextIO, style: Style = PLAIN) -> None:
    """Write the table of sessions, a row each."""
    _write(SESSION_COLUMNS, ({**_first(one), **totals_of(one)} for one in summaries), out, style)


def write_cycles(reports: Iterable[SessionReport], out: TextIO, style: Style = PLAIN) -> None:
    """Write the table of cycles, one session after the other."""
    _write(CYCLE_COLUMNS, ({**_first(one.summary), **row} for one in reports for row in _cycle_rows(one)), out, style)


def write_notes(reports: Iterable[SessionReport], out: TextIO, style: Style = PLAIN) -> None:
    """Write the table of notes, one session after the other."""
    _write(NOTE_COLUMNS, ({**_first(one.summary), **row} for one in reports for row in _note_rows(one)), out, style)


def _write(columns: Sequence[str], rows: Iterable[dict[str, object]], out: TextIO, style: Style) -> None:
    if style.byte_order_mark:
        out.write(_BYTE_ORDER_MARK)
    # Lines end as RFC 4180 has it.
    writer = csv.DictWriter(out, columns, restval="", delimiter=style.delimiter, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: to_cell(value, style) for name, value in row.items()})


def to_cell(value: object, style: Style = PLAIN) -> object:
    """A value as a cell that no spreadsheet evaluates: a number stays a number, a text never becomes a formula.

    Nor does it steer the terminal that it is shown on.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and style.decimal_comma:
        return str(value).replace(".", ",")
    if isinstance(value, int | float):
        return value
    text = printable(str(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text


def _first(summary: SessionSummary) -> dict[str, object]:
    return {**provenance_of(summary), **identity_of(summary)}


def _cycle_rows(report: SessionReport) -> Iterator[dict[str, object]]:
    for raw, _, cycle in _told_apart(report):
        if cycle is None:
            continue
        punctures, cores_counted, _ = tally(cycle.outcomes, min(cycle.needles, MAX_NEEDLES))
        yield {
            **_head(raw),
            "cycle_no": cycle.cycle_no,
            "zone": named.zone_of(report.start.plan, cycle.cell),
            "cell": cycle.cell,
            "depth_um": cycle.depth_um,
            "ending": cycle.ending.name.lower(),
            "phase": cycle.phase.name.lower(),
            "punctures": punctures,
            "cores_counted": cores_counted,
            **dict(zip(NEEDLES, named.outcomes_of(cycle), strict=False)),
        }


def _note_rows(report: SessionReport) -> Iterator[dict[str, object]]:
    last_cycle_no = None
    for raw, record, cycle in _told_apart(report):
        if cycle is not None:
            last_cycle_no = cycle.cycle_no
            continue
        name, detail = named.told(raw, report.start.plan)
        of_cycle = record.cycle_no if isinstance(record, Refusal) and record.cycle_no else last_cycle_no
        text = {"kind": named.kind_of(raw), "name": name, "cycle_no": of_cycle, "detail": detail}
        yield {"source": "device", **_head(raw), **text}
    for note, wall in zip(report.notes, report.note_walls, strict=True):
        yield {
            "source": "host",
            "uptime_ms": note.device_uptime_ms,
            "at_us": note.at_us,
            "logged_wall": iso(wall),
            "kind": note.kind,
            "name": note.name,
            "cycle_no": note.cycle_no,
            "detail": note.detail,
        }


def _told_apart(report: SessionReport) -> Iterator[tuple[bytes, Record | None, Cycle | None]]:
    """Each record as it came and as it is read, and the cycle that counts in it: of the session, its first ending."""
    ended: set[int] = set()
    for raw in report.records:
        record = named.read(raw)
        cycle = record if isinstance(record, Cycle) else None
        if cycle is not None and (cycle.cycle_no < report.start.first_cycle_no or cycle.cycle_no in ended):
            cycle = None
        if cycle is not None:
            ended.add(cycle.cycle_no)
        yield raw, record, cycle


def _head(raw: bytes) -> dict[str, object]:
    return {"event_no": event_no_of(raw), "uptime_ms": named.uptime_ms_of(raw)}
