from typing import Any

import pytest

from devicectl.errors import CommandRefusedError, LinkLostError
from devicectl.session.count import Fold
from devicectl.session.entries import Batch, Note
from devicectl.session.journal import JournalReader
from devicectl.session.procedures import Procedure, Procedures, Task
from firmware_sim.memory.journal import Journal
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import AlarmPriority, AlarmState, CloseReason, Code
from protocols.language.message import Message
from protocols.language.messages import Refused
from protocols.language.records import encode_record
from protocols.language.units import Micros
from protocols.link.requests import Request
from tests.integration.log.log_builders import a_cycle
from tests.unit.protocols.language.altered import altered

EPOCH, NOW = 5, Micros(0)
NOTE = Note("warning", 0, "why", "", None)


class Desk:
    """A reader, the device's journal it reads, and a log that is as slow as the test wants."""

    def __init__(self, records: int = 0) -> None:
        self.journal = Journal()
        self.entries: list[Batch | Note] = []
        self.asked: list[Message] = []
        self.written = True
        self.link_up = True
        self.answering = True
        self.forbidden: Refused | None = None
        self.procedures = Procedures(self._submit)
        self.reader = JournalReader(
            epoch=EPOCH, fold=Fold(3, 1, first_event_no=1), emit=self.entries.append, durable=self._durable
        )
        self.write(records)

    @property
    def batches(self) -> list[Batch]:
        return [entry for entry in self.entries if isinstance(entry, Batch)]

    def write(self, records: int) -> None:
        for _ in range(records):
            self.journal.append(encode_record(a_cycle(self.journal.head)))

    def _durable(self) -> Procedure[None]:
        yield lambda: self.written

    def _submit(self, command: Message) -> Request:
        if not self.link_up:
            raise LinkLostError("no link")
        self.asked.append(command)
        request = Request(command)
        self.requests = [*getattr(self, "requests", []), request]
        return request

    def run(self) -> Task[int]:
        task = self.procedures.start(self.reader.read(), NOW)
        self.go_on()
        return task

    def go_on(self) -> None:
        """Answer whatever is asked."""
        self.procedures.poll(NOW)
        while self.answering and getattr(self, "requests", []):
            request = self.requests.pop(0)
            self.procedures.answered(request, self._answer(request.message), NOW)
            self.procedures.poll(NOW)

    def _answer(self, command: Any) -> Message:
        if isinstance(command, M.JournalRead):
            first, records = self.journal.read(command.first, command.max_records)
            return M.JournalPage(
                epoch=EPOCH, first=first, tail=self.journal.tail, head=self.journal.head, records=b"".join(records)
            )
        if self.forbidden is not None:
            return self.forbidden
        return M.JournalAckDone(tail=self.journal.acknowledge(command.upto))


def test_what_follows_the_close_is_read_up_to_the_next_session() -> None:
    desk = Desk(2)
    alarm = {"code": 601, "interlock": 6, "priority": AlarmPriority.LOW, "state": AlarmState.INACTIVE}
    counts = {"cycles": 2, "punctures": 6, "cores_counted": 6}
    opened = {"session_no": 2, "target_cores": 9, "first_cycle_no": 3, "coverage_bp": 600, "depth_um": 3000}
    written: list[tuple[type[R.Record], dict[str, Any]]] = [
        (R.SessionClosed, {"reason": CloseReason.ABORTED, "session_no": 1, **counts}),
        (R.AlarmChanged, alarm),
        (R.SessionOpened, {**opened, "cells": 9, "zones": 1}),
    ]
    for record, fields in written:
        desk.journal.append(encode_record(record(event_no=desk.journal.head, uptime_ms=0, **fields)))
    desk.write(9)
    assert desk.run().outcome() == 4
    assert desk.reader.cursor == desk.journal.tail == 5
    assert desk.run().outcome() == 0
    assert desk.reader.fold.problems == []


def test_the_opening_of_the_session_itself_ends_no_reading() -> None:
    desk = Desk()
    opened = {"session_no": 1, "target_cores": 9, "first_cycle_no": 1, "coverage_bp": 600, "depth_um": 3000}
    record = R.SessionOpened(event_no=desk.journal.head, uptime_ms=0, **opened, cells=9, zones=1)
    desk.journal.append(encode_record(record))
    assert desk.run().outcome() == 1
    assert desk.reader.cursor == desk.journal.tail == 2


def test_a_device_that_another_host_controls_is_not_acknowledged_and_nothing_is_lost() -> None:
    desk = Desk(3)
    desk.forbidden = Refused(code=Code.E_AUTH, interlock=0, expected=0, actual=0, sentence="not yours")
    assert desk.run().outcome() == 3
    assert (desk.reader.cursor, desk.journal.tail) == (4, 1)
    desk.forbidden = None
    assert desk.run().outcome() == 0
    assert desk.journal.tail == 4


def test_any_other_refusal_of_an_acknowledgement_is_raised() -> None:
    desk = Desk(3)
    desk.forbidden = Refused(code=Code.E_RANGE, interlock=0, expected=0, actual=0, sentence="no such record")
    with pytest.raises(CommandRefusedError):
        desk.run().outcome()


@pytest.mark.parametrize("records", [1, 5, 6, 7, 12, 40])
def test_reads_page_by_page_hands_over_and_acknowledges(records: int) -> None:
    desk = Desk(records)
    assert desk.run().outcome() == records
    assert [(batch.first_event_no, batch.next_event_no) for batch in desk.batches] == [(1, records + 1)]
    assert b"".join(desk.batches[0].records) == b"".join(desk.journal.read(1, records)[1])
    assert desk.journal.tail == desk.reader.cursor == records + 1
    assert desk.reader.fold.counts.cycles == records and desk.reader.fold.problems == []
    assert not desk.reader.busy


def test_nothing_new_is_no_batch_and_no_acknowledgement() -> None:
    desk = Desk()
    assert desk.run().outcome() == 0
    assert desk.batches == [] and [command.__class__ for command in desk.asked] == [M.JournalRead]


def test_nothing_is_acknowledged_before_it_is_on_disk() -> None:
    desk = Desk(8)
    desk.written = False
    task = desk.run()
    assert desk.journal.tail == 1 and len(desk.batches) == 1 and desk.reader.busy
    desk.written = True
    desk.go_on()
    assert task.outcome() == 8 and desk.journal.tail == 9


def test_two_readings_do_not_mix() -> None:
    desk = Desk(3)
    desk.answering = False
    first = desk.run()
    second = desk.run()
    assert len(desk.asked) == 1
    desk.answering = True
    desk.go_on()
    assert (first.outcome(), second.outcome()) == (3, 0)


def test_what_was_read_before_a_loss_is_logged_and_acknowledged_after_it() -> None:
    desk = Desk(9)
    desk.answering = False
    task = desk.run()
    first = desk.requests.pop(0)
    desk.procedures.answered(first, desk._answer(first.message), NOW)
    desk.requests.clear()
    desk.procedures.link_lost("pulled", NOW)
    with pytest.raises(LinkLostError):
        task.outcome()
    assert [batch.next_event_no for batch in desk.batches] == [7]
    assert not desk.reader.busy and desk.journal.tail == 1
    desk.answering = True
    assert desk.run().outcome() == 3
    assert [batch.first_event_no for batch in desk.batches] == [1, 7] and desk.journal.tail == 10


def test_acknowledgement_that_was_lost_is_made_up_for() -> None:
    desk = Desk(4)
    desk.written = False
    task = desk.run()
    desk.link_up = False
    desk.written = True
    desk.go_on()
    with pytest.raises(LinkLostError):
        task.outcome()
    desk.link_up = True
    assert desk.run().outcome() == 0
    assert desk.journal.tail == 5 and len(desk.batches) == 1


def test_a_device_that_has_forgotten_what_it_showed_is_not_acknowledged_and_it_is_a_problem_once() -> None:
    desk = Desk(5)
    for raw in desk.journal.read(1, 5)[1]:
        desk.reader.add(raw)
    desk.journal.head = 4
    for _ in range(2):
        assert desk.run().outcome() == 0
    assert [command.__class__ for command in desk.asked] == [M.JournalRead] * 2
    [problem] = desk.reader.fold.problems
    assert problem.startswith("the device's journal ends before event 4, and was read up to 5")


def test_records_that_were_overwritten_are_a_gap_and_a_problem() -> None:
    desk = Desk(1_030)
    desk.run().outcome()
    assert desk.reader.cursor == 1_031
    assert desk.reader.fold.problems[0].startswith("events 1..6 were overwritten")


def test_records_of_an_earlier_run_move_the_cursor_and_the_counts() -> None:
    desk = Desk(5)
    for raw in desk.journal.read(1, 3)[1]:
        desk.reader.add(raw)
    assert desk.reader.cursor == 4
    assert desk.run().outcome() == 2
    assert desk.reader.fold.counts.cycles == 5


def test_device_that_repeats_itself_is_not_asked_for_ever() -> None:
    desk = Desk(3)
    desk.run()
    again = M.JournalPage(epoch=EPOCH, first=4, tail=4, head=6, records=b"".join(desk.journal.read(1, 2)[1]))
    desk._answer = lambda command: again  # type: ignore[method-assign]
    assert desk.run().outcome() == 0
    assert desk.reader.fold.problems[0] == "event 1 came again or out of order: 4 was next"
    assert desk.reader.fold.counts.cycles == 3 and len(desk.batches) == 1


@pytest.mark.parametrize("size", [1, 3, 8, 31, 33, 63])
def test_a_record_that_a_page_cuts_off_is_asked_for_again(size: int) -> None:
    """It is no row of the log, and the cursor stays before it; also once the session was closed."""
    desk = Desk(2)
    closed = R.SessionClosed(
        event_no=0, uptime_ms=9, reason=CloseReason.ABORTED, session_no=1, cycles=2, punctures=6, cores_counted=4
    )
    for number in (3, 4):
        desk.journal.append(encode_record(altered(closed, event_no=number)))
    desk.run()
    desk.write(2)
    records = b"".join(desk.journal.read(5, 2)[1])
    answer, cut = desk._answer, M.JournalPage(epoch=EPOCH, first=5, tail=5, head=7, records=records[:size])
    desk._answer = lambda command: cut  # type: ignore[method-assign]
    whole = size // 32
    assert desk.run().outcome() == whole and desk.reader.cursor == 5 + whole
    desk._answer = answer  # type: ignore[method-assign]
    assert desk.run().outcome() == 2 - whole
    assert all(len(raw) == 32 for batch in desk.batches for raw in batch.records) and desk.reader.cursor == 7


def test_record_of_a_kind_that_is_not_known_moves_the_cursor_alone() -> None:
    desk = Desk(1)
    desk.journal.append((2).to_bytes(4, "little") + bytes(4) + b"\xfe" + bytes(23))
    assert desk.run().outcome() == 2
    assert desk.reader.cursor == 3 and desk.reader.fold.counts.cycles == 1


def test_close_of_the_session_is_noticed() -> None:
    desk = Desk(1)
    closed = R.SessionClosed(
        event_no=2, uptime_ms=9, reason=CloseReason.ABORTED, session_no=1, cycles=1, punctures=3, cores_counted=2
    )
    desk.journal.append(encode_record(closed))
    assert desk.reader.closed is None
    desk.run()
    assert desk.reader.closed == closed


def test_alarms_are_counted_as_they_were_raised() -> None:
    desk = Desk()
    alarm = R.AlarmChanged(
        event_no=1, uptime_ms=9, code=1501, interlock=6, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE
    )
    for number, state in enumerate((AlarmState.ACTIVE, AlarmState.LATCHED, AlarmState.INACTIVE, AlarmState.ACTIVE), 1):
        desk.journal.append(encode_record(altered(alarm, event_no=number, state=state)))
    desk.run()
    assert desk.reader.alarms == {1501: 2}


def test_what_comes_again_is_folded_once() -> None:
    desk = Desk()
    alarm = R.AlarmChanged(
        event_no=1, uptime_ms=9, code=1501, interlock=6, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE
    )
    for _ in range(2):
        desk.reader.add(encode_record(alarm))
    assert desk.reader.alarms == {1501: 1}
    assert desk.reader.fold.problems == ["event 1 came again or out of order: 2 was next"]


def test_a_note_goes_at_once_where_nothing_is_read() -> None:
    desk = Desk(1)
    desk.reader.note(NOTE)
    assert desk.entries == [NOTE]


def test_a_note_of_a_reading_is_committed_with_its_batch() -> None:
    desk = Desk(7)
    desk.answering = False
    task = desk.run()
    desk.reader.note(NOTE)
    assert not desk.entries
    desk.answering = True
    desk.go_on()
    assert task.done and [type(entry) for entry in desk.entries] == [Note, Batch]


def test_a_note_of_a_reading_that_is_lost_or_brings_nothing_is_not() -> None:
    desk = Desk()
    desk.answering = False
    task = desk.run()
    desk.reader.note(NOTE)
    desk.procedures.link_lost("it is gone", NOW)
    assert task.done and desk.entries == [NOTE]
    desk.requests.clear()
    task = desk.run()
    desk.reader.note(NOTE)
    desk.answering = True
    desk.go_on()
    assert task.done and desk.entries == [NOTE, NOTE]


def test_a_note_while_a_batch_is_acknowledged_follows_it() -> None:
    desk = Desk(1)
    desk.written = False
    task = desk.run()
    desk.reader.note(NOTE)
    desk.written = True
    desk.go_on()
    assert task.done and [type(entry) for entry in desk.entries] == [Batch, Note]
