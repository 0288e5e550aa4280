"""The session of somebody else's host in our log: what it read of the journal, and how it closed."""

from dataclasses import replace

from devicectl.log.store import SessionLog
from devicectl.session.count import reconcile
from devicectl.session.procedures import ask
from devicectl.station.room import Room
from protocols.language import messages as M
from tests.unit.devicectl.station.elsewhere import Elsewhere, a_foreign_lesson, in_a_session


def test_the_log_has_the_counts_that_the_host_has_in_its_own() -> None:
    host = in_a_session(cycles=3)
    own = host.close()
    finish = host.room.commits.finish
    assert finish is not None and host.engine.reader is not None
    assert replace(finish, wall_seconds=0.0) == replace(own, wall_seconds=0.0)
    with SessionLog.open("sqlite://") as log:
        key = host.room.store(log)
        report = log.load(key)
    assert report.summary.state == "aborted" and report.summary.reconciled
    assert list(report.records) == host.room.commits.records
    assert not reconcile(host.engine.reader.fold, finish.device_totals).differences


def test_records_that_are_read_twice_are_kept_once() -> None:
    host = in_a_session(cycles=3)
    assert host.engine.reader is not None
    host.run(host.engine.reader.read())
    start, before = host.room.commits.start, list(host.room.commits.records)
    assert start is not None and before
    page = host.run(ask(M.JournalRead(epoch=start.epoch, first=start.first_event_no, max_records=6)))
    assert page.records and host.room.commits.records == before


def test_a_session_that_its_host_gives_up_is_not_reconciled() -> None:
    host = in_a_session(cycles=1)
    host.leave()
    after = Elsewhere(host.room)
    after.connect()
    after.run(after.engine.connect())
    after.run(after.engine.abandon())
    finish = host.room.commits.finish
    assert finish is not None and (finish.state, finish.reconciled) == ("aborted", False)


def test_without_a_session_nothing_is_written() -> None:
    host = Elsewhere(Room(a_foreign_lesson(), 7))
    host.connect()
    host.run(host.engine.connect())
    assert host.room.commits.commits == []
