"""`devicectl sessions`: what it prints, and how it ends."""

import csv
import io
import json
import math
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from pathlib import Path

import pytest

from devicectl.cli import call, sessions
from devicectl.log.connection import parse_where, show
from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.reader import LogReader
from devicectl.log.report import SessionSummary
from devicectl.log.store import SessionLog
from devicectl.session.count import Counts
from devicectl.session.entries import Note
from protocols.language.messages import TruthGetDone
from protocols.text.notice import NOTICE
from tests.integration.log.log_builders import a_finish, a_start, a_stored_session, cycle_batch

TRUTH = TruthGetDone(
    session_no=1, cycles_commanded=4, cycles_completed=4, punctures=12, cores_evacuated=9, cores_counted=8, clogs=0
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of one whole session, one that is open, and one that disagrees; the default one."""
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("DEVICECTL_LOG", str(path))
    with SessionLog.open(path) as log:
        log.store_truth(a_stored_session(log, course="spring"), TRUTH)
        log.store(log.begin(a_start(session_no=2)), cycle_batch(1, 1))
        odd = log.begin(a_start(session_no=3, device="evil\x1b[2J[red]"))
        log.store(odd, cycle_batch(1, 3), [Note("warning", 1_500_000, "not saved", "the disk\nis full", None)])
        log.finish(odd, a_finish(state="faulted"))
    return path


def run(*arguments: str | Path, code: int = 0) -> str:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        found = call(["sessions", *map(str, arguments)])
    assert found == code, said.getvalue()
    return said.getvalue().replace("\r\n", "\n")


def table(output: str) -> list[list[str]]:
    return [line.split("\t") for line in output.splitlines()]


def test_no_password_is_shown_of_an_empty_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(where: str) -> LogReader:
        raise LogError(LogErrorKind.MISSING, show(parse_where(where)), "is empty")

    monkeypatch.setattr(LogReader, "open", empty)
    said = run("list", "--log", "postgresql://me:hunter2@host/x")
    assert said == f"{NOTICE}\nno session yet in postgresql://***@host/x\n"


def test_list(path: Path) -> None:
    lines = table(run("list"))
    assert lines[0] == [NOTICE]
    assert lines[1] == ["id", "date", "course", "device", "state", "counted", "evacuated", "coverage", "reconciled"]
    assert lines[2] == ["1", "2024-03-01", "spring", "SIM-0007", "completed", "8", "9", "1.01 %", "yes"]
    assert lines[3] == ["2", "2024-03-01", "-", "SIM-0007", "open", "2", "-", "0.25 %", "-"]
    assert lines[4][3] == "evil\\x1b[2J[red]" and len(lines) == 5


def test_show(path: Path) -> None:
    output = run("show", "1")
    assert output.startswith(NOTICE + "\n")
    shown = {line[0]: line[1] for line in table(output)[1:]}
    assert (shown["reconciled"], shown["course"], shown["date"]) == ("yes", "spring", "2024-03-01")
    assert shown["cores counted"] == "8 of 10000" and shown["cores evacuated"] == "9 (ground truth)"
    assert shown["cycles"] == "4: 4 completed, 0 aborted, 0 ambiguous"
    assert shown["coverage"] == "1.01 % of 1 cm2, planned 6 %"
    assert shown["simulated"] == "yes, seed 7, model 1"


def test_list_show_and_export_reckon_coverage_with_the_sessions_own_needles(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with SessionLog.open(path) as log:
        a_stored_session(log, core_diameter_um=300)
    coverage = 8 * 0.15**2 * math.pi  # 8 cores of 1 cm2
    assert table(run("list", "--log", path))[2][7] == f"{coverage:.2f} %" == "0.57 %"
    shown = {line[0]: line[1] for line in table(run("show", "1", "--log", path))[1:]}
    assert shown["coverage"] == "0.57 % of 1 cm2, planned 6 %"
    assert shown["punctures"] == "12 by 3 needles of 0.3 mm"
    (row,) = csv.DictReader(io.StringIO(run("export", "1", "--table", "sessions", "--log", path)))
    assert (row["core_diameter_um"], row["coverage_percent"]) == ("300", f"{coverage:.3f}")
    lines = run("export", "1", "--format", "jsonl", "--log", path).splitlines()
    assert json.loads(lines[1])["core_diameter_um"] == 300
    assert json.loads(lines[-1])["coverage_percent"] == round(coverage, 3)


def test_show_says_why_a_session_is_not_reconciled(path: Path) -> None:
    output = run("show", "3")
    assert "reconciled\tno\n" in output
    assert "not reconciled: cycles: 4 on the device, 3 here\n" in output
    assert "1.500\t-\twarning\tnot saved\tthe disk\\nis full\n" in output
    assert "\x1b" not in output


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_export(path: Path, tmp_path: Path, format: str) -> None:
    printed = run("export", "1", "--format", format)
    assert NOTICE in printed.splitlines()[1 if format == "csv" else 0]
    file = tmp_path / "out"
    said = run("export", "1", "--format", format, "--output", file)
    assert file.read_text() == printed
    assert said == f"{NOTICE}\nsession 1 written to {file}\n"
    if format == "csv":
        assert len(list(csv.DictReader(io.StringIO(printed)))) == 4
    else:
        assert [json.loads(line)["type"] for line in printed.splitlines()][-1] == "summary"


def test_a_file_that_cannot_be_written(path: Path, tmp_path: Path) -> None:
    assert "cannot be written" in run("export", "1", "--format", "csv", "--output", tmp_path / "no" / "x", code=2)


@pytest.mark.parametrize("command", [("show", "9"), ("export", "9", "--format", "csv")])
def test_a_wrong_number_is_one_line_and_exit_2(path: Path, command: tuple[str, ...]) -> None:
    for number in ("9", "0", "99999999999999999999"):
        output = run(*(number if word == "9" else word for word in command), code=2)
        said = f"has no session {number}: `devicectl sessions list` shows those it has"
        assert output == f"devicectl: session log {path}: {said}\n"


def test_what_is_no_number_is_exit_2(path: Path) -> None:
    run("show", "one", code=2)
    run("export", "1", "--format", "xml", code=2)


def test_no_log_yet(tmp_path: Path) -> None:
    missing = tmp_path / "none.sqlite"
    assert run("list", "--log", missing) == f"{NOTICE}\nno session yet in {missing}\n"
    assert "is not there: the first `devicectl run` makes it" in run("show", "1", "--log", missing, code=2)
    assert not missing.exists()


def test_an_empty_log(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    SessionLog.open(path).close()
    assert run("list", "--log", path) == f"{NOTICE}\nno session yet in {path}\n"


@pytest.mark.parametrize("command", [("list",), ("show", "1"), ("export", "1", "--format", "csv")])
def test_a_log_that_cannot_be_read_is_one_line_and_exit_4(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "log.sqlite"
    path.write_text("no database at all\n" * 100)
    output = run(*command, "--log", path, code=4)
    said = f"devicectl: session log {path}: it is no SQLite database: name another file\n"
    assert output.removeprefix(NOTICE + "\n") == said


def test_on_a_terminal_there_are_rich_tables(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    sessions.list_sessions()
    output = capsys.readouterr().out
    assert output.startswith(NOTICE) and "\u2500" in output and "spring" in output and "evacuated" in output
    assert "evil\\x1b[2J[red]" in output


@pytest.mark.parametrize(
    ("columns", "shown", "left_out"),
    [
        (100, ("a course of sev\u2026", "4.03 %", "evacuated"), ()),
        (80, ("a cour\u2026", "SIM-00000007", "4.03 %", "reconciled"), ("evacuated",)),
        (62, ("SIM-00000007", "reconciled"), ("course", "4.03 %")),
        (40, ("12345",), ("SIM",)),
    ],
)
def test_a_narrow_terminal_has_fewer_columns_and_each_of_them_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    columns: int,
    shown: tuple[str, ...],
    left_out: tuple[str, ...],
) -> None:
    session = SessionSummary(
        key=123,
        state="completed",
        start=a_start(course="a course of several words", device="SIM-00000007", session_date=date(2026, 3, 1)),
        counts=Counts(4_200, 4_200, 0, 0, 12_600, 12_345),
        cores_evacuated=12_360,
        cells_begun=385,
        coverage_percent=4.029,
        reconciled=True,
        session_seconds=2_000.0,
        wall_seconds=4.0,
        began_wall=None,
        stored_wall=None,
    )
    SessionLog.open(tmp_path / "log.sqlite").close()
    monkeypatch.setattr(LogReader, "sessions", lambda self, **_: iter([session]))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    sessions.list_sessions(log=str(tmp_path / "log.sqlite"))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert len(lines) == 4 and max(map(len, lines[1:])) <= columns
    for text in ("123", "2026-03-01", "completed", *shown):
        assert text in lines[1] + lines[3]
    assert not [text for text in left_out if text in lines[1] + lines[3]]
