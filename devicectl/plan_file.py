"""Reading a plan's file: YAML or JSON as plain values, bounded before anything is built.

Law: a file cannot make this program slow, big or surprised. Its size and depth are limited, it has no aliases (a few
lines of them unfold to gigabytes), no tags, no key twice, and a scalar means what it means in JSON: `010` and
`12:30` are texts here, not 8 and 750.
"""

import json
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from devicectl.errors import DevicectlError

MAX_FILE_SIZE: Final = 64 * 1024
"""Bytes. The largest lawful plan, 64 zones, is below 8 KiB."""

MAX_DEPTH: Final = 20
"""Levels. A plan has three; parsers recurse."""

_MAX_NUMBER_LENGTH: Final = 40
"""Characters. Longer digits are no number that a plan could mean, and converting them takes quadratic time."""

_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


class PlanError(DevicectlError, ValueError):
    """A plan cannot be taken; its text is one line. `source` is the file or option, `key` None for the whole."""

    exit_code = 2

    def __init__(self, source: str, key: str | None, value: object, right: str) -> None:
        self.source = source
        self.key = key
        self.value = value
        where = source if key is None else f"{source}: {key}"
        shown = "" if value is None else f" = {_shorten(value)}"
        super().__init__(f"{where}{shown}: {right}")


def _shorten(value: object) -> str:
    """A value in at most 60 characters of one line."""
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 70 digits"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_values(path: Path, source: str) -> dict[str, object]:
    """Read the mapping in a file, by its suffix `.json` JSON and else YAML; `source` names it in an error.

    Raises:
        PlanError: not readable, no regular file, too big, too deep, broken, or no mapping of plain values.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe that nobody writes to would never be opened
            raise PlanError(source, None, None, "is no regular file: must be a plan in YAML or JSON")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        raise PlanError(source, None, None, f"cannot be read: {error.strerror}; name a plan in YAML or JSON") from error
    if len(raw) > MAX_FILE_SIZE:
        raise PlanError(source, None, None, f"is over {MAX_FILE_SIZE} bytes: must be a plan in YAML or JSON")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError(source, None, None, f"is not UTF-8 at byte {error.start}: must be a text file") from error
    values = parse_json(text, source) if path.suffix.lower() == ".json" else parse_yaml(text, source)
    if not isinstance(values, dict):
        raise PlanError(source, None, values, "must be a mapping, for example `target_cores: 10000`")
    return values


def parse_json(text: str, source: str) -> object:
    """The value of a JSON text.

    Raises:
        PlanError: broken, too deep, a key twice, or NaN or an infinity.
    """
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _to_mapping(pairs, source), parse_int=_to_int)
    except json.JSONDecodeError as error:
        raise PlanError(source, f"line {error.lineno}", None, f"is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise _too_deep(source) from error
    if _depth(value) > MAX_DEPTH:
        raise _too_deep(source)
    return value


def parse_yaml(text: str, source: str) -> object:
    """The value of a YAML text of one document.

    Raises:
        PlanError: broken, too deep, a key twice, or an alias, anchor, tag or second document.
    """
    import yaml

    try:
        return _Builder(source).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = "the file" if error.problem_mark is None else f"line {error.problem_mark.line + 1}"
        raise PlanError(source, line, None, f"is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise PlanError(source, None, None, f"is no YAML: {reason}") from error


class _Builder:
    """Builds values from YAML's events, one by one and without recursion, refusing as it goes."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._open: list[list[object]] = [[]]

    def build(self, events: Iterable[Any]) -> object:
        """The one document's value, None for an empty text."""
        for event in events:
            self._check(event)
            kind = type(event).__name__
            if kind in ("MappingStartEvent", "SequenceStartEvent"):
                self._open.append([])
            elif kind == "ScalarEvent":
                self._open[-1].append(_to_scalar(event.value) if event.style is None else event.value)
            elif kind == "SequenceEndEvent":
                self._open[-2].append(self._open.pop())
            elif kind == "MappingEndEvent":
                items = self._open.pop()
                pairs = list(zip(items[::2], items[1::2], strict=True))
                self._open[-1].append(_to_mapping(pairs, self._source))
        documents = self._open[0]
        if len(documents) > 1:
            raise PlanError(self._source, None, None, "has more than one document: must be one plan")
        return documents[0] if documents else None

    def _check(self, event: Any) -> None:
        """Refuse what a plain value does not need."""
        line = f"line {event.start_mark.line + 1}"
        if getattr(event, "anchor", None) is not None:  # an alias has that of the value that it stands for
            raise PlanError(self._source, line, None, "has an alias or anchor: must spell the value out")
        if getattr(event, "tag", None) is not None:
            raise PlanError(self._source, line, None, "has a tag: must be a plain value")
        if len(self._open) > MAX_DEPTH + 1:
            raise _too_deep(self._source)


def _to_mapping(pairs: list[tuple[object, object]], source: str) -> dict[str, object]:
    mapping: dict[str, object] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise PlanError(source, None, key, "is no key of a plan: must be a text")
        if key in mapping:
            raise PlanError(source, key, value, "is there twice: must be there once")
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


def _too_deep(source: str) -> PlanError:
    return PlanError(source, None, None, f"is nested deeper than {MAX_DEPTH} levels: a plan has three")
