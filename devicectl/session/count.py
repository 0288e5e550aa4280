"""Counting: the fold from journal records to counts, and its reconciliation with the device's own totals.

Law: a count is a fold of the records and of nothing else; it is never raised by a reply. The same fold runs in the
engine while a session lasts and over the stored rows when its log is read, so the two cannot drift apart.

    records in order of event_no ----> Fold ----> Counts ----> reconcile <---- Counts of the device
                                         '--> problems: gaps, cycles with no ending or with two, totals that disagree
"""

import math
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from typing import Any, Final

from protocols.language.enums import Ending, NeedleOutcome
from protocols.language.errors import MessageError
from protocols.language.records import Cycle, Gap, Record, SessionClosed, SessionOpened, decode_record, event_no_of

CELL_AREA_MM2: Final = 100
"""A cell is 1 cm2: where the hand rests between two repositions."""

COVERAGE_DIGITS: Final = 3
"""Decimal places of a coverage in JSON and exports, the same in each."""

MAX_NEEDLES: Final = 8
"""Needles whose outcomes fit a cycle's record: four bits each in 32."""

MAX_EVENT_NO: Final = 0xFFFF_FFFE
"""The last record's number: a journal's head, the number after it, still is 32 bits."""

_NO_ENDING: Final = (int(Ending.OPEN), int(Ending.UNKNOWN))
"""Plain numbers: in CPython 3.11 naming a member of an enumeration takes longer than the rest of a comparison."""

_PUNCTURED: Final = frozenset(NeedleOutcome) - {NeedleOutcome.NOT_PUNCTURED}
"""An ambiguous needle counts as punctured: the skin's density must never be understated."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A session's counts. `cycles` = `completed` + `aborted` + `ambiguous` when every ending is a known one."""

    cycles: int = 0
    completed: int = 0
    aborted: int = 0
    ambiguous: int = 0
    punctures: int = 0
    cores_counted: int = 0


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Verdict on a session: both ends agree, or every difference as one sentence."""

    reconciled: bool
    differences: list[str]


@lru_cache(maxsize=4096)
def tally(outcomes: int, needles: int) -> tuple[int, int, tuple[int, ...]]:
    """Punctures, cores counted, and the needles whose outcome is unknown, from 0 on, of a cycle's packed `outcomes`.

    A needle of unknown outcome counts as punctured, for density.
    """
    values = [outcomes >> 4 * needle & 0xF for needle in range(needles)]
    unknown = tuple(needle for needle, value in enumerate(values) if value > NeedleOutcome.AMBIGUOUS)
    punctures = sum(value in _PUNCTURED for value in values) + len(unknown)
    return punctures, values.count(NeedleOutcome.COUNTED), unknown


def needle_names(mask: int) -> str:
    """The needles of a mask as people count them: `needle 3`, `needles 1, 2`, `no needle`."""
    numbers = [str(needle + 1) for needle in range(mask.bit_length()) if mask >> needle & 1]
    return f"needle{'s' * (len(numbers) > 1)} {', '.join(numbers)}" if numbers else "no needle"


class Fold:
    """An incremental fold of a session's journal records, in the order of their event numbers.

    `needles` and `first_cycle_no` are what SESSION_OPEN's reply said. Cycles before `first_cycle_no` belong to an
    earlier session, whose records may be in the same journal, and are passed over. `problems` has a sentence for
    everything that keeps the session from being reconciled; nothing that a device sends raises.
    """

    def __init__(self, needles: int, first_cycle_no: int, *, first_event_no: int | None = None) -> None:
        self.needles = needles
        self.first_cycle_no = first_cycle_no
        self.cells: set[int] = set()
        self.problems: list[str] = []
        self.next_event_no = first_event_no
        self._next_cycle_no = first_cycle_no
        self._ended: set[int] = set()
        self._endings = [0] * 256
        self._punctures = 0
        self._cores_counted = 0
        self._drift = (0, 0)
        self._session_no: int | None = None

    @property
    def counts(self) -> Counts:
        """The counts of what was added so far."""
        endings = self._endings
        return Counts(
            cycles=len(self._ended),
            completed=endings[Ending.COMPLETED],
            aborted=endings[Ending.ABORTED],
            ambiguous=endings[Ending.AMBIGUOUS],
            punctures=self._punctures,
            cores_counted=self._cores_counted,
        )

    @property
    def last_cycle_no(self) -> int | None:
        """The highest cycle number of the session that has ended, None before the first."""
        return self._next_cycle_no - 1 if self._ended else None

    def add_raw(self, raw: bytes) -> Record | None:
        """Add a record of 32 bytes and return it; None for a kind of a later version, which moves only the cursor."""
        try:
            record = decode_record(raw)
        except MessageError as error:
            self.problems.append(f"event {event_no_of(raw)}: unreadable record: {error}")
            record = None
        if record is None:
            self._follow(event_no_of(raw), 1)
        else:
            self.add(record)
        return record

    def add(self, record: Record) -> None:
        """Add the next record. One that was added before is reported, and counts once."""
        event_no = record.event_no
        if event_no == self.next_event_no and record.__class__ is Cycle and event_no <= MAX_EVENT_NO:
            self.next_event_no = event_no + 1
        elif not self._follow(event_no, record.missing if isinstance(record, Gap) else 1):
            return
        handle = _HANDLERS.get(record.__class__)
        if handle is not None:
            handle(self, record)

    def _follow(self, event_no: int, count: int) -> bool:
        """Move the cursor over `count` events from `event_no`; False when they were added before."""
        expected = self.next_event_no
        if expected is not None and event_no < expected:
            self.problems.append(f"event {event_no} came again or out of order: {expected} was next")
            return False
        if event_no + count - 1 > MAX_EVENT_NO:
            self.problems.append(f"event {event_no}: it would be followed by {event_no + count}, which no journal has")
            return False
        if expected is not None and event_no > expected:
            self.problems.append(f"events {expected}..{event_no - 1} are missing from the journal")
        self.next_event_no = event_no + count
        return True

    def _add_cycle(self, record: Cycle) -> None:
        cycle_no = record.cycle_no
        if cycle_no != self._next_cycle_no and not self._is_new(cycle_no):
            return
        if cycle_no >= self._next_cycle_no:
            self._next_cycle_no = cycle_no + 1
        self._ended.add(cycle_no)
        self.cells.add(record.cell)
        self._endings[record.ending] += 1
        punctures, cores_counted, unknown = tally(record.outcomes, min(record.needles, MAX_NEEDLES))
        self._punctures += punctures
        self._cores_counted += cores_counted
        if unknown or record.needles != self.needles or record.ending in _NO_ENDING:
            self._doubt(record, unknown)
        drift = (record.total_punctures - self._punctures, record.total_cores_counted - self._cores_counted)
        if drift != self._drift:
            self._report_drift(record, drift)

    def _is_new(self, cycle_no: int) -> bool:
        """Report a cycle number that is out of turn; return True if the cycle counts."""
        if cycle_no < self.first_cycle_no:
            return False
        if cycle_no in self._ended:
            self.problems.append(f"cycle {cycle_no} has two endings; the first one counts")
            return False
        if cycle_no > self._next_cycle_no:
            self.problems.append(f"cycles {self._next_cycle_no}..{cycle_no - 1} have no ending")
        else:
            self.problems.append(f"cycle {cycle_no} ended after cycle {self._next_cycle_no - 1}: out of order")
        return True

    def _doubt(self, record: Cycle, unknown: tuple[int, ...]) -> None:
        where = f"cycle {record.cycle_no}"
        if record.needles != self.needles:
            self.problems.append(f"{where}: {record.needles} needles, the session has {self.needles}")
        if unknown:
            self.problems.append(f"{where}: unknown outcome of {needle_names(sum(1 << needle for needle in unknown))}")
        if record.ending in _NO_ENDING:
            self.problems.append(f"{where}: its ending is {record.ending.name}, which is none")

    def _report_drift(self, record: Cycle, drift: tuple[int, int]) -> None:
        """Report once where the running totals leave the fold, not at every cycle after it."""
        self._drift = drift
        for name, device, host in (
            ("punctures", record.total_punctures, self._punctures),
            ("cores_counted", record.total_cores_counted, self._cores_counted),
        ):
            if device != host:
                self.problems.append(f"cycle {record.cycle_no}: running {name} {device} on the device, {host} here")

    def _add_gap(self, record: Gap) -> None:
        last = record.event_no + record.missing - 1
        self.problems.append(f"events {record.event_no}..{last} were overwritten on the device before they were read")

    def _add_opened(self, record: SessionOpened) -> None:
        if record.first_cycle_no == self.first_cycle_no:
            self._session_no = record.session_no
        elif record.first_cycle_no > self.first_cycle_no:
            self.problems.append(f"event {record.event_no}: session {record.session_no} was opened inside this one")

    def _add_closed(self, record: SessionClosed) -> None:
        counts = self.counts
        here = (counts.cycles, counts.punctures, counts.cores_counted)
        device = (record.cycles, record.punctures, record.cores_counted)
        if record.session_no == self._session_no and here != device:
            names = "cycles, punctures, cores_counted"
            self.problems.append(f"event {record.event_no}: closed with {names} {device} on the device, {here} here")


_HANDLERS: Final[dict[type[Record], Callable[[Fold, Any], None]]] = {
    Cycle: Fold._add_cycle,
    Gap: Fold._add_gap,
    SessionOpened: Fold._add_opened,
    SessionClosed: Fold._add_closed,
}


def reconcile(fold: Fold, device: Counts) -> Reconciliation:
    """Hold the host's fold against the device's totals.

    Reconciled means: equal in every count, every cycle number of the session has exactly one known ending, and no
    event is missing. The count sensor's own error is no part of it: it needs the ground truth.
    """
    differences = list(fold.problems)
    for field, here, there in zip(fields(Counts), astuple(fold.counts), astuple(device), strict=True):
        if here != there:
            differences.append(f"{field.name}: {there} on the device, {here} here")
    return Reconciliation(not differences, differences)


def coverage_percent(cores_counted: int, cells_begun: int, core_diameter_um: int) -> float:
    """The percentage of the treated skin that was removed: of the cells begun, not of the planned ones; 0 before any.

    Never to be added up over sessions: skin heals between them.
    """
    core_mm2 = math.pi / 4 * (core_diameter_um / 1000) ** 2
    return 100 * cores_counted * core_mm2 / (cells_begun * CELL_AREA_MM2) if cells_begun else 0.0
