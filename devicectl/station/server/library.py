"""The lessons that can be started by name: those that the user names, and then the ready ones of the package.

Law: read once, when the server begins, so that an error is said before anybody sits down.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devicectl.campaign.scenario_file import ScenarioFileError
from devicectl.station.lesson import Lesson
from devicectl.station.ready import DEMONSTRATION, READY, find_lesson

_OURS: Final = (*READY, DEMONSTRATION)


def library_of(wanted: Sequence[str], *, demo: bool = False) -> dict[str, Lesson]:
    """Return the lessons by name: the demonstration if there is to be one, those that are wanted, and the ready ones.

    One that is wanted is a ready one or a file.

    Raises:
        ScenarioFileError: one is neither, or no lesson, or has the name of another one.
    """
    names = dict.fromkeys(((DEMONSTRATION,) if demo else ()) + tuple(wanted) + READY)
    lessons: dict[str, Lesson] = {}
    for given in names:
        name = given if given in _OURS else Path(given).stem
        if name in lessons or (name in _OURS and name != given):
            raise ScenarioFileError("lesson", None, given, f"another lesson has the name {name}: rename {given}")
        lessons[name] = find_lesson(given)
    return lessons
