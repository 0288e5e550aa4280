"""The journal: a ring of encoded records, numbered for ever.

Law: a record is written once. The ring forgets the oldest record when it is full, acknowledged or not, and says so
with a GAP record when that one is asked for; it is the firmware that keeps room by refusing to punch.
"""

from collections import deque
from typing import Final

from protocols.language.records import RECORD_SIZE, Gap, encode_record

JOURNAL_SLOTS: Final = 1024
"""Records of 32 bytes: 32 KiB, what a small flash part spares. Three of a session's cycles in ten."""

JOURNAL_RESERVE: Final = 64
"""Slots. With fewer free a PUNCH is refused: what ends a cycle and a session, and its alarms, still has room."""

FIRST_EVENT_NO: Final = 1
"""Numbers start here, so that a cursor of 0 means "nothing read yet" and no record is ever called 0."""


class Journal:
    """`head` is the number the next record will have, `tail` that of the first one not acknowledged."""

    __slots__ = ("_records", "head", "tail")

    def __init__(self) -> None:
        self.head = FIRST_EVENT_NO
        self.tail = FIRST_EVENT_NO
        self._records: deque[bytes] = deque(maxlen=JOURNAL_SLOTS)  # forgets the oldest by itself

    @property
    def oldest(self) -> int:
        """Number of the oldest record still held; `head` when there is none."""
        return self.head - len(self._records)

    @property
    def free(self) -> int:
        """Number of records that can be written before one that nobody acknowledged is lost."""
        # More than the slots are held where the ring has lost what nobody acknowledged: no room either.
        held = self.head - self.tail
        return JOURNAL_SLOTS - held if held < JOURNAL_SLOTS else 0

    def append(self, raw: bytes) -> None:
        """Write the record `head`, 32 bytes."""
        self._records.append(raw)
        self.head += 1

    def read(self, first: int, max_records: int) -> tuple[int, list[bytes]]:
        """Return the number read from, and up to `max_records` records from there on in order.

        Where the ring has lost some, the first of them is a GAP that counts them and the others follow it.
        """
        first = max(first, FIRST_EVENT_NO)
        records: list[bytes] = []
        start = first
        if first < self.oldest:
            start = self.oldest
            records.append(encode_record(Gap(event_no=first, uptime_ms=0, missing=start - first)))
        oldest = self.oldest
        # A GAP takes the place of one record of the page.
        end = min(self.head, start + max_records - len(records))
        records.extend(self._records[event_no - oldest] for event_no in range(start, end))
        return first, records

    def acknowledge(self, upto: int) -> int:
        """Let go of the records before `upto`, and return the tail. It never goes back, nor beyond the head."""
        self.tail = max(self.tail, min(upto, self.head))
        return self.tail

    def snapshot(self) -> tuple[int, int, str]:
        """Return all of it as JSON: head, tail, the records held as hex."""
        return self.head, self.tail, b"".join(self._records).hex()

    def restore(self, head: int, tail: int, records: str) -> None:
        """Take over what `snapshot` returned."""
        self.head, self.tail = head, tail
        raw = bytes.fromhex(records)
        self._records.extend(raw[at : at + RECORD_SIZE] for at in range(0, len(raw), RECORD_SIZE))
