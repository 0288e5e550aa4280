"""Debriefs as pages: an execution for each state of a lesson, and none for the same question again."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from devicectl.log.lessons.lesson import LessonStart, LessonSummary, StoredAct, StoredLesson
from devicectl.station.debrief.stored import DebriefError
from devicectl.station.server.control.debriefs import MAX_PAGES, Debriefs
from protocols.language.units import Micros

pytestmark = pytest.mark.asyncio
Load = Callable[[int], StoredLesson]


def a_lesson(key: int = 1, acts: int = 0, ended_us: int | None = None) -> StoredLesson:
    """A lesson as the log has it."""
    start = LessonStart(title="a", text="", seed=7, station=1)
    done = tuple(StoredAct(number, "trainee", "arm", {}) for number in range(acts))
    return StoredLesson(LessonSummary(key, start, "1", ended_us, None, acts, None, None), done)


class Executions:
    """Debriefs whose executions are counted."""

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.debriefs = Debriefs(self.make)

    def make(self, key: int, load: Load, until: Micros | None) -> str:
        self.keys.append(key)
        return f"{key}: {len(load(key).acts)} acts"

    def ask(self, *lessons: StoredLesson) -> Awaitable[str]:
        """Ask for the debrief of the first lesson; the others are the attempts before it."""
        return self.debriefs.page(lessons[0].summary.key, {one.summary.key: one for one in lessons})


async def test_a_page_that_is_asked_for_again_is_executed_once() -> None:
    made = Executions()
    assert [await made.ask(a_lesson(acts=2)) for _ in range(3)] == ["1: 2 acts"] * 3
    assert made.keys == [1]


async def test_pages_that_are_asked_for_at_once_are_executed_one_after_another_and_each_once() -> None:
    made = Executions()
    pages = await asyncio.gather(*[made.ask(a_lesson(key)) for key in (1, 2, 1, 2, 1)])
    assert pages == ["1: 0 acts", "2: 0 acts", "1: 0 acts", "2: 0 acts", "1: 0 acts"] and made.keys == [1, 2]


async def test_a_lesson_with_more_acts_or_an_end_is_executed_again() -> None:
    made = Executions()
    for lesson in (a_lesson(), a_lesson(acts=1), a_lesson(acts=1, ended_us=5), a_lesson(acts=1, ended_us=5)):
        await made.ask(lesson)
    assert made.keys == [1, 1, 1]


async def test_a_lesson_that_goes_on_is_executed_again_when_time_has_passed_in_it() -> None:
    made = Executions()
    for until in (5, 5, 6, None):
        await made.debriefs.page(1, {1: a_lesson()}, None if until is None else Micros(until))
    assert made.keys == [1, 1, 1]


async def test_a_lesson_is_executed_again_when_an_attempt_before_it_has_ended() -> None:
    made = Executions()
    earlier = a_lesson(1)
    for parent in (earlier, replace(earlier, summary=replace(earlier.summary, ended_us=5))):
        await made.ask(a_lesson(2), parent)
    assert made.keys == [2, 2]


async def test_pages_that_were_not_asked_for_for_longest_are_not_kept() -> None:
    made = Executions()
    for key in (*range(MAX_PAGES), 0, MAX_PAGES, 0, 1):
        await made.ask(a_lesson(key))
    assert made.keys == [*range(MAX_PAGES), MAX_PAGES, 1]


async def test_a_lesson_that_cannot_be_executed_is_tried_again_and_stops_no_other() -> None:
    class Broken(Executions):
        def make(self, key: int, load: Load, until: Micros | None) -> str:
            super().make(key, load, until)
            raise DebriefError("no")

    made = Broken()
    for _ in range(2):
        with pytest.raises(DebriefError):
            await made.ask(a_lesson())
    assert made.keys == [1, 1]
