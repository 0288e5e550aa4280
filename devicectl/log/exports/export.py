"""Sessions as JSON lines, for programs; as tables for spreadsheets they are in `csv_tables`.

Law: every record says that it is of a simulator, its seed and its model's version. The same seed twice gives the same
text but for `VOLATILE_FIELDS`.

Lines of each session by their `type`: `header`, `session`, `record`s, `note`s, `truth` where there is one, `summary`.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Final, TextIO

from devicectl.log.exports.named import fields_of
from devicectl.log.fields import LATER, to_plain
from devicectl.log.report import SessionReport, SessionSummary
from devicectl.session.count import COVERAGE_DIGITS
from protocols.text.escape import printable_json
from protocols.text.notice import NOTICE

VOLATILE_FIELDS: Final = ("session_id", "wall_seconds", "began_wall", "stored_wall", "logged_wall")
"""The log's own key and the wall's times: all that differs between two exports of one seed."""


def write_jsonl(report: SessionReport, out: TextIO) -> None:
    """Write the session as one JSON object a line; see the module for their types."""
    provenance = provenance_of(report.summary)
    notice = provenance.pop("notice")
    for item in _items(report):
        first = {"type": item.pop("type"), **({"notice": notice} if item.get("format") else {})}
        out.write(to_line({**first, **provenance, **item}))


def to_line(item: dict[str, object]) -> str:
    """An object as a line of JSON: readable, and harmless on a terminal."""
    return printable_json(json.dumps(item, ensure_ascii=False)) + "\n"


def provenance_of(summary: SessionSummary) -> dict[str, object]:
    """Return the fields that every record begins with."""
    return {
        "notice": NOTICE,
        "simulated": summary.start.simulated,
        "seed": summary.start.seed,
        "model_version": summary.start.versions.get("model", ""),
    }


def identity_of(summary: SessionSummary) -> dict[str, object]:
    """Return the fields that say which session it is, of what course and device."""
    return {
        "session_id": summary.key,
        "session_no": summary.start.session_no,
        "device": summary.start.device,
        "course": summary.start.course,
        "session_date": summary.start.session_date.isoformat(),
    }


def totals_of(summary: SessionSummary) -> dict[str, object]:
    """Return a session's totals by the names of their columns, and the fields of its start that came later."""
    return {
        "state": summary.state,
        "target_cores": summary.start.plan.target_cores,
        **asdict(summary.counts),
        "cells_begun": summary.cells_begun,
        "core_diameter_um": summary.start.core_diameter_um,
        "coverage_percent": round(summary.coverage_percent, COVERAGE_DIGITS),
        "cores_evacuated": summary.cores_evacuated,
        "session_seconds": summary.session_seconds,
        "reconciled": summary.reconciled,
        "wall_seconds": summary.wall_seconds,
        "began_wall": iso(summary.began_wall),
        "stored_wall": iso(summary.stored_wall),
        **to_plain(summary.start, LATER),
    }


def iso(time: datetime | None) -> str | None:
    """A time as ISO 8601, where it is known."""
    return None if time is None else time.isoformat()


def _items(report: SessionReport) -> Iterator[dict[str, object]]:
    summary, identity, first = report.summary, identity_of(report.summary), provenance_of(report.summary)
    yield {"type": "header", "format": "devicectl-session", "format_version": 1}
    yield {
        "type": "session",
        **identity,
        **{name: value for name, value in to_plain(report.start).items() if name not in first},
    }
    for raw in report.records:
        yield {"type": "record", **fields_of(raw)}
    for note, wall in zip(report.notes, report.note_walls, strict=True):
        yield {"type": "note", **asdict(note), "logged_wall": iso(wall)}
    if report.truth is not None:
        yield {"type": "truth", **report.truth}
    device = report.device_totals
    yield {
        "type": "summary",
        **identity,
        **totals_of(summary),
        "device_totals": None if device is None else asdict(device),
        "differences": list(report.differences),
    }
