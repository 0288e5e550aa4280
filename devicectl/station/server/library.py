"""The lessons that can be started by name: those that the user names, and then the ready ones of the package.

Law: read once, when the server begins, so that an error is said before anybody sits down.
"""

from collections.abc import Sequence
from pathlib import Path

from devicectl.station.lesson import Lesson
from devicectl.station.ready import DEMONSTRATION, READY, find_lesson


def library_of(wanted: Sequence[str], *, demo: bool = False) -> dict[str, Lesson]:
    """Return the lessons by name: the demonstration if there is to be one, those that are wanted, and the ready ones.

    One that is wanted is a ready one or a file.

    Raises:
        ScenarioFileError: one is neither, or no lesson.
    """
    first = {DEMONSTRATION: find_lesson(DEMONSTRATION)} if demo else {}
    first |= {name if name in READY else Path(name).stem: find_lesson(name) for name in wanted}
    return {**first, **{name: find_lesson(name) for name in READY if name not in first}}
