"""What the session engine hands to the session log, and what the log hands back for `--resume`.

Law: plain values, which do nothing. The engine makes them without knowing SQL, the log stores them without knowing
the procedure; a test compares them with `==`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from devicectl.session.count import Counts
from devicectl.session.plan import Plan

NoteKind = Literal["action", "alarm", "refusal", "warning"]
"""What a note is about: what the host did, what the device raised, what it refused, what a person should know."""

FinishState = Literal["completed", "aborted"]
"""How a session was closed, as the host's own machine names it."""

SessionState = Literal["open", "completed", "aborted", "faulted"]
"""A stored session's state: open until its `Finish` is stored. No `Finish` says faulted; a log may."""


@dataclass(frozen=True, slots=True)
class SessionStart:
    """A session was opened on the device.

    `device` is its serial, `session_no` the number it issued, `first_event_no` the host's cursor in the journal of
    `epoch`. `core_diameter_um` is of the device's needles then: coverage is reckoned with it for good. `seed` is None
    where nothing can be repeated. `versions` names "product", "protocol" and "model".
    """

    simulated: bool
    seed: int | None
    device: str
    device_model: str
    session_no: int
    epoch: int
    first_event_no: int
    first_cycle_no: int
    needles: int
    core_diameter_um: int
    plan: Plan
    course: str | None
    session_date: date
    versions: Mapping[str, str]
    device_url: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Journal records of 32 bytes each, in order, from `first_event_no` up to but without `next_event_no`."""

    epoch: int
    first_event_no: int
    next_event_no: int
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the device's journal does not say. `at_us` is the host's clock since the host started.

    `cycle_no` is the cycle number used last, None before the first of the session.
    """

    kind: NoteKind
    at_us: int
    name: str
    detail: str
    device_uptime_ms: int | None
    cycle_no: int | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The session was closed. `device_totals` is what the device says of it.

    `session_seconds` is device time from the first ARM to the last cycle, `wall_seconds` the wall's from when the
    session was asked for.
    """

    state: FinishState
    reconciled: bool
    session_seconds: float
    wall_seconds: float
    device_totals: Counts
    cells_begun: int


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as the log has it, for `--resume`.

    `began_wall` is the wall's time of its first commit, after it was opened and before anything was done in it;
    `stored_wall` of the last one. None where no clock was given.
    """

    key: int
    epoch: int
    session_no: int
    first_event_no: int
    first_cycle_no: int
    needles: int
    core_diameter_um: int
    plan: Plan
    course: str | None
    session_date: date
    began_wall: datetime | None
    stored_wall: datetime | None

    def open_s(self, now: datetime) -> float | None:
        """Seconds since the session was opened; None where no clock tells, as one that has gone back."""
        began, stored = self.began_wall, self.stored_wall
        if began is None or stored is None or not began <= stored <= now:
            return None
        return (now - began).total_seconds()
