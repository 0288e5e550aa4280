"""Readiness of a stroke as the wire shows it: who asked for it, where the hand is, and if the skin there is numb.

Law: docs/model.md and docs/protocol.md. The device's own account of these is not asked.
"""

from typing import Final

from devicectl.campaign.judges.frames import Frame
from devicectl.campaign.judges.links import NOT_TAKEN, links_of
from devicectl.campaign.judges.reading import Found, Noted, Reading, Said

SECOND_US: Final = 1_000_000
DEFAULTS: Final = {"anesthesia_wait_s": 300, "anesthesia_valid_s": 3_600}
"""Parameters of docs/model.md, where a run has set no other: how long a zone needs, and how long it stays numb."""
_FOLLOWED: Final = ("AnesthesiaStart", "AnesthesiaConfirm", "Reposition", "SessionOpen", "SessionClose")
Place = tuple[int, int]
"""Zone and cell."""


class _Skin:
    """The zones that are numb, and the hand's place. All of it is gone when the device starts again."""

    def __init__(self, parameters: dict[str, float]) -> None:
        self.found: Found = []
        self.hand: Place | None = None
        self.confirmed: set[int] = set()
        self._numbed: dict[int, int] = {}
        """Zone -> time at which it was numbed."""
        self._parameters = parameters

    def forget(self) -> None:
        """Know of no zone and no place: a start, and the begin and end of a session."""
        self.hand = None
        self.confirmed.clear()
        self._numbed.clear()

    def answered(self, asked: Said, answer: Frame) -> None:
        """Take in what the device has answered to a command that it took."""
        name, fields = asked.frame.name, asked.frame.fields
        if name == "Reposition":
            # A hand that was stopped on its way is nowhere.
            self.hand = (fields["zone"], fields["cell"]) if answer.name == "RepositionDone" else None
        elif answer.name != f"{name}Done":
            return
        elif name == "AnesthesiaStart":
            self._numbed[fields["zone"]] = asked.at_us - fields["age_s"] * SECOND_US
            self.confirmed.discard(fields["zone"])
        elif name == "AnesthesiaConfirm":
            self._confirm(asked.at_us, fields["zone"])
        else:
            self.forget()

    def _confirm(self, now_us: int, zone: int) -> None:
        age_s = self._age_s(now_us, zone)
        if age_s is None or not self._parameters["anesthesia_wait_s"] <= age_s < self._parameters["anesthesia_valid_s"]:
            self.found.append((now_us, f"the anesthesia of zone {zone} was confirmed at an age of {age_s} s"))
        else:
            self.confirmed.add(zone)

    def _age_s(self, now_us: int, zone: int) -> float | None:
        numbed_us = self._numbed.get(zone)
        return None if numbed_us is None else (now_us - numbed_us) / SECOND_US

    def stroke(self, noted: Noted) -> None:
        """Hold a stroke against it."""
        place = zone, _ = noted.event["zone"], noted.event["cell"]
        if place != self.hand:
            self.found.append((noted.at_us, f"PUNCH at {place}, the hand is at {self.hand}"))
        age_s = self._age_s(noted.at_us, zone)
        if zone not in self.confirmed or age_s is None or age_s >= self._parameters["anesthesia_valid_s"]:
            self.found.append((noted.at_us, f"PUNCH without anesthesia of zone {zone}, numbed {age_s} s ago"))


def unready(reading: Reading) -> Found:
    """Find strokes of which the wire does not show that they were allowed."""
    skin = _Skin({**DEFAULTS, **reading.parameters})
    asked: dict[tuple[int, int], Said] = {}
    commands = [said for said in reading.device_heard if said.frame.name in _FOLLOWED]
    entries: list[Said | Noted] = [*commands, *reading.device_sent, *reading.of("boot"), *reading.of("stroke")]
    for entry in sorted(entries, key=lambda entry: entry.place):
        if isinstance(entry, Noted):
            skin.forget() if entry.event["event"] == "boot" else skin.stroke(entry)
            continue
        frame, key = entry.frame, (entry.frame.link_id, entry.frame.correlation_id)
        if frame.name in _FOLLOWED:
            asked[key] = entry
        elif key in asked and not frame.replayed and frame.name not in NOT_TAKEN:
            skin.answered(asked[key], frame)
    return skin.found + _uncontrolled(reading)


def _uncontrolled(reading: Reading) -> Found:
    """Find strokes by a link that does not hold control: another's, or one that was lost."""
    links, found = links_of(reading), []
    punches = iter([said for said in reading.device_heard if said.frame.name == "Punch"])
    last, following = 0, next(punches, None)
    for noted in reading.of("stroke"):
        while following is not None and following.place < noted.place:
            last, following = following.frame.link_id, next(punches, None)
        holder = links.holder_at(noted.place)
        if not holder or last != holder:
            found.append((noted.at_us, f"PUNCH on link {last}, while link {holder} holds control"))
    return found
