"""Whatever a host meets, a session can be abandoned, and the log says what did not agree."""

from collections.abc import Callable
from typing import Any

import pytest

from devicectl.errors import CommandRefusedError, SessionError
from devicectl.log.report import SessionReport
from devicectl.log.store import SessionLog
from devicectl.session.entries import Batch
from firmware_sim.memory.session_steps import CloseSession
from firmware_sim.memory.steps import LatchAlarm
from protocols.language.enums import CloseReason
from tests.world import Lab, Late, last_words


def forget(lab: Lab) -> None:
    """The device has forgotten the last record that was read, as with a memory that was not synced."""
    lab.device.nvm.journal.head = lab.engine.session()[1].cursor - 1


def count_one_more(lab: Lab) -> None:
    session = lab.device.nvm.session
    assert session is not None
    session.cycles += 1


def count_none(lab: Lab) -> None:
    """And the host's number of cycles is that of a state in which a device holds: the refusal is not by one."""
    session = lab.device.nvm.session
    assert session is not None
    session.cycles = 0


def lose_the_journal(lab: Lab) -> None:
    """All that was not read is overwritten."""
    for _ in range(1_100):
        lab.device.nvm.keep(LatchAlarm(601))
        lab.device.board.alarm_changed(601, lab.now)


def forget_and_write(lab: Lab) -> None:
    """What was forgotten had the number that an ended cycle has now: the host never reads it."""
    forget(lab)
    count_one_more(lab)
    for _ in range(5):
        lab.device.board.alarm_changed(601, lab.now)


def forget_the_close(lab: Lab) -> None:
    """The host has read that the session was closed, and the device holds it open."""
    session, reader = lab.device.nvm.session, lab.engine.session()[1]
    assert session is not None and lab.recorder is not None
    lab.device.nvm.journal.head = reader.cursor
    lab.device.nvm.keep(CloseSession(CloseReason.ABORTED, 0))
    records = lab.device.nvm.read(reader.cursor, 1)[1]
    lab.recorder.write([Batch(reader.epoch, reader.cursor, reader.cursor + 1, tuple(records))])
    lab.device.nvm.session = session


def hold_open(lab: Lab) -> None:
    """The emergency stop stays open: no FAULT_RESET ever."""
    count_one_more(lab)
    lab.inject(estop_open=True)


def complete(lab: Lab) -> None:
    """Another host has closed it with the right counts, and for another reason."""
    lab.device.nvm.keep(CloseSession(CloseReason.COMPLETED, 0))


DISAGREEMENTS: dict[str, tuple[Callable[[Lab], None], str]] = {
    "another count": (count_one_more, "cycles is 16 here, 15 at the host"),
    "no count": (count_none, "cycles is 0 here, 15 at the host"),
    "records forgotten": (forget, "it has forgotten what it showed"),
    "records forgotten and others written": (forget_and_write, "cycles is 16 here, 15 at the host"),
    "journal lost": (lose_the_journal, "were overwritten"),
    "close forgotten": (forget_the_close, "the device holds the session open"),
    "closed by another host": (complete, "was closed by another host, as COMPLETED"),
    "held": (hold_open, "cycles is 16 here, 15 at the host"),
}


def begun(log: SessionLog, line: Late | None = None, cycles: int = 15) -> Lab:
    """A session of some cycles that was read and logged."""
    lab = Lab(log=log, line=line).begin(cycles)
    lab.run(lab.engine.session()[1].read())
    return lab


def adopted(lab: Lab, log: SessionLog, between: Callable[[Lab], None] = lambda lab: None) -> None:
    """Another host has taken it over, after something happened to the device in between."""
    lab.world.cut()
    between(lab)
    lab.replace_host(heard=False)
    lab.run(lab.engine.connect())
    stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
    assert stored is not None
    lab.run(lab.engine.adopt(stored, log.records(stored.key), None, restore=False))


def warnings(report: SessionReport) -> list[str]:
    return [note.detail for note in report.notes if note.name == "disagreement"]


@pytest.mark.parametrize("name", DISAGREEMENTS)
def test_a_session_that_disagrees_is_abandoned_and_the_log_says_why(name: str) -> None:
    disagree, said = DISAGREEMENTS[name]
    with SessionLog.open("sqlite://") as log:
        lab = begun(log)
        adopted(lab, log, disagree)
        finish = lab.run(lab.engine.abandon_adopted(1.5))
        report = log.load(1)
    assert (finish.state, finish.reconciled) == ("aborted", False)
    assert lab.device.nvm.session is None and not lab.device.board.armed
    assert any(said in text for text in [*warnings(report), *report.differences]), (
        warnings(report),
        report.differences,
    )
    assert (report.summary.state, report.summary.reconciled) == ("aborted", False)


def vanish(lab: Lab) -> None:
    """The device holds the session no more, and its journal does not say why."""
    lab.device.nvm.session = None


def end_another(lab: Lab) -> None:
    """The end in its journal is of another session."""
    assert lab.device.nvm.session is not None
    lab.device.nvm.session.session_no = 9
    lab.device.nvm.keep(CloseSession(CloseReason.ABORTED, 0))


@pytest.mark.parametrize("lose", [vanish, end_another])
def test_one_that_has_no_end_in_the_journal_is_not_settled(lose: Callable[[Lab], None]) -> None:
    with SessionLog.open("sqlite://") as log:
        lab = begun(log, cycles=2)
        stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, 1)
        assert stored is not None
        lab.world.cut()
        lose(lab)
        lab.replace_host(heard=False)
        lab.run(lab.engine.connect())
        lab.run(lab.engine.adopt(stored, log.records(stored.key), None, restore=False))
        with pytest.raises(SessionError, match="session 1 is not open on the device, whose journal has no end of it"):
            lab.run(lab.engine.settle(0.0))
        assert log.load(1).summary.state == "open"


def test_one_that_agrees_is_closed_with_its_counts() -> None:
    with SessionLog.open("sqlite://") as log:
        lab = begun(log)
        adopted(lab, log)
        finish = lab.run(lab.engine.abandon_adopted(0.0))
        assert (finish.state, finish.reconciled, finish.device_totals.cycles) == ("aborted", True, 15)
        assert warnings(log.load(1)) == []


def test_nothing_but_abandoning_closes_one_that_disagrees() -> None:
    with SessionLog.open("sqlite://") as log:
        lab = begun(log)
        count_one_more(lab)
        with pytest.raises(CommandRefusedError, match="counts disagree"):
            lab.close(CloseReason.ABORTED)
        assert lab.device.nvm.session is not None
        assert not [note for note in lab.notes if note.name == "recover"], "another link would be refused as well"


ENDS = ["cut", "reboot", "last word"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("known", [True, False])
def test_a_session_is_abandoned_through_a_loss_at_each_piece(known: bool, end: str) -> None:
    for piece in range(1, 80):
        with SessionLog.open("sqlite://") as log:
            line = Late(piece, least_ms=2, most_ms=5)
            lab = begun(log, line, cycles=2)
            count_one_more(lab)
            lab.replace_host()
            first = line.pieces
            lose_link_at(lab, line, first + piece, end)
            lab.run(lab.engine.connect())
            if known:
                stored = log.find(lab.device.serial, lab.engine.welcome.journal_epoch, lab.device.nvm.session_no)
                assert stored is not None
                lab.run(lab.engine.adopt(stored, log.records(stored.key), None, restore=False))
                finish = lab.run(lab.engine.abandon_adopted(0.0))
                assert not finish.reconciled and warnings(log.load(1))
            else:
                assert lab.run(lab.engine.abandon()) == 1
            assert lab.device.nvm.session is None
            if line.pieces < first + piece:
                return
    raise AssertionError("it has no end")


def lose_link_at(lab: Lab, line: Late, at: int, end: str) -> None:
    def cut() -> None:
        lab.world.cut()
        lab.world.mend()

    def when(piece: int, sender: str, due: Any, data: Any) -> Any:
        if piece != at:
            return [(due, data)]
        if end == "last word" and sender == "device":
            return [(due, data + last_words(lab))]
        if end != "last word":
            lab.world.heap.at(lab.now, cut if end == "cut" else lab.reboot_device)
        return [(due, data)]

    line.when = when
