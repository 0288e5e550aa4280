"""Words of the expected machine, and the shortest one on which two machines differ."""

from devicectl.conformance.learn.expected import LETTERS, START, State, step
from devicectl.conformance.learn.words import access, answers, count_states, crossing, first_difference, suite, telling


def test_each_word_leads_to_its_state() -> None:
    for state, word in access().items():
        end = START
        for letter in word:
            end, _ = step(end, letter)
        assert end == state


def test_the_telling_words_tell_apart_whatever_any_word_does() -> None:
    """Partition refinement, which knows nothing of words, finds the same number of states."""
    block = dict.fromkeys(access(), 0)
    while True:
        keys = {s: (block[s], *((step(s, x)[1], block[step(s, x)[0]]) for x in LETTERS)) for s in block}
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys.values()))}
        if len(numbers) == len(set(block.values())):
            break
        block = {state: numbers[key] for state, key in keys.items()}
    assert count_states() == len(numbers)
    words = telling()
    assert len({tuple(answers(state, word) for word in words) for state in block}) == len(numbers)


def test_the_suite_has_each_step_of_each_state_and_no_word_twice() -> None:
    words = list(suite())
    assert len(words) == len(set(words)) > 1_000
    begun = {word[:count] for word in words for count in range(len(word) + 1)}
    assert set(crossing()) <= begun
    assert len(set(crossing())) == len(access()) * len(LETTERS)


def test_the_expected_machine_does_not_differ_from_itself() -> None:
    assert first_difference(START, step) is None


def test_the_shortest_difference_is_found() -> None:
    def forgets_the_hand(state: State, letter: str) -> tuple[State, str]:
        after, answer = step(state, letter)
        return (after._replace(hand=False) if letter == "DISARM" else after), answer

    split = first_difference(START, forgets_the_hand)
    assert split is not None
    opened = ("SESSION_OPEN", "ANESTHESIA_START", "ANESTHESIA_CONFIRM", "ARM")
    assert split == ((*opened, "REPOSITION", "DISARM", "ARM", "PUNCH"), "DONE", "interlock 9")
