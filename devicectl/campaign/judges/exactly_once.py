"""Judge of counting: an event number has one content for ever, and the log's rows are what the device has written.

Each cycle number has ended once, and the totals are those of the rows.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Final

from devicectl.campaign.judges.frames import Fields
from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Found, Reading, Said
from devicectl.campaign.judges.records import BOOT, GAP, KIND_AT, Cycle, boot_count, cycles, event_no

Content = bytes | Fields
_COMPARED: Final = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")
_ENDS: Final = ((2, "opening"), (3, "close"))
"""Kinds of record that each session has once."""
_COUNTS: Final = 7
"""Interlock of counts that differ."""


def judge(reading: Reading) -> Found:
    """Hold the journal's pages against each other, and the counts of both ends at the close."""
    return judge_pages(reading) + judge_closes(reading)


def judge_ledgers(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold the log's rows against the journal's pages, and against the totals."""
    contents = _pages(reading)[1]
    sentences = _rows(ledgers, contents) + _whole(ledgers) + _cycles(ledgers) + _counts(reading, ledgers)
    return [(reading.end_us, sentence) for sentence in sentences]


def judge_pages(reading: Reading) -> Found:
    """Hold the journal's pages against each other."""
    return _pages(reading)[0]


@lru_cache(maxsize=1)  # both tables of judges ask for them
def _pages(reading: Reading) -> tuple[Found, dict[tuple[int, int], Content]]:
    """Return what is wrong in the pages, and the records that they had by epoch and event number."""
    found: Found = []
    contents: dict[tuple[int, int], Content] = {}
    for said in reading.device_sent:
        if said.frame.name != "JournalPage":
            continue
        page = said.frame.fields
        for content in page["records"]:
            number, kind = _event(content)
            if kind in (GAP, "Gap"):
                # A host that has not acknowledged them itself may ask for events that are gone.
                if reading.whole or number >= page["tail"]:
                    found.append((said.at_us, f"event {number}: a GAP, though nothing may be overwritten unread"))
            elif number >= page["head"]:
                found.append((said.at_us, f"event {number} on a page whose head is {page['head']}"))
            elif (before := contents.setdefault((page["epoch"], number), content)) != content:
                found.append((said.at_us, f"event {number} has two contents: {before!r}, {content!r}"))
    return found, contents


def judge_closes(reading: Reading) -> Found:
    """Find a SESSION_CLOSE that the device has refused for other counts than its own."""
    closes = {_key(said) for said in reading.device_heard if said.frame.name == "SessionClose"}
    return [
        (said.at_us, "SESSION_CLOSE was refused: the host has other counts than the device")
        for said in reading.device_sent
        if said.frame.name == "Refused" and said.frame.fields["interlock"] == _COUNTS and _key(said) in closes
    ]


def _key(said: Said) -> tuple[int, int]:
    return said.frame.link_id, said.frame.correlation_id


def _whole(ledgers: Ledgers) -> list[str]:
    """Find a log that lacks the session's beginning or end, and a start that the device has not counted."""
    kinds = [raw[KIND_AT] for raw in ledgers.rows]
    found = [f"the session has no record of its {name} in the log" for kind, name in _ENDS if kind not in kinds]
    starts = [boot_count(raw) for raw in ledgers.journal.values() if raw[KIND_AT] == BOOT]
    found += [f"start {later} follows start {one}" for one, later in pairwise(starts) if later != one + 1]
    return found


def _rows(ledgers: Ledgers, contents: dict[tuple[int, int], Content]) -> list[str]:
    found = []
    expected = None
    for raw in ledgers.rows:
        number = event_no(raw)
        if expected not in (None, number):
            found.append(f"event {number} in the log, where {expected} had to follow")
        expected = number + 1
        if not _same(contents.get((ledgers.epoch, number)), raw):
            found.append(f"event {number} in the log was never on the wire like that")
        if ledgers.journal.get(number, raw) != raw:
            found.append(f"event {number} in the log is {raw.hex()}, in the journal {ledgers.journal[number].hex()}")
    return found


def _cycles(ledgers: Ledgers) -> list[str]:
    found, punctures, cores = [], 0, 0
    numbers = []
    for cycle in cycles(ledgers.rows, ledgers.first_cycle_no):
        numbers.append(cycle.cycle_no)
        punctures, cores = punctures + cycle.punctures, cores + cycle.cores
        if (cycle.total_punctures, cycle.total_cores_counted) != (punctures, cores):
            totals = f"{cycle.total_punctures} punctures and {cycle.total_cores_counted} cores"
            found.append(f"cycle {cycle.cycle_no} has the totals {totals}; the rows come to {punctures} and {cores}")
        if len(cycle.outcomes) != ledgers.needles:
            found.append(f"cycle {cycle.cycle_no} has {len(cycle.outcomes)} outcomes for {ledgers.needles} needles")
    if numbers != list(range(ledgers.first_cycle_no, ledgers.first_cycle_no + len(numbers))):
        found.append(f"cycle numbers are {numbers}")
    if (sums := count(ledgers)) != dict(ledgers.totals):
        found.append(f"the rows come to {sums}, the device says {dict(ledgers.totals)}")
    if not ledgers.reconciled:
        found.append(f"closed and not reconciled: {ledgers.differences}")
    return found


def _counts(reading: Reading, ledgers: Ledgers) -> list[str]:
    """Hold each answer to COUNT against the row of its cycle."""
    rows = {cycle.cycle_no: cycle for cycle in cycles(ledgers.rows, ledgers.first_cycle_no)}
    return [
        f"COUNT of cycle {fields['cycle_no']} was answered with {dict(fields)}, its row is {row}"
        for fields in (said.frame.fields for said in reading.device_sent if said.frame.name == "CountDone")
        if (row := rows.get(fields["cycle_no"])) is not None and _differs(fields, row)
    ]


def _differs(answer: Fields, row: Cycle) -> bool:
    mine = (row.packed, row.cores, row.total_punctures, row.total_cores_counted)
    return mine != tuple(answer[name] for name in _IN_COUNT)


_IN_COUNT: Final = ("outcomes", "cores_counted", "total_punctures", "total_cores_counted")


def count(ledgers: Ledgers) -> dict[str, int]:
    """Return what the rows come to."""
    found = dict.fromkeys(_COMPARED, 0)
    for cycle in cycles(ledgers.rows, ledgers.first_cycle_no):
        found["cycles"] += 1
        found[cycle.ending] = found.get(cycle.ending, 0) + 1
        found["punctures"] += cycle.punctures
        found["cores_counted"] += cycle.cores
    return found


def _event(content: Content) -> tuple[int, int | str]:
    if isinstance(content, bytes):
        return event_no(content), content[KIND_AT]
    return content["event_no"], content["record"]


def _same(content: Content | None, raw: bytes) -> bool:
    """Compare a record of the log with what was on the wire; of JSON, a cycle's fields, and of others the number."""
    if content is None or isinstance(content, bytes):
        return content == raw
    found = cycles([raw], 0)
    if not found:
        return bool(content["event_no"] == event_no(raw))
    row = found[0]
    mine = {name: getattr(row, name) for name in _IN_JSON} | {"outcomes": row.packed}
    return mine.items() <= content.items()


_IN_JSON: Final = ("event_no", "uptime_ms", "cycle_no", "cell", "depth_um", "total_punctures", "total_cores_counted")
