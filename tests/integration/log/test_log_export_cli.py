"""`devicectl sessions export`: which sessions, as what, and where to."""

import csv
import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from devicectl.cli import call
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from protocols.text.notice import NOTICE
from tests.integration.log.log_builders import a_stored_session


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Three sessions of two courses, with a note each."""
    path = tmp_path / "log.sqlite"
    with SessionLog.open(path) as log:
        for number, course in enumerate(("spring", "autumn", "spring"), start=1):
            key = a_stored_session(log, course=course, session_no=number)
            log.note(key, [Note("action", 5, "pause", f"of {number}", None)])
    return path


def export(path: Path, *arguments: str | Path, code: int = 0) -> str:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        found = call(["sessions", "export", "--log", str(path), *map(str, arguments)])
    assert found == code, said.getvalue()
    return said.getvalue()


def rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(("table", "each"), [("sessions", 1), ("cycles", 4), ("notes", 1)])
@pytest.mark.parametrize(
    ("which", "sessions"),
    [((), "123"), (("2",), "2"), (("--course", "spring"), "13"), (("--course", "winter"), "")],
    ids=["all", "one", "a course", "no such course"],
)
def test_the_sessions_that_are_asked_for(
    path: Path, table: str, each: int, which: tuple[str, ...], sessions: str
) -> None:
    found = rows(export(path, *which, "--table", table))
    assert [row["session_id"] for row in found] == [session for session in sessions for _ in range(each)]


def test_cycles_are_the_table_unless_another_is_asked_for(path: Path) -> None:
    assert export(path, "1") == export(path, "1", "--table", "cycles") == export(path, "1", "--format", "csv")
    assert [row["cycle_no"] for row in rows(export(path, "1"))] == ["1", "2", "3", "4"]


def test_json_lines_of_each_session(path: Path) -> None:
    items = [json.loads(line) for line in export(path, "--format", "jsonl").splitlines()]
    assert [item["session_id"] for item in items if item["type"] == "session"] == [1, 2, 3]
    assert [item["type"] for item in items].count("header") == 3
    assert export(path, "2", "--format", "jsonl") in export(path, "--format", "jsonl")


@pytest.mark.parametrize(
    ("options", "start", "delimiter", "coverage"),
    [
        ((), "notice,", ",", "1.005"),
        (("--excel",), "\ufeffnotice;", ";", "1,005"),
        (("--excel", "--delimiter", "comma"), "\ufeffnotice,", ",", "1.005"),
        (("--excel", "--delimiter", "tab"), "\ufeffnotice\t", "\t", "1.005"),
        (("--delimiter", "semicolon"), "notice;", ";", "1.005"),
        (("--delimiter", "tab"), "notice\t", "\t", "1.005"),
    ],
)
def test_as_spreadsheets_take_it(
    path: Path, options: tuple[str, ...], start: str, delimiter: str, coverage: str
) -> None:
    text = export(path, "--table", "sessions", *options)
    assert text.startswith(start)
    assert [row["coverage_percent"] for row in rows(text, delimiter)] == [coverage] * 3


def test_a_file_has_what_standard_output_has(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export(path, "--excel", "-o", out) == f"{NOTICE}\nsessions written to {out}\n"
    assert out.read_bytes().decode() == export(path, "--excel")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "jsonl", "--table", "notes"), "--table"),
        (("--format", "jsonl", "--excel"), "--excel"),
        (("--format", "jsonl", "--delimiter", "tab"), "--delimiter"),
        (("1", "--course", "spring"), "--course"),
        (("--course", " "), "--course"),
        (("--table", "all"), "'all' is not one of sessions, cycles, notes (see"),
        (("--delimiter", "|"), "'|' is not one of comma, semicolon, tab (see"),
        (("--format", "xlsx"), "'xlsx' is not one of csv, jsonl (see"),
        (("9",), "has no session 9"),
    ],
)
def test_what_does_not_go_together_is_exit_2_and_touches_no_file(
    path: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    out = tmp_path / "out"
    out.write_text("kept")
    assert said in export(path, *arguments, "-o", out, code=2)
    assert out.read_text() == "kept"


def test_without_a_log_there_is_nothing_to_export(tmp_path: Path) -> None:
    assert "is not there" in export(tmp_path / "none", "--table", "sessions", code=2)
