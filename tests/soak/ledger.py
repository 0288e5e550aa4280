"""Judge of a session under faults: it reads what was on the wire, the plant's truth and the log's rows.

Law: it knows docs/protocol.md, and decodes frames by itself, with `cobs` and `struct`. It imports nothing of exchange,
engine or firmware. Each breach is a sentence in `breaches`.

What it holds: an event number has one content for ever; a head or a tail never goes back within an epoch; nothing is
acknowledged before the log has it; the log's rows are what was on the wire; each cycle number has ended exactly once;
the plant has moved as often as the rows say.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from cobs import cobs

_HEADER: Final = struct.Struct("<BBHHHHBB")
_PAGE: Final = struct.Struct("<IIII")
_ACK: Final = struct.Struct("<II")
_CYCLE: Final = struct.Struct("<IIBBBBIIHHII")
RECORD_SIZE: Final = 32
CRC_SIZE: Final = 4
KIND_COMMAND, KIND_REPLY = 0, 1
JOURNAL_READ, JOURNAL_ACK = 0x0502, 0x0503
REPLAYED = 0x08  # flag of a reply that was said before, held against the protocol
GAP, CYCLE = 0, 1  # record kinds, held against the enumeration by a test
COMPLETED, ABORTED, AMBIGUOUS = 1, 2, 3  # endings, likewise
NOT_PUNCTURED, COUNTED = 0, 1  # outcomes of a needle, likewise

Content = bytes | dict[str, Any]


class Ledger:
    """What one device and its hosts have said. `committed` is the log's cursor, None before a session is in it."""

    def __init__(self) -> None:
        self.breaches: list[str] = []
        self.committed: int | None = None
        self.contents: dict[tuple[int, int], Content] = {}
        """Epoch and event number -> the record that was on the wire under it, as 32 bytes or as JSON."""
        self._heads: dict[int, int] = {}
        self._tails: dict[int, int] = {}

    def sent(self, sender: str, data: Any) -> None:
        """Take in a piece as its sender gave it to the line: one whole frame or several, or a publication."""
        if isinstance(data, bytes):
            self._sent_bytes(sender, data)
        else:
            self._published(json.loads(data.body))

    def _published(self, body: dict[str, Any]) -> None:
        payload = body["payload"]
        if body["message"] == "JournalAck":
            self.acknowledged(payload["epoch"], payload["upto"])
        elif body["message"] == "JournalPage":
            if "REPLAYED" not in body.get("flags", ()):
                self._marks(payload["epoch"], payload["tail"], payload["head"])
            for record in payload["records"]:
                self._record(payload["epoch"], payload["head"], record["event_no"], record)

    def _sent_bytes(self, sender: str, data: bytes) -> None:
        for stuffed in data.split(b"\0"):
            if stuffed:
                raw = cobs.decode(stuffed)
                kind, flags, message_id, *_ = _HEADER.unpack_from(raw)
                payload = raw[_HEADER.size : -CRC_SIZE]
                if sender == "device" and (kind & 0xF, message_id) == (KIND_REPLY, JOURNAL_READ):
                    self.page(payload, replayed=bool(flags & REPLAYED))
                elif sender == "host" and (kind & 0xF, message_id) == (KIND_COMMAND, JOURNAL_ACK):
                    self.acknowledged(*_ACK.unpack(payload))

    def page(self, payload: bytes, *, replayed: bool = False) -> None:
        """Take in a JOURNAL_PAGE. One that is `replayed` has the marks of when it was first said."""
        epoch, _, tail, head = _PAGE.unpack_from(payload)
        if not replayed:
            self._marks(epoch, tail, head)
        records = payload[_PAGE.size :]
        for start in range(0, len(records), RECORD_SIZE):
            raw = records[start : start + RECORD_SIZE]
            self._record(epoch, head, int.from_bytes(raw[:4], "little"), raw)

    def _marks(self, epoch: int, tail: int, head: int) -> None:
        self._never_back("head", self._heads, epoch, head)
        self._never_back("tail", self._tails, epoch, tail)

    def _record(self, epoch: int, head: int, event_no: int, content: Content) -> None:
        if (content[8] if isinstance(content, bytes) else content["record"]) in (GAP, "Gap"):
            self.breaches.append(f"event {event_no}: a GAP, though nothing may be overwritten unread")
        elif event_no >= head:
            self.breaches.append(f"event {event_no} on a page whose head is {head}")
        elif self.contents.setdefault((epoch, event_no), content) != content:
            self.breaches.append(f"event {event_no} has two contents: {self.contents[epoch, event_no]!r}, {content!r}")

    def _never_back(self, name: str, marks: dict[int, int], epoch: int, value: int) -> None:
        if value < marks.get(epoch, 0):
            self.breaches.append(f"the {name} went back from {marks[epoch]} to {value}")
        marks[epoch] = max(value, marks.get(epoch, 0))

    def acknowledged(self, epoch: int, upto: int) -> None:
        """Take in a JOURNAL_ACK."""
        if self.committed is not None and upto > self.committed:
            self.breaches.append(f"acknowledged up to {upto}, while the log ends at {self.committed}")

    def judge_rows(
        self, rows: Iterable[bytes], closed: "Closed", *, totals: Mapping[str, int], truth: Mapping[str, int]
    ) -> None:
        """Judge a session that was closed: its stored rows, the device's totals, the truth since it was opened."""
        found = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
        numbers = []
        for raw in rows:
            event_no, _, kind, ending, _, needles, cycle_no, outcomes, *_ = _CYCLE.unpack(raw)
            if not _same(self.contents.get((closed.epoch, event_no)), raw):
                self.breaches.append(f"event {event_no} in the log was never on the wire like that")
            if kind != CYCLE or cycle_no < closed.first_cycle_no:
                continue
            numbers.append(cycle_no)
            did = [outcomes >> 4 * needle & 0xF for needle in range(needles)]
            found["cycles"] += 1
            found[{COMPLETED: "completed", ABORTED: "aborted", AMBIGUOUS: "ambiguous"}[ending]] += 1
            found["punctures"] += sum(outcome != NOT_PUNCTURED for outcome in did)
            found["cores_counted"] += did.count(COUNTED)
        if numbers != list(range(closed.first_cycle_no, closed.first_cycle_no + len(numbers))):
            self.breaches.append(f"cycle numbers are {numbers}")
        if found != dict(totals):
            self.breaches.append(f"the rows come to {found}, the device says {dict(totals)}")
        self._judge_truth(found, truth, closed)

    def _judge_truth(self, found: Mapping[str, int], truth: Mapping[str, int], closed: "Closed") -> None:
        doubtful = closed.needles * found["ambiguous"]
        unwritten = closed.unwritten
        # name in truth, name in the rows, how much more or less of it one write that power left may make
        for name, mine, doubt in (
            ("cycles_commanded", "cycles", 1),
            ("cycles_completed", "completed", 1),
            ("cores_counted", "cores_counted", closed.needles),
            ("punctures", "punctures", closed.needles),
        ):
            least = found[mine] - unwritten * doubt - (doubtful if name == "punctures" else 0)
            most = found[mine] + (0 if name == "punctures" else unwritten * doubt)
            if not least <= truth[name] <= most:
                self.breaches.append(f"{name} is {truth[name]} in truth, the rows allow {least} to {most}: {found}")


def _same(content: Content | None, raw: bytes) -> bool:
    """Compare a record of the log with what was on the wire; of JSON, a cycle's fields, and of others the number."""
    if not isinstance(content, dict):
        return content == raw
    event_no, uptime_ms, kind, _, _, needles, cycle_no, outcomes, cell, depth_um, *totals = _CYCLE.unpack(raw)
    if kind != CYCLE:
        return bool(content["event_no"] == event_no)
    mine = {"event_no": event_no, "uptime_ms": uptime_ms, "needles": needles, "cycle_no": cycle_no, "cell": cell}
    mine |= {"outcomes": outcomes, "depth_um": depth_um}
    mine |= dict(zip(("total_punctures", "total_cores_counted"), totals, strict=True))
    return mine.items() <= content.items()


class Closed(NamedTuple):
    """A session as it was opened. `unwritten`: power losses at the very write of the memory.

    At one of these the memory may have what the plant has not done yet, or lack what it has done: one cycle's number,
    end, cores or punctures. Density is never understated by it.
    """

    epoch: int
    first_cycle_no: int
    needles: int
    unwritten: int
