"""A session as CSV or JSON lines, for spreadsheets and programs.

Law: every record says that it is of a simulator, its seed and its model's version. The same seed twice gives the same
text but for `VOLATILE_FIELDS`. No cell of a CSV can become a formula, whoever wrote the text in it.

CSV rows, by their column `row`: one `session`, then each `cycle` and other journal `record` by event number, then
each `note` in the order in which it was stored. JSON lines, by their `type`: `header`, `session`, `record`s, `note`s,
`truth` where there is one, `summary`.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import Enum
from typing import Any, Final, TextIO

from devicectl.log.report import SessionReport
from devicectl.log.rows import outcome_names
from devicectl.session.count import COVERAGE_DIGITS, MAX_NEEDLES, tally
from protocols.enums import RecordKind
from protocols.errors import MessageError
from protocols.notice import NOTICE
from protocols.records import KIND_OFFSET, Cycle, event_no_of
from protocols.text import printable, printable_json
from protocols.wire import decode_record

VOLATILE_FIELDS: Final = ("session_id", "wall_seconds", "began_wall", "stored_wall")
"""The log's own key and the wall's times: all that differs between two exports of one seed."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet evaluate a cell, also after blanks, which some leave out.

The last four are the full-width forms of the first four.
"""

_SESSION_COLUMNS: Final = (
    "session_id", "session_no", "device", "course", "session_date", "state", "target_cores", "cycles", "completed",
    "aborted", "ambiguous", "cells_begun", "core_diameter_um", "coverage_percent", "cores_evacuated",
    "session_seconds", "reconciled", "wall_seconds", "began_wall", "stored_wall",
)  # fmt: skip
_CYCLE_COLUMNS: Final = ("event_no", "uptime_ms", "cycle_no", "cell", "depth_um", "ending", "phase")
_COMMON_COLUMNS: Final = ("punctures", "cores_counted")
_NOTE_COLUMNS: Final = ("kind", "at_us", "name", "detail")


def write_csv(report: SessionReport, out: TextIO) -> None:
    """Write the session as CSV with a header; see the module for its rows."""
    needles = [f"needle_{number}" for number in range(1, _most_needles(report) + 1)]
    columns = [*_provenance(report), "row", *_SESSION_COLUMNS, *_CYCLE_COLUMNS, *_COMMON_COLUMNS, *needles]
    # Lines end as RFC 4180 has it: with a bare "\n" the csv module would leave a "\r" inside a cell unquoted.
    writer = csv.DictWriter(out, [*columns, *_NOTE_COLUMNS], restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in _csv_rows(report):
        writer.writerow({name: to_cell(value) for name, value in {**_provenance(report), **row}.items()})


def write_jsonl(report: SessionReport, out: TextIO) -> None:
    """Write the session as one JSON object a line; see the module for their types."""
    provenance = _provenance(report)
    notice = provenance.pop("notice")
    for item in _json_items(report):
        first = {"type": item.pop("type"), **({"notice": notice} if item.get("format") else {})}
        out.write(printable_json(json.dumps({**first, **provenance, **item}, ensure_ascii=False)) + "\n")


def to_cell(value: object) -> object:
    """A value as a cell that no spreadsheet evaluates: a number stays a number, a text never becomes a formula.

    Nor does it steer the terminal that it is shown on.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = printable(str(value))
    evaluated = text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{text}" if evaluated else text


def _provenance(report: SessionReport) -> dict[str, Any]:
    """What every record begins with."""
    summary = report.summary
    return {
        "notice": NOTICE,
        "simulated": summary.simulated,
        "seed": summary.seed,
        "model_version": summary.model_version,
    }


def _session_fields(report: SessionReport) -> dict[str, Any]:
    summary = report.summary
    return {
        "session_id": summary.key,
        "session_no": report.session_no,
        "device": summary.device,
        "course": summary.course,
        "session_date": summary.session_date.isoformat(),
        "state": summary.state,
        "target_cores": summary.target_cores,
        **asdict(report.counts),
        "cells_begun": summary.cells_begun,
        "core_diameter_um": report.core_diameter_um,
        "coverage_percent": round(summary.coverage_percent, COVERAGE_DIGITS),
        "cores_evacuated": summary.cores_evacuated,
        "session_seconds": summary.session_seconds,
        "reconciled": summary.reconciled,
        "wall_seconds": report.wall_seconds,
        "began_wall": None if report.began_wall is None else report.began_wall.isoformat(),
        "stored_wall": None if report.stored_wall is None else report.stored_wall.isoformat(),
    }


def _csv_rows(report: SessionReport) -> Iterator[dict[str, Any]]:
    yield {"row": "session", **_session_fields(report)}
    for raw in report.records:
        fields = _record_fields(raw)
        common = {"event_no": fields.pop("event_no"), "uptime_ms": fields.pop("uptime_ms")}
        kind = fields.pop("kind")
        if "outcomes" in fields:
            outcomes = fields["outcomes"]
            named = {f"needle_{number}": outcome for number, outcome in enumerate(outcomes, start=1)}
            columns = {name: fields[name] for name in (*_CYCLE_COLUMNS[2:], *_COMMON_COLUMNS)}
            yield {"row": "cycle", **common, **columns, **named}
        else:
            detail = " ".join(f"{name}={value}" for name, value in fields.items() if name != "raw")
            yield {"row": "record", **common, "name": kind, "detail": detail}
    for note in report.notes:
        yield {
            "row": "note",
            "uptime_ms": note.device_uptime_ms,
            "kind": note.kind,
            "at_us": note.at_us,
            "name": note.name,
            "detail": note.detail,
        }


def _json_items(report: SessionReport) -> Iterator[dict[str, Any]]:
    summary = _session_fields(report)
    yield {"type": "header", "format": "devicectl-session", "format_version": 1}
    yield {
        "type": "session",
        **{name: summary[name] for name in ("session_id", "session_no", "device", "course", "session_date")},
        "device_model": report.device_model,
        "device_url": report.device_url,
        "epoch": report.epoch,
        "needles": report.needles,
        "core_diameter_um": report.core_diameter_um,
        "first_event_no": report.first_event_no,
        "first_cycle_no": report.first_cycle_no,
        "plan": report.plan.model_dump(mode="json"),
        "versions": dict(report.versions),
    }
    for raw in report.records:
        yield {"type": "record", **_record_fields(raw)}
    for note in report.notes:
        yield {"type": "note", **asdict(note)}
    if report.truth is not None:
        yield {"type": "truth", **report.truth}
    totals = report.device_totals
    yield {
        "type": "summary",
        **summary,
        "device_totals": None if totals is None else asdict(totals),
        "differences": list(report.differences),
    }


def _record_fields(raw: bytes) -> dict[str, Any]:
    """A record's fields by name; of one that this version cannot read, its head and bytes."""
    try:
        record = decode_record(raw)
    except MessageError:
        record = None
    kind = RecordKind(raw[KIND_OFFSET])
    fields: dict[str, Any] = {
        "event_no": event_no_of(raw),
        "kind": kind.name.lower() if kind is not RecordKind.UNKNOWN else f"unknown {raw[KIND_OFFSET]}",
        "uptime_ms": int.from_bytes(raw[4:8], "little"),
    }
    if record is not None:
        fields |= {name: _plain(value) for name, value in record if name not in fields}
    if isinstance(record, Cycle):
        needles = min(record.needles, MAX_NEEDLES)
        fields["punctures"], fields["cores_counted"], _ = tally(record.outcomes, needles)
        fields["outcomes"] = outcome_names(record.outcomes, needles)
    return fields | {"raw": raw.hex()}


def _plain(value: Any) -> Any:
    return value.name.lower() if isinstance(value, Enum) else value


def _most_needles(report: SessionReport) -> int:
    """As many as any cycle has: an array may have been changed against the session's own number."""
    cycles = (raw for raw in report.records if raw[KIND_OFFSET] == RecordKind.CYCLE)
    return max([report.needles, *(len(_record_fields(raw).get("outcomes", ())) for raw in cycles)])
