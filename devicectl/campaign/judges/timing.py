"""Judge of time: what the device does when its link is lost, and when somebody stops it.

The needles are home within 800 ms of the last valid frame of the controlling link, the line is vented within 500 ms of
its loss, and after STOP or the emergency stop both within 100 ms. Until then nothing may be armed any more.
"""

import bisect
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from devicectl.campaign.judges.reading import Found, Noted, Reading, Said
from devicectl.campaign.recording import Event

MS: Final = 1_000
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
    """Time in which something was so, begun at a place of the recording by a command of the link."""

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
    if not reading.fired("retract_jammed"):
        spans["out with its needles"] = _spans(reading, "needles", lambda event, at_us: event["home_at"])
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
        moment.at_us
        for moment in _moments(reading)
        for span in armed
        if moment.link_id == span.link_id != 0 and span.at_us <= moment.at_us <= span.end_us
        if moment.place == sys.maxsize or span.place < moment.place < span.end_place
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
            found.append(Span(begun.at_us, begun.place, end_us, noted.place, _link_of(reading, begun.place)))
            begun = None
    if begun is not None:
        found.append(Span(begun.at_us, begun.place, reading.end_us, sys.maxsize, _link_of(reading, begun.place)))
    return found


def _link_of(reading: Reading, place: int) -> int:
    """Return the link of the last command that was heard before a place."""
    heard = reading.device_heard
    index = bisect.bisect_left(heard, place, key=lambda said: said.place) - 1
    while index >= 0 and not heard[index].frame.command:
        index -= 1
    return heard[index].frame.link_id if index >= 0 else 0


def _moments(reading: Reading) -> list[Moment]:
    """Return the losses of links, by silence or with a word, and the stops."""
    watch = _Watch(reading.end_us)
    entries: list[Said | Noted] = [*reading.device_heard]
    entries += [said for said in reading.device_sent if said.frame.name == "Welcome"]
    for name in ("boot", "detached", "viewer", "fired"):
        entries += reading.of(name)
    for entry in sorted(entries, key=lambda entry: entry.place):
        if isinstance(entry, Noted):
            watch.noted(entry)
        elif entry.frame.name == "Welcome":
            watch.welcomed(entry)
        else:
            watch.heard(entry)
    watch.end_all()
    return watch.moments


class _Link:
    """A link that the device has granted, to the host of that number."""

    def __init__(self, host_id: int, lease_us: int, said: Said) -> None:
        self.host_id = host_id
        self.lease_us = lease_us
        self.last_us = said.at_us


class _Watch:
    """The links that the device has, as far as they are on the wire, and the moments that follow."""

    def __init__(self, end_us: int) -> None:
        self.moments: list[Moment] = []
        self._end_us = end_us
        self._links: dict[int, _Link] = {}
        self._host_id = 0
        self._newest = 0
        self._stops: set[tuple[int, int]] = set()

    def welcomed(self, said: Said) -> None:
        """Begin a link; the host that asked for it has no other any more."""
        fields = said.frame.fields
        self._newest = link_id = fields["link_id"]
        if said.frame.replayed or link_id in self._links:
            return
        for old, link in list(self._links.items()):
            if link.host_id == self._host_id:
                self._lost(old, said, "its host has linked again")
        self._links[link_id] = _Link(self._host_id, fields["lease_armed_ms"] * MS, said)

    def heard(self, said: Said) -> None:
        """Renew a lease, or end the link."""
        frame = said.frame
        if frame.name == "Hello":
            self._host_id = frame.fields["host_id"]
            return
        link = self._links.get(frame.link_id)
        if link is None:
            return
        self._silence(frame.link_id, said.at_us)
        link.last_us = said.at_us
        if frame.name == "Bye" or (frame.name == "Nak" and frame.fields["code"] == "E_LINK"):
            self._lost(frame.link_id, said, "the host has left the link")
        elif frame.name == "Stop" and (key := (frame.link_id, frame.correlation_id)) not in self._stops:
            self._stops.add(key)
            self.moments.append(Moment(said.at_us, said.place, 0, "STOP", SAFE_US))

    def noted(self, noted: Noted) -> None:
        """Take in what no wire shows."""
        event = noted.event
        match event["event"]:
            case "boot":
                self.end_all(noted.at_us)
            case "detached":
                if self._newest in self._links:
                    self._lost(self._newest, noted, "the transport has gone")
            case "viewer":
                if event["answer"] == "StopDone":
                    self.moments.append(Moment(noted.at_us, noted.place, 0, "a viewer's STOP", SAFE_US))
            case "fired":
                if event["kind"] == "emergency_stop":
                    self.moments.append(Moment(noted.at_us, noted.place, 0, "the emergency stop", SAFE_US))

    def end_all(self, at_us: int | None = None) -> None:
        """Forget all links, as a device does that has lost power, or at the end."""
        for link_id in self._links:
            self._silence(link_id, self._end_us if at_us is None else at_us)
        self._links.clear()

    def _silence(self, link_id: int, until_us: int) -> None:
        link = self._links[link_id]
        if link.lease_us and until_us > (lost_us := link.last_us + link.lease_us):
            text = f"{link.lease_us // MS} ms without a valid frame"
            self.moments.append(Moment(lost_us, sys.maxsize, link_id, text, HOME_US))

    def _lost(self, link_id: int, entry: Said | Noted, cause: str) -> None:
        self._silence(link_id, entry.at_us)
        del self._links[link_id]
        self.moments.append(Moment(entry.at_us, entry.place, link_id, cause, HOME_US))
