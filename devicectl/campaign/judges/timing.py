"""Judge of time: what the device does when its link is lost, and when somebody stops it.

The needles are home within 800 ms of the last valid frame of the controlling link, the line is vented within 500 ms of
its loss, and after STOP or the emergency stop both within 100 ms. Until then nothing may be armed any more.
"""

import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from devicectl.campaign.judges.links import MS, links_of
from devicectl.campaign.judges.reading import Found, Noted, Reading
from devicectl.campaign.recording import Event

HOME_US: Final = 200 * MS
"""docs/protocol.md: 800 ms after the last valid frame, of which the lease is 600."""
SAFE_US: Final = 100 * MS
"""docs/protocol.md: the line is vented within 500 ms of the loss, of which 400 are what the air takes. And the whole
of STOP."""


class Moment(NamedTuple):
    """Something after which the device has to be safe; `link_id` 0 where it is about every link."""

    at_us: int
    place: int
    link_id: int
    cause: str
    home_us: int


class Span(NamedTuple):
    """Time in which something was so, begun at a place of the recording at which the link held control."""

    at_us: int
    place: int
    end_us: int
    end_place: int
    link_id: int


def judge(reading: Reading) -> Found:
    """Hold every time at which needles were out, or the device armed, against what it has heard."""
    spans = {
        "armed": _spans(reading, "state", lambda event, at_us: None if event["armed"] else at_us),
        "under vacuum": _spans(reading, "pump", lambda event, at_us: None if event["on"] else at_us),
    }
    out = _spans(reading, "needles", lambda event, at_us: event["home_at"])
    spans["out with its needles"] = [
        span for span in out if not reading.under_way(("retract_jammed",), span.place, span.end_place)
    ]
    found = []
    for moment in _moments(reading):
        for name, of_name in spans.items():
            bound_us = moment.home_us if name == "out with its needles" else SAFE_US
            for span in of_name:
                if (
                    span.at_us <= moment.at_us < span.end_us - bound_us
                    and span.place < moment.place
                    and moment.link_id in (0, span.link_id)
                ):
                    late_ms = (span.end_us - moment.at_us) // MS
                    found.append((moment.at_us, f"the device was {name} for {late_ms} ms after {moment.cause}"))
    return found


def losses(reading: Reading) -> list[int]:
    """Return the times at which the device was armed and lost its controlling link."""
    armed = _spans(reading, "state", lambda event, at_us: None if event["armed"] else at_us)
    return [
        loss.at_us
        for loss in links_of(reading).losses
        for span in armed
        if loss.link_id == span.link_id != 0 and span.at_us <= loss.at_us <= span.end_us
        if loss.place == sys.maxsize or span.place < loss.place < span.end_place
    ]


def _spans(reading: Reading, name: str, over: Callable[[Event, int], int | None]) -> list[Span]:
    """Return the times between an event that is not `over` and the end that the next one which is has."""
    found: list[Span] = []
    begun: Noted | None = None
    for noted in reading.of(name):
        end_us = over(noted.event, noted.at_us)
        if end_us is None:
            begun = noted if begun is None else begun
        elif begun is not None:
            found.append(Span(begun.at_us, begun.place, end_us, noted.place, links_of(reading).holder_at(begun.place)))
            begun = None
    if begun is not None:
        found.append(
            Span(begun.at_us, begun.place, reading.end_us, sys.maxsize, links_of(reading).holder_at(begun.place))
        )
    return found


def _moments(reading: Reading) -> list[Moment]:
    """Return the losses of links, and the stops."""
    found = [Moment(*loss, HOME_US) for loss in links_of(reading).losses]
    stops: set[tuple[int, int]] = set()
    for said in links_of(reading).stops:
        key = (said.frame.link_id, said.frame.correlation_id)
        if key not in stops:
            stops.add(key)
            found.append(Moment(said.at_us, said.place, 0, "STOP", SAFE_US))
    unseen = {
        "a viewer's STOP": reading.stopped_by_others(),
        "the emergency stop": reading.fired("emergency_stop"),
    }
    for cause, notes in unseen.items():
        found += [Moment(noted.at_us, noted.place, 0, cause, SAFE_US) for noted in notes]
    return found
