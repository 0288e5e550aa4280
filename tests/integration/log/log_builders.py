"""Journals and session starts, short to write, for the tests of the log and of the counting."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from devicectl.log.store import SessionLog
from devicectl.session.count import Counts
from devicectl.session.entries import Batch, Finish, SessionStart
from devicectl.session.plan import Plan
from protocols.language.enums import Ending, NeedleOutcome, Phase
from protocols.language.records import Cycle, encode_record, pack_outcomes

COUNTED, EMPTY, UNCOUNTED = NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.UNCOUNTED
EPOCH = 5


def a_start(**changes: Any) -> SessionStart:
    """The start of a session of seed 7 whose journal begins at event 1."""
    values: dict[str, Any] = {
        "simulated": True,
        "seed": 7,
        "device": "SIM-0007",
        "device_model": "handpiece",
        "session_no": 1,
        "epoch": EPOCH,
        "first_event_no": 1,
        "first_cycle_no": 1,
        "needles": 3,
        "core_diameter_um": 400,
        "plan": Plan(),
        "course": None,
        "session_date": date(2024, 3, 1),
        "versions": {"product": "0.1.0", "protocol": "1.0", "model": "1"},
        "device_url": "sim://?seed=7",
    }
    return SessionStart(**{**values, **changes})


def a_finish(**changes: Any) -> Finish:
    """A completed, reconciled end of `cycle_batch(1, 4)`."""
    values: dict[str, Any] = {
        "state": "completed",
        "reconciled": True,
        "session_seconds": 12.5,
        "wall_seconds": 0.5,
        "device_totals": Counts(cycles=4, completed=4, punctures=12, cores_counted=8),
        "cells_begun": 1,
    }
    return Finish(**{**values, **changes})


def a_cycle(event_no: int, cycle_no: int | None = None, **changes: Any) -> Cycle:
    """A completed cycle of three needles of which two counted; its totals are right when all before were such."""
    number = event_no if cycle_no is None else cycle_no
    values: dict[str, Any] = {
        "event_no": event_no,
        "uptime_ms": event_no * 260,
        "ending": Ending.COMPLETED,
        "phase": Phase.COUNT,
        "needles": 3,
        "cycle_no": number,
        "outcomes": pack_outcomes([COUNTED, EMPTY, COUNTED]),
        "cell": (number - 1) // 16,
        "depth_um": 3_000,
        "total_punctures": 3 * number,
        "total_cores_counted": 2 * number,
    }
    return Cycle(**{**values, **changes})


def a_batch(first_event_no: int, records: Sequence[bytes], **changes: Any) -> Batch:
    """Records of consecutive events from `first_event_no` on."""
    values: dict[str, Any] = {
        "epoch": EPOCH,
        "first_event_no": first_event_no,
        "next_event_no": first_event_no + len(records),
        "records": tuple(records),
    }
    return Batch(**{**values, **changes})


def cycle_batch(first_event_no: int, count: int) -> Batch:
    """`count` completed cycles, numbered like their events."""
    events = range(first_event_no, first_event_no + count)
    return a_batch(first_event_no, [encode_record(a_cycle(event_no)) for event_no in events])


def a_stored_session(log: SessionLog, **changes: Any) -> int:
    """A finished session of four cycles in `log`; its key."""
    key = log.begin(a_start(**changes))
    log.store(key, cycle_batch(1, 4))
    log.finish(key, a_finish())
    return key
