"""The lessons that can be started by name: those that the user names, and then the ready ones of the package.

Law: read once, when the server begins, so that an error is said before anybody sits down.
"""

from collections.abc import Sequence
from pathlib import Path

from devicectl.station.lesson import Lesson
from devicectl.station.ready import READY, find_lesson


def library_of(wanted: Sequence[str]) -> dict[str, Lesson]:
    """Return the lessons by name, those that are wanted first; each is a ready one or a file.

    Raises:
        ScenarioFileError: one is neither, or no lesson.
    """
    first = {name if name in READY else Path(name).stem: find_lesson(name) for name in wanted}
    return {**first, **{name: find_lesson(name) for name in READY if name not in first}}
