"""Alignment: what the twin said beside what was recorded, and the first divergence.

How it works: the answers to one command carry its correlation id, and are compared in their order. What comes unasked -
events, alarms, NAKs, BYEs - is compared in its order on each link. What comes by the clock is not counted: a heartbeat
is held against the pictures of the twin around its time, progress and telemetry against nothing.

    recorded   PUNCH 12 -> RECEIVED, PUNCH_DONE    ALARM MC-0401    ...
    twin       PUNCH 12 -> RECEIVED, FAILED        ALARM MC-0401    ...
                                     ^ the first divergence, with PUNCH as what was asked

Law: an answer that is given again counts once, since how often it is asked for is the line's doing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from operator import attrgetter
from typing import Final, NamedTuple

from firmware_sim.twin.conversation import DEVICE, HOST, Conversation, Said
from firmware_sim.twin.feed import Asked, Feed, Heard, Links, Picture
from firmware_sim.twin.masks import Masks, Shift
from protocols.language import messages as M
from protocols.language.enums import ByeReason
from protocols.language.units import MILLISECOND

SLACK_BEFORE_US: Final = 250_000
SLACK_AFTER_US: Final = 50_000
"""Age that a heartbeat may have when it is recorded, and time by which a picture may be late."""
MIN_BEATS: Final = 5
"""Heartbeats of a link from which on their number says something."""
BEATS_FACTOR: Final = 2.5

Group = tuple[str, str, int, int]
"""Series that is compared in its order: of what, port, link, correlation id."""


class Divergence(NamedTuple):
    """The place where the twin goes another way: what was asked, what was recorded, what was found there."""

    at_us: int
    port: str
    reason: str
    asked: Said | None
    recorded: Said | None
    found: Said | None


class Aligned(NamedTuple):
    """The comparison: the first divergence, if there is one, and how much was compared."""

    divergence: Divergence | None
    commands: int
    answers: int
    unasked: int
    heartbeats: int


def align(conversation: Conversation, feed: Feed, masks: Masks) -> Aligned:
    """Compare all that the twin said with all that was recorded, up to where it was no longer fed."""
    until = feed.end_us
    asked = _asked(conversation)
    recorded = _series(_recorded(conversation, until))
    found = _series((port, heard.said) for port, all_ in feed.heard.items() for heard in all_)
    divergences = []
    for group in dict.fromkeys((*recorded, *found)):
        one = _compare(group, recorded.get(group, ()), found.get(group, ()), masks, feed)
        if one is not None:
            divergences.append(one._replace(asked=asked.get(group[1:])))
    beats, wrong = _compare_heartbeats(conversation, feed, masks, asked)
    divergences += [*wrong, *_compare_rates(conversation, feed, until)]
    answers = sum(len(series) for group, series in recorded.items() if group[3])
    unasked = sum(len(series) for group, series in recorded.items() if not group[3])
    first = min(divergences, key=lambda one: one.at_us, default=None)
    return Aligned(first, len(asked), answers, unasked, beats)


def _recorded(conversation: Conversation, until: int) -> Iterable[tuple[str, Said]]:
    for port, frames in conversation.said.items():
        yield from ((port, said) for said in frames if said.at_us <= until)


def _asked(conversation: Conversation) -> dict[Asked, Said]:
    """Return each command, by port, link and correlation id."""
    asked: dict[Asked, Said] = {}
    for port, frames in conversation.said.items():
        links = Links()
        for said in frames:
            number = links.number(said, port)
            if said.sender == HOST and said.header.correlation_id:
                asked.setdefault((port, number, said.header.correlation_id), said)
    return asked


def _series(words: Iterable[tuple[str, Said]]) -> dict[Group, list[Said]]:
    """Sort a device's words into the series that they are compared in."""
    links, series = Links(), dict[Group, list[Said]]()
    for port, said in words:
        number = links.number(said, port)
        group = _group(said, port, number)
        if group is None:
            continue
        before = series.setdefault(group, [])
        if not said.replayed or all(one.name != said.name for one in before):
            before.append(said)
    return series


def _group(said: Said, port: str, number: int) -> Group | None:
    message, correlation_id = said.message, said.header.correlation_id
    if said.sender != DEVICE or isinstance(message, M.Heartbeat | M.TelemetryState | M.Progress):
        return None
    if isinstance(message, M.Bye) and message.reason is ByeReason.CLOSING:
        return None  # somebody has switched it off
    if correlation_id:
        return "answers", port, number, correlation_id
    return said.name, port, number, 0


def _compare(
    group: Group, recorded: Sequence[Said], found: Sequence[Said], masks: Masks, feed: Feed
) -> Divergence | None:
    """Return the first difference of one series."""
    what = "answer" if group[3] else "message that nobody asked for"
    for number, (ours, theirs) in enumerate(zip_longest(recorded, found), 1):
        if theirs is None:
            assert ours is not None
            reason = f"{what} {number}: {ours.name} was recorded, the twin says nothing more"
            return Divergence(ours.at_us, group[1], reason, None, ours, None)
        if ours is None:
            if theirs.at_us >= feed.end_us:
                return None
            reason = f"{what} {number}: nothing more was recorded, the twin says {theirs.name}"
            return Divergence(theirs.at_us, group[1], reason, None, None, theirs)
        text = _differ(ours, theirs, masks, feed.shift_ms)
        if text is not None:
            at_us = min(ours.at_us, theirs.at_us)
            return Divergence(at_us, group[1], f"{what} {number}: {text}", None, ours, theirs)
    return None


def _differ(recorded: Said, found: Said, masks: Masks, shift: Shift) -> str | None:
    if recorded.message is None or found.message is None:
        same = recorded.header.message_id == found.header.message_id and recorded.frame == found.frame
        return None if same else f"{recorded.name}, which this version cannot read, was recorded"
    return masks.differs(recorded.message, found.message, shift)


# --- heartbeats --------------------------------------------------------------------------------------------------


def _compare_heartbeats(
    conversation: Conversation, feed: Feed, masks: Masks, asked: Mapping[Asked, Said]
) -> tuple[int, list[Divergence]]:
    """Hold each recorded heartbeat against the twin's pictures: how many there are, and the first that is like none."""
    count, wrong = 0, []
    for port, frames in conversation.said.items():
        links = Links()
        for said in frames:
            number = links.number(said, port)
            if not isinstance(said.message, M.Heartbeat) or said.at_us > feed.end_us:
                continue
            count += 1
            # While a motion is under way the twin may be ahead: it has been there since the command.
            running = asked.get((port, number, said.message.running_correlation_id))
            since_us = said.at_us - SLACK_BEFORE_US
            if running is not None:
                since_us = min(since_us, running.at_us)
            text = _unlike(said.message, said.at_us, _pictures(feed, since_us, said.at_us), masks, feed.shift_ms)
            if text is not None:
                wrong.append(Divergence(said.at_us, port, f"heartbeat: {text}", None, said, None))
                break
    return count, wrong


def _pictures(feed: Feed, since_us: int, until_us: int) -> Iterable[Picture]:
    """Return the pictures that were true at some time of a span, the latest first: they are the likeliest."""
    first = max(0, bisect_right(feed.pictures, since_us, key=attrgetter("at_us")) - 1)
    end = bisect_right(feed.pictures, until_us + SLACK_AFTER_US, key=attrgetter("at_us"))
    return reversed(feed.pictures[first:end])


def _unlike(beat: M.Heartbeat, at_us: int, pictures: Iterable[Picture], masks: Masks, shift: Shift) -> str | None:
    """Return how a heartbeat differs from the last picture around its time; None if it is like one of them."""
    last = None
    for picture in pictures:
        passed_ms = (at_us - picture.at_us) // MILLISECOND  # since then the twin's uptime has gone on
        text = masks.differs(beat, picture.heartbeat, partial(_later, shift, passed_ms))
        if text is None:
            return None
        last = last or text
    return last


def _later(shift: Shift, passed_ms: int, uptime_ms: int) -> int:
    return shift(uptime_ms) - passed_ms


def _compare_rates(conversation: Conversation, feed: Feed, until: int) -> list[Divergence]:
    """Compare how many heartbeats came at each port: far more, or far fewer, are another pace."""
    wrong = []
    for port, frames in conversation.said.items():
        recorded = [said for said in frames if isinstance(said.message, M.Heartbeat) and said.at_us <= until]
        found = [one.said for one in feed.heard.get(port, ()) if _is_beat(one)]
        less, more = sorted((len(recorded), len(found)))
        if more >= MIN_BEATS and more > BEATS_FACTOR * less:
            reason = f"heartbeats: {len(recorded)} were recorded, {len(found)} are the twin's"
            wrong.append(Divergence(until, port, reason, None, None, None))
    return wrong


def _is_beat(heard: Heard) -> bool:
    return isinstance(heard.said.message, M.Heartbeat) and not heard.in_hold
