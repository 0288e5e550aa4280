"""The lessons that come with the program, in the order in which they are offered, and what a speaker shows."""

from pathlib import Path
from typing import Final

from devicectl.campaign.scenario_file import ScenarioFileError
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import read_lesson
from protocols.text.findings import did_you_mean

FOLDER: Final = Path(__file__).parent / "lessons"
READY: Final = (
    "normal-session",
    "no-anesthesia",
    "anesthesia-too-early",
    "suction-leak",
    "clogged-needle",
    "used-cartridge",
    "too-dense-a-spot",
    "link-loss",
    "frozen-sensor",
    "counts-disagree",
)
DEMONSTRATION: Final = "demonstration"
"""For a speaker, and no lesson for a trainee: a usual session that is armed already."""


def find_lesson(name: str) -> Lesson:
    """Read a ready lesson by its name, or else the lesson in the file of that name.

    Raises:
        ScenarioFileError: there is neither, or the file is no lesson, or one that cannot happen.
    """
    if name in (*READY, DEMONSTRATION):
        return read_lesson(FOLDER / f"{name}.yaml")
    path = Path(name)
    if not path.suffix and not path.exists():
        hint = did_you_mean(name, READY) or f": there are {', '.join(READY)}"
        raise ScenarioFileError("lesson", None, name, f"is neither a ready lesson nor a file{hint}")
    return read_lesson(path)
