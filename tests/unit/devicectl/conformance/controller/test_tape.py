"""The tape keeps what was said in its order, and tells it as a report shows it."""

from devicectl.conformance.controller.tape import MAX_BAD, MAX_PIECE_BYTES
from protocols.language import messages as M
from protocols.language.units import Micros
from tests.unit.devicectl.conformance.controller.talk import Talk


def test_what_was_said_is_told_with_its_numbers() -> None:
    talk = Talk()
    talk.links()
    talk.says(M.Stop(), 2)
    talk.says(M.Stop(), 2, again=True)
    assert talk.tape.greeted and talk.tape.linked
    assert [one.again for one in talk.tape.commands] == [False, True]
    assert [one.name for one, _ in talk.tape.by_host(M.Stop)] == ["Stop", "Stop"]
    last = talk.tape.frames()[-1].text
    assert "host   -> Stop() seq 2 link 5 correlation 2 again" in last


def test_an_empty_tape_has_no_link() -> None:
    tape = Talk().tape
    assert not tape.greeted and not tape.linked and not tape.frames()


def test_a_piece_without_bytes_is_not_recorded() -> None:
    tape = Talk().tape
    tape.carried(Micros(1), 0, b"", by_host=True)
    tape.carried(Micros(2), 0, b"\0", by_host=True)
    assert [(one.at, one.piece) for one in tape.pieces] == [(2, b"\0")]


def test_a_command_that_floods_fills_no_memory() -> None:
    tape, piece = Talk().tape, b"x" * (MAX_PIECE_BYTES // 4)
    for at in range(MAX_BAD + 10):
        tape.carried(Micros(at), 0, piece, by_host=True)
        tape.spoilt(Micros(at), "bytes that are no frame")
    assert sum(len(one.piece) for one in tape.pieces if isinstance(one.piece, bytes)) == MAX_PIECE_BYTES
    assert len(tape.bad) == MAX_BAD and tape.bad[0][0] == 0
