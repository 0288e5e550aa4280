"""Reaction times: how long both devices took, command by command, as distributions.

`first` is the time from a command to its first answer, `whole` to its last. A recording of the host's end has the line
in it: where its speed is known, the time that command and answer take on it is taken off.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Final, NamedTuple

from firmware_sim.twin.conversation import DEVICE, HOST, Conversation, Said
from firmware_sim.twin.feed import Feed, Links, is_final
from protocols.language.units import MILLISECOND, SECOND
from protocols.serial.line import BITS_PER_BYTE

P95: Final = 0.95


class Spread(NamedTuple):
    """Median and 95th percentile of some times, in milliseconds."""

    median_ms: float
    p95_ms: float


class Reaction(NamedTuple):
    """Times of one command, or of its first answers: `part` is "first" or "whole"."""

    command: str
    part: str
    number: int
    recorded: Spread
    found: Spread


class Limit(NamedTuple):
    """Greatest difference of a median or p95: the larger of a time and a share of the recorded one."""

    within_ms: float
    within_percent: float

    def exceeded(self, recorded_ms: float, found_ms: float) -> bool:
        """Return true if two times are further apart."""
        return abs(found_ms - recorded_ms) > max(self.within_ms, recorded_ms * self.within_percent / 100)


def reactions(conversation: Conversation, feed: Feed, baud: int = 0) -> list[Reaction]:
    """Return the times of each command that both devices have ended, by its name.

    `baud` is the speed of the recorded line, 0 where it takes no time.
    """
    until = feed.end_us
    asked: dict[tuple[str, int, int], Said] = {}
    recorded = _times(
        ((port, said, 0) for port, frames in conversation.said.items() for said in frames if said.at_us <= until),
        asked,
        baud,
    )
    found = _times(((port, one.said, one.held_us) for port, all_ in feed.heard.items() for one in all_), asked)
    times: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
    for key, ours in recorded.items():
        theirs = found.get(key)
        if theirs is not None:
            both = times.setdefault((asked[key[0]].name, key[1]), ([], []))
            both[0].append(ours)
            both[1].append(theirs)
    return [
        Reaction(command, part, len(ours), spread(ours), spread(theirs))
        for (command, part), (ours, theirs) in sorted(times.items())
    ]


def _times(
    words: Iterable[tuple[str, Said, int]], asked: dict[tuple[str, int, int], Said], baud: int = 0
) -> dict[tuple[tuple[str, int, int], str], int]:
    """Return the times of all commands; the host's frames, where there are some, are noted in `asked`.

    What the recording was held for counts as the twin's time.
    """
    links, times = Links(), dict[tuple[tuple[str, int, int], str], int]()
    held_at: dict[tuple[str, int, int], int] = {}
    for port, said, held_us in words:
        key = (port, links.number(said, port), said.header.correlation_id)
        if said.sender == HOST:
            if said.header.correlation_id:
                asked.setdefault(key, said)
        elif said.sender == DEVICE and key in asked and not said.replayed:
            took = said.at_us + held_us - held_at.setdefault(key, held_us) - asked[key].at_us
            if baud:
                took = max(0, took - BITS_PER_BYTE * SECOND * len(asked[key].frame + said.frame) // baud)
            times.setdefault((key, "first"), took)
            if is_final(said):
                times.setdefault((key, "whole"), took)
    return times


def spread(times_us: Sequence[int]) -> Spread:
    """Return median and 95th percentile of some times, of which there is one at least."""
    ranked = sorted(times_us)
    middle = len(ranked) // 2
    median = ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2
    p95 = ranked[ceil(P95 * len(ranked)) - 1]
    return Spread(round(median / MILLISECOND, 3), round(p95 / MILLISECOND, 3))


def too_far(found: Iterable[Reaction], limit: Limit, limits: Mapping[str, Limit | None]) -> list[str]:
    """Return a sentence for each command whose times are too far apart; a limit of None judges nothing."""
    sentences = []
    for one in found:
        own = limits.get(one.command, limit)
        if own is None:
            continue
        for name in Spread._fields:
            ours, theirs = getattr(one.recorded, name), getattr(one.found, name)
            if own.exceeded(ours, theirs):
                word = name.removesuffix("_ms")
                sentences.append(
                    f"{one.command}, {one.part} answer: {word} {ours:g} ms in the recording, {theirs:g} ms in the twin"
                )
    return sentences
