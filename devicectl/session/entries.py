"""Entries of the session log: what the engine hands to it, and what it gives back for `--resume`.

Law: plain values, which do nothing. The engine makes them without knowing SQL, the log stores them without knowing
the procedure; a test compares them with `==`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from devicectl.session.count import Counts
from devicectl.session.plan import Plan

NoteKind = Literal["action", "alarm", "refusal", "warning"]
"""Subject of a note: what the host did, what the device raised, what it refused, what a person should know."""

FinishState = Literal["completed", "aborted"]
"""End of a session, as the host's own machine names it."""

SessionState = Literal["open", "completed", "aborted", "faulted"]
"""A stored session's state: open until its `Finish` is stored. No `Finish` says faulted; a log may."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Declares how the log keeps a field of `SessionStart`.

    `about` says what the field is, `since` which schema version brought it. `small` is an integer of at most 31 bits,
    `digits` one that may have more than 63.
    """

    about: str
    since: int = 1
    small: bool = False
    digits: bool = False


@dataclass(frozen=True, slots=True)
class SessionStart:
    """A session was opened on the device.

    A field is declared here and filled by the engine, and named nowhere else: the log's columns and rows, reports,
    lists, exports and the reference page follow from this class. The engine knows the device as it was before the
    session was opened; what the opening changes, as the cartridge that it fits, must be asked for again. A field of
    a later schema version is None in older logs, for example:

        firmware: Annotated[str | None, Kept("version of the device's firmware", since=3)] = None
    """

    simulated: Annotated[bool, Kept("true on a simulated device")]
    seed: Annotated[int | None, Kept("repeats the session; empty where nothing can", digits=True)]
    session_no: Annotated[int, Kept("the device's number of the session")]
    device: Annotated[str, Kept("serial number of the device")]
    course: Annotated[str | None, Kept("course the session belongs to")]
    session_date: Annotated[date, Kept("day of the session")]
    device_model: Annotated[str, Kept("model of the device")]
    device_url: Annotated[str, Kept("URL of the device")]
    epoch: Annotated[int, Kept("epoch of the journal")]
    needles: Annotated[int, Kept("number of needles", small=True)]
    core_diameter_um: Annotated[int, Kept("diameter of a core at the opening, for the coverage", small=True)]
    first_event_no: Annotated[int, Kept("first event of the session in the journal")]
    first_cycle_no: Annotated[int, Kept("number of the first cycle")]
    plan: Annotated[Plan, Kept("plan of the session")]
    versions: Annotated[Mapping[str, str], Kept("versions of product, protocol and model")]


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
    """The session was closed. `device_totals` are the device's own totals.

    `session_seconds` is device time from the first ARM to the last cycle, `wall_seconds` wall time since the session
    was requested.
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

    `began_wall` is the wall time of its first commit, after it was opened and before anything was done in it;
    `stored_wall` that of the last commit. Both are None where no clock was given.
    """

    key: int
    start: SessionStart
    began_wall: datetime | None
    stored_wall: datetime | None

    def open_s(self, now: datetime) -> float | None:
        """Seconds since the session was opened; None where no clock tells, as one that has gone back."""
        began, stored = self.began_wall, self.stored_wall
        if began is None or stored is None or not began <= stored <= now:
            return None
        return (now - began).total_seconds()
