"""A file that a user writes: YAML or JSON as plain values, bounded before anything is built, each with its place.

Law: a text cannot make a program slow, big or surprised. Its size and depth are limited, it has no aliases (a few
lines of them unfold to gigabytes), no tags, no key twice, and a scalar means what it means in JSON: `010` and
`12:30` are texts here, not 8 and 750.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol

from protocols.text.escape import printable

MAX_FILE_SIZE: Final = 64 * 1024
"""Bytes. The largest lawful plan, 64 zones, is below 8 KiB."""

MAX_DEPTH: Final = 20
"""Levels. A plan has three; parsers recurse."""

_MAX_NUMBER_LENGTH: Final = 40
"""Characters. Longer digits are no number that a user could mean, and converting them takes quadratic time."""

_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}

Steps = tuple[str | int, ...]
"""Keys and indices that lead to a value: ("faults", 0, "when")."""


class Mark(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


class Place(NamedTuple):
    """Places of a value and of the key that has it; for an item of a list both are the same."""

    key: Mark
    value: Mark
    text_at: int | None = 0
    """Columns from `value` to the first character of a text, such as one quote; None where its characters have no
    columns that could be counted: it has several lines, or escapes."""


class Values(NamedTuple):
    """The mapping in a file. `places` has the place of each value, unless it is of JSON that is no YAML."""

    values: dict[str, object]
    places: Mapping[Steps, Place]

    def where(self, steps: Steps, *, of_key: bool = False, column: int = 0) -> str:
        """Return the place of a value, or of its key, for a person: line 3, column 9: faults[0].when.

        `column`, from 1, is a place within the value, which is a plain or quoted text.
        """
        name = "".join(f"[{step}]" if isinstance(step, int) else f".{_name(step)}" for step in steps).removeprefix(".")
        while steps and steps not in self.places:  # one that is missing is where it should be
            steps = steps[:-1]
        if not steps:
            return name
        place = self.places[steps]
        mark = place.key if of_key else place.value
        if column and place.text_at is None:
            return f"{_where(mark)}: {name}, character {column}"
        within = column - 1 + (place.text_at or 0) if column else 0
        return f"{_where(Mark(mark.line, mark.column + within))}: {name}"


class Form(NamedTuple):
    """The words of errors: what such a file is, and what one has in it."""

    noun: str
    example: str


class ValuesError(ValueError):
    """A file, or a value in it, cannot be taken; its text is one line. `source` is the file or option.

    `key` is the place in the file, None for the whole.
    """

    def __init__(self, source: str, key: str | None, value: object, right: str) -> None:
        self.source = source
        self.key = key
        self.value = value
        self.right = right
        where = source if key is None else f"{source}: {key}"
        shown = "" if value is None else f" = {shown_value(value)}"
        super().__init__(f"{where}{shown}: {right}")


def shown_value(value: object) -> str:
    """Return a value in at most 60 characters of one line."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 70 digits"
    return _shorten(repr(value))


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _name(key: str) -> str:
    """Return a key in at most 60 characters of one line."""
    return _shorten(printable(key))


def decode_values(raw: bytes, source: str, form: Form, *, is_json: bool) -> Values:
    """Return the mapping that a file's bytes have; `source` names the file in an error.

    Raises:
        ValuesError: too big, too deep, broken, or no mapping of plain values.
    """
    if len(raw) > MAX_FILE_SIZE:
        raise ValuesError(source, None, None, f"is over {MAX_FILE_SIZE} bytes: must be {form.noun} in YAML or JSON")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValuesError(source, None, None, f"is not UTF-8 at byte {error.start}: must be a text file") from error
    places: dict[Steps, Place] = {}
    if is_json:
        values = parse_json(text, source, form)
        with suppress(ValuesError):  # nearly all JSON is YAML, and what is not is without places
            parse_yaml(text, source, form, places)
    else:
        values = parse_yaml(text, source, form, places)
    if not isinstance(values, dict):
        raise ValuesError(source, None, values, f"must be a mapping, for example `{form.example}`")
    return Values(values, places)


def parse_json(text: str, source: str, form: Form) -> object:
    """The value of a JSON text.

    Raises:
        ValuesError: broken, too deep, a key twice, or NaN or an infinity.
    """
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _to_mapping(pairs, source, form), parse_int=_to_int)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValuesError(source, where, None, f"is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise _too_deep(source, form) from error
    if _depth(value) > MAX_DEPTH:
        raise _too_deep(source, form)
    return value


def parse_yaml(text: str, source: str, form: Form, places: dict[Steps, Place]) -> object:
    """The value of a YAML text of one document; the place of each value in it is put into `places`.

    Raises:
        ValuesError: broken, too deep, a key twice, or an alias, anchor, tag or second document.
    """
    import yaml

    try:
        found = _Builder(source, form).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "the file" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
        raise ValuesError(source, where, None, f"is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ValuesError(source, None, None, f"is no YAML: {reason}") from error
    if found is None:
        return None
    places.update(found.places())
    return found.value


class _Node(NamedTuple):
    """A value that was read, its mark, and those of what it holds, each with the mark of its key."""

    value: object
    mark: Mark
    inner: "Sequence[tuple[str | int, Mark, _Node]]"
    text_at: int | None = 0

    def places(self) -> dict[Steps, Place]:
        """Return the place of each value below this one."""
        found: dict[Steps, Place] = {}
        waiting: list[tuple[Steps, _Node]] = [((), self)]
        for steps, node in waiting:
            for step, mark, held in node.inner:
                found[(*steps, step)] = Place(mark, held.mark, held.text_at)
                waiting.append(((*steps, step), held))
        return found


class _Place(Protocol):
    """Place of YAML's, its numbers from 0."""

    line: int
    column: int


class _Event(Protocol):
    """Event of YAML's parser."""

    start_mark: _Place
    end_mark: _Place


class _Scalar(_Event, Protocol):
    """Event of a text or number; `style` is its quote, None where it has none."""

    style: str | None
    value: str


class _Builder:
    """Builds values from YAML's events, one by one and without recursion, refusing as it goes."""

    def __init__(self, source: str, form: Form) -> None:
        self._source = source
        self._form = form
        self._open: list[list[_Node]] = [[]]
        self._marks: list[Mark] = []
        """Beginnings of those that are open."""

    def build(self, events: Iterable[Any]) -> _Node | None:
        """The one document's value, None for an empty text."""
        for event in events:
            self._check(event)
            kind = type(event).__name__
            if kind in ("MappingStartEvent", "SequenceStartEvent"):
                self._open.append([])
                self._marks.append(_mark(event))
            elif kind == "ScalarEvent":
                value = _to_scalar(event.value) if event.style is None else event.value
                self._open[-1].append(_Node(value, _mark(event), [], _text_at(event)))
            elif kind == "SequenceEndEvent":
                items = self._open.pop()
                inner = [(index, item.mark, item) for index, item in enumerate(items)]
                self._open[-1].append(_Node([item.value for item in items], self._marks.pop(), inner))
            elif kind == "MappingEndEvent":
                nodes = self._open.pop()
                self._open[-1].append(self._mapping(nodes))
        documents = self._open[0]
        if len(documents) > 1:
            right = f"has more than one document: must be {self._form.noun} alone"
            raise ValuesError(self._source, None, None, right)
        return documents[0] if documents else None

    def _mapping(self, nodes: list[_Node]) -> _Node:
        pairs = list(zip(nodes[::2], nodes[1::2], strict=True))
        marks = [key.mark for key, _ in pairs]
        mapping = _to_mapping([(key.value, held.value) for key, held in pairs], self._source, self._form, marks)
        inner = [(name, key.mark, held) for name, (key, held) in zip(mapping, pairs, strict=True)]
        return _Node(mapping, self._marks.pop(), inner)

    def _check(self, event: _Event) -> None:
        """Refuse what a plain value does not need."""
        line = _where(_mark(event))
        if getattr(event, "anchor", None) is not None:  # an alias has that of the value that it stands for
            raise ValuesError(self._source, line, None, "has an alias or anchor: must spell the value out")
        if getattr(event, "tag", None) is not None:
            raise ValuesError(self._source, line, None, "has a tag: must be a plain value")
        if len(self._open) > MAX_DEPTH + 1:
            raise _too_deep(self._source, self._form)


def _mark(event: _Event) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _text_at(scalar: _Scalar) -> int | None:
    """Return how far behind its mark a scalar's text begins; None where the file does not have the text as it is."""
    quotes = 1 if scalar.style in ("'", '"') else 0
    begin, end = scalar.start_mark, scalar.end_mark
    as_it_is = begin.line == end.line and end.column - begin.column == len(scalar.value) + 2 * quotes
    return quotes if as_it_is else None


def _where(mark: Mark) -> str:
    return f"line {mark.line}, column {mark.column}"


def _to_mapping(
    pairs: list[tuple[object, object]], source: str, form: Form, marks: Sequence[Mark] = ()
) -> dict[str, object]:
    """Return the mapping of pairs; `marks` has the place of each key, where it is known."""
    mapping: dict[str, object] = {}
    for index, (key, value) in enumerate(pairs):
        where = _where(marks[index]) if marks else None
        if not isinstance(key, str):
            raise ValuesError(source, where, key, f"is no key of {form.noun}: must be a text")
        if key in mapping:
            name = _name(key) if where is None else f"{where}: {_name(key)}"
            raise ValuesError(source, name, value, "is there twice: must be there once")
        mapping[key] = value
    return mapping


def _to_scalar(text: str) -> object:
    """Read a plain scalar: a word or number of JSON, else itself."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_NUMBER_LENGTH:
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _to_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_NUMBER_LENGTH else digits


def _depth(value: object) -> int:
    """Count the levels of mappings and lists in a value, which the parser has bounded to what Python can recurse."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _too_deep(source: str, form: Form) -> ValuesError:
    return ValuesError(source, None, None, f"is nested deeper than {MAX_DEPTH} levels: {form.noun} never is")
