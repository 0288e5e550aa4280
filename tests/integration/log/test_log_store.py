"""The session log's writing: batches and their cursor, notes, ends, truth, and what a resuming host asks."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from devicectl.log.errors import LogError, LogErrorKind
from devicectl.log.reader import LogReader
from devicectl.log.store import SessionLog
from devicectl.session.count import Counts
from devicectl.session.entries import Batch, Note
from protocols.language.enums import Ending, Phase
from protocols.language.messages import TruthGetDone
from protocols.language.records import Gap, encode_record
from tests.integration.log.log_builders import (
    EPOCH,
    a_batch,
    a_cycle,
    a_finish,
    a_start,
    a_stored_session,
    cycle_batch,
)

ALARM = Note("alarm", 1_500, "MC-0401", "suction lost", 900)
ACTION = Note("action", 1_600, "pause", "", None)


@pytest.fixture(params=["file", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionLog]:
    where = "sqlite://" if request.param == "memory" else tmp_path / "log.sqlite"
    with SessionLog.open(where) as opened:
        yield opened


def cursor(log: SessionLog) -> int:
    return log.load(1).next_event_no


def refused(log: SessionLog, key: int, batch: Batch) -> str:
    before = log.load(1).records
    with pytest.raises(LogError) as caught:
        log.store(key, batch, [ALARM])
    assert caught.value.kind is LogErrorKind.OUT_OF_ORDER
    assert log.load(1).records == before and log.load(1).notes == ()
    return str(caught.value)


def test_each_commit_is_synced_and_readers_are_let_in(tmp_path: Path) -> None:
    """What SQLite itself says of the connection that writes: 2 is FULL."""
    with SessionLog.open(tmp_path / "log.sqlite") as log:
        log.begin(a_start())
        raw: Any = log._connection.connection.driver_connection
        assert raw.execute("PRAGMA synchronous").fetchone() == (2,)
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_keys_count_from_one(log: SessionLog) -> None:
    assert [log.begin(a_start()), log.begin(a_start())] == [1, 2]


def test_everything_comes_back(log: SessionLog) -> None:
    key = log.begin(a_start(course="spring", seed=2**70))
    log.store(key, cycle_batch(1, 4), [ALARM])
    log.note(key, [ACTION])
    log.finish(key, a_finish(wall_seconds=3.5), [ALARM])
    report = log.load(key)
    assert report.records == cycle_batch(1, 4).records
    assert report.notes == (ALARM, ACTION, ALARM)
    assert report.counts == report.device_totals == Counts(cycles=4, completed=4, punctures=12, cores_counted=8)
    assert (report.summary.state, report.summary.reconciled, report.differences) == ("completed", True, ())
    assert report.start == a_start(course="spring", seed=2**70)
    assert (report.summary.session_seconds, report.summary.wall_seconds) == (12.5, 3.5)
    assert report.next_event_no == 5


def test_a_batch_moves_the_cursor_with_its_rows(log: SessionLog) -> None:
    key = log.begin(a_start(first_event_no=1))
    assert cursor(log) == 1
    log.store(key, cycle_batch(1, 3))
    log.store(key, cycle_batch(4, 2))
    assert cursor(log) == 6 and log.load(key).records == cycle_batch(1, 5).records


def test_an_empty_batch_stores_its_notes(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, a_batch(1, []), [ALARM])
    assert cursor(log) == 1 and log.load(key).notes == (ALARM,)


def test_a_gap_moves_the_cursor_over_what_is_missing(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, a_batch(1, [encode_record(Gap(event_no=1, uptime_ms=0, missing=9))], next_event_no=10))
    log.store(key, a_batch(10, [encode_record(a_cycle(10, 1))]))
    report = log.load(key)
    assert cursor(log) == 11 and report.counts.cycles == 1
    assert report.differences == ("events 1..9 were overwritten on the device before they were read",)


@pytest.mark.parametrize(("first", "count"), [(1, 4), (1, 2), (3, 2), (1, 6), (3, 9)])
def test_what_is_stored_already_is_passed_over(log: SessionLog, first: int, count: int) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    log.store(key, cycle_batch(first, count))
    end = max(5, first + count)
    assert cursor(log) == end and log.load(key).records == cycle_batch(1, end - 1).records


def test_a_batch_beyond_the_cursor_is_refused(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    assert "is at event 5, the batch begins at 6" in refused(log, key, cycle_batch(6, 1))


def test_a_batch_of_another_epoch_is_refused(log: SessionLog) -> None:
    key = log.begin(a_start())
    assert "is of epoch 5, the batch of 6" in refused(log, key, a_batch(1, [encode_record(a_cycle(1))], epoch=6))


def test_a_record_that_came_again_must_be_the_same(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    changed = encode_record(a_cycle(4, ending=Ending.ABORTED))
    assert "event 4 of session 1 came again with other content" in refused(log, key, a_batch(4, [changed]))


@pytest.mark.parametrize("events", [[1, 1], [2, 1], [1, 9]], ids=str)
def test_events_that_do_not_rise_within_the_batch_are_refused(log: SessionLog, events: list[int]) -> None:
    key = log.begin(a_start())
    records = [encode_record(a_cycle(event_no)) for event_no in events]
    assert "is out of order in 1..2" in refused(log, key, a_batch(1, records))


def test_a_record_of_another_size_is_a_defect_of_the_caller(log: SessionLog) -> None:
    key = log.begin(a_start())
    with pytest.raises(ValueError, match="a record of 31 bytes, must be 32"):
        log.store(key, a_batch(1, [bytes(31)]))


def test_a_session_that_is_not_there(log: SessionLog) -> None:
    for act in (lambda: log.store(7, cycle_batch(1, 1)), lambda: log.load(7)):
        with pytest.raises(LogError, match="has no session 7") as caught:
            act()
        assert caught.value.kind is LogErrorKind.MISSING


@pytest.mark.parametrize("act", ["note", "finish", "truth"])
def test_nothing_is_said_of_a_session_that_is_not_there(log: SessionLog, act: str) -> None:
    truth = TruthGetDone(
        session_no=1, cycles_commanded=0, cycles_completed=0, punctures=0, cores_evacuated=0, cores_counted=0, clogs=0
    )
    with pytest.raises(LogError) as caught:
        match act:
            case "note":
                log.note(7, [ALARM])
            case "finish":
                log.finish(7, a_finish())
            case _:
                log.store_truth(7, truth)
    assert caught.value.kind is LogErrorKind.MISSING


def test_records_that_this_version_cannot_read_are_kept(log: SessionLog) -> None:
    key = log.begin(a_start())
    strange = (1).to_bytes(4, "little") + bytes(4) + b"\x77" + b"\xff" * 23
    log.store(key, a_batch(1, [strange]))
    assert log.records(key) == [strange]


def test_u32_fits_everywhere(log: SessionLog) -> None:
    key = log.begin(a_start(first_event_no=2**32 - 2, first_cycle_no=2**32 - 1, session_no=2**32 - 1, epoch=2**32 - 1))
    cycle = a_cycle(2**32 - 2, 2**32 - 1, uptime_ms=2**32 - 1, cell=65_535, total_punctures=3, total_cores_counted=2)
    log.store(key, a_batch(2**32 - 2, [encode_record(cycle)], epoch=2**32 - 1))
    assert log.load(key).differences == ()


def test_each_needle_s_outcome_is_in_a_column(tmp_path: Path) -> None:
    with SessionLog.open(tmp_path / "log.sqlite") as log:
        log.store(log.begin(a_start()), a_batch(1, [encode_record(a_cycle(1, outcomes=0x9_2_1))]))
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as raw:
        row = raw.execute("SELECT cycle_no, punctures, cores_counted, ending, outcomes FROM cycles").fetchone()
    assert row == (1, 3, 1, "completed", '["counted", "empty", "unknown 9"]')


def test_truth_stands_apart_and_may_be_asked_again(log: SessionLog) -> None:
    key = a_stored_session(log)
    assert log.load(key).truth is None and log.load(key).summary.cores_evacuated is None
    values: dict[str, Any] = {
        "cycles_commanded": 4,
        "cycles_completed": 4,
        "punctures": 12,
        "cores_evacuated": 9,
        "cores_counted": 8,
        "clogs": 1,
    }
    for _ in range(2):
        log.store_truth(key, TruthGetDone(session_no=1, **values))
    report = log.load(key)
    assert report.truth == values and report.summary.cores_evacuated == 9
    assert report.counts.cores_counted == 8


# --- counts are a fold, not a memory


def test_a_claim_that_the_records_do_not_bear_is_not_believed(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 3))
    log.finish(key, a_finish(reconciled=True, cells_begun=2))
    report = log.load(key)
    assert report.summary.reconciled is False and report.counts.cores_counted == 6
    assert "cores_counted: 8 on the device, 6 here" in report.differences
    assert "cells begun: 2 at the end of the session, 1 here" in report.differences


def test_a_session_that_was_not_reconciled_at_its_end_stays_so(log: SessionLog) -> None:
    """Also where nothing that is stored says why: what a reader finds now does not outweigh what both ends said."""
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    log.finish(key, a_finish(reconciled=False))
    report = log.load(key)
    assert report.differences == () and report.summary.reconciled is False


def test_an_end_without_the_device_s_totals_is_not_reconciled(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    log.finish(key, a_finish(state="faulted", reconciled=True))
    with log._connection.begin():
        log._connection.exec_driver_sql("UPDATE sessions SET device_cycles = NULL")
    assert log.load(key).differences == ("the device's own totals were not read",)


def test_an_open_session_is_neither(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, cycle_batch(1, 4))
    report = log.load(key)
    assert (report.summary.state, report.summary.reconciled, report.differences) == ("open", None, ())


def test_a_cursor_without_its_records_shows(log: SessionLog) -> None:
    key = log.begin(a_start())
    log.store(key, a_batch(1, [], next_event_no=4))
    assert log.load(key).differences == ("the cursor is at event 4, the records end before 1",)


def test_the_list_s_counts_are_the_fold_s(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    with SessionLog.open(path) as log:
        a_stored_session(log)
        log.begin(a_start(session_no=2))
        odd = log.begin(a_start(session_no=3, first_cycle_no=3))
        earlier = [encode_record(a_cycle(1, 1)), encode_record(a_cycle(2, 2, cell=9))]
        own = [
            encode_record(a_cycle(3, 3, cell=0)),
            encode_record(a_cycle(4, 3, cell=5)),
            encode_record(a_cycle(5, 4, cell=7, ending=Ending.ABORTED, phase=Phase.PUNCH, outcomes=0x333)),
        ]
        log.store(odd, a_batch(1, [*earlier, *own]))
    with LogReader.open(path) as reader:
        listed = list(reader.sessions())
        assert [summary.key for summary in listed] == [1, 2, 3]
        assert [reader.session(summary.key).summary for summary in listed] == listed
        assert listed[2].counts == Counts(cycles=2, completed=1, aborted=1, punctures=6, cores_counted=2)
        assert listed[2].cells_begun == 2


# --- resuming


def test_find_gives_what_a_resuming_host_needs(log: SessionLog) -> None:
    start = a_start(course="spring", session_date=date(2024, 5, 6))
    key = log.begin(start)
    log.store(key, cycle_batch(1, 4))
    stored = log.find("SIM-0007", EPOCH, 1)
    assert stored is not None
    assert (stored.key, stored.start) == (key, start)
    assert (stored.began_wall, stored.stored_wall) == (None, None)
    assert log.records(key) == list(cycle_batch(1, 4).records)


@pytest.mark.parametrize("other", [("SIM-0008", EPOCH, 1), ("SIM-0007", 6, 1), ("SIM-0007", EPOCH, 2)])
def test_find_does_not_take_another_session(log: SessionLog, other: tuple[str, int, int]) -> None:
    log.begin(a_start())
    assert log.find(*other) is None


def test_of_the_same_seed_run_twice_the_open_one_is_found_else_the_latest(log: SessionLog) -> None:
    first, second, third = (log.begin(a_start()) for _ in range(3))
    log.finish(first, a_finish())
    log.finish(third, a_finish())
    found = log.find("SIM-0007", EPOCH, 1)
    assert found is not None and found.key == second
    log.finish(second, a_finish(state="aborted"))
    found = log.find("SIM-0007", EPOCH, 1)
    assert found is not None and found.key == third


# --- the wall


def test_wall_times_come_from_the_clock_that_was_given(tmp_path: Path) -> None:
    times = iter([datetime(2024, 3, 1, 8, minute, tzinfo=UTC) for minute in range(3)])
    with SessionLog.open(tmp_path / "log.sqlite", wall_clock=lambda: next(times)) as log:
        key = log.begin(a_start())
        log.store(key, cycle_batch(1, 1))
        stored = log.find("SIM-0007", EPOCH, 1)
        assert stored is not None and stored.began_wall == datetime(2024, 3, 1, 8, 0, tzinfo=UTC)
        assert stored.stored_wall == datetime(2024, 3, 1, 8, 1, tzinfo=UTC)
        log.finish(key, a_finish())
        report = log.load(key)
        assert report.summary.began_wall == datetime(2024, 3, 1, 8, 0, tzinfo=UTC)
        assert report.summary.stored_wall == datetime(2024, 3, 1, 8, 2, tzinfo=UTC)


def test_without_a_clock_the_same_entries_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with SessionLog.open(tmp_path / name) as log:
            a_stored_session(log)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_log_in_memory_can_be_cleared_and_used_again() -> None:
    with SessionLog.open("sqlite://") as log:
        key = a_stored_session(log)
        log.note(key, [ACTION])
        log.clear()
        with pytest.raises(LogError):
            log.load(key)
        report = log.load(log.begin(a_start()))
        assert report.records == () and report.notes == ()


def test_a_log_on_disk_is_never_cleared(tmp_path: Path) -> None:
    with SessionLog.open(tmp_path / "log.sqlite") as log:
        key = a_stored_session(log)
        with pytest.raises(ValueError, match="is a file, and what is in it is kept"):
            log.clear()
        assert log.load(key).records
