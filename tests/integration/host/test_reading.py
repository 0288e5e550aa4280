"""When the journal is read in a session, and what that leaves a crash of the host: decision 11."""

from devicectl.session.context import Entry
from devicectl.session.entries import Batch, Note
from protocols.language.enums import RecordKind
from protocols.language.records import KIND_OFFSET
from tests.world import HOUR, Lab, a_plan

PROMISED_CYCLES = 64
"""A crash of the host leaves no more unread than these, and the device has them still."""
FEW_CYCLES = 48
"""A reading of fewer has a reason of its own: each costs a commit and an acknowledgement."""


def cycles_in(batch: Batch) -> int:
    return sum(raw[KIND_OFFSET] == RecordKind.CYCLE for raw in batch.records)


def test_the_log_lags_no_more_than_the_promise_and_no_less_than_it_needs() -> None:
    """At no cycle's end are more than 64 cycles missing in the log; and no batch is far smaller without a reason."""
    lab = Lab(plan=a_plan(1_500))
    lab.open()
    lab.run(lab.engine.confirm_anesthesia("injection", "test"))
    ended, lags = 0, []
    while lab.run(lab.engine.next_cycle(), HOUR) is not None:
        ended += 1
        lags.append(ended - sum(cycles_in(entry) for entry in lab.entries if isinstance(entry, Batch)))
    assert max(lags) <= PROMISED_CYCLES
    batches = [cycles_in(entry) for entry in lab.entries if isinstance(entry, Batch)]
    alarms = sum(note.kind == "alarm" for note in lab.notes)
    assert sum(cycles < FEW_CYCLES for cycles in batches) <= alarms
    assert len(batches) <= ended / FEW_CYCLES + alarms


def test_an_alarm_and_the_records_of_its_reading_are_one_commit() -> None:
    """Else a third of a session's commits would be a single note."""
    lab, calls = Lab(plan=a_plan(1_500)), list[list[Entry]]()
    write = lab.world.write

    def watched(entries: list[Entry]) -> None:
        calls.append(list(entries))
        write(entries)

    lab.world.write = watched
    lab.open()
    lab.run(lab.engine.confirm_anesthesia("injection", "test"))
    while lab.run(lab.engine.next_cycle(), HOUR) is not None:
        pass
    told = [call for call in calls if any(isinstance(entry, Note) and entry.kind == "alarm" for entry in call)]
    assert told and all(isinstance(call[-1], Batch) for call in told)
