"""A recording as judges read it: each piece decoded once, whatever it met on its way, and events by their name.

Law: what a fault has spoiled on its way is passed over; what an end sends is always whole.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from devicectl.campaign.judges.frames import Frame, frames
from devicectl.campaign.recording import DEVICE_HEARD, DEVICE_SENT, HOST_HEARD, HOST_SENT, Event, Recorded
from protocols.mqtt.wire import Publication

ENDS: Final = ("Refused", "Failed", "Aborted")
"""Messages that end any command; a DONE ends its own."""
WRITE_FAULTS: Final = ("torn_write", "lost_write", "short_write")
"""Kinds of fault that meet the very write of a step."""
Found = list[tuple[int, str]]
"""Breaches that a judge has found, each with its time in microseconds and its sentence."""


class Said(NamedTuple):
    """One message at a place of the recording."""

    at_us: int
    place: int
    frame: Frame


class Noted(NamedTuple):
    """One event at a place of the recording."""

    at_us: int
    place: int
    event: Event


class Reading:
    """A recording: what was said, by where it was sent or heard, and the events by their name; each in order."""

    def __init__(
        self,
        recording: Sequence[Recorded],
        parameters: Mapping[str, float] = MappingProxyType({}),
        *,
        whole: bool = True,
        host_end: bool = True,
    ) -> None:
        """Decode it. `parameters` are those of the device that the run has set.

        `whole` says that all is in it that the device has ever heard and sent, `host_end` all that the host has sent.
        """
        self.parameters = parameters
        self.whole = whole
        self.host_end = host_end
        self.end_us = recording[-1].at_us if recording else 0
        self.device_sent: list[Said] = []
        self.device_heard: list[Said] = []
        self.host_sent: list[Said] = []
        self._events: dict[str, list[Noted]] = {}
        self._recording = recording
        self._known: dict[bytes, list[Frame]] = {}
        lists = {DEVICE_SENT: self.device_sent, DEVICE_HEARD: self.device_heard, HOST_SENT: self.host_sent}
        for place, (at_us, where, data) in enumerate(recording):
            if isinstance(data, dict):
                self._events.setdefault(data["event"], []).append(Noted(at_us, place, data))
            elif where == DEVICE_HEARD and isinstance(data, Publication) and data.retain:
                continue  # a retained command is never carried out (docs/mqtt.md): it is no frame of a host that lives
            elif (said := lists.get(where)) is not None:
                for frame in self._frames(data):
                    said.append(Said(at_us, place, frame))

    def _frames(self, data: bytes | Publication) -> list[Frame]:
        # Most pieces are the same object where they are heard: its hash is kept in it.
        content = data if isinstance(data, bytes) else data.body
        found = self._known.get(content)
        if found is None:
            found = self._known[content] = frames(data)
        return found

    @property
    def host_heard(self) -> list[Said]:
        """Return what the host has heard: what the device sent, or spoiled. Few rules are about it."""
        return [
            Said(at_us, place, frame)
            for place, (at_us, where, data) in enumerate(self._recording)
            if where == HOST_HEARD and not isinstance(data, dict)
            for frame in self._frames(data)
        ]

    def of(self, name: str) -> list[Noted]:
        """Return the events of that name."""
        return self._events.get(name, [])

    def fired(self, kind: str) -> list[Noted]:
        """Return the times at which a fault of that kind has first had an effect."""
        return [noted for noted in self.of("fired") if noted.event["kind"] == kind]

    def stopped_by_others(self) -> list[Noted]:
        """Return the STOPs of other hosts that were carried out: no wire of this one shows them."""
        return [noted for noted in self.of("other_host") if noted.event["answer"] == "StopDone"]

    def under_way(self, kinds: Collection[str], first: int, last: int) -> bool:
        """Return True if a fault of these kinds has had an effect and was not over, at or between two places."""
        ends = {noted.event["fault"]: noted.place for noted in self.of("ended")}
        return any(
            noted.event["kind"] in kinds and noted.place < last and ends.get(noted.event["fault"], sys.maxsize) > first
            for noted in self.of("fired")
        )


_WITHIN_A_MOMENT: Final[Mapping[tuple[str, str], str]] = {
    ("SESSION_OPEN", "IDLE"): "CLOSING",
    ("ANESTHESIA_WAIT", "IDLE"): "CLOSING",
    ("ANESTHESIA_CONFIRMED", "IDLE"): "CLOSING",
    ("OFF", "IDLE"): "SELF_TEST",
    ("OFF", "FAULT"): "SELF_TEST",
    ("OFF", "SAFE"): "SELF_TEST",
}
"""Change of state that is seen -> the state in between, which lasts no time."""


def seen(reading: Reading) -> Counter[tuple[str, str]]:
    """Count what was met: states and changes of state of the device, refusals, interlocks, NAKs, alarms, recoveries."""
    found: Counter[tuple[str, str]] = Counter()
    for said in reading.device_sent:
        _see_answer(said.frame, found)
    for noted in reading.of("other_host"):
        _see_answer_to_other(noted.event, found)
    found["recovery", "sent again"] += sum(said.frame.retransmitted for said in reading.host_sent)
    found["recovery", "linked again"] += max(0, sum(said.frame.name == "Welcome" for said in reading.device_sent) - 1)
    found["recovery", "started again"] += len(reading.of("boot"))
    found["recovery", "host started again"] += len(reading.of("host"))
    for before, after in changes(reading):
        if after == "OFF":
            continue  # by a loss of power, which no table has
        between = _WITHIN_A_MOMENT.get((before, after))
        for one, other in [(before, after)] if between is None else [(before, between), (between, after)]:
            found["device", other] += 1
            found["device transition", f"{one} > {other}"] += 1
    return +found


def _see_answer(frame: Frame, found: Counter[tuple[str, str]]) -> None:
    match frame.name:
        case "Refused":
            found["refusal", frame.fields["code"]] += 1
            if frame.fields["interlock"]:
                found["interlock", str(frame.fields["interlock"])] += 1
        case "Nak":
            found["nak", frame.fields["code"]] += 1
        case "Aborted" | "Failed":
            found["answer", frame.name] += 1
        case "Alarm":
            found["alarm", f"MC-{frame.fields['code']:04d} {frame.fields['state']}"] += 1
    if frame.replayed:
        found["recovery", "answered from memory"] += 1


def _see_answer_to_other(event: Event, found: Counter[tuple[str, str]]) -> None:
    if "code" in event:
        found["nak" if event["answer"] == "Nak" else "refusal", event["code"]] += 1
    if "interlock" in event:
        found["interlock", str(event["interlock"])] += 1


def changes(reading: Reading) -> list[tuple[str, str]]:
    """Return the changes of the device's state, each as the state before and after; it is OFF while without power."""
    states = ["IDLE", *(noted.event["state"] for noted in reading.of("state"))]
    return list(itertools.pairwise(states))
