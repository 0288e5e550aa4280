"""One fault at each piece on the wire of a short session, from the first HELLO to the last answer.

Whatever it is and wherever it comes, the session goes on by itself, ends completed, and both ends agree.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from devicectl.session.entries import Finish
from protocols.language.units import MILLISECOND, SECOND, Micros
from tests.world import Copies, Lab, Late, a_plan, assert_counted, last_words

CYCLES: Final = 2
AWAY: Final = Micros(2 * SECOND)
LATE: Final = Micros(300 * MILLISECOND)
"""Longer than the first retry waits: the piece is sent again, and comes twice."""

Fault = Callable[[Lab, str, Micros, Any], Copies]


def cut(lab: Lab, away: Micros) -> None:
    """The cable is pulled now and put back later."""
    lab.world.cut()
    if away:
        lab.world.heap.at(Micros(lab.now + away), lab.world.mend)
    else:
        lab.world.mend()


def lose(lab: Lab, sender: str, due: Micros, data: Any) -> Copies:
    return []


def twice(lab: Lab, sender: str, due: Micros, data: Any) -> Copies:
    return [(due, data), (due, data)]


def late(lab: Lab, sender: str, due: Micros, data: Any) -> Copies:
    return [(Micros(due + LATE), data)]


def corrupt(lab: Lab, sender: str, due: Micros, data: bytes) -> Copies:
    return [(due, data[:8] + bytes([data[8] ^ 0x55]) + data[9:])]


def last_word(lab: Lab, sender: str, due: Micros, data: bytes) -> Copies:
    """The device takes its leave in the piece that it is about to send."""
    return [(due, data + last_words(lab) if sender == "device" else data)]


def at_once(act: Callable[[Lab], None]) -> Fault:
    """Do something as the piece is put on the wire, before it is at the other end."""

    def fault(lab: Lab, sender: str, due: Micros, data: Any) -> Copies:
        lab.world.heap.at(lab.now, lambda: act(lab))
        return [(due, data)]

    return fault


FAULTS: Final[dict[str, Fault]] = {
    "cable pulled and put back": at_once(lambda lab: cut(lab, Micros(0))),
    "cable away for 2 s": at_once(lambda lab: cut(lab, AWAY)),
    "reboot": at_once(lambda lab: lab.reboot_device()),
    "lost": lose,
    "twice": twice,
    "late": late,
    "corrupt": corrupt,
    "last word": last_word,
}


def session(fault: Fault | None = None, at: int = 0) -> tuple[Lab, Finish]:
    """A session of two cycles with a fault at one piece."""
    line = Late(at, least_ms=2, most_ms=5)
    lab = Lab(plan=a_plan(3 * CYCLES - 2), line=line)

    def when(piece: int, sender: str, due: Micros, data: Any) -> Copies:
        return fault(lab, sender, due, data) if fault is not None and piece == at else [(due, data)]

    line.when = when
    lab.open()
    lab.numb()
    return lab, lab.finish()


def test_the_session_without_a_fault_has_two_cycles() -> None:
    lab, finish = session()
    assert_counted(lab, finish)
    assert finish.device_totals.completed == CYCLES


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_each_piece_ends_completed_and_reconciled(kind: str) -> None:
    line = session()[0].world.line
    assert isinstance(line, Late)
    wrong: list[str] = []
    for piece in range(1, line.pieces + 1):
        try:
            lab, finish = session(FAULTS[kind], piece)
            assert_counted(lab, finish)
            assert finish.device_totals.cores_counted >= lab.plan.target_cores
        except Exception as error:  # noqa: BLE001 - every place at which it goes wrong is told, not the first
            wrong.append(f"piece {piece}: {error.__class__.__name__}: {error}")
    assert not wrong, "\n".join(wrong)
