"""A lesson with a leak, executed as a class could have held it, for the tests of what is collected from it."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from devicectl.station.acts import Act
from devicectl.station.debrief.execution.collecting import LessonRecord, watch_record
from devicectl.station.debrief.execution.watching import Watched
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import parse_lesson
from devicectl.station.room import Room
from protocols.language.units import SECOND, Micros

SEED: Final = 7
TEXT: Final = """
plan: {target_cores: 200, zones: [{name: cheek, area_cm2: 6}, {name: chin, area_cm2: 2}]}
lesson:
  title: Suction leak
  begin: {state: armed, cores: 9}
  script:
    - item: leak
      after: 'act(trigger_press)'
      delay_s: 2
      fault: {fault: leak, kpa_per_s: 60}
      words: the hose comes loose
  checks:
    - {check: stops, words: Stops, after: 'alarm(MC-0401)', do: 'act(stop)', within_s: 5, critical: true}
    - {check: waits, words: Waits, after: 'alarm(MC-0401)', never: 'act(trigger_press)', until: 'alarm_over(MC-0401)'}
    - {check: purges, words: Purges, after: 'alarm(MC-0601)', do: 'act(purge)'}
  questions: ['Where is the leak?']
  what_if:
    - {words: the stop had come at the alarm, act: stop, instead_of: 'act(stop)', at: 'alarm(MC-0401)'}
    - {words: nobody had stopped, instead_of: 'act(stop)'}
    - {words: he had purged at once, act: purge, at: 'link_lost'}
"""
"""A lesson in which the leak comes 2 s after the first press."""


@cache
def lesson(text: str = TEXT) -> Lesson:
    return parse_lesson(text, "a lesson")


@cache
def began(text: str = TEXT) -> Micros:
    return Room(lesson(text), SEED).began


def acts(*done: tuple[float, str, str, dict[str, object]], text: str = TEXT) -> list[Act]:
    """Return acts of the given seconds after the lesson's beginning."""
    return [
        Act(Micros(began(text) + round(at_s * SECOND)), view, name, arguments) for at_s, view, name, arguments in done
    ]


def record(done: Sequence[Act], until_s: float, text: str = TEXT) -> LessonRecord:
    return LessonRecord(lesson(text), SEED, done, Micros(began(text) + round(until_s * SECOND)))


def late_stop() -> list[Act]:
    """Acts of a trainee who sees the alarm and stops 9 s after the beginning."""
    return acts(
        (1.0, "trainee", "trigger_press", {}),
        (7.0, "trainee", "trigger_release", {"why": "let_go"}),
        (9.0, "trainee", "stop", {}),
        (9.5, "instructor", "note", {"text": "late"}),
        (10.0, "trainee", "acknowledge", {"code": 0}),
        (11.0, "instructor", "override", {"check": "stops", "passed": True, "reason": "said it aloud"}),
        (12.0, "instructor", "bookmark", {"text": "before the close"}),
        (13.0, "trainee", "close", {}),
    )


@cache
def watched() -> Watched:
    """Return the lesson of the late stop, executed."""
    return watch_record(record(late_stop(), 15.0))
