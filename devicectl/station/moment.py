"""One moment of a lesson as a lesson of its own, and a lesson as a file.

Law: no I/O. A lesson that is written and read again is the same.
"""

from collections.abc import Sequence
from typing import Final

import yaml

from devicectl.campaign.scenario import SERIAL
from devicectl.errors import DevicectlError
from devicectl.simulation.lesson_form import FOREIGN, MAX_TEXT, MAX_TITLE
from devicectl.station.acts import COMMENTS, Act
from devicectl.station.lesson import Lesson
from devicectl.station.lesson_file import LESSON, lesson_of
from protocols.language.units import SECOND, Micros
from protocols.text.values import MAX_FILE_SIZE

WIDTH: Final = 120
_OF_OUR_HOST: Final = ("begin", "acts", "acts_us", "what_if")
"""Keys of a lesson that are about what a host of ours does."""
_AT_FIRST: Final = "At its beginning it said: "


class MomentError(DevicectlError, ValueError):
    """A lesson does not fit a file, or its moment cannot be one."""


def at_moment(lesson: Lesson, seed: int, acts: Sequence[Act], began: Micros, now: Micros, so: str) -> Lesson:
    """Return the lesson that begins where this one is `now`, after `acts`; it began at `began`, in the world's time.

    `so` is a sentence on how things are now. What the instructor has said of this class, by notes, bookmarks and
    overrides, is left out. What was judged by now stays judged: the lesson is the same one, gone on with.

    Raises:
        MomentError: its host is somebody else's.
    """
    if lesson.foreign:
        raise MomentError("a moment of somebody else's host cannot be saved: that host was not there at its beginning")
    passed, since = lesson.acts_us - began, _minutes(now - began)
    later = [act._replace(at_us=Micros(act.at_us + passed)) for act in acts if act.name not in COMMENTS]
    suffix = f", from {since}"
    part = {
        **_part(lesson),
        "title": lesson.title[: MAX_TITLE - len(suffix)] + suffix,
        "prebrief": f"This lesson goes on from {since}. {so} {_said(lesson.prebrief)}".strip()[:MAX_TEXT],
        "acts": [act.as_data() for act in (*lesson.acts, *later)],
        "acts_us": now + passed,
    }
    return lesson_of({**lesson.values, "seed": seed, LESSON: part}, lesson.title)


def for_foreign_host(lesson: Lesson, wire: str = SERIAL) -> Lesson:
    """Return the lesson for somebody else's host on that wire: the host opens the session, so nothing leads to one.

    Raises:
        ScenarioFileError: it has a fault that a host of ours or another wire has.
    """
    kept = {name: value for name, value in _part(lesson).items() if name not in _OF_OUR_HOST}
    return lesson_of({**lesson.values, "wire": wire, LESSON: {**kept, "host": FOREIGN}}, lesson.title)


def _said(prebrief: str) -> str:
    """Return what was said at the beginning, after words that say so; that of a moment has them already."""
    said = prebrief.partition(_AT_FIRST)[2] or prebrief
    return f"{_AT_FIRST}{said}" if said else ""


def _part(lesson: Lesson) -> dict[str, object]:
    """Return the values of its key `lesson`."""
    given = lesson.values.get(LESSON, {})
    assert isinstance(given, dict), "a lesson was read"
    return given


def _minutes(us: int) -> str:
    return f"{us // (60 * SECOND)}:{us // SECOND % 60:02}"


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
