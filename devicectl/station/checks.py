"""The checks of a lesson as it runs: what the trainee did, held against what he could see at the time.

How it works: `{check: stops, after: 'alarm(MC-0401)', do: 'act(trigger_release)', within_s: 5}`

    open         not judged yet; from the alarm on 5 s are running
    passed       the trigger was released in that time, or was not held at the alarm
    failed       it was not, or the station has let go of it for a page that had gone
    not_judged   the alarm never came, or the lesson was over before the 5 s were

Law: pure, and by evidence alone. An override is kept beside the verdict and does not change it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from devicectl.errors import DevicectlError
from devicectl.station.evidence import Evidence, Pattern
from devicectl.station.lesson import Check
from protocols.language.units import Micros


class Outcome(StrEnum):
    """State of a check."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not_judged"


class Override(NamedTuple):
    """Judgement of the instructor in place of the check's own, with its reason."""

    passed: bool
    reason: str
    at_us: Micros


class CheckError(DevicectlError, ValueError):
    """A check cannot be overridden; the text says why."""


class Judged:
    """A check, and what has become of it. `after_us` is when its evidence came, `at_us` when it was judged."""

    __slots__ = ("after_us", "at_us", "check", "outcome", "override")

    def __init__(self, check: Check) -> None:
        self.check = check
        self.outcome = Outcome.OPEN
        self.after_us: Micros | None = None
        self.at_us: Micros | None = None
        self.override: Override | None = None

    @property
    def due_us(self) -> Micros | None:
        """Time at which it ends by itself; None where it does not, or has not begun."""
        if self.after_us is None or self.check.within_us is None:
            return None
        return Micros(self.after_us + self.check.within_us)

    @property
    def passed(self) -> bool | None:
        """True or False by the instructor's judgement, else by its own; None where it has none."""
        if self.override is not None:
            return self.override.passed
        return {Outcome.PASSED: True, Outcome.FAILED: False}.get(self.outcome)


class Checks:
    """The checks of one lesson, in their order."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.judged: Final = tuple(Judged(check) for check in checks)
        self._by_name = {one.check.check: one for one in self.judged}
        self._held = False
        """True while the trainee holds the trigger."""

    def saw(self, evidence: Evidence) -> None:
        """Take what the trainee could see or has done."""
        self.advance(evidence.at_us)
        if evidence.kind == "act" and evidence.name in ("trigger_press", "trigger_release"):
            self._held = evidence.name == "trigger_press"
        elif evidence.kind == "let_go":
            self._held = False
        for one in self.judged:
            if one.outcome is Outcome.OPEN:
                self._look(one, evidence)

    def _look(self, one: Judged, evidence: Evidence) -> None:
        check = one.check
        if one.after_us is None:
            if check.after.matches(evidence):
                one.after_us = evidence.at_us
                if check.do is not None and not self._held and _names_release(check.do):
                    _judge(one, Outcome.PASSED, evidence.at_us)
        elif check.do is not None and check.do.matches(evidence):
            _judge(one, Outcome.PASSED, evidence.at_us)
        elif check.never is not None and check.never.matches(evidence):
            _judge(one, Outcome.FAILED, evidence.at_us)
        elif check.until is not None and check.until.matches(evidence):
            _judge(one, _at_its_end(check), evidence.at_us)

    def advance(self, now: Micros) -> None:
        """Judge what has ended by its time before `now`; evidence of that very moment still counts."""
        for one in self.judged:
            if one.outcome is Outcome.OPEN and one.due_us is not None and one.due_us < now:
                _judge(one, _at_its_end(one.check), one.due_us)

    def finish(self, now: Micros) -> None:
        """Judge all that is open, since the lesson is over."""
        self.advance(now)
        for one in self.judged:
            if one.outcome is Outcome.OPEN:
                cut_short = one.check.do is not None and one.due_us is not None
                never_began = one.after_us is None
                outcome = Outcome.NOT_JUDGED if never_began or cut_short else _at_its_end(one.check)
                _judge(one, outcome, now)

    def override(self, name: str, passed: bool, reason: str, now: Micros) -> None:
        """Keep the instructor's judgement beside a check's own; a later one takes its place.

        Raises:
            CheckError: there is no such check.
        """
        one = self._by_name.get(name)
        if one is None:
            raise CheckError(f"there is no check {name}: must be one of {', '.join(self._by_name) or 'none'}")
        one.override = Override(passed, reason, now)


def _names_release(pattern: Pattern) -> bool:
    return any(one.kind == "act" and one.name == "trigger_release" for one in pattern.ones)


def _at_its_end(check: Check) -> Outcome:
    """Return the outcome of a check for which nothing came until its end."""
    return Outcome.FAILED if check.do is not None else Outcome.PASSED


def _judge(one: Judged, outcome: Outcome, at_us: Micros) -> None:
    one.outcome, one.at_us = outcome, at_us
