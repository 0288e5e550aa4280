"""A lesson: a scenario for a class, with what its trainee is told, what happens to him and what is judged.

Law: a value, checked by who made it. A lesson, a seed and a list of acts repeat a run to the byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from devicectl.campaign.scenario import Scenario
from devicectl.station.acts import Act
from devicectl.station.evidence import Pattern
from firmware_sim.faults.fault import Fault
from protocols.language.units import SECOND, Micros


class Begin(NamedTuple):
    """State of the host in which a lesson begins, and the cores that are counted by then, or a few more."""

    state: str = "armed"
    cores: int = 0


class Item(NamedTuple):
    """An item of the script: `delay_us` after its evidence it injects a fault, or ends that of an earlier item.

    One that ends a fault waits for its evidence from when that item has fired.
    """

    item: str
    words: str
    after: Pattern
    delay_us: int = 0
    fault: Fault | None = None
    ends: str = ""


class Check(NamedTuple):
    """Something that the trainee has to do, or must not do, from the first evidence that `after` names.

    It ends by `until`, by `within_us`, or with the lesson. Either `do` or `never` is given.
    """

    check: str
    words: str
    after: Pattern
    do: Pattern | None = None
    never: Pattern | None = None
    until: Pattern | None = None
    within_us: int | None = None
    critical: bool = False


class WhatIf(NamedTuple):
    """Another course of a lesson, from the first evidence that `at` names: without it, from the beginning.

    The first act from there on that `instead_of` names is left out, and `act` is put in `delay_us` after that evidence;
    its own time means nothing. If the hand `lets_go`, the trigger is released at the evidence.
    """

    words: str
    instead_of: Pattern | None = None
    act: Act | None = None
    at: Pattern | None = None
    delay_us: int = 0
    lets_go: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One lesson. Its trainee sees `task` in place of `title`, which may tell too much.

    `values` are those of its file, from which the same lesson can be read again.

    It begins where `begin`, and then its `acts` up to `acts_us`, have led to. Times count from the end of `begin`. One
    that is `foreign` is for somebody else's host, and begins with the device just started.
    """

    scenario: Scenario
    title: str
    task: str
    minutes: float
    objectives: tuple[str, ...]
    prebrief: str
    guide: str
    begin: Begin
    script: tuple[Item, ...]
    checks: tuple[Check, ...]
    questions: tuple[str, ...]
    what_if: tuple[WhatIf, ...]
    acts: tuple[Act, ...]
    acts_us: Micros
    values: Mapping[str, object]
    foreign: bool = False

    @property
    def seed(self) -> int | None:
        """Seed of its file, with which it plays the same for everybody; None where the file has none."""
        return self.scenario.seed if "seed" in self.values else None

    @property
    def lasts_us(self) -> Micros:
        """Microseconds that it takes at 1x."""
        return Micros(round(self.minutes * 60 * SECOND))
