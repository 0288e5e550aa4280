"""The expected machine, word by word against docs/protocol.md, section 5."""

import pytest

from devicectl.conformance.learn.expected import LETTERS, START, Place, accepts, step
from devicectl.conformance.learn.words import access, answers

ARMED = "SESSION_OPEN ANESTHESIA_START ANESTHESIA_CONFIRM ARM"
PUNCHED = f"{ARMED} REPOSITION PUNCH"
COUNTED = f"{PUNCHED} SUCTION ADVANCE COUNT"


@pytest.mark.parametrize(
    ("word", "last"),
    [
        (COUNTED, "DONE"),
        (f"{COUNTED} COUNT", "DONE"),  # once more
        (f"{COUNTED} SUCTION", "refused"),  # HLP-CYC-6
        (f"{PUNCHED} ADVANCE", "no place"),  # HLP-CYC-7
        ("SESSION_OPEN ARM", "interlock 2"),  # HLP-CYC-12
        ("SESSION_OPEN PUNCH", "interlock 2 MC-0201"),
        ("SESSION_OPEN PUNCH PUNCH", "interlock 2"),  # the alarm is up
        ("ARM", "no place"),  # HLP-CYC-16
        (f"{PUNCHED} STOP COUNT", "ABORTED"),  # HLP-CYC-17
        (f"{PUNCHED} PAUSE", "no place"),  # HLP-CYC-18
        (f"{ARMED} REPOSITION PAUSE PUNCH", "no place"),  # HLP-CYC-18
        (f"{ARMED} REPOSITION DISARM ARM PUNCH", "DONE"),  # HLP-CYC-19
        (f"{ARMED} REPOSITION DISARM SESSION_CLOSE {ARMED} PUNCH", "interlock 9"),  # HLP-CYC-20
        (f"{ARMED} PUNCH", "interlock 9"),  # HLP-CYC-21
    ],
)
def test_what_the_page_says(word: str, last: str) -> None:
    assert answers(START, word.split())[-1] == last


def test_a_held_session_that_was_closed_leads_to_idle() -> None:
    state = START
    for letter in ("SESSION_OPEN", "STOP", "SESSION_CLOSE", "FAULT_RESET"):
        state, answer = step(state, letter)
        assert answer == "DONE"
    assert state.place is Place.IDLE


@pytest.mark.parametrize(
    ("expected", "found", "right"),
    [
        ("DONE", "DONE", True),
        ("DONE", "DONE MC-0601", False),
        ("no place", "E_STATE", True),
        ("no place", "interlock 20", True),
        ("no place", "E_BUSY", False),
        ("refused", "E_CYCLE_GAP", True),
        ("refused", "ABORTED", False),
        ("interlock 9", "interlock 2", False),
        ("interlock 2 MC-0201", "interlock 2 MC-0201", True),
        ("interlock 2 MC-0201", "interlock 2", False),
    ],
)
def test_what_is_accepted(expected: str, found: str, right: bool) -> None:
    assert accepts(expected, found) is right


def test_every_place_and_letter_is_reached() -> None:
    states = access()
    assert {state.place for state in states} == set(Place)
    for letter in LETTERS:
        assert any(step(state, letter)[1] == "DONE" for state in states), letter
