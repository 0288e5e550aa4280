"""One moment of a lesson as a lesson of its own, and a lesson as a file.

Law: no I/O. A lesson that is written and read again is the same.
"""

from collections.abc import Sequence
from typing import Final

import yaml

from devicectl.campaign.scenario import SERIAL
from devicectl.errors import DevicectlError
from devicectl.simulation.lesson_form import FOREIGN
from devicectl.station.acts import Act
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import LESSON, lesson_of
from protocols.language.units import Micros
from protocols.text.values import MAX_FILE_SIZE

WIDTH: Final = 120


class MomentError(DevicectlError, ValueError):
    """A lesson does not fit a file, or its moment cannot be one."""


def at_moment(lesson: Lesson, seed: int, acts: Sequence[Act], began: Micros, now: Micros) -> Lesson:
    """Return the lesson that begins where this one is `now`, after `acts`; it began at `began`, in the world's time.

    Raises:
        MomentError: its host is somebody else's.
    """
    if lesson.foreign:
        raise MomentError("a moment of somebody else's host cannot be saved: that host was not there at its beginning")
    passed = lesson.acts_us - began
    later = [act._replace(at_us=Micros(act.at_us + passed)) for act in acts]
    part = {
        **_part(lesson),
        "acts": [act.as_data() for act in (*lesson.acts, *later)],
        "acts_us": now + passed,
    }
    return lesson_of({**lesson.values, "seed": seed, LESSON: part}, lesson.title)


def for_foreign_host(lesson: Lesson) -> Lesson:
    """Return the lesson for somebody else's host on a serial wire: the host opens the session itself.

    Raises:
        ScenarioFileError: it begins with acts, or has a fault that a host of ours or a broker has.
    """
    kept = {name: value for name, value in _part(lesson).items() if name not in ("begin", "what_if")}
    return lesson_of({**lesson.values, "wire": SERIAL, LESSON: {**kept, "host": FOREIGN}}, lesson.title)


def _part(lesson: Lesson) -> dict[str, object]:
    """Return the values of its key `lesson`; a title that has come of another key, or of a file's name, is kept."""
    given = lesson.values.get(LESSON, {})
    assert isinstance(given, dict), "a lesson was read"
    return {"title": lesson.title, **given}


def lesson_as_yaml(lesson: Lesson) -> str:
    """Return a lesson as the YAML of its file.

    Raises:
        MomentError: it has more acts than a file takes.
    """
    text = yaml.dump(dict(lesson.values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    if len(text.encode(errors="surrogatepass")) > MAX_FILE_SIZE:
        acts = len(lesson.acts)
        raise MomentError(f"{acts} acts are more than the {MAX_FILE_SIZE} bytes of a lesson's file: save it earlier")
    return text


class _Dumper(yaml.SafeDumper):
    """Writes what `protocols.text.values` reads: no aliases, and in quotes what would read as something else."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    looks_like_number = text[:1] in ("+", "-", ".", *"0123456789")
    plain = not looks_like_number and text.replace("\n", "").isprintable()  # line ends of YAML 1.1 are more than ours
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _represent_text)
