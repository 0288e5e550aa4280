"""Counts of a campaign so far, which add up in any order, and each session that failed.

Law: plain data that JSON has. Two tallies of different sessions make one, whichever comes first.
"""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Final, NamedTuple, Self

from protocols.capture.packet import JsonObject

RIGHT: Final = "right"


class Failure(NamedTuple):
    """A session that was wrong or stuck: who has seen it, and each of its faults that fired."""

    seed: int
    word: str
    judge: str
    at_us: int
    sentence: str
    faults: list[dict[str, float | str]]


@dataclass(slots=True)
class Tally:
    """Counts of the sessions that were judged. `fired` is by "kind phase", `seen` by what was met, such as "host"."""

    sessions: int = 0
    lives: int = 0
    """Starts of a host."""
    virtual_us: int = 0
    words: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    declared: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add the sessions of another tally."""
        self.sessions += other.sessions
        self.lives += other.lives
        self.virtual_us += other.virtual_us
        self.words += other.words
        self.endings += other.endings
        self.declared += other.declared
        self.fired += other.fired
        for what, counts in other.seen.items():
            self.seen[what] = self.seen.get(what, Counter()) + counts
        self.failures = sorted(self.failures + other.failures)

    def saw(self, what: str, name: str, count: int = 1) -> None:
        """Count something that was met."""
        self.seen.setdefault(what, Counter())[name] += count

    @property
    def faults_fired(self) -> int:
        """Faults that have had an effect."""
        return self.fired.total()

    def to_json(self) -> JsonObject:
        """Return all of it as JSON has it, every mapping in the order of its keys."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        found |= {name: dict(sorted(value.items())) for name, value in found.items() if isinstance(value, Counter)}
        found["seen"] = {what: dict(sorted(counts.items())) for what, counts in sorted(self.seen.items())}
        found["failures"] = [failure._asdict() for failure in self.failures]
        return found

    @classmethod
    def from_json(cls, data: JsonObject) -> Self:
        """Return the tally that `to_json` has made that data of."""
        values = dict(data)
        for name in ("words", "endings", "declared", "fired"):
            values[name] = Counter(values[name])
        values["seen"] = {what: Counter(counts) for what, counts in values["seen"].items()}
        values["failures"] = [Failure(**failure) for failure in values["failures"]]
        return cls(**values)
