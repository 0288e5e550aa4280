"""Judges of counting.

An event number has one content for ever; a head or a tail never goes back; nothing is acknowledged before the log has
it; the log's rows are what was on the wire; each cycle number has ended once; the plant has moved as often as the rows
say.
"""

import struct
from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import Event

_CYCLE: Final = struct.Struct("<IIBBBBIIHHII")
GAP, CYCLE = 0, 1  # record kinds
ENDINGS: Final = {1: "completed", 2: "aborted", 3: "ambiguous"}
NOT_PUNCTURED, COUNTED = 0, 1  # outcomes of a needle

Content = bytes | Event
Found = list[tuple[int, str]]


def judge(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the journal's pages against each other and against the log's rows, and the rows against the totals."""
    book = _Book()
    for said in reading.said:
        if said.name == "JournalPage" and said.where == "device>":
            book.page(said.at_us, said.fields, replayed=said.replayed)
    end_us = reading.said[-1].at_us if reading.said else 0
    return book.found + [(end_us, sentence) for sentence in _judge_rows(book, ledgers)]


def judge_acknowledgements(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold each JOURNAL_ACK, as it was sent, against the log at that time."""
    commits = reading.of("commit")
    found, place, upto = [], 0, 0
    for said in reading.said:
        if said.name != "JournalAck" or said.where != "host>":
            continue
        while place < len(commits) and commits[place][0] <= said.at_us:
            upto = max(upto, commits[place][1]["upto"])
            place += 1
        if upto and said.fields["upto"] > upto:
            found.append((said.at_us, f"acknowledged up to {said.fields['upto']}, while the log ends at {upto}"))
    return found


def judge_truth(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the rows against what the plant has really done."""
    _, found = count(ledgers)
    doubtful, unwritten = ledgers.needles * found["ambiguous"], ledgers.unwritten
    end_us = reading.said[-1].at_us if reading.said else 0
    breaches = []
    # name in truth, name in the rows, how much more or less of it one write that power left may make
    for name, mine, doubt in (
        ("cycles_commanded", "cycles", 1),
        ("cycles_completed", "completed", 1),
        ("cores_counted", "cores_counted", ledgers.needles),
        ("punctures", "punctures", ledgers.needles),
    ):
        least = found[mine] - unwritten * doubt - (doubtful if name == "punctures" else 0)
        most = found[mine] + (0 if name == "punctures" else unwritten * doubt)
        if not least <= ledgers.truth[name] <= most:
            truth = ledgers.truth[name]
            breaches.append((end_us, f"{name} is {truth} in truth, the rows allow {least} to {most}: {found}"))
    return breaches


def count(ledgers: Ledgers) -> tuple[list[int], dict[str, int]]:
    """Return the numbers of the cycles in the rows, in their order, and what the rows come to."""
    found = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    numbers = []
    for raw in ledgers.rows:
        _, _, kind, ending, _, needles, cycle_no, outcomes, *_ = _CYCLE.unpack(raw)
        if kind != CYCLE or cycle_no < ledgers.first_cycle_no:
            continue
        numbers.append(cycle_no)
        did = [outcomes >> 4 * needle & 0xF for needle in range(needles)]
        found["cycles"] += 1
        found[ENDINGS[ending]] += 1
        found["punctures"] += sum(outcome != NOT_PUNCTURED for outcome in did)
        found["cores_counted"] += did.count(COUNTED)
    return numbers, found


def _judge_rows(book: "_Book", ledgers: Ledgers) -> list[str]:
    breaches = [
        f"event {raw[:4]!r} in the log was never on the wire like that"
        for raw in ledgers.rows
        if not _same(book.contents.get((ledgers.epoch, int.from_bytes(raw[:4], "little"))), raw)
    ]
    numbers, found = count(ledgers)
    if numbers != list(range(ledgers.first_cycle_no, ledgers.first_cycle_no + len(numbers))):
        breaches.append(f"cycle numbers are {numbers}")
    if found != dict(ledgers.totals):
        breaches.append(f"the rows come to {found}, the device says {dict(ledgers.totals)}")
    if not ledgers.reconciled:
        breaches.append(f"closed and not reconciled: {ledgers.differences}")
    return breaches


class _Book:
    """Journal as a device has told it: by epoch and event number, the record that was on the wire under it."""

    def __init__(self) -> None:
        self.found: Found = []
        self.contents: dict[tuple[int, int], Content] = {}
        self._heads: dict[int, int] = {}
        self._tails: dict[int, int] = {}

    def page(self, at_us: int, page: Event, *, replayed: bool) -> None:
        """Take in a JOURNAL_PAGE. One that is `replayed` has the marks of when it was first said."""
        epoch, head = page["epoch"], page["head"]
        if not replayed:
            self._never_back(at_us, "head", self._heads, epoch, head)
            self._never_back(at_us, "tail", self._tails, epoch, page["tail"])
        for content in page["records"]:
            event_no, kind = _event(content)
            if kind in (GAP, "Gap"):
                self.found.append((at_us, f"event {event_no}: a GAP, though nothing may be overwritten unread"))
            elif event_no >= head:
                self.found.append((at_us, f"event {event_no} on a page whose head is {head}"))
            elif (before := self.contents.setdefault((epoch, event_no), content)) != content:
                self.found.append((at_us, f"event {event_no} has two contents: {before!r}, {content!r}"))

    def _never_back(self, at_us: int, name: str, marks: dict[int, int], epoch: int, value: int) -> None:
        if value < marks.get(epoch, 0):
            self.found.append((at_us, f"the {name} went back from {marks[epoch]} to {value}"))
        marks[epoch] = max(value, marks.get(epoch, 0))


def _event(content: Content) -> tuple[int, int | str]:
    if isinstance(content, bytes):
        return int.from_bytes(content[:4], "little"), content[8]
    return content["event_no"], content["record"]


def _same(content: Content | None, raw: bytes) -> bool:
    """Compare a record of the log with what was on the wire; of JSON, a cycle's fields, and of others the number."""
    if content is None or isinstance(content, bytes):
        return content == raw
    event_no, uptime_ms, kind, _, _, needles, cycle_no, outcomes, cell, depth_um, *totals = _CYCLE.unpack(raw)
    if kind != CYCLE:
        return bool(content["event_no"] == event_no)
    mine = {"event_no": event_no, "uptime_ms": uptime_ms, "needles": needles, "cycle_no": cycle_no, "cell": cell}
    mine |= {"outcomes": outcomes, "depth_um": depth_um}
    mine |= dict(zip(("total_punctures", "total_cores_counted"), totals, strict=True))
    return mine.items() <= content.items()
