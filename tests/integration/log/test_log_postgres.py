"""The session log on PostgreSQL: the same calls, a cluster of our own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.lessons.store import LessonLog
from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from devicectl.session.entries import Note
from protocols.language.messages import TruthGetDone
from protocols.language.records import encode_record
from tests.integration.log.log_builders import EPOCH, a_batch, a_cycle, a_finish, a_start, a_stored_session, cycle_batch
from tests.integration.log.test_log_lessons import INJECT, PRESS, a_lesson, missing
from tests.integration.log.test_log_migration import FIRST_VERSION

TRUTH = TruthGetDone(
    session_no=1, cycles_commanded=4, cycles_completed=4, punctures=12, cores_evacuated=9, cores_counted=8, clogs=0
)


@pytest.fixture(scope="module")
def url(program: Callable[[str], str], package: Callable[[str], None]) -> Iterator[str]:
    """A cluster that listens on a socket in its own folder and ends with the module. It refuses to run as root."""
    package("psycopg")
    programs = Path(program("initdb")).parent
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data, control = folder / "data", programs / "pg_ctl"
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        commands: list[list[str | Path]] = [
            [programs / "initdb", "-D", data, "-U", "log", "-A", "trust", "-E", "UTF8"],
            [control, "-D", data, "-o", options, "-l", folder / "log", "-w", "start"],
        ]
        for command in commands:
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql+psycopg://log@/postgres?host={folder}"
        finally:
            subprocess.run([control, "-D", data, "-m", "immediate", "stop"], check=True, user=user, cwd=folder,
                           stdout=subprocess.DEVNULL)  # fmt: skip
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def log(url: str) -> Iterator[SessionLog]:
    with SessionLog.open(url) as opened:
        yield opened


def test_everything_comes_back(log: SessionLog, url: str) -> None:
    key = a_stored_session(log, course="spring", seed=2**70)
    log.note(key, [Note("action", 2**40, "pause", "\u20ac", None)])
    log.store_truth(key, TRUTH)
    report = log.load(key)
    assert report.summary.reconciled and report.differences == () and report.truth is not None
    assert report.records == cycle_batch(1, 4).records and len(report.notes) == 1
    assert log.neighbors_in_course("spring", date(2024, 3, 1))[0] == (date(2024, 3, 1), key)
    with LogReader.open(url) as reader:
        assert reader.session(key) == report
        assert report.summary in list(reader.sessions())


def test_an_earlier_version_is_read_as_it_is_and_migrated_once(log: SessionLog, url: str) -> None:
    key = a_stored_session(log, course="early")
    log.note(key, [Note("action", 1, "pause", "", None)])
    log.close()
    with create_engine(url).begin() as raw:
        for statement in FIRST_VERSION:
            raw.exec_driver_sql(statement)
    raw.engine.dispose()
    with LogReader.open(url) as reader:
        before = list(reader.sessions(course="early"))
        report = reader.session(key)
    assert [summary.counts.cycles for summary in before] == [4]
    for _ in range(2):
        with SessionLog.open(url) as again:
            assert again.load(key) == report
    with LogReader.open(url) as reader:
        assert list(reader.sessions(course="early")) == before
        assert reader.session(key) == report


def test_batches_are_passed_over_or_refused_as_on_sqlite(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    log.store(key, cycle_batch(3, 4))
    assert log.load(key).counts.cycles == 6
    with pytest.raises(LogError) as caught:
        log.store(key, cycle_batch(8, 1))
    assert caught.value.kind is LogErrorKind.OUT_OF_ORDER
    with pytest.raises(LogError) as caught:
        log.note(key + 1_000, [Note("action", 1, "pause", "", None)])
    assert caught.value.kind is LogErrorKind.MISSING
    found = log.find("SIM-0007", EPOCH, 1)
    assert found is not None and (found.key, log.load(key).next_event_no) == (key, 7)
    log.finish(key, a_finish(state="aborted"))


def test_lessons_come_back_as_on_sqlite(log: SessionLog, url: str) -> None:
    lessons = LessonLog(log)
    first = lessons.begin(a_lesson(seed=2**70, trainee="\u20ac"))
    key = lessons.begin(a_lesson(parent=first, parent_at_us=2**40))
    for act in (PRESS, INJECT):
        lessons.append(key, act)
    assert missing(lessons.append, key + 1_000, PRESS)
    lessons.end(key, at_us=2**40, session_key=a_stored_session(log))
    assert [summary.key for summary in lessons.unfinished()] == [first]
    with LogReader.open(url) as reader:
        assert reader.lesson(key) == lessons.load(key)
        assert reader.lesson(key).acts == (PRESS, INJECT)


def test_u32_fits(log: SessionLog) -> None:
    top = 2**32 - 1
    key = log.begin(a_start(first_event_no=top - 1, first_cycle_no=top, session_no=top, epoch=top))
    cycle = a_cycle(top - 1, top, uptime_ms=top, cell=65_535, total_punctures=3, total_cores_counted=2)
    log.store(key, a_batch(top - 1, [encode_record(cycle)], epoch=top))
    assert log.load(key).differences == ()


def test_a_server_that_is_not_there(url: str) -> None:
    with pytest.raises(LogError) as caught:
        SessionLog.open("postgresql+psycopg://log:secret@/postgres?host=/nowhere")
    assert caught.value.kind is LogErrorKind.UNWRITABLE
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)
