"""The debrief of a lesson that the log has: it is executed again, and shown.

Law: the log's lesson in, the page out. Nothing but the lesson's file, its seed and its acts is believed.
"""

from collections.abc import Callable, Iterator, Sequence

from devicectl.errors import DevicectlError
from devicectl.log.lessons.lesson import StoredLesson
from devicectl.station.acts import act_of
from devicectl.station.debrief.execution.collecting import LessonRecord, facts_of, watch_record
from devicectl.station.debrief.execution.what_if import compare
from devicectl.station.debrief.facts import Attempt, Facts, Heading
from devicectl.station.debrief.page import debrief_page
from devicectl.station.lesson_file import parse_lesson
from handpiece_shell.version import VERSION
from protocols.language.units import Micros


class DebriefError(DevicectlError):
    """A lesson of the log that this program cannot execute again."""

    exit_code = 4


def debrief_of(key: int, load: Callable[[int], StoredLesson], until: Micros | None = None) -> str:
    """Return the debrief of the log's lesson with that key as a document of HTML; `load` loads one.

    One that is not over is shown up to `until`, a time of its world, or to its last act where nobody knows better.

    Raises:
        LogError: the log has no such lesson, or cannot be read.
        DebriefError: the lesson cannot be executed again.
    """
    stored = load(key)
    return debrief_page(facts_of_stored(stored, list(_earlier(stored, load)), until))


def _earlier(stored: StoredLesson, load: Callable[[int], StoredLesson]) -> Iterator[tuple[StoredLesson, int]]:
    """Return the attempts before a lesson, the latest first, and the time to which the class went back in each."""
    start = stored.start
    while start.parent is not None and start.parent_at_us is not None:
        parent = load(start.parent)
        yield parent, start.parent_at_us
        start = parent.start


def facts_of_stored(
    stored: StoredLesson, earlier: Sequence[tuple[StoredLesson, int]] = (), until: Micros | None = None
) -> Facts:
    """Execute a lesson again, and each of its "what ifs"; return the facts.

    Raises:
        DebriefError: it cannot be executed again.
    """
    try:
        record = record_of(stored, until)
        watched = watch_record(record)
    except DevicectlError as error:
        raise _not_again(stored, str(error)) from error
    if watched.impossible:
        raise _not_again(stored, f"{watched.impossible[0].name} is not possible")
    comparisons = [compare(record, watched, one) for one in record.lesson.what_if]
    attempts = [_attempt(parent, back_to_us, watched.room.began) for parent, back_to_us in reversed(earlier)]
    return facts_of(watched, _heading(stored, record), comparisons, attempts)


def record_of(stored: StoredLesson, until: Micros | None = None) -> LessonRecord:
    """Return what repeats a lesson; one that is not over goes up to `until`, or to its last act.

    Raises:
        DevicectlError: its file or one of its acts is none that this program has.
    """
    lesson = parse_lesson(stored.start.text, f"lesson {stored.summary.key}")
    acts = [act_of({**act._asdict()}, act.view) for act in stored.acts]
    ended, last = stored.summary.ended_us, acts[-1].at_us if acts else Micros(0)
    if ended is not None:
        return LessonRecord(lesson, stored.start.seed, acts, Micros(ended))
    return LessonRecord(lesson, stored.start.seed, acts, last if until is None else until, over=False)


def _heading(stored: StoredLesson, record: LessonRecord) -> Heading:
    start, summary = stored.start, stored.summary
    return Heading(
        title=start.title,
        objectives=record.lesson.objectives,
        trainee=start.trainee,
        station=start.station,
        lesson_no=summary.key,
        began=summary.began_wall,
        seed=start.seed,
        other_version=_versions(stored),
        over=record.over,
    )


def _attempt(parent: StoredLesson, back_to_us: int, began: int) -> Attempt:
    ended_us = parent.summary.ended_us
    return Attempt(parent.summary.key, None if ended_us is None else ended_us - began, back_to_us - began)


def _not_again(stored: StoredLesson, why: str) -> DebriefError:
    versions = _versions(stored)
    also = f"; {versions}" if versions else ""
    return DebriefError(f"lesson {stored.summary.key} cannot be executed again: {why}{also}")


def _versions(stored: StoredLesson) -> str:
    """Return a sentence where another version of the program held the lesson, else an empty text."""
    held_by = stored.summary.version
    return "" if held_by == VERSION else f"held by {held_by}, executed again by {VERSION}: they may differ"
