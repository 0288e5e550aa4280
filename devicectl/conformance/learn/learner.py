"""Learning a device by AALpy: its Mealy machine, and the shortest word on which that is not the expected one.

How it works: each word is spelled on a device that begins idle. KV (Kearns and Vazirani, 1994) builds a machine of the
answers. Where that machine is not as expected, the device is asked: if it is as expected, the machine was wrong and
grows; else the difference is one of the device. Words of the suite then look for what both machines have overlooked.

Law: the library is imported here alone, and when it is wanted. What a device does is for `query` to say.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from devicectl.conformance.learn.expected import LETTERS
from devicectl.conformance.learn.words import Split, Word, first_difference
from devicectl.errors import DevicectlError

if TYPE_CHECKING:
    from aalpy.automata import MealyMachine, MealyState

Query = Callable[[Word], Sequence[str]]
"""Spells a word on a device that begins idle; returns the answers."""
EXTRA: Final = 'learning needs AALpy: pip install "devicectl[learn]"'


class Learned(NamedTuple):
    """Result of learning. `words` were tried, with `letters` in all; `machine` is in the language of Graphviz."""

    states: int
    words: int
    letters: int
    split: Split | None
    machine: str


class FickleError(DevicectlError):
    """A device answered one word in two ways."""


def learn(query: Query, suite: Iterable[Word], progress: Callable[[int], None] = lambda words: None) -> Learned:
    """Learn a device and hold it against the expected machine.

    Raises:
        DevicectlError: AALpy is not installed.
        FickleError: the device answered one word in two ways, so that it is no machine.
    """
    try:
        from aalpy.base import SUL, Oracle
        from aalpy.learning_algs import run_KV
    except ImportError as error:
        raise DevicectlError(EXTRA) from error

    tried = _Tried(query, progress)
    words = list(suite)

    class Device(SUL):
        """Device to AALpy: whole words at a time."""

        def query(self, word: Word) -> list[str]:
            return list(tried(tuple(word)))

        def pre(self) -> None:
            """No-op: `query` begins by itself."""

        def post(self) -> None:
            """No-op, as `pre`."""

        def step(self, letter: str) -> str:
            raise NotImplementedError("whole words alone")

    class Suite(Oracle):
        """Equivalence by the word on which the hypothesis is not as expected, and by those of the suite."""

        def find_cex(self, hypothesis: "MealyMachine") -> Word | None:
            split = _difference(hypothesis)
            for word in chain(() if split is None else (split.word,), words):
                said = tried(word)
                hypothesis.reset_to_initial()
                for place, letter in enumerate(word):
                    if hypothesis.step(letter) != said[place]:
                        return word[: place + 1]
            return None

    device = Device()
    machine = run_KV(
        list(LETTERS), device, Suite(list(LETTERS), device), automaton_type="mealy", cache_and_non_det_check=False,
        print_level=0,
    )  # fmt: skip
    return Learned(len(machine.states), len(tried.said), tried.letters, _difference(machine), _dot(machine))


class _Tried:
    """Words that were tried, each once; a word that contradicts an earlier one ends the learning."""

    def __init__(self, query: Query, progress: Callable[[int], None]) -> None:
        self.said: dict[Word, Sequence[str]] = {}
        self.letters = 0
        self._query = query
        self._progress = progress
        self._known: dict[Word, str] = {}

    def __call__(self, word: Word) -> Sequence[str]:
        if word not in self.said:
            self.said[word] = said = self._query(word)
            self.letters += len(word)
            for place, answer in enumerate(said):
                begun = word[: place + 1]
                if self._known.setdefault(begun, answer) != answer:
                    told = f"{' '.join(begun)} is answered by {self._known[begun]!r}, and by {answer!r}"
                    raise FickleError(f"the device is no machine, as far as the letters go: {told}")
            self._progress(len(self.said))
        return self.said[word]


def _difference(machine: "MealyMachine") -> Split | None:
    def walk(state: "MealyState", letter: str) -> "tuple[MealyState, str]":
        return state.transitions[letter], state.output_fun[letter]

    return first_difference(machine.initial_state, walk)


def _dot(machine: "MealyMachine") -> str:
    """Return the machine for Graphviz: what is done, and what leads elsewhere; the many refusals are left out."""
    lines = ["// TRAINING SIMULATOR - NOT A MEDICAL DEVICE", "digraph device {", '  "" [shape=none];']
    named = {state: f"{number}" for number, state in enumerate(machine.states)}
    lines.append(f'  "" -> "{named[machine.initial_state]}";')
    for state, name in named.items():
        for letter, after in state.transitions.items():
            answer = state.output_fun[letter]
            if after is not state or answer.startswith("DONE"):
                lines.append(f'  "{name}" -> "{named[after]}" [label="{letter} / {answer}"];')
    return "\n".join([*lines, "}", ""])
