"""The debrief of a lesson that the log has, and `devicectl report`: what it prints, and how it ends."""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devicectl.cli import call
from devicectl.log.errors import LogError
from devicectl.log.lessons.lesson import LessonStart, StoredLesson
from devicectl.log.lessons.store import LessonLog
from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from devicectl.station.debrief.page import debrief_page
from devicectl.station.debrief.stored import DebriefError, debrief_of, facts_of_stored
from protocols.language.units import SECOND, Micros
from protocols.text.notice import NOTICE
from tests.unit.devicectl.station.debrief.execution.lessons import SEED, TEXT, acts, began, late_stop

HOSTILE = "<script>alert(1)</script>\x1b[2J"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of one lesson that was closed, an attempt that was given up for it, and one that is unfinished."""
    path = tmp_path / "log.sqlite"
    monkeypatch.setenv("DEVICECTL_LOG", str(path))
    at_us = began()
    with SessionLog.open(path, wall_clock=lambda: datetime(2026, 3, 1, 10, 5, tzinfo=UTC)) as log:
        lessons = LessonLog(log)
        start = LessonStart(title="Suction leak", text=TEXT, seed=SEED, station=2, trainee=HOSTILE)
        first = lessons.begin(start)
        for act in late_stop()[:3]:
            lessons.append(first, act)
        lessons.end(first, at_us=at_us + 10 * SECOND)
        second = lessons.begin(replace(start, parent=first, parent_at_us=at_us + 2 * SECOND))
        for act in (*late_stop()[:1], *acts((4.0, "trainee", "stop", {}), (6.0, "trainee", "close", {}))):
            lessons.append(second, act)
        lessons.end(second, at_us=at_us + 8 * SECOND)
        third = lessons.begin(replace(start, trainee=""))
        lessons.append(third, late_stop()[0])
    return path


@pytest.fixture
def reader(path: Path) -> Iterator[LogReader]:
    with LogReader.open(path) as opened:
        yield opened


def test_a_lesson_of_the_log_is_executed_again(reader: LogReader) -> None:
    facts = facts_of_stored(reader.lesson(1))
    assert [one.outcome for one in facts.checks] == ["failed", "passed", "not_judged"]
    assert (facts.heading.title, facts.heading.lesson_no, facts.heading.station) == ("Suction leak", 1, 2)
    assert facts.heading.other_version == "" and facts.ending.lasts_us == 10 * SECOND
    assert [one.why_not == "" for one in facts.comparisons] == [True, True, False]


def test_the_attempts_before_it_are_named(reader: LogReader) -> None:
    page = debrief_of(2, reader.lesson)
    assert "is lesson 1, ended at 0:10.0; the class went back to 0:02.0" in page
    assert "2026-03-01 10:05 UTC" in page


def test_one_that_is_unfinished_goes_up_to_its_last_act(reader: LogReader) -> None:
    assert facts_of_stored(reader.lesson(3)).ending.lasts_us == 1 * SECOND


def test_one_that_goes_on_is_shown_up_to_now_and_has_failed_nothing_by_its_end(reader: LogReader) -> None:
    stored = reader.lesson(3)
    facts = facts_of_stored(stored, until=Micros(began() + 9 * SECOND))
    assert facts.ending.lasts_us == 9 * SECOND
    assert "This lesson is not over: the page shows its first" in debrief_page(facts)
    over = replace(stored.summary, ended_us=began() + 9 * SECOND)
    ended = facts_of_stored(StoredLesson(over, stored.acts))
    goes_on, at_its_end = ([one.passed for one in some.checks] for some in (facts, ended))
    assert goes_on != at_its_end and None in goes_on
    assert [own if own is not None else end for own, end in zip(goes_on, at_its_end, strict=True)] == at_its_end


def test_one_in_which_nothing_was_done_is_shown(reader: LogReader) -> None:
    stored = reader.lesson(3)
    facts = facts_of_stored(StoredLesson(stored.summary, ()))
    assert facts.ending.lasts_us == 0 and "Nothing happened." in debrief_page(facts)


def test_another_version_is_said(reader: LogReader) -> None:
    stored = reader.lesson(1)
    older = StoredLesson(replace(stored.summary, version="0.0.1"), stored.acts)
    assert facts_of_stored(older).heading.other_version.startswith("held by 0.0.1, executed again by ")


def broken(stored: StoredLesson, **changes: object) -> str:
    with pytest.raises(DebriefError) as caught:
        facts_of_stored(replace(stored, **changes))  # type: ignore[arg-type]
    return str(caught.value)


def test_what_cannot_be_executed_again_is_said_in_a_line(reader: LogReader) -> None:
    stored = reader.lesson(2)
    after_the_close = stored.acts[1]._replace(at_us=stored.acts[-1].at_us + SECOND)
    assert broken(stored, acts=(*stored.acts, after_the_close)) == (
        "lesson 2 cannot be executed again: stop is not possible"
    )
    unknown = stored.acts[1]._replace(name="fly")
    assert "there is no act 'fly'" in broken(stored, acts=(unknown,))
    text = replace(stored.start, text="lesson: {titel: a}")
    older = replace(stored.summary, start=text, version="0.0.1")
    said = broken(stored, summary=older)
    assert "lesson 2: line 1" in said and "held by 0.0.1" in said and "\n" not in said


# --- the command


def run(*arguments: str | Path, code: int = 0, out: io.StringIO | None = None) -> tuple[str, str]:
    out, err = out or io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        found = call(["report", *map(str, arguments)])
    assert found == code, out.getvalue() + err.getvalue()
    return out.getvalue(), err.getvalue()


def refused(*arguments: str | Path, code: int = 2, out: io.StringIO | None = None) -> str:
    said, err = run(*arguments, code=code, out=out)
    assert not said and err.count("\n") == 1
    return err


def test_without_a_number_lessons_are_listed(path: Path) -> None:
    lines = run()[0].splitlines()
    assert lines[0] == NOTICE and lines[1].split("\t")[:3] == ["id", "date", "lesson"]
    trainee = "<script>alert(1)</script>\\x1b[2J"
    assert lines[2].split("\t") == ["1", "2026-03-01", "Suction leak", trainee, "2", "3", "given up", "-"]
    assert lines[4].split("\t")[3:] == ["-", "2", "1", "unfinished", "-"]


def test_a_log_without_a_lesson_or_no_log_at_all_says_so(tmp_path: Path) -> None:
    assert "no lesson yet in" in run("--log", tmp_path / "nothing")[0]
    SessionLog.open(tmp_path / "log").close()
    assert "no lesson yet in" in run("--log", tmp_path / "log")[0]


def test_the_page_is_the_same_on_standard_output_and_in_a_file(path: Path, tmp_path: Path) -> None:
    page = run("2")[0]
    out, _ = run("2", "--out", tmp_path / "debrief.html")
    assert (tmp_path / "debrief.html").read_bytes() == page.encode()
    assert out == f"{NOTICE}\ndebrief of lesson 2 written to {tmp_path / 'debrief.html'}\n"
    assert page.startswith("<!doctype html>") and "<script" not in page and "\x1b" not in page


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_page_is_not_poured_into_a_terminal(path: Path) -> None:
    assert "name a file" in refused("2", out=Terminal())


def test_terminal_of_80_columns_lists_who_each_lesson_was_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = re.sub("\x1b\\[[0-9;]*m", "", run(out=Terminal())[0]).splitlines()
    assert "trainee" in lines[1].split() and "<script>" in lines[3]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("number", ["4", "0", "99999999999"])
def test_a_lesson_that_is_not_there_is_one_line_and_exit_2(path: Path, number: str) -> None:
    assert f"has no lesson {number}: `devicectl report` lists those it has" in refused(number)


def test_a_wrong_command_line_is_one_line_and_exit_2(path: Path, tmp_path: Path) -> None:
    assert "'x' is not a whole number" in refused("x")
    assert "cannot be used with no ID" in refused("--out", tmp_path / "page.html")
    before = path.read_bytes()
    assert re.search("--out.*--log|--out.*DEVICECTL_LOG", refused("1", "--out", path))
    assert path.read_bytes() == before
    assert "cannot write" in refused("1", "--out", tmp_path / "no" / "page.html")


def test_a_lesson_that_cannot_be_executed_again_is_exit_4_and_writes_nothing(path: Path, tmp_path: Path) -> None:
    with SessionLog.open(path) as log:
        lessons = LessonLog(log)
        lessons.append(3, late_stop()[0]._replace(name="fly"))
    assert "lesson 3 cannot be executed again" in refused("3", "--out", tmp_path / "page.html", code=4)
    assert not (tmp_path / "page.html").exists()


def test_an_earlier_attempt_that_is_gone_is_said(reader: LogReader) -> None:
    def load(key: int) -> StoredLesson:
        stored = reader.lesson(2)
        return replace(stored, summary=replace(stored.summary, start=replace(stored.start, parent=99)))

    with pytest.raises(LogError, match="no lesson 99"):
        debrief_of(2, lambda key: load(key) if key == 2 else reader.lesson(key))
