"""A lesson of the log as plain values: what repeats it, and what is known of its end.

Law: no SQL. A lesson is repeated by its file, its seed and its acts; whatever else a page shows follows from these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

TimedAct = tuple[int, str, str, Mapping[str, object]]
"""An act: time of the lesson's world, view, name, and arguments that JSON has. Every named tuple of these is one."""


class StoredAct(NamedTuple):
    """An act as the log has it."""

    at_us: int
    view: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonStart:
    """A lesson begins. `text` is its file, as YAML.

    `parent` is the lesson of which this one is a further attempt: the class went back in it to `parent_at_us`. The acts
    up to then are this lesson's too, and are appended to it like any other.
    """

    title: str
    text: str
    seed: int
    station: int
    trainee: str = ""
    parent: int | None = None
    parent_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class LessonSummary:
    """One lesson in a list. `version` is that of the program that held it: another may execute it otherwise.

    `ended_us` is the time of its world at its end, None while it is unfinished; `session_key` the session that it
    closed, None where it was given up. Wall times are None where the log was kept without a clock.
    """

    key: int
    start: LessonStart
    version: str
    ended_us: int | None
    session_key: int | None
    acts: int
    began_wall: datetime | None
    ended_wall: datetime | None


@dataclass(frozen=True, slots=True)
class StoredLesson:
    """Everything that the log has of one lesson: its acts in the order in which they were done."""

    summary: LessonSummary
    acts: tuple[StoredAct, ...]

    @property
    def start(self) -> LessonStart:
        """The lesson's start."""
        return self.summary.start
