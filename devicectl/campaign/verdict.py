"""The verdict on one run: right, wrong, stuck, or a declared fault that never fired.

Law: values. Judges make breaches, the trial what has happened.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Breach(NamedTuple):
    """Something that the specification forbids: which judge saw it, when, and what it was."""

    judge: str
    at_us: int
    sentence: str


class Fired(NamedTuple):
    """A fault that has fired: its number in the list, its kind, when, and in which phase of a cycle."""

    fault: int
    kind: str
    at_us: int
    phase: str


@dataclass(slots=True)
class Verdict:
    """Outcome of a run. `stuck` says in what, "" where it came to its end; `ending` how the session was closed.

    A run may be both wrong and stuck: its word is then "wrong".

    `lives` is how often the host was started; `unfired` are the numbers of faults that never fired; `seen` counts what
    was met, such as ("refusal", "E_BUSY").
    """

    seed: int
    ending: str = ""
    breaches: list[Breach] = field(default_factory=list)
    stuck: str = ""
    fired: list[Fired] = field(default_factory=list)
    unfired: list[int] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    """Expectations that were not met, each as a sentence."""
    lives: int = 0
    virtual_us: int = 0
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """True if nothing is wrong and nothing is stuck."""
        return not self.breaches and not self.stuck

    @property
    def word(self) -> str:
        """The verdict in one word."""
        if self.breaches:
            return "wrong"
        if self.stuck:
            return "stuck"
        return "unmet" if self.unmet else "unfired" if self.unfired else "right"

    @property
    def failure(self) -> tuple[str, str]:
        """Failure of the run, to compare with another run's: the word, and the judge that saw it first."""
        return self.word, self.breaches[0].judge if self.breaches else ""
