"""A recording as judges read it: each frame decoded once, by `cobs` and `struct` alone.

Law: it knows docs/protocol.md and no code of either end. What a fault has spoiled on its way is passed over; what an
end sends is always whole.
"""

import json
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cobs import cobs

from devicectl.campaign.recording import Event, Recorded
from protocols.language.checksum import crc32c
from protocols.language.enums import Code

_HEADER: Final = struct.Struct("<BBHHHHBB")
_CRC_SIZE: Final = 4
_PAGE: Final = struct.Struct("<IIII")
_ACK: Final = struct.Struct("<II")
_REFUSED: Final = struct.Struct("<BB")
RECORD_SIZE: Final = 32
REPLAYED: Final = 0x08
COMMAND, REPLY, LINK = 0, 1, 7


class Said(NamedTuple):
    """One frame or publication. `fields` are there of the messages of `_FIELDS` alone."""

    at_us: int
    where: str
    name: str
    replayed: bool
    fields: Event


class Reading(NamedTuple):
    """A recording: what was said in order, events by name in order, and what was seen, counted."""

    said: list[Said]
    events: Mapping[str, list[tuple[int, Event]]]
    seen: Counter[tuple[str, str]]

    def of(self, name: str) -> list[tuple[int, Event]]:
        """Return the events of that name, each with its time."""
        return self.events.get(name, [])


def read(recording: Sequence[Recorded]) -> Reading:
    """Decode a recording."""
    said: list[Said] = []
    events: dict[str, list[tuple[int, Event]]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for at_us, where, data in recording:
        if isinstance(data, Mapping):
            events.setdefault(data["event"], []).append((at_us, data))
        else:
            said += _frames(at_us, where, data) if isinstance(data, bytes) else [_publication(at_us, where, data.body)]
    for one in said:
        if one.name == "Refused" and one.where == "device>":
            seen["refusal", one.fields["code"]] += 1
            if one.fields["interlock"]:
                seen["interlock", str(one.fields["interlock"])] += 1
    for _, event in events.get("state", []):
        seen["device", event["state"]] += 1
    return Reading(said, events, seen)


def _frames(at_us: int, where: str, data: bytes) -> Iterator[Said]:
    for stuffed in data.split(b"\0"):
        if not stuffed:
            continue
        try:
            raw = cobs.decode(stuffed)
        except cobs.DecodeError:
            continue
        body = raw[:-_CRC_SIZE]
        if len(body) >= _HEADER.size and crc32c(body) == int.from_bytes(raw[-_CRC_SIZE:], "little"):
            kind, flags, message_id, *_ = _HEADER.unpack_from(body)
            name, fields = _FIELDS.get((kind & 0xF, message_id), ("", _nothing))
            yield Said(at_us, where, name, bool(flags & REPLAYED), fields(body[_HEADER.size :]))


def _publication(at_us: int, where: str, data: bytes) -> Said:
    body = json.loads(data)
    replayed = "REPLAYED" in body.get("flags", ())
    return Said(at_us, where, body["message"], replayed, body.get("payload") or {})


def _nothing(payload: bytes) -> Event:
    return {}


def _page(payload: bytes) -> Event:
    epoch, first, tail, head = _PAGE.unpack_from(payload)
    rest = payload[_PAGE.size :]
    records = [rest[start : start + RECORD_SIZE] for start in range(0, len(rest), RECORD_SIZE)]
    return {"epoch": epoch, "first": first, "tail": tail, "head": head, "records": records}


def _ack(payload: bytes) -> Event:
    epoch, upto = _ACK.unpack_from(payload)
    return {"epoch": epoch, "upto": upto}


def _refused(payload: bytes) -> Event:
    code, interlock = _REFUSED.unpack_from(payload)
    return {"code": Code(code).name, "interlock": interlock}


_FIELDS: Final[Mapping[tuple[int, int], tuple[str, Callable[[bytes], Event]]]] = {
    (REPLY, 0x0502): ("JournalPage", _page),
    (COMMAND, 0x0503): ("JournalAck", _ack),
    (REPLY, 0x0012): ("Refused", _refused),
}
"""Kind and id of the messages that judges look into -> name, and what reads their payload."""
