"""What a lesson's hosts commit: the next one resumes from it, and a session log gets it when the lesson is over."""

from datetime import timedelta

from devicectl.campaign.bench import BEGAN, BenchClock
from devicectl.log.store import SessionLog
from devicectl.session.entries import Batch, Note
from devicectl.station.console.commits import Commits
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.rooms import a_room, do, wait


def a_note(name: str) -> Note:
    return Note("action", 0, name, "", None)


def test_before_a_session_is_begun_there_is_none_to_resume() -> None:
    commits = Commits(lambda: Micros(0), BenchClock())
    commits.write([a_note("a note that comes before it")])
    assert commits.stored is None and not commits.records


def test_a_host_that_resumes_finds_the_records_and_the_times_of_the_session() -> None:
    room = a_room(cores=20)
    commits = room.commits
    stored, start = commits.stored, commits.start
    assert stored is not None and start is not None and stored.start is start
    batches = [entry for commit in commits.commits for entry in commit.entries if isinstance(entry, Batch)]
    assert commits.records == [record for batch in batches for record in batch.records]
    assert stored.began_wall == BEGAN + timedelta(microseconds=commits.commits[0].at_us)
    assert stored.stored_wall == BEGAN + timedelta(microseconds=commits.commits[-1].at_us)
    assert commits.wall_now == BEGAN + timedelta(microseconds=room.now)


def test_a_session_is_stored_at_the_times_of_the_lesson() -> None:
    room = a_room(cores=20)
    do(room, "close", after_s=3)
    wait(room, 2)
    wall = BenchClock()
    with SessionLog.open("sqlite://", wall_clock=wall) as log:
        key = room.store(log, wall)
        report = log.load(key)
    assert list(report.records) == room.commits.records
    assert report.summary.state == "aborted" and report.summary.reconciled
    assert wall() == BEGAN + timedelta(microseconds=room.commits.commits[-1].at_us)
    assert room.commits.commits[-1].at_us > room.began + 3 * SECOND


def test_the_notes_of_a_host_that_has_ended_are_not_stored_as_those_of_the_next() -> None:
    commits = a_room().commits
    commits.write([a_note("stored at once, since the session is begun")])
    commits.life = 2
    commits.write([a_note("of the second host")])
    with SessionLog.open("sqlite://") as log:
        names = [note.name for note in log.load(commits.store(log)).notes]
    assert names[-2:] == ["stored at once, since the session is begun", "of the second host"]
