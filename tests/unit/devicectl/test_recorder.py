"""The recorder: what the log is told, in which order, and what a failure leaves."""

from collections.abc import Sequence
from typing import Any

import pytest

from devicectl.log.errors import LogError, LogErrorKind
from devicectl.recorder import Recorder
from devicectl.session.entries import Batch, Finish, Note, SessionStart, StoredSession
from protocols.language.messages import TruthGetDone
from tests.integration.log.log_builders import a_finish, a_start, cycle_batch

KEY = 42
TRUTH = TruthGetDone(
    session_no=1, cycles_commanded=4, cycles_completed=4, punctures=12, cores_evacuated=9, cores_counted=8, clogs=0
)


def a_note(name: str) -> Note:
    return Note("action", 1, name, "", None)


class Told:
    """A log that writes down what it is told, and fails when it is to."""

    def __init__(self, *, fails_at: str = "") -> None:
        self.told: list[tuple[Any, ...]] = []
        self.fails_at = fails_at

    def _tell(self, name: str, *values: Any) -> None:
        if name == self.fails_at:
            raise LogError(LogErrorKind.FULL, "here", "full")
        self.told.append((name, *values))

    where = "here"

    def find(self, device: str, epoch: int, session_no: int) -> StoredSession | None:
        raise AssertionError("a recorder reads nothing")

    def find_open(self, device: str, epoch: int) -> StoredSession | None:
        raise AssertionError("a recorder reads nothing")

    def records(self, key: int) -> list[bytes]:
        raise AssertionError("a recorder reads nothing")

    def begin(self, start: SessionStart) -> int:
        self._tell("begin", start)
        return KEY

    def store(self, key: int, batch: Batch, notes: Sequence[Note] = ()) -> None:
        self._tell("store", key, batch, [note.name for note in notes])

    def note(self, key: int, notes: Sequence[Note]) -> None:
        self._tell("note", key, [note.name for note in notes])

    def finish(self, key: int, finish: Finish, notes: Sequence[Note] = ()) -> None:
        self._tell("finish", key, finish, [note.name for note in notes])

    def store_truth(self, key: int, truth: TruthGetDone) -> None:
        self._tell("truth", key, truth)


def test_a_session_in_order() -> None:
    log, start, batch, finish = Told(), a_start(), cycle_batch(1, 4), a_finish()
    recorder = Recorder(log)
    assert recorder.key is None
    recorder.write([start, a_note("a"), batch, a_note("b"), a_note("c")])
    recorder.write([TRUTH, a_note("d"), finish])
    assert recorder.key == KEY
    assert log.told == [
        ("begin", start),
        ("store", KEY, batch, ["a"]),
        ("note", KEY, ["b", "c"]),
        ("truth", KEY, TRUTH),
        ("finish", KEY, finish, ["d"]),
    ]


def test_nothing_to_write() -> None:
    log = Told()
    Recorder(log, KEY).write([])
    assert log.told == []


def test_notes_alone_are_stored_at_once() -> None:
    log = Told()
    Recorder(log, KEY).write([a_note("a")])
    assert log.told == [("note", KEY, ["a"])]


def test_notes_of_no_session_wait_for_one() -> None:
    log = Told()
    recorder = Recorder(log)
    recorder.write([a_note("early")])
    assert log.told == []
    recorder.write([a_start()])
    assert log.told[1:] == [("note", KEY, ["early"])]


@pytest.mark.parametrize("fails_at", ["begin", "store", "note", "finish", "truth"])
def test_a_failure_is_raised_and_what_was_told_before_stays(fails_at: str) -> None:
    log = Told(fails_at=fails_at)
    recorder = Recorder(log)
    with pytest.raises(LogError):
        recorder.write([a_start(), a_note("a"), cycle_batch(1, 4), TRUTH, a_finish(), a_note("b")])
    order = ["begin", "store", "truth", "finish", "note"]
    assert [name for name, *_ in log.told] == order[: order.index(fails_at)]


def test_without_a_session_nothing_but_its_start_can_be_written() -> None:
    with pytest.raises(AssertionError, match="begun"):
        Recorder(Told()).write([cycle_batch(1, 1)])
