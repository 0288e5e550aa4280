"""Masks: what may differ between an answer and the recorded one.

A rule is for `Message.field`; `*` stands for every message, or every field. The nearest counts: `PunchDone.depth_um`
before `PunchDone.*` before `*.depth_um`. A rule is "exact", "ignore", or the greatest difference of a number. Journal
records, which pages and events carry as bytes, have fields and rules of their own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from protocols.language.enums import WireEnum
from protocols.language.errors import MessageError
from protocols.language.messages import Event, JournalPage
from protocols.language.records import decode_record, split_records
from protocols.language.structs import Struct

Rule = str | float
EXACT: Final = "exact"
IGNORE: Final = "ignore"
ANY: Final = "*"


Shift = Callable[[int], int]
"""Gives how many ms the twin was behind the recording at an uptime of its own."""


def no_shift(uptime_ms: int) -> int:
    """Return 0: a twin that was never held."""
    return 0


@dataclass(slots=True)
class Masks:
    """Rules, and how often each has let something pass that was not equal."""

    rules: Mapping[str, Rule]
    used: dict[str, int] = field(default_factory=dict)

    def differs(self, recorded: Struct, found: Struct, shift: Shift = no_shift) -> str | None:
        """Return the first field that differs beyond its rule, in words; None if the two mean the same.

        An uptime of the twin is further on by its `shift`.
        """
        if recorded.__class__ is not found.__class__:
            return f"{_name(recorded)} was recorded, {_name(found)} was found"
        name = _name(recorded)
        for key, ours in recorded.as_dict().items():
            theirs = getattr(found, key)
            if ours == theirs:
                continue
            if isinstance(recorded, Event | JournalPage) and isinstance(ours, bytes):
                text = self._records_differ(ours, theirs, shift)
            else:
                behind_ms = shift(theirs) if key == "uptime_ms" else 0
                text = self._field_differs(name, key, ours, theirs, behind_ms)
            if text is not None:
                return text
        return None

    def _field_differs(self, name: str, key: str, recorded: object, found: object, behind_ms: int) -> str | None:
        rule_name, rule = self._rule(name, key)
        allowed = ""
        if rule == IGNORE or _within(recorded, found, rule, behind_ms):
            self.used[rule_name] = self.used.get(rule_name, 0) + 1
            return None
        if not isinstance(rule, str):
            allowed = f", which is more than {rule:g} apart"
        return f"{name}.{key} is {_shown(recorded)} in the recording, {_shown(found)} in the twin{allowed}"

    def _rule(self, name: str, key: str) -> tuple[str, Rule]:
        for rule_name in (f"{name}.{key}", f"{name}.{ANY}", f"{ANY}.{key}"):
            if rule_name in self.rules:
                return rule_name, self.rules[rule_name]
        return f"{name}.{key}", EXACT

    def _records_differ(self, recorded: bytes, found: bytes, shift: Shift) -> str | None:
        ours, theirs = split_records(recorded), split_records(found)
        for one, other in zip(ours, theirs, strict=False):
            text = None if one == other else self._record_differs(one, other, shift)
            if text is not None:
                return f"record {int.from_bytes(one[:4], 'little')}: {text}"
        if len(ours) != len(theirs):
            return f"{len(ours)} journal records are in the recording, {len(theirs)} in the twin"
        return None

    def _record_differs(self, recorded: bytes, found: bytes, shift: Shift) -> str | None:
        try:
            one, other = decode_record(recorded), decode_record(found)
        except MessageError as error:
            return f"it cannot be read: {error}"
        if one is None or other is None:
            return f"{recorded.hex()} is in the recording, {found.hex()} in the twin"
        return self.differs(one, other, shift)


def _within(recorded: object, found: object, rule: Rule, behind_ms: int) -> bool:
    if isinstance(rule, str) or isinstance(recorded, bool | WireEnum):
        return False
    if not isinstance(recorded, int | float) or not isinstance(found, int | float):
        return False
    return abs(found - behind_ms - recorded) <= rule


def _name(struct: Struct) -> str:
    return type(struct).__name__


def _shown(value: object) -> str:
    if isinstance(value, WireEnum):
        return value.name
    return value.hex() or "-" if isinstance(value, bytes) else repr(value)


def names_of(structs: Mapping[str, type[Struct]]) -> Iterator[str]:
    """Return all names that a rule may have, for these messages and records."""
    keys: set[str] = set()
    for name, struct in structs.items():
        yield f"{name}.{ANY}"
        for key in struct.FIELDS:
            keys.add(key)
            yield f"{name}.{key}"
    yield from (f"{ANY}.{key}" for key in sorted(keys))
