"""Triggers: when a fault begins, as a small expression over what the run shows.

    cycle == 40 and phase == "suction"
    vacuum_kpa > -45
    frame("COUNT", 3)                      the third frame of COUNT, of either end
    at("12 s") and not state == "locked"

A comparison holds now. A moment holds from then on: `at` from that time, `frame`, `piece`, `write` and `commit` from
the one of that number. So a fault begins at the very frame, piece or write that its trigger names.

Law: a closed grammar, read into data, never evaluated as code. It depends on nothing but the view that is handed in.

    either   = both { "or" both }
    both     = one { "and" one }
    one      = "not" one | "(" either ")" | NAME operator value | MOMENT "(" ... ")"
    operator = "==" | "!=" | "<" | "<=" | ">" | ">="
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, Protocol, assert_never

from firmware_sim.errors import SimulatorError
from protocols.language.enums import DeviceState, Phase, WireEnum
from protocols.language.message import REGISTRY
from protocols.language.messages import Hello
from protocols.language.units import MILLISECOND, SECOND, Micros

MAX_LENGTH: Final = 500
"""Characters of a trigger: the longest that means something is a tenth of it."""
MAX_AT_H: Final = 24
"""Hours: no run of a scenario is longer."""
MAX_COUNT: Final = 1_000_000_000
"""Number of a frame, piece, write or commit: more than a device has in its life."""
MAX_NUMBER: Final = 1_000_000_000
"""Greatest number of a comparison, either way: far beyond all that a device has, and a float can hold it."""
MAX_DEPTH: Final = 20
"""Parentheses and negations within one another."""


class Name(NamedTuple):
    """Something that a comparison may name. With `words` it is one of those, else a number in `unit`."""

    unit: str
    help: str
    words: tuple[str, ...] = ()
    continuous: bool = False
    """It changes without anything happening, and so has to be looked at again and again."""


def _words(enum: type[WireEnum]) -> tuple[str, ...]:
    """Return the words of an enumeration, without the one that no device shows."""
    return tuple(one.name.lower() for one in enum if one.name != "UNKNOWN")


NAMES: Final[Mapping[str, Name]] = {
    "cycle": Name("", "number of the cycle that is open or ended last, from 1 in this session"),
    "phase": Name("", "phase of the open cycle", _words(Phase)),
    "state": Name("", "state of the device", _words(DeviceState)),
    "zone": Name("", "zone of the hand, from 0"),
    "cell": Name("", "cell of the hand, from 0 through all zones"),
    "cores_counted": Name("", "cores counted in this session"),
    "vacuum_kpa": Name("kPa", "pressure in the line, as it truly is", continuous=True),
    "temperature_c": Name("C", "temperature of the handle", continuous=True),
    "depth_um": Name("um", "depth of the needles, as it truly is", continuous=True),
    "uptime_s": Name("s", "time since the device has booted", continuous=True),
}
"""Names of a comparison."""

assert Hello in REGISTRY.values(), "the catalogue of messages is filled by importing it"
FRAMES: Final = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", model.__name__).upper(): key for key, model in sorted(REGISTRY.items())
}
"""Name of a `frame` -> kind and id of the message."""
SENDERS: Final = ("host", "device")
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNITS: Final = {"us": 1, "ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND}
_TIME: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(us|ms|s|min|h)\s*")
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<text>\"[^\"]*\"|'[^']*')|(?P<word>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>==|!=|<=|>=|<|>|\(|\)|,)|(?P<other>\S))"
)
"""A character of no other token is one of its own, so that the error says what would be right in its place."""

MAX_SHOWN: Final = 30
"""Words that an error lists; of more it names the one that looks most like what was written."""


class TriggerError(SimulatorError, ValueError):
    """A trigger that cannot be read: `column`, from 1, is where, `reason` says what would be right there."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        self.text = text
        self.column = column
        self.reason = reason
        super().__init__(f"when, column {column}: {reason}")


class View(Protocol):
    """View of a run for its triggers."""

    def value(self, name: str, now: Micros) -> float | str | None:
        """Return the value of one of `NAMES`; None where there is none yet."""


class Compare(NamedTuple):
    """`NAME operator value`."""

    name: str
    operator: str
    value: float | str


class At(NamedTuple):
    """`at("12 s")`: microseconds since the run began."""

    us: Micros


class Moment(NamedTuple):
    """`frame("COUNT", 3)`, `piece("host", 17)`, `write(5)`, `commit(2)`."""

    event: str
    of: str
    number: int


class Not(NamedTuple):
    """Negation."""

    part: "Trigger"


class Both(NamedTuple):
    """All of `parts`."""

    parts: "tuple[Trigger, ...]"


class Either(NamedTuple):
    """Any of `parts`."""

    parts: "tuple[Trigger, ...]"


Trigger = Compare | At | Moment | Not | Both | Either

Condition = Callable[[Micros, View, Mapping[tuple[str, str], int]], bool]
"""Returns True if a trigger holds; the mapping has how many of each event of a moment there were."""


def condition(trigger: Trigger) -> Condition:
    """Return what tells if a trigger holds: a function, since it is asked far more often than made."""
    match trigger:
        case Moment(event, of, number):
            key = (event, of)
            return lambda now, view, counts: counts.get(key, 0) >= number
        case At(us):
            return lambda now, view, counts: now >= us
        case Compare():
            return _comparison(trigger)
        case Both(parts):
            ones = [condition(part) for part in parts]
            return lambda now, view, counts: all(one(now, view, counts) for one in ones)
        case Either(parts):
            ones = [condition(part) for part in parts]
            return lambda now, view, counts: any(one(now, view, counts) for one in ones)
        case Not(part):
            inner = condition(part)
            return lambda now, view, counts: not inner(now, view, counts)
        case _:
            assert_never(trigger)


def _comparison(trigger: Compare) -> Condition:
    name, compare, value = trigger.name, _COMPARE[trigger.operator], trigger.value

    def holds(now: Micros, view: View, counts: Mapping[tuple[str, str], int]) -> bool:
        found = view.value(name, now)
        return found is not None and compare(found, value)

    return holds


def counted_from(trigger: Trigger, now: Micros, counts: Mapping[tuple[str, str], int]) -> Trigger:
    """Return a trigger whose times are from `now`, and whose numbers go on from `counts`."""
    match trigger:
        case At(us):
            return At(Micros(now + us))
        case Moment(event, of, number):
            return Moment(event, of, counts.get((event, of), 0) + number)
        case Both(parts):
            return Both(tuple(counted_from(part, now, counts) for part in parts))
        case Either(parts):
            return Either(tuple(counted_from(part, now, counts) for part in parts))
        case Not(part):
            return Not(counted_from(part, now, counts))
        case _:
            return trigger


def leaves(trigger: Trigger) -> list[Compare | At | Moment]:
    """Return the comparisons and moments of a trigger, in order."""
    match trigger:
        case Both(parts) | Either(parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Not(part):
            return leaves(part)
        case _:
            return [trigger]


def parse_trigger(text: str) -> Trigger:
    """Read a trigger.

    Raises:
        TriggerError: it is none.
    """
    if not isinstance(text, str):
        raise TriggerError(str(text), 1, 'must be a text such as at("12 s") or cycle == 3')
    if len(text) > MAX_LENGTH:
        raise TriggerError(text, MAX_LENGTH, f"has more than {MAX_LENGTH} characters")
    return _Parser(text).whole()


class _Parser:
    """Reads one trigger, from left to right; each method reads one rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._place = 0
        self._depth = 0

    def _split(self) -> Iterator[tuple[str, str, int]]:
        for match in _TOKEN.finditer(self._text):
            assert match.lastgroup is not None, "each alternative has its group"
            yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1

    def whole(self) -> Trigger:
        trigger = self._either()
        if self._place < len(self._tokens):
            raise self._error("and, or, or the end")
        return trigger

    def _either(self) -> Trigger:
        parts = [self._both()]
        while self._skip("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Trigger:
        parts = [self._one()]
        while self._skip("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self) -> Trigger:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"no more than {MAX_DEPTH} levels")
        try:
            if self._skip("not"):
                return Not(self._one())
            if self._skip("("):
                trigger = self._either()
                self._require(")")
                return trigger
            return self._leaf()
        finally:
            self._depth -= 1

    def _leaf(self) -> Trigger:
        word = self._peek()
        moment = _MOMENTS.get(word)
        if moment is not None:
            self._place += 1
            self._require("(")
            trigger = moment(self)
            self._require(")")
            return trigger
        name = NAMES.get(word)
        if name is None:
            raise self._error(f"one of {', '.join((*NAMES, *_MOMENTS))}")
        self._place += 1
        sign = self._peek()
        if sign not in _COMPARE or (name.words and sign not in ("==", "!=")):
            raise self._error("== or !=" if name.words else "one of == != < <= > >=")
        self._place += 1
        value = self.word_of(name.words) if name.words else self.number(whole=not name.continuous)
        return Compare(word, sign, value)

    # --- values, for the moments too

    def number(self, *, whole: bool) -> int | float:
        kind, text, _ = self._token()
        if kind != "number" or (whole and "." in text):
            raise self._error("a whole number" if whole else "a number")
        value = float(text) if "." in text else int(text)
        if abs(value) > MAX_NUMBER:
            raise self._error(f"a number from -{MAX_NUMBER} to {MAX_NUMBER}")
        self._place += 1
        return value

    def count(self) -> int:
        kind, text, _ = self._token()
        if kind != "number" or not text.isdigit() or not 1 <= int(text) <= MAX_COUNT:
            raise self._error("a whole number from 1")
        self._place += 1
        return int(text)

    def word_of(self, words: Sequence[str]) -> str:
        kind, text, _ = self._token()
        if kind != "text" or text[1:-1] not in words:
            near = get_close_matches(text[1:-1].upper(), words, n=1) if len(words) > MAX_SHOWN else words
            raise self._error(_one_of(near) if near else 'the name of a message, such as "COUNT"')
        self._place += 1
        return text[1:-1]

    def time(self) -> Micros:
        kind, text, _ = self._token()
        match = _TIME.fullmatch(text[1:-1]) if kind == "text" else None
        if match is None:
            raise self._error('a time such as "12 s" or "250 ms"')
        us = float(match[1]) * _UNITS[match[2]]
        if us > MAX_AT_H * _UNITS["h"]:
            raise self._error(f'a time of at most "{MAX_AT_H} h"')
        self._place += 1
        return Micros(round(us))

    def comma(self) -> None:
        self._require(",")

    # --- tokens

    def _token(self) -> tuple[str, str, int]:
        if self._place < len(self._tokens):
            return self._tokens[self._place]
        return "", "", len(self._text) + 1

    def _peek(self) -> str:
        return self._token()[1]

    def _skip(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._place += 1
        return True

    def _require(self, text: str) -> None:
        if not self._skip(text):
            raise self._error(f'"{text}"')

    def _error(self, wanted: str) -> TriggerError:
        _, text, column = self._token()
        found = f"not {_shorten(text)}" if text else "and the text ends"
        return TriggerError(self._text, column, f"must be {wanted}, {found}")


def _frame(parser: _Parser) -> Trigger:
    name = parser.word_of(tuple(FRAMES))
    parser.comma()
    return Moment("frame", name, parser.count())


def _piece(parser: _Parser) -> Trigger:
    sender = parser.word_of(SENDERS)
    parser.comma()
    return Moment("piece", sender, parser.count())


def _shorten(text: str) -> str:
    """A part of a trigger in at most 40 characters of one line."""
    shown = text if text.isprintable() else repr(text)
    return shown if len(shown) <= 40 else shown[:37] + "..."


def _one_of(words: Sequence[str]) -> str:
    quoted = ", ".join(f'"{word}"' for word in words)
    return quoted if len(words) == 1 else f"one of {quoted}"


_MOMENTS: Final[Mapping[str, Callable[[_Parser], Trigger]]] = {
    "at": lambda parser: At(parser.time()),
    "frame": _frame,
    "piece": _piece,
    "write": lambda parser: Moment("write", "", parser.count()),
    "commit": lambda parser: Moment("commit", "", parser.count()),
}
