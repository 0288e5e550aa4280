"""Words to try on a device, and the shortest one on which two machines differ.

A word is a sequence of letters. `suite` makes the words of the W-method (Chow, 1978) for the expected machine: to each
of its states by a shortest word, then each letter, then each word of a set that tells all of its states apart. A device
that passes them, and has no more states than the expected machine, is that machine.

Law: pure.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple, TypeVar

from devicectl.conformance.learn.expected import LETTERS, START, State, accepts, step

_S = TypeVar("_S")
Word = tuple[str, ...]


class Split(NamedTuple):
    """A word whose last letter is answered otherwise than expected."""

    word: Word
    expected: str
    found: str


def access() -> dict[State, Word]:
    """Return each state that can be reached with a shortest word to it."""
    found: dict[State, Word] = {START: ()}
    waiting = deque([START])
    while waiting:
        state = waiting.popleft()
        for letter in LETTERS:
            after, _ = step(state, letter)
            if after not in found:
                found[after] = (*found[state], letter)
                waiting.append(after)
    return found


def answers(state: State, word: Iterable[str]) -> tuple[str, ...]:
    """Return the answers to a word from a state."""
    said = []
    for letter in word:
        state, answer = step(state, letter)
        said.append(answer)
    return tuple(said)


def telling() -> list[Word]:
    """Return words that tell all states apart, as far as any word does."""
    chosen: list[Word] = []
    for one, other in combinations(access(), 2):
        if all(answers(one, word) == answers(other, word) for word in chosen):
            word = _apart(one, other)
            if word is not None:
                chosen.append(word)
    return chosen


def count_states() -> int:
    """Return how many states the expected machine has, those counted once that no word tells apart."""
    ends = telling()
    return len({tuple(answers(state, end) for end in ends) for state in access()})


def crossing() -> Iterator[Word]:
    """Yield a word for each letter in each state."""
    for word in access().values():
        for letter in LETTERS:
            yield (*word, letter)


def suite() -> Iterator[Word]:
    """Yield the words to try, each once."""
    ends, seen = telling(), set[Word]()
    for word in access().values():
        for letter in LETTERS:
            for end in ends:
                tried = (*word, letter, *end)
                if tried not in seen:
                    seen.add(tried)
                    yield tried


def first_difference(begin: _S, walk: Callable[[_S, str], tuple[_S, str]]) -> Split | None:
    """Return the shortest word on which a machine differs from the expected one; None where there is none."""
    waiting: deque[tuple[State, _S, Word]] = deque([(START, begin, ())])
    seen = {(START, begin)}
    while waiting:
        state, other, word = waiting.popleft()
        for letter in LETTERS:
            after, expected = step(state, letter)
            there, found = walk(other, letter)
            if not accepts(expected, found):
                return Split((*word, letter), expected, found)
            if (after, there) not in seen:
                seen.add((after, there))
                waiting.append((after, there, (*word, letter)))
    return None


def _apart(one: State, other: State) -> Word | None:
    """Return a shortest word that two states answer differently."""
    waiting: deque[tuple[State, State, Word]] = deque([(one, other, ())])
    seen = {(one, other)}
    while waiting:
        here, there, word = waiting.popleft()
        for letter in LETTERS:
            (after, said), (beside, answered) = step(here, letter), step(there, letter)
            if said != answered:
                return (*word, letter)
            if (after, beside) not in seen:
                seen.add((after, beside))
                waiting.append((after, beside, (*word, letter)))
    return None
