"""Acts of a person: in which state each is passed on, and the sentence where it is not."""

from typing import Final

import pytest

from devicectl.session.machine import ENDED, WITH_SESSION, State
from devicectl.session.operators.obstacles import ACTS, AT_ONCE, obstacle

PASSED_ON: Final = """
session_open          anesthesia_start arm stop acknowledge close
anesthesia_wait       anesthesia_start anesthesia_confirm arm stop acknowledge close
anesthesia_confirmed  anesthesia_start arm stop acknowledge close
armed                 disarm cycle reposition purge pause stop acknowledge close
paused                disarm resume stop acknowledge close
recovering            stop acknowledge reset relink close
closing               stop acknowledge
"""
"""State, and the acts that are passed on in it: written by hand; in motion it is as while closing, else none."""


def passed_on() -> dict[State, set[str]]:
    rows = [line.split() for line in PASSED_ON.strip().splitlines()]
    return {State(state): set(acts) for state, *acts in rows}


@pytest.mark.parametrize("state", State)
def test_acts_are_passed_on_in_the_states_that_were_written_by_hand(state: State) -> None:
    at_once = set(AT_ONCE) if state in WITH_SESSION else set()
    assert {act for act in ACTS if not obstacle(act, state)} == passed_on().get(state, at_once)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("act", ACTS)
def test_what_is_in_the_way_is_one_short_sentence(act: str, state: State) -> None:
    words = obstacle(act, state)
    assert len(words) < 60 and "\n" not in words


@pytest.mark.parametrize(
    ("act", "state", "words"),
    [
        ("cycle", State.ANESTHESIA_CONFIRMED, "arm the handpiece first"),
        ("cycle", State.PAUSED, "resume first"),
        ("cycle", State.PUNCHING, "wait: the handpiece is moving"),
        ("cycle", State.RECOVERING, "the handpiece has stopped: reset it first"),
        ("cycle", State.IDLE, "no session is open"),
        ("anesthesia_confirm", State.SESSION_OPEN, "no zone is numbed: start the anesthesia first"),
        ("anesthesia_start", State.PAUSED, "disarm the handpiece first"),
        ("arm", State.ARMED, "the handpiece is armed"),
        ("reset", State.ARMED, "nothing holds the handpiece: there is nothing to reset"),
        ("resume", State.ARMED, "the treatment is not paused"),
        ("close", State.COUNTING, "wait: the handpiece is moving"),
    ],
)
def test_what_is_in_the_way_names_what_comes_first(act: str, state: State, words: str) -> None:
    assert obstacle(act, state) == words


def test_after_the_end_nothing_is_passed_on() -> None:
    assert {obstacle(act, state) for act in ACTS for state in ENDED} == {"the session has ended"}
