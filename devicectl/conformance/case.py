"""A case: one thing that is tried on an end, as data, with the rules that it shows and what it needs of the other end.

Law: a value. How a case is carried out is for the runner of its end; `run` is whatever that one takes.
"""

import difflib
import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from devicectl.conformance.rules import RULES, Duty, Level, Rule


class Need(StrEnum):
    """Something that a case needs of the other end or of the bench. The value says what was missing."""

    BYTES = "a wire of bytes"
    BROKER = "a broker"
    SECOND = "a second link beside the first"
    MANY = "seventeen links side by side"
    MOTION = "leave to move a device that is no simulator: --allow-motion"
    POWER = "a power switch: --hook power_cycle=COMMAND"
    HOOK = "a power switch for all of the device, its way to a broker too: --hook power_cycle=COMMAND"
    FAULTS = "a simulated device that takes faults over its link"

    @property
    def word(self) -> str:
        """One word for it, where many cases are listed."""
        return self.name.lower()


class Case(NamedTuple):
    """One case. `rules` are the numbers of those that it shows; `end` is the end that is judged.

    `stage` is where the other end has to be when it begins, in the words of the runner.
    """

    id: str
    title: str
    rules: tuple[str, ...]
    end: Duty
    run: Callable[..., object]
    needs: frozenset[Need] = frozenset()
    stage: int = 0

    @property
    def level(self) -> Level:
        """The weight of its heaviest rule."""
        levels = {RULES[rule].level for rule in self.rules}
        return next(level for level in Level if level in levels)


def matching(name: str, cases: Sequence[Case]) -> list[str]:
    """Return the ids of the cases that a name chooses: a case, a pattern as `lse.*`, or a rule."""
    return [case.id for case in cases if fnmatch.fnmatchcase(case.id, name) or name.upper() in case.rules]


def nearest(name: str, cases: Sequence[Case]) -> str:
    """Return the group, case or rule that a name which chooses no case was perhaps meant for; "" where none is near."""
    group = name.removesuffix("*").removesuffix(".").lower()
    if any(case.id.startswith(f"{group}.") for case in cases):
        return f"'{group}.*'"
    rules = dict.fromkeys(rule for case in cases for rule in case.rules)
    found = difflib.get_close_matches(name.lower(), [case.id for case in cases], 1) or difflib.get_close_matches(
        name.upper(), rules, 1
    )
    return found[0] if found else ""


class CatalogueError(ValueError):
    """A catalogue of cases does not fit the rules."""


def check_catalogue(cases: Iterable[Case], end: Duty, rules: Mapping[str, Rule] = RULES) -> None:
    """See that cases and rules fit: names once, no unknown rule, none of the other end, each MUST of `end` shown.

    Raises:
        CatalogueError: they do not; names case or rule.
    """
    seen: set[str] = set()
    shown: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise CatalogueError(f"case {case.id}: there are two; give each a name of its own")
        if case.end is not end:
            raise CatalogueError(f"case {case.id}: it judges the {case.end}; it is in the list of the {end}")
        if not case.rules:
            raise CatalogueError(f"case {case.id}: it shows no rule; name one at least")
        for name in case.rules:
            if name not in rules:
                raise CatalogueError(f"case {case.id}: there is no rule {name}; see devicectl/conformance/rules.py")
            if not rules[name].duty.is_of(end):
                raise CatalogueError(f"case {case.id}: {name} is a duty of the {rules[name].duty}, not of the {end}")
        seen.add(case.id)
        shown.update(case.rules)
    for rule in rules.values():
        if rule.level is Level.MUST and rule.duty.is_of(end) and rule.id not in shown:
            raise CatalogueError(f"rule {rule.id}: no case shows it; each MUST of the {end} needs one")
