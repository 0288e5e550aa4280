"""What the log says of a session, as plain values: for people, exports and checks.

Law: no SQL and no printing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from devicectl.session.count import Counts
from devicectl.session.entries import Note, SessionState
from devicectl.session.plan import Plan


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session in a list. `cores_evacuated` is ground truth, None on a device that has none.

    In a list the counts of a session that has ended are those of its close; in a report they are folded anew.
    `reconciled` is None while the session is open; in a report true only if both ends said so and a fresh fold still
    agrees. Wall times are None where the log was kept without a clock.
    """

    key: int
    state: SessionState
    session_date: date
    course: str | None
    device: str
    session_no: int
    simulated: bool
    seed: int | None
    model_version: str
    target_cores: int
    counts: Counts
    cores_evacuated: int | None
    cells_begun: int
    core_diameter_um: int
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
    `note_walls` says of each note when it was committed.
    """

    summary: SessionSummary
    epoch: int
    device_model: str
    device_url: str
    plan: Plan
    needles: int
    versions: Mapping[str, str]
    first_event_no: int
    next_event_no: int
    first_cycle_no: int
    device_totals: Counts | None
    differences: tuple[str, ...]
    truth: Mapping[str, int] | None
    notes: tuple[Note, ...]
    note_walls: tuple[datetime | None, ...]
    records: tuple[bytes, ...]

    @property
    def counts(self) -> Counts:
        """The session's counts, folded anew."""
        return self.summary.counts
