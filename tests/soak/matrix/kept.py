"""What the matrices of devices and of hosts share: the file of results, and the rows of their tables.

Law: nothing of the project is imported, since a program that is to have a defect imports this first.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol, TypeVar

_Mutant = TypeVar("_Mutant")
_Tried = TypeVar("_Tried")
Results = dict[str, dict[str, str]]
"""Name of a mutant -> rule that it was seen to break -> the first case that saw it."""


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """Its name."""


_ON_THE_WAY: Final = ("could not be brought to", "on the way to the case's beginning", "the simulated device broke off")
"""Words of a case that failed before it came to what it is about: it has seen no rule broken."""
ELSEWHERE: Final = "elsewhere"
"""Stands for a rule where a case has failed on its way."""


def note(failed: dict[str, str], word: str, reason: str, rules: Iterable[str], case: str) -> None:
    """Note a case that failed under each of its rules, or as one on its way, unless an earlier one stands there."""
    if word == "failed":
        for rule in [ELSEWHERE] if any(words in reason for words in _ON_THE_WAY) else rules:
            failed.setdefault(rule, case)


def attempt_all(attempt: Callable[[_Mutant], _Tried], mutants: Sequence[_Mutant], jobs: int) -> list[_Tried]:
    """Try each mutant, so many at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(attempt, mutants))


def write(path: Path, new: Mapping[str, dict[str, str]], mutants: Iterable[Named]) -> None:
    """Write results in the order of all mutants, with what is known of those that were not tried."""
    known = {**read(path), **new}
    text = json.dumps({one.name: known[one.name] for one in mutants if one.name in known}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """Return results that were written."""
    found: Results = json.loads(path.read_text(encoding="utf-8"))
    return found


def row(rule: str, text: str, pairs: Sequence[tuple[str, str]], missing: str) -> str:
    """Return the row of a rule, with the mutants that were seen to break it and the case of the first."""
    more = f"<br>and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    names = "<br>".join(name for name, _ in pairs[:3]) + more
    case = f"`{pairs[0][1]}`" if pairs else ""
    return f"| {rule} | {text} | {names or missing} | {case} |"


HEAD = ("| rule | says | defects that its cases see | by the case |", "| --- | --- | --- | --- |")
"""Head of such a table."""
