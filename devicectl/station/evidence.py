"""Evidence: what a trainee could see or did, and the patterns that scripts and checks look for in it.

    act(trigger_press)                 the trainee presses the trigger
    act(anesthesia_start, 1)           the trainee starts the anesthesia of zone 1
    alarm(MC-0401) or link_lost        whichever comes first

Law: a closed grammar, read into data, never evaluated as code. Nothing here comes from the device's inside: a check is
judged by what its trainee could know.

    pattern = one { "or" one }
    one     = KIND [ "(" argument [ "," number ] ")" ]
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from devicectl.errors import DevicectlError
from devicectl.session.machine import State
from devicectl.simulation.lesson_form import MAX_PATTERN
from devicectl.simulation.scenario_form import LABELS, REFUSALS
from devicectl.station.acts import ACTS, SERVER, TRAINEE, Act
from protocols.language.units import Micros
from protocols.text.findings import did_you_mean
from protocols.text.values import shown_value

TRAINEE_ACTS: Final = tuple(kind.name for kind in ACTS.values() if TRAINEE in kind.views)
ACTS_WITH_ZONE: Final = tuple(name for name in TRAINEE_ACTS if "zone" in ACTS[name].names)
ACTS_WITH_NUMBER: Final = (*ACTS_WITH_ZONE, "acknowledge")
"""Those of whose evidence the number is the zone, or the code of the alarm."""
MAX_DIGITS: Final = 9
_NUMBER: Final = re.compile(f"[0-9]{{1,{MAX_DIGITS}}}")
_TOKEN: Final = re.compile(r"\s*(?P<token>[A-Za-z0-9_-]+|\S)")


class Evidence(NamedTuple):
    """One thing that the trainee could see or did: `name` and `number` are those that its kind in `KINDS` has."""

    at_us: Micros
    kind: str
    name: str = ""
    number: int = 0


def acted(act: Act) -> Evidence:
    """Return the evidence of an act at the controller: what the station does for a page that has gone is no act."""
    if act.view == SERVER:
        return Evidence(act.at_us, "let_go")
    number = act.arguments.get("zone", act.arguments.get("code", 0))
    assert isinstance(number, int), "an act was checked"
    return Evidence(act.at_us, "act", act.name, number)


class EvidenceKind(NamedTuple):
    """A row of the grammar: what has happened, and what a pattern may say of it in parentheses.

    `names` are all that there are, `number` says what the number is, "" where a kind has none. A `bare` kind may be
    named alone, and is then any of that kind.
    """

    sentence: str
    names: tuple[str, ...] = ()
    number: str = ""
    bare: bool = False

    @property
    def needs_name(self) -> bool:
        """True if a pattern of it has to say a name."""
        return bool(self.names) and not self.bare

    @property
    def argument(self) -> str:
        """The first of what may be in its parentheses, for people."""
        parts = [f"one of {', '.join(self.names)}"] if self.names else []
        if self.number and not self.needs_name:
            parts.append(f"a whole number of at most {MAX_DIGITS} digits, {self.number}")
        return " or ".join(parts)


KINDS: Final[Mapping[str, EvidenceKind]] = {
    "start": EvidenceKind("the lesson has begun", bare=True),
    "act": EvidenceKind("the trainee has done this", TRAINEE_ACTS, "its zone or alarm"),
    "let_go": EvidenceKind("the station has let go of the trigger, since its page has gone", bare=True),
    "state": EvidenceKind("the host has come to this state", tuple(state.value for state in State)),
    "alarm": EvidenceKind("this alarm is shown", tuple(LABELS)),
    "alarm_over": EvidenceKind("this alarm is not shown any more", tuple(LABELS)),
    "refusal": EvidenceKind("the device has refused", REFUSALS, "the interlock", bare=True),
    "cores": EvidenceKind("so many cores, or more, are shown as counted", (), "the cores"),
    "cell": EvidenceKind("a cell was begun", (), "its zone", bare=True),
    "link_lost": EvidenceKind("the link is lost", bare=True),
    "link_back": EvidenceKind("the link is there again", bare=True),
    "closed": EvidenceKind("the session is closed", ("completed", "aborted"), bare=True),
}
"""Kinds of evidence by their names."""


class PatternError(DevicectlError, ValueError):
    """A pattern that cannot be read: `column`, from 1, is where, `reason` says what would be right there."""

    def __init__(self, column: int, reason: str) -> None:
        self.column = column
        self.reason = reason
        super().__init__(f"column {column}: {reason}")


class One(NamedTuple):
    """One alternative of a pattern; without a name or a number it is any of its kind."""

    kind: str
    name: str = ""
    number: int | None = None

    def matches(self, seen: Evidence) -> bool:
        """Return True if this is what it looks for."""
        if seen.kind != self.kind or self.name not in ("", seen.name):
            return False
        if self.number is None:
            return True
        return seen.number >= self.number if self.kind == "cores" else seen.number == self.number


class Pattern(NamedTuple):
    """Evidence that a script or a check waits for: the first that matches one of `ones`. `text` is its source."""

    ones: tuple[One, ...]
    text: str

    def matches(self, seen: Evidence) -> bool:
        """Return True if this is what it looks for."""
        for one in self.ones:  # noqa: SIM110 - any() takes four times as long, for 20,000 pieces of a long session
            if one.kind == seen.kind and one.matches(seen):
                return True
        return False


def parse_pattern(text: str) -> Pattern:
    """Read a pattern.

    Raises:
        PatternError: it is none.
    """
    if len(text) > MAX_PATTERN:
        raise PatternError(MAX_PATTERN, f"has more than {MAX_PATTERN} characters")
    return _Parser(text).whole()


class _Parser:
    """Reads one pattern, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [(match["token"], match.start("token") + 1) for match in _TOKEN.finditer(text)]
        self._place = 0

    def whole(self) -> Pattern:
        ones = [self._one()]
        while self._skip("or"):
            ones.append(self._one())
        if self._place < len(self._tokens):
            raise self._error("or, or the end")
        return Pattern(tuple(ones), self._text)

    def _one(self) -> One:
        word = self._peek()
        kind = KINDS.get(word)
        if kind is None:
            raise self._error(f"one of {', '.join(KINDS)}", did_you_mean(word, KINDS))
        self._place += 1
        if self._skip("("):
            name, number = self._arguments(word, kind)
            self._require(")")
            return One(word, name, number)
        if not kind.bare:
            raise self._error(f'"(" and {kind.argument}')
        return One(word)

    def _arguments(self, word: str, kind: EvidenceKind) -> tuple[str, int | None]:
        if not kind.names and not kind.number:
            raise self._error(f"nothing: {word} has nothing in parentheses")
        if kind.number and not kind.needs_name and _NUMBER.fullmatch(self._peek()):
            return "", self._number()
        name = self._peek()
        if name not in kind.names:
            raise self._error(kind.argument, did_you_mean(name, kind.names))
        self._place += 1
        numbered = kind.number and (word != "act" or name in ACTS_WITH_NUMBER)
        return name, self._number() if numbered and self._skip(",") else None

    def _number(self) -> int:
        digits = self._peek()
        if not _NUMBER.fullmatch(digits):
            raise self._error(f"a whole number of at most {MAX_DIGITS} digits")
        self._place += 1
        return int(digits)

    # --- tokens

    def _peek(self) -> str:
        return self._tokens[self._place][0] if self._place < len(self._tokens) else ""

    def _skip(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._place += 1
        return True

    def _require(self, token: str) -> None:
        if not self._skip(token):
            raise self._error(f'"{token}"')

    def _error(self, wanted: str, hint: str = "") -> PatternError:
        found = f"not {shown_value(self._peek())}" if self._peek() else "and the text ends"
        column = self._tokens[self._place][1] if self._peek() else len(self._text) + 1
        return PatternError(column, f"must be {wanted}, {found}{hint}")
