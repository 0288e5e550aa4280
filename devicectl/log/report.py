"""A session of the log as plain values: for people, exports and checks.

Law: no SQL and no printing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from devicectl.session.count import Counts
from devicectl.session.entries import Note, SessionStart, SessionState


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session in a list. `cores_evacuated` is ground truth, None on a device that has none.

    In a list the counts of a session that has ended are those of its close; in a report they are folded again.
    `reconciled` is None while the session is open; in a report it is true only if both ends said so and a fresh fold
    still agrees. Wall times are None where the log was kept without a clock.
    """

    key: int
    state: SessionState
    start: SessionStart
    counts: Counts
    cores_evacuated: int | None
    cells_begun: int
    coverage_percent: float
    reconciled: bool | None
    session_seconds: float | None
    wall_seconds: float | None
    began_wall: datetime | None
    stored_wall: datetime | None


@dataclass(frozen=True, slots=True)
class SessionReport:
    """Everything that the log has of one session.

    `differences` says, a sentence each, why it is not reconciled. `truth` has the plant's own counters by name.
    `note_walls` has the time of each note's commit.
    """

    summary: SessionSummary
    next_event_no: int
    device_totals: Counts | None
    differences: tuple[str, ...]
    truth: Mapping[str, int] | None
    notes: tuple[Note, ...]
    note_walls: tuple[datetime | None, ...]
    records: tuple[bytes, ...]

    @property
    def start(self) -> SessionStart:
        """The session's start."""
        return self.summary.start

    @property
    def counts(self) -> Counts:
        """The session's counts, folded again."""
        return self.summary.counts
