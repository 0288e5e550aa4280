"""Work that processes or a cluster can share: ranges of numbers, each judged apart from every other.

Law: what a range comes to depends on the work and the range alone.
"""

from collections.abc import Iterator
from typing import ClassVar, Protocol

from devicectl.campaign.many.tally import Failure, Tally
from devicectl.campaign.scenario import Scenario
from handpiece_shell.version import VERSION


class Work(Protocol):
    """Many sessions. `PARTS` says for people what the numbers of a range are, such as seeds."""

    PARTS: ClassVar[str]

    def tasks(self) -> Iterator[range]:
        """Yield the ranges that are judged together; no number is in two of them."""

    def judge(self, part: range) -> Tally:
        """Judge the sessions of a range."""

    def scenario_of(self, failure: Failure) -> Scenario:
        """Return the session that has failed."""


def judge_part(work: Work, part: range, version: str = VERSION) -> Tally:
    """Judge the sessions of a range, for anyone who has that version.

    Raises:
        RuntimeError: the one who asks has another `version` than this one, whose sessions are others.
    """
    if version != VERSION:
        raise RuntimeError(f"this is {VERSION} and not {version}")
    return work.judge(part)
