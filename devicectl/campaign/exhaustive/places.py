"""Places of a run, and the single faults that they may have: (place, kind).

How it works: a place is a piece of either end, a write of the memory or a commit of the log, by its number. A first run
without faults has so many of each, and each of them with each kind that fits is a single. A run with one fault has its
own places: those of the run without faults up to the fault, then as many as the recovery takes. Its seconds are the
singles of these later ones, and of the same place the kinds that come after its own. So each pair is tried once, the
second fault may meet any piece of a recovery, and none is declared at a place that its run does not have.

Law: what is before the first frame has no place: the device's first boot is no part of a session.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from devicectl.campaign.scenario import MQTT
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.injector import Counts
from firmware_sim.faults.kind import Target

FaultOf = tuple[str, Mapping[str, float | str]]
"""Name of a kind, and the values that are not as usual."""

PIECE_KINDS: Final[tuple[FaultOf, ...]] = (
    ("drop", {}),
    ("flip", {}),
    ("insert", {}),
    ("duplicate", {}),
    ("reorder", {"by_ms": 50}),
    ("mute", {"for_ms": 1_000}),
    ("disconnect", {}),
    ("half_open", {"unaware": "device"}),
    ("half_open", {"unaware": "host"}),
)
WRITE_KINDS: Final[tuple[FaultOf, ...]] = (
    ("torn_write", {"kept": 0}),
    ("torn_write", {"kept": 1}),
    ("lost_write", {}),
    ("short_write", {}),
    ("reboot", {}),
)
COMMIT_KINDS: Final[tuple[FaultOf, ...]] = (("crash_before_commit", {}), ("crash_after_commit", {}), ("log_full", {}))


class _Event(NamedTuple):
    """Events of a run that are places: `text` is their trigger, less the number."""

    key: tuple[str, str]
    text: str
    kinds: tuple[FaultOf, ...]


EVENTS: Final = (
    _Event(("piece", "host"), 'piece("host", {})', PIECE_KINDS),
    _Event(("piece", "device"), 'piece("device", {})', PIECE_KINDS),
    _Event(("write", ""), "write({})", WRITE_KINDS),
    _Event(("commit", ""), "commit({})", COMMIT_KINDS),
)


class Place(NamedTuple):
    """A single: the fault, and the event and number at which it is."""

    event: tuple[str, str]
    number: int
    fault: Fault


def singles(before: Counts, end: Counts, wire: str) -> Iterator[Place]:
    """Yield each single after the events of `before`, up to those of `end`."""
    for event in EVENTS:
        for number in range(before.get(event.key, 0) + 1, end.get(event.key, 0) + 1):
            yield from _at(event, number, wire)


def seconds(first: Place, before: Counts, end: Counts, wire: str) -> Iterator[Place]:
    """Yield each single that makes a pair with `first`; `before` and `end` are of the run with that one alone."""
    for event in EVENTS:
        if event.key == first.event:
            same = list(_at(event, first.number, wire))
            place = [one.fault.as_json() for one in same].index(first.fault.as_json())
            yield from (one for one in same[place + 1 :] if not _decide_one_write(first.fault, one.fault))
    yield from singles(before, end, wire)


def _at(event: _Event, number: int, wire: str) -> Iterator[Place]:
    for name, values in event.kinds:
        if fits(name, wire):
            yield Place(event.key, number, declare(name, event.text.format(number), **values))


def fits(kind: str, wire: str) -> bool:
    """Return True if a wire may have a kind of fault: a broker changes no byte."""
    return wire != MQTT or not CATALOGUE[kind].bytes_only


def _decide_one_write(first: Fault, second: Fault) -> bool:
    """Return True for two faults that say otherwise of one write: it has one fate."""
    return first.kind.target is second.kind.target is Target.MEMORY
