"""The list of sessions: what was stored at the close, read page by page, whatever the size of the log."""

import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from devicectl.cli import call
from devicectl.log import reader as reading
from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from devicectl.session.count import Counts
from protocols.language.enums import Ending, Phase
from protocols.language.records import encode_record
from protocols.text.notice import NOTICE
from tests.integration.log.log_builders import a_batch, a_cycle, a_finish, a_start, a_stored_session, cycle_batch

STEPS = 10
"""Of SQLite's machine, between two counts of them."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


def multiply(path: Path, sessions: int, cycles: int) -> None:
    """A log of so many ended sessions of so many cycles each, by bulk insert: the first one again and again."""
    with SessionLog.open(path) as log:
        key = log.begin(a_start(course="spring"))
        log.store(key, cycle_batch(1, cycles))
        log.finish(key, a_finish(device_totals=Counts(cycles, cycles, 0, 0, 3 * cycles, 2 * cycles), cells_begun=None))
    with closing(sqlite3.connect(path)) as raw, raw:
        numbers = f"WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {sessions})"
        for table in ("sessions", "records", "cycles", "totals"):
            key_name, *names = (row[1] for row in raw.execute(f"PRAGMA table_info({table})"))
            columns = ", ".join(names)
            raw.execute(
                f"INSERT INTO {table} ({key_name}, {columns}) {numbers} SELECT k, {columns} FROM n, {table} "
                f"WHERE {key_name} = 1 AND k > 1"
            )


def steps_of(path: Path, act: Callable[[LogReader], object]) -> int:
    """How many steps SQLite's machine takes for what is done with a reader: a measure that no load changes."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += STEPS
        return 0

    with LogReader.open(path) as reader:
        raw: Any = reader._connection.connection.driver_connection
        raw.set_progress_handler(count, STEPS)
        act(reader)
        raw.set_progress_handler(None, 0)
    return taken


# --- it costs what is shown, not what there is


def test_a_list_does_not_read_what_sessions_are_made_of(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    multiply(small, 20, 10)
    multiply(large, 20, 1_000)
    steps = [steps_of(path, lambda reader: list(reader.sessions())) for path in (small, large)]
    assert steps[0] > 100 and steps[0] == pytest.approx(steps[1], abs=2 * STEPS)


@pytest.mark.parametrize("course", [None, "spring"])
def test_the_last_sessions_cost_the_same_in_a_log_of_any_size(tmp_path: Path, course: str | None) -> None:
    def last(reader: LogReader) -> None:
        assert len(list(reader.sessions(last=20, course=course))) == 20

    steps = {}
    for sessions in (100, 2_000):
        multiply(tmp_path / str(sessions), sessions, 1)
        steps[sessions] = steps_of(tmp_path / str(sessions), last)
    assert steps[2_000] - steps[100] <= 2 * STEPS


@pytest.mark.parametrize("course", [None, "spring"])
def test_a_whole_list_costs_the_same_a_session_in_a_log_of_any_size(tmp_path: Path, course: str | None) -> None:
    each = {}
    for sessions in (200, 2_000):
        path = tmp_path / str(sessions)
        multiply(path, sessions, 1)
        each[sessions] = steps_of(path, lambda reader: list(reader.sessions(course=course))) / sessions
    assert each[2_000] <= 1.1 * each[200]


def test_a_list_is_read_as_it_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SESSIONS_A_PAGE", 10)
    multiply(path, 95, 1)
    first = steps_of(path, lambda reader: next(reader.sessions()))
    every = steps_of(path, lambda reader: list(reader.sessions()))
    assert first < every / 5


@pytest.mark.parametrize("sessions", [1, 9, 10, 11, 20, 25])
def test_pages_leave_out_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, sessions: int) -> None:
    monkeypatch.setattr(reading, "SESSIONS_A_PAGE", 10)
    multiply(path, sessions, 1)
    with LogReader.open(path) as reader:
        assert [summary.key for summary in reader.sessions()] == list(range(1, sessions + 1))
        assert [summary.key for summary in reader.sessions(last=3)] == list(range(1, sessions + 1))[-3:]


# --- which


@pytest.fixture
def courses(path: Path) -> Iterator[LogReader]:
    with SessionLog.open(path) as log:
        for course in ("spring", None, "autumn", "spring", "spring"):
            a_stored_session(log, course=course)
    with LogReader.open(path) as reader:
        yield reader


@pytest.mark.parametrize(
    ("course", "last", "keys"),
    [
        (None, None, [1, 2, 3, 4, 5]),
        (None, 2, [4, 5]),
        (None, 5, [1, 2, 3, 4, 5]),
        (None, 99, [1, 2, 3, 4, 5]),
        ("spring", None, [1, 4, 5]),
        ("spring", 2, [4, 5]),
        ("autumn", 2, [3]),
        ("winter", 2, []),
        ("winter", None, []),
    ],
)
def test_the_last_of_a_course(courses: LogReader, course: str | None, last: int | None, keys: list[int]) -> None:
    assert [summary.key for summary in courses.sessions(course=course, last=last)] == keys


@pytest.mark.parametrize(("course", "count"), [(None, 5), ("spring", 3), ("winter", 0)])
def test_how_many_there_are(courses: LogReader, course: str | None, count: int) -> None:
    assert courses.count(course) == count


# --- what was stored at the close, and what has come after it


def an_odd_session(log: SessionLog) -> int:
    """One whose journal has an earlier session's cycle, a cycle that ended twice, and one that was aborted."""
    key = log.begin(a_start(first_cycle_no=3))
    own = [
        a_cycle(3, 3, cell=0),
        a_cycle(4, 3, cell=5),
        a_cycle(5, 4, cell=7, ending=Ending.ABORTED, phase=Phase.PUNCH, outcomes=0x333),
        a_cycle(6, 5, cell=7, ending=Ending.AMBIGUOUS, outcomes=0x444),
    ]
    log.store(key, a_batch(1, [encode_record(cycle) for cycle in (a_cycle(1, 1), a_cycle(2, 2, cell=9), *own)]))
    return key


def totals(path: Path) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return list(raw.execute("SELECT * FROM totals ORDER BY session_key"))


def test_the_close_stores_what_the_fold_comes_to(path: Path) -> None:
    with SessionLog.open(path) as log:
        key = an_odd_session(log)
        assert totals(path) == []
        log.finish(key, a_finish())
        counts = log.load(key).counts
    assert counts == Counts(cycles=3, completed=1, aborted=1, ambiguous=1, punctures=9, cores_counted=2)
    assert totals(path) == [(key, 7, 3, 1, 1, 1, 9, 2, 2)]
    with LogReader.open(path) as reader:
        (listed,) = reader.sessions()
        assert (listed.counts, listed.cells_begun) == (counts, 2)


def test_a_session_without_a_cycle_has_totals_too(path: Path) -> None:
    with SessionLog.open(path) as log:
        log.finish(log.begin(a_start()), a_finish(state="aborted"))
    assert totals(path) == [(1, 1, 0, 0, 0, 0, 0, 0, 0)]


def test_an_end_that_is_stored_again_has_its_totals_once(path: Path) -> None:
    with SessionLog.open(path) as log:
        key = a_stored_session(log)
        log.store(key, cycle_batch(5, 2))
        log.finish(key, a_finish())
    assert totals(path) == [(key, 7, 6, 6, 0, 0, 18, 12, 1)]


def test_what_came_after_the_close_is_in_the_list(path: Path) -> None:
    with SessionLog.open(path) as log:
        key = a_stored_session(log)
        log.store(key, cycle_batch(5, 2))
        assert totals(path) == [(key, 5, 4, 4, 0, 0, 12, 8, 1)]
    with LogReader.open(path) as reader:
        (listed,) = reader.sessions()
        assert listed.counts.cycles == 6
        assert reader.session(key).counts.cycles == 6


def test_a_session_shows_where_its_list_would_say_otherwise(path: Path) -> None:
    with SessionLog.open(path) as log:
        key = a_stored_session(log)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE totals SET cores_counted = 9, cells = 3")
    with LogReader.open(path) as reader:
        report = reader.session(key)
    assert report.differences == ("cores_counted: 9 at the close, 8 here", "cells: 3 at the close, 1 here")
    assert report.summary.reconciled is False and report.counts.cores_counted == 8


# --- as the command line prints it


def listed(path: Path, *arguments: str, code: int = 0) -> tuple[list[str], str]:
    """Lines of standard output, and what is said on standard error."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        assert call(["sessions", "list", "--log", str(path), *arguments]) == code, said.getvalue()
    return out.getvalue().splitlines(), said.getvalue()


@pytest.mark.parametrize(
    ("arguments", "keys", "said"),
    [
        ((), range(11, 61), "the last 50 of 60 sessions; --last all lists every one\n"),
        (("--last", "2"), (59, 60), "the last 2 of 60 sessions; --last all lists every one\n"),
        (("--last", "60"), range(1, 61), ""),
        (("--last", "all"), range(1, 61), ""),
        (("--course", "spring", "--last", "all"), range(1, 61), ""),
        (("--course", "spring", "--last", "1"), (60,), "the last 1 of 60 sessions; --last all lists every one\n"),
    ],
)
def test_the_last_are_listed_and_how_many_there_are(
    path: Path, arguments: tuple[str, ...], keys: range, said: str
) -> None:
    multiply(path, 60, 1)
    lines, told = listed(path, *arguments)
    assert lines[0] == NOTICE and [int(line.split("\t")[0]) for line in lines[2:]] == list(keys)
    assert told == said
    objects, told = listed(path, *arguments, "--json")
    assert [json.loads(line)["session_id"] for line in objects] == list(keys) and told == said


def test_json_has_what_an_export_has_of_a_session(path: Path) -> None:
    with SessionLog.open(path) as log:
        a_stored_session(log, course="J\xf6rg")
    (line,), _ = listed(path, "--json")
    item = json.loads(line)
    assert (item["notice"], item["simulated"], item["course"]) == (NOTICE, True, "J\xf6rg")
    assert (item["session_date"], item["cores_counted"], item["reconciled"]) == ("2024-03-01", 8, True)
    assert "J\xf6rg" in line, "as a person reads it"


def test_nothing_to_list(path: Path) -> None:
    assert listed(path)[0] == [NOTICE, f"no session yet in {path}"]
    assert listed(path, "--json") == ([], "")
    with SessionLog.open(path) as log:
        a_stored_session(log)
    assert listed(path, "--course", "winter")[0] == [NOTICE, f"no session of course winter in {path}"]
    assert listed(path, "--course", "winter", "--json") == ([], "")


@pytest.mark.parametrize("last", ["0", "-1", "x", "1.5", "1_0", "\uff11", "", "9999999999"])
def test_what_is_no_number_of_sessions_is_exit_2(path: Path, last: str) -> None:
    assert "--last" in listed(path, "--last", last, code=2)[1]
