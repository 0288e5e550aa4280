"""Acts: all that a person can do in a lesson, as a table, and one act as a value that was checked against its row.

A lesson is its scenario, its seed and its acts, so an act has the time at which it was done, and whose view did it.

    act_of({"name": "anesthesia_start", "arguments": {"zone": 1}}, "trainee")

Law: values. What an act does is for the room. What only moves the clock (run, hold, speed) is no act.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from devicectl.errors import DevicectlError
from firmware_sim.errors import SimulatorError
from firmware_sim.faults.fault import fault_of
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from protocols.language.units import Micros
from protocols.text.findings import did_you_mean
from protocols.text.values import shown_value

TRAINEE: Final = "trainee"
INSTRUCTOR: Final = "instructor"
PRESENTER: Final = "presenter"
SERVER: Final = "server"
HOST: Final = "host"
"""Far end of a real transport: somebody else's host, at a station that has one."""
VIEWS: Final = (TRAINEE, INSTRUCTOR, PRESENTER, SERVER, HOST)
RELEASES: Final = ("let_go", "focus", "pointer", "hidden", "connection", "lease", "stop")
"""Reasons for which the trigger is let go: by the hand, by what takes the hand off it, or by the server."""
MAX_TEXT: Final = 500
MAX_NAME: Final = 40
MAX_ZONE: Final = 255
MAX_CELL: Final = 0xFFFE
MAX_CODE: Final = 0xFFFF
MAX_PIECE: Final = 96 * 1024
"""Characters of base64 for what a host may have sent while the lesson was held."""
MAX_FAULTS: Final = 1_000
"""Faults that a lesson may have, as a scenario."""
_KEYS: Final = ("at_us", "view", "name", "arguments")


class ActError(DevicectlError, ValueError):
    """An act that cannot be done: not by this view, with these arguments, or because the lesson has ended."""


class Argument(NamedTuple):
    """One argument: a whole number, a text, true or false, or a mapping.

    A number is from `least` to `most`, a text has so many characters or is one of the `words`. Without a `usual` value
    it must be given, but for one that is `optional`.
    """

    name: str
    type: type[int | str | bool | dict[str, object]]
    least: int = 0
    most: int = 0
    words: tuple[str, ...] = ()
    usual: int | str | None = None
    optional: bool = False

    @property
    def right(self) -> str:
        """Values that it may have, for people."""
        if self.words:
            return f"one of {', '.join(self.words)}"
        if self.type is int:
            return f"a whole number from {self.least} to {self.most}"
        if self.type is str:
            return f"a text of {self.least} to {self.most} characters of Unicode"
        return "true or false" if self.type is bool else "a mapping of keys to values"

    def fits(self, value: object) -> bool:
        """Return True for a value that it may have."""
        if type(value) is not self.type:
            return False
        if self.words:
            return value in self.words
        if isinstance(value, str):
            return self.least <= len(value) <= self.most and _is_unicode(value)
        return self.type is not int or (isinstance(value, int) and self.least <= value <= self.most)


def _is_unicode(text: str) -> bool:
    """Return False for a text with half of a surrogate pair, as of an emoji cut in two: no log or page can have it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class ActKind(NamedTuple):
    """One row: an act, whose it is, and what it does. Arguments that are `optional` are given all or not at all."""

    name: str
    views: tuple[str, ...]
    sentence: str
    arguments: tuple[Argument, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its arguments."""
        return tuple(one.name for one in self.arguments)


class Act(NamedTuple):
    """One act: `at_us` is the world's time at which it was done."""

    at_us: Micros
    view: str
    name: str
    arguments: Mapping[str, object]

    def as_data(self) -> dict[str, object]:
        """Return it as data that JSON has; `act_of` makes the same act of it."""
        return {**self._asdict(), "arguments": dict(self.arguments)}


_HANDS: Final = (TRAINEE, INSTRUCTOR)
_ABOVE: Final = (INSTRUCTOR,)
_ZONE: Final = Argument("zone", int, 0, MAX_ZONE)
_TEXT: Final = Argument("text", str, 1, MAX_TEXT)
_ITEM: Final = Argument("item", str, 1, MAX_NAME)
_DATA: Final = Argument("data", str, 1, MAX_PIECE)

ACTS: Final[Mapping[str, ActKind]] = {
    kind.name: kind
    for kind in (
        ActKind(
            "anesthesia_start",
            _HANDS,
            "note that a zone was numbed",
            (_ZONE, Argument("age_s", int, 0, MAX_ANESTHESIA_AGE_S, usual=0)),
        ),
        ActKind("anesthesia_confirm", _HANDS, "confirm that a zone is numb", (_ZONE,)),
        ActKind("arm", _HANDS, "arm the handpiece: the pump runs"),
        ActKind("disarm", _HANDS, "disarm the handpiece"),
        ActKind("trigger_press", _HANDS, "press the trigger: cycles follow each other"),
        ActKind(
            "trigger_release",
            (*_HANDS, SERVER),
            "let the trigger go: the cycle under way is the last",
            (Argument("why", str, words=RELEASES, usual="let_go"),),
        ),
        ActKind(
            "reposition",
            _HANDS,
            "bring the hand to a cell; to the plan's next one without zone and cell",
            (_ZONE._replace(optional=True), Argument("cell", int, 0, MAX_CELL, optional=True)),
        ),
        ActKind("purge", _HANDS, "purge the needles"),
        ActKind("pause", _HANDS, "hold between two cycles, armed"),
        ActKind("resume", _HANDS, "end the pause"),
        ActKind("stop", _HANDS, "stop: needles home, vented, disarmed"),
        ActKind(
            "acknowledge",
            _HANDS,
            "acknowledge an alarm; with 0 all that are shown",
            (Argument("code", int, 0, MAX_CODE, usual=0),),
        ),
        ActKind("silence", _HANDS, "pause the sound of the alarms"),
        ActKind("reset", _HANDS, "leave the hold after a stop or a fault"),
        ActKind("close", _HANDS, "close the session: completed if the target is reached, else aborted"),
        ActKind(
            "automatic",
            (PRESENTER, INSTRUCTOR),
            "let the automatic operator work, or stop it",
            (Argument("on", bool),),
        ),
        ActKind("inject", _ABOVE, "declare a fault: its times count from now", (Argument("fault", dict),)),
        ActKind("withdraw", _ABOVE, "end a fault, or let it never begin", (Argument("fault", int, 0, MAX_FAULTS - 1),)),
        ActKind("fire", _ABOVE, "let an item of the script happen now", (_ITEM,)),
        ActKind("skip", _ABOVE, "let an item of the script never happen", (_ITEM,)),
        ActKind("note", _ABOVE, "note something for the debrief", (_TEXT,)),
        ActKind("bookmark", _ABOVE, "mark this moment for the debrief", (_TEXT,)),
        ActKind(
            "override",
            _ABOVE,
            "judge a check oneself, with the reason",
            (Argument("check", str, 1, MAX_NAME), Argument("passed", bool), _TEXT._replace(name="reason")),
        ),
        ActKind("host_connected", (HOST,), "connect somebody else's host"),
        ActKind("host_sent", (HOST,), "pass on what somebody else's host has sent", (_DATA,)),
        ActKind("host_gone", (HOST,), "disconnect somebody else's host"),
    )
}
"""Every act by its name."""

REMARKS: Final = ("note", "bookmark")
"""Acts that are the words of the instructor, and change nothing."""
COMMENTS: Final = (*REMARKS, "override")
"""Acts that change nothing of the session: they are of one class, and can be done when the session is closed."""


BYTES: Final = "host_sent"
"""Act that comes many times a second, and says nothing to a person."""
OF_HOST: Final = tuple(kind.name for kind in ACTS.values() if HOST in kind.views)
"""Acts of somebody else's host: what its transport brings, and no act of a person."""


def act_of(data: Mapping[str, object], view: str) -> Act:
    """Return the act that a view asks for: `name`, `arguments` where it has some, `at_us` where that is known.

    Raises:
        ActError: it is no act of this view, or its arguments are wrong; the text says what would be right.
    """
    for key in data:
        if key not in _KEYS:
            raise ActError(f"an act has no key {shown_value(key)}: it has {', '.join(_KEYS)}")
    kind = _kind(data.get("name"), view)
    at_us = data.get("at_us", 0)
    if type(at_us) is not int or at_us < 0:
        raise ActError(f"at_us: must be a whole number of microseconds, not {shown_value(at_us)}")
    return Act(Micros(at_us), view, kind.name, _checked(kind, data.get("arguments", {})))


def _kind(name: object, view: str) -> ActKind:
    kind = ACTS.get(name) if isinstance(name, str) else None
    if kind is None:
        known = [one.name for one in ACTS.values() if view in one.views]
        near = did_you_mean(str(name)[:MAX_NAME], known) or f"; there are {', '.join(known)}"
        raise ActError(f"there is no act {shown_value(name)}{near}")
    if view not in kind.views:
        raise ActError(f"{kind.name} is no act of the {view}: it is for the {' or the '.join(kind.views)}")
    return kind


def _checked(kind: ActKind, given: object) -> dict[str, object]:
    if not isinstance(given, Mapping):
        raise ActError(f"arguments: must be a mapping of names to values, not {shown_value(given)}")
    for name in given:
        if name not in kind.names:
            has = f"it has {', '.join(kind.names)}" if kind.names else "it has none"
            raise ActError(f"{kind.name} has no argument {shown_value(name)}: {has}")
    optional = [one.name for one in kind.arguments if one.optional]
    if 0 < sum(name in given for name in optional) < len(optional):
        raise ActError(f"{kind.name}: give {' and '.join(optional)}, or leave all of them out")
    values = {one.name: _value(kind, one, given) for one in kind.arguments if not one.optional or one.name in given}
    if kind.name == "inject":
        _check_fault(values["fault"])
    return values


def _value(kind: ActKind, argument: Argument, given: Mapping[str, object]) -> object:
    value = given.get(argument.name, argument.usual)
    if not argument.fits(value):
        what = "it is missing" if argument.name not in given else f"not {shown_value(value)}"
        raise ActError(f"{kind.name}: {argument.name} must be {argument.right}, {what}")
    return value


def _check_fault(fault: object) -> None:
    assert isinstance(fault, dict)
    try:
        fault_of(fault)
    except (SimulatorError, TypeError) as error:
        raise ActError(f"inject: {error}") from error
