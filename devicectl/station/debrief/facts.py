"""Facts of a lesson that is over: what a debrief shows, as plain values.

Law: values, without a look at rooms or pages. Times are microseconds of the lesson: 0 where it begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from devicectl.station.debrief.drawings.cells import ZoneMap
from devicectl.station.debrief.drawings.timeline import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Origin of a lesson: who held it, and when. `other_version` is a sentence, where another version held it.

    Of one that is not `over`, all else is as it was when the facts were made.
    """

    title: str
    objectives: Sequence[str] = ()
    trainee: str = ""
    station: int = 0
    lesson_no: int = 0
    began: datetime | None = None
    seed: int = 0
    other_version: str = ""
    over: bool = True


class Happened(NamedTuple):
    """Something that was done or came, in words; `kind` is a word for the column beside it."""

    at_us: int
    kind: str
    words: str


class CheckResult(NamedTuple):
    """A check of the lesson and its outcome: passed, failed or not_judged; `outcome` is the check's own.

    `began_us` is when it began to be asked for, None where that never came; `within_us` the time that there was.
    `override` is the judgement of the instructor in its place, with `reason`, None where there is none.
    """

    words: str
    critical: bool
    outcome: str
    began_us: int | None = None
    at_us: int | None = None
    within_us: int | None = None
    override: bool | None = None
    reason: str = ""

    @property
    def passed(self) -> bool | None:
        """True or False by the instructor's judgement, else by its own; None where it has none."""
        own = {"passed": True, "failed": False}.get(self.outcome)
        return own if self.override is None else self.override


class Response(NamedTuple):
    """An alarm that was shown, and what the trainee did about it. What is None did not come."""

    at_us: int
    label: str
    words: str
    priority: str
    first_us: int | None
    first: str
    acknowledged_us: int | None
    over_us: int | None
    let_go_us: int | None = None
    """Time at which the station let go of the trigger for a page that had gone: nothing that the trainee did."""


class Belief(NamedTuple):
    """Something that was shown otherwise than it was, for some time, and both where they differed most."""

    quantity: str
    from_us: int
    to_us: int
    believed: str
    so: str


class Beside(NamedTuple):
    """A count beside the truth of it."""

    quantity: str
    counted: int | None
    truth: int


class Sample(NamedTuple):
    """Quantities at one time. What the host has not been told is None; pressures are suction, in kPa."""

    at_us: int
    cores_counted: int
    cores_evacuated: int
    punctures: int
    shown_kpa: float | None
    true_kpa: float

    @property
    def yield_percent(self) -> float | None:
        """Share of the punctures in which a core was counted."""
        return 100 * self.cores_counted / self.punctures if self.punctures else None


class Remark(NamedTuple):
    """A note or a bookmark of the instructor."""

    at_us: int
    kind: str
    words: str


class Attempt(NamedTuple):
    """An earlier attempt of the same lesson: the class went back in it, from `ended_us` to `back_to_us`."""

    lesson_no: int
    ended_us: int | None
    back_to_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """End of a lesson, in words and in numbers. `reconciled` is None where no session was closed."""

    state: str
    lasts_us: int
    reconciled: bool | None
    differences: Sequence[str] = ()
    punctures: int = 0
    cores_counted: int = 0
    cores_evacuated: int = 0
    target: int = 0


class Parting(NamedTuple):
    """The first thing in which two runs differ, as it was and as it becomes, in words."""

    at_us: int
    was: str
    becomes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A "what if": what was changed, the moment at which the runs part, and what both come to.

    `rows` are name, as it was, and as it becomes. `why_not` says why there is no other run, "" where there is one.
    """

    words: str
    change: str = ""
    parting: Parting | None = None
    rows: Sequence[tuple[str, str, str]] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a debrief shows of one lesson."""

    heading: Heading
    ending: Ending
    checks: Sequence[CheckResult]
    responses: Sequence[Response]
    lanes: Sequence[Lane]
    happened: Sequence[Happened]
    samples: Sequence[Sample]
    limits_kpa: Mapping[str, float]
    zones: Sequence[ZoneMap]
    beside: Sequence[Beside]
    beliefs: Sequence[Belief]
    comparisons: Sequence[Comparison]
    questions: Sequence[str]
    remarks: Sequence[Remark]
    attempts: Sequence[Attempt]
