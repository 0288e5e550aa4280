"""The learner on devices that are functions: a right one, spoilt ones, and one that is no machine."""

import builtins
from itertools import count
from typing import Any

import pytest

from devicectl.conformance.learn.expected import START, Place, State, step
from devicectl.conformance.learn.learner import FickleError, learn
from devicectl.conformance.learn.words import Word, answers, count_states, crossing
from devicectl.errors import DevicectlError

aalpy = pytest.importorskip("aalpy")


def right(word: Word) -> tuple[str, ...]:
    """Answer as the expected machine does."""
    return answers(START, word)


def test_a_right_device_is_learned_whole() -> None:
    learned = learn(right, crossing())
    assert (learned.states, learned.split) == (count_states(), None)
    assert learned.words > 1_000 and "digraph" in learned.machine


def test_one_that_punches_anywhere_is_shown_by_its_shortest_word() -> None:
    def query(word: Word) -> list[str]:
        state, said = START, list[str]()
        for letter in word:
            here = state._replace(hand=True) if letter == "PUNCH" else state
            state, answer = step(here, letter)
            said.append(answer)
        return said

    split = learn(query, ()).split
    assert split is not None
    assert split.word == ("SESSION_OPEN", "ANESTHESIA_START", "ANESTHESIA_CONFIRM", "ARM", "PUNCH")
    assert (split.expected, split.found) == ("interlock 9", "DONE")


def test_a_device_with_a_state_too_many_is_found_by_the_suite() -> None:
    """After two pauses in a row it arms no more, which no word of the expected machine asks for by itself."""

    def query(word: Word) -> list[str]:
        state, said, pauses = START, list[str](), 0
        for letter in word:
            pauses += letter == "PAUSE" and state.place is Place.ARMED
            state, answer = _weary(state, letter, pauses)
            said.append(answer)
        return said

    twice = ("SESSION_OPEN", "ANESTHESIA_START", "ANESTHESIA_CONFIRM", "ARM", "PAUSE", "RESUME", "PAUSE", "RESUME")
    learned = learn(query, [twice])
    assert learned.split is not None and learned.split.word == twice


def _weary(state: State, letter: str, pauses: int) -> tuple[State, str]:
    return (state, "E_INTERNAL") if letter == "RESUME" and pauses > 1 else step(state, letter)


def test_a_device_that_answers_in_two_ways_is_no_machine() -> None:
    times = count()

    def query(word: Word) -> list[str]:
        return ["DONE" if next(times) % 7 else "E_BUSY", *right(word)[1:]]

    with pytest.raises(FickleError, match=r"the device is no machine, .* answered by"):
        learn(query, crossing())


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("aalpy"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DevicectlError, match=r"pip install .devicectl\[learn\]"):
        learn(right, ())
