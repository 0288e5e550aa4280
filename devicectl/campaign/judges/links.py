"""Links of a device as the wire shows them: which it has granted, which of them holds control, and when each is lost.

Law: docs/protocol.md, "A link" and "Control". Of the device's own state it takes only if it is armed, for that decides
which lease holds.
"""

import bisect
import sys
from functools import lru_cache
from typing import Final, NamedTuple

from devicectl.campaign.judges.frames import MOTIONS
from devicectl.campaign.judges.reading import Noted, Reading, Said

MS: Final = 1_000
_NO_CONTROL: Final = ("AlarmAck", "ParamSet")
"""Commands that are for the holder of control, and take none."""

NOT_TAKEN: Final = ("Refused", "Nak")
"""Answers to a command that does nothing."""


class Loss(NamedTuple):
    """End of a link. By silence it has a time, and a place after all others."""

    at_us: int
    place: int
    link_id: int
    cause: str


class _Link:
    """A link that was granted, to the host of that number."""

    def __init__(self, host_id: int, said: Said) -> None:
        fields = said.frame.fields
        self.host_id = host_id
        self.controls = fields["role"] == "CONTROLLER"
        self.armed_us = fields["lease_armed_ms"] * MS
        self.idle_us = fields["lease_idle_ms"] * MS
        self.last_us = said.at_us


class Links:
    """The links of a recording, from its begin to its end."""

    def __init__(self, reading: Reading) -> None:
        self.losses: list[Loss] = []
        self.stops: list[Said] = []
        """Each STOP that was heard on a link, also one that was sent again."""
        self._holders = [(-1, 0)]
        """Place and link, each time that another one holds control; 0: none."""
        self._links: dict[int, _Link] = {}
        self._armed = False
        self._host_id = 0
        self._newest = 0
        self._asked: set[tuple[int, int]] = set()
        """Link and correlation id of the commands that take control where nobody has it."""
        entries: list[Said | Noted] = [*reading.device_sent, *reading.device_heard]
        for name in ("boot", "detached", "state"):
            entries += reading.of(name)
        heard = {said.place for said in reading.device_heard}
        for entry in sorted(entries, key=lambda entry: entry.place):
            if isinstance(entry, Noted):
                self._noted(entry)
            elif entry.place in heard:
                self._heard(entry)
            else:
                self._said(entry)
        self._expire(reading.end_us, sys.maxsize)

    def holder_at(self, place: int) -> int:
        """Return the link that held control just before a place of the recording; 0 where none did."""
        return self._holders[bisect.bisect_left(self._holders, (place, 0)) - 1][1]

    def _heard(self, said: Said) -> None:
        """Renew a lease, or end the link."""
        frame = said.frame
        self._expire(said.at_us, said.place)
        link = self._links.get(frame.link_id)
        if frame.name == "Hello":
            self._host_id = frame.fields["host_id"]
        elif link is not None:
            link.last_us = said.at_us
            if frame.name == "Bye" or (frame.name == "Nak" and frame.fields["code"] == "E_LINK"):
                self._lose(frame.link_id, Loss(said.at_us, said.place, frame.link_id, "the host has left the link"))
            elif frame.name == "Stop":
                self.stops.append(said)
            elif frame.name in MOTIONS and frame.name not in _NO_CONTROL and link.controls:
                self._asked.add((frame.link_id, frame.correlation_id))

    def _said(self, said: Said) -> None:
        """Begin a link, or give control to one, or take it away with the session."""
        frame = said.frame
        if frame.replayed:
            return
        if frame.name == "Welcome":
            self._welcome(said)
        elif (frame.link_id, frame.correlation_id) in self._asked and frame.name not in NOT_TAKEN:
            if frame.name == "SessionCloseDone":
                self._control(0, said.place)
            elif not self._holders[-1][1]:
                self._control(frame.link_id, said.place)

    def _welcome(self, said: Said) -> None:
        """Begin a link; the host that asked for it has no other any more."""
        self._newest = link_id = said.frame.fields["link_id"]
        if link_id in self._links:
            return
        for old in [old for old, link in self._links.items() if link.host_id == self._host_id]:
            self._lose(old, Loss(said.at_us, said.place, old, "its host has linked again"))
        self._links[link_id] = _Link(self._host_id, said)

    def _noted(self, noted: Noted) -> None:
        """Take in what no wire shows."""
        match noted.event["event"]:
            case "boot":
                self._links.clear()
                self._asked.clear()
                self._control(0, noted.place)
            case "detached" if self._newest in self._links:
                cause = "the transport has gone"
                self._lose(self._newest, Loss(noted.at_us, noted.place, self._newest, cause))
            case "state":
                if self._armed and not noted.event["armed"]:
                    self._expire(noted.at_us + 1, noted.place)  # it may be by the lease's very end
                self._armed = noted.event["armed"]

    def _expire(self, now_us: int, place: int) -> None:
        """End the links of which the device has heard nothing for the whole lease."""
        for link_id, link in list(self._links.items()):
            lease_us = link.armed_us if self._armed else link.idle_us
            if lease_us and now_us > (lost_us := link.last_us + lease_us):
                cause = f"{lease_us // MS} ms without a valid frame"
                self._lose(link_id, Loss(lost_us, sys.maxsize, link_id, cause), place)

    def _lose(self, link_id: int, loss: Loss, place: int | None = None) -> None:
        """End a link; what holds from `place` on is another holder of control."""
        del self._links[link_id]
        self._asked = {key for key in self._asked if key[0] != link_id}
        self.losses.append(loss)
        if self._holders[-1][1] == link_id:
            self._control(0, loss.place if place is None else place)

    def _control(self, link_id: int, place: int) -> None:
        self._holders.append((place, link_id))


@lru_cache(maxsize=1)
def links_of(reading: Reading) -> Links:
    """Return the links of a recording; those of the last one are kept, for several judges ask for them."""
    return Links(reading)
