"""Outcome of a case: the word, and what a reader needs to see it for himself.

Law: a value, of an end that is not ours as much as of one that is.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from devicectl.conformance.case import Case
from devicectl.conformance.rules import Level

Tell = Callable[[int, int, str], None]
"""Hears how far a run has come: what is done, of how many, and what it is at or has had last."""


def tell_nobody(done: int, total: int, what: str) -> None:
    """Let nobody hear it."""


class Word(StrEnum):
    """Word for what a case came to."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    KNOWN = "known"
    """Failed, as the baseline says that it does."""
    MENDED = "mended"
    """Passed, though the baseline says that it fails: the entry has to go."""


class Difference(NamedTuple):
    """Something that was not as the rule has it."""

    what: str
    expected: str
    found: str


class Timing(NamedTuple):
    """A time that was measured, in milliseconds, beside its limit."""

    what: str
    value_ms: float
    limit_ms: float

    @property
    def margin_ms(self) -> float:
        """Time that was left; below 0 it came too late."""
        return self.limit_ms - self.value_ms


class Frame(NamedTuple):
    """A piece that went over the wire, decoded as a line of text."""

    at_us: int
    link: int
    text: str


class Outcome(NamedTuple):
    """End of a case. `reason` says why it was skipped or failed."""

    case: Case
    word: Word
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    timings: tuple[Timing, ...] = ()
    frames: tuple[Frame, ...] = ()
    seconds: float = 0.0
    recording: str = ""

    @property
    def breaks(self) -> bool:
        """True where the run must not end well: a MUST that is broken, or a baseline that is out of date."""
        return self.word is Word.MENDED or (self.word is Word.FAILED and self.case.level is Level.MUST)


def count(outcomes: Iterable[Outcome]) -> dict[Word, int]:
    """Count the outcomes by their word; every word is there."""
    counts = dict.fromkeys(Word, 0)
    for outcome in outcomes:
        counts[outcome.word] += 1
    return counts
