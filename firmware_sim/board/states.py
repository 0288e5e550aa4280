"""The device's own state table, as plain data.

Everything that affects a transition of the device lives in `TABLE`; the firmware changes its state only by `step`.
Events are in the past tense. OFF is left by a boot and entered by nothing but a power loss.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from protocols.language.enums import DeviceState as S


class Event(StrEnum):
    """Something that has happened in the device."""

    BOOTED = "booted"
    SELF_TEST_PASSED = "self_test_passed"
    SELF_TEST_FAILED = "self_test_failed"
    HOLD_RESTORED = "hold_restored"
    SESSION_OPENED = "session_opened"
    ANESTHESIA_STARTED = "anesthesia_started"
    ZONES_CONFIRMED = "zones_confirmed"
    ARM_BEGUN = "arm_begun"
    ARM_ENDED = "arm_ended"
    DISARM_BEGUN = "disarm_begun"
    DISARM_ENDED = "disarm_ended"
    PUNCH_BEGUN = "punch_begun"
    SUCTION_BEGUN = "suction_begun"
    ADVANCE_BEGUN = "advance_begun"
    COUNT_BEGUN = "count_begun"
    REPOSITION_BEGUN = "reposition_begun"
    PURGE_BEGUN = "purge_begun"
    MOTION_ENDED = "motion_ended"
    CYCLE_ABORTED = "cycle_aborted"
    PAUSED = "paused"
    RESUMED = "resumed"
    MADE_SAFE = "made_safe"
    FAULTED = "faulted"
    LOCKED = "locked"
    RESET = "reset"
    RESET_WITH_SESSION = "reset_with_session"
    CLOSE_BEGUN = "close_begun"
    CLOSED = "closed"


class Row(NamedTuple):
    """One event: in each of `sources`, `event` leads to `target`."""

    event: Event
    sources: tuple[S, ...]
    target: S


CYCLE: Final = (S.PUNCHING, S.SUCTIONING, S.ADVANCING, S.COUNTING)
ARMED: Final = (S.ARMING, S.ARMED, *CYCLE, S.REPOSITIONING, S.PURGING, S.PAUSED, S.DISARMING)
"""States with vacuum, or in which it is being made: the short lease holds, and a lost link is reacted to."""
UNARMED: Final = (S.SESSION_OPEN, S.ANESTHESIA_WAIT, S.ANESTHESIA_CONFIRMED)
HELD: Final = (S.SAFE, S.FAULT, S.LOCKED)
"""No motion at all."""
RUNNING: Final = (S.IDLE, *UNARMED, *ARMED, S.CLOSING)

TABLE: Final = (
    Row(Event.BOOTED, (S.OFF,), S.SELF_TEST),
    Row(Event.SELF_TEST_PASSED, (S.SELF_TEST,), S.IDLE),
    Row(Event.SELF_TEST_FAILED, (S.SELF_TEST,), S.FAULT),
    Row(Event.HOLD_RESTORED, (S.SELF_TEST,), S.SAFE),
    Row(Event.SESSION_OPENED, (S.IDLE,), S.SESSION_OPEN),
    Row(Event.ANESTHESIA_STARTED, UNARMED, S.ANESTHESIA_WAIT),
    Row(Event.ZONES_CONFIRMED, (S.ANESTHESIA_WAIT,), S.ANESTHESIA_CONFIRMED),
    Row(Event.ARM_BEGUN, (S.ANESTHESIA_CONFIRMED,), S.ARMING),
    Row(Event.ARM_ENDED, (S.ARMING,), S.ARMED),
    Row(Event.DISARM_BEGUN, (S.ARMED, S.PAUSED), S.DISARMING),
    Row(Event.DISARM_ENDED, (S.DISARMING, S.ARMING), S.ANESTHESIA_CONFIRMED),
    Row(Event.PUNCH_BEGUN, (S.ARMED,), S.PUNCHING),
    Row(Event.SUCTION_BEGUN, (S.PUNCHING,), S.SUCTIONING),
    Row(Event.ADVANCE_BEGUN, (S.SUCTIONING,), S.ADVANCING),
    Row(Event.COUNT_BEGUN, (S.ADVANCING,), S.COUNTING),
    Row(Event.REPOSITION_BEGUN, (S.ARMED,), S.REPOSITIONING),
    Row(Event.PURGE_BEGUN, (S.ARMED,), S.PURGING),
    Row(Event.MOTION_ENDED, (S.COUNTING, S.REPOSITIONING, S.PURGING), S.ARMED),
    Row(Event.CYCLE_ABORTED, CYCLE, S.ARMED),
    Row(Event.PAUSED, (S.ARMED,), S.PAUSED),
    Row(Event.RESUMED, (S.PAUSED,), S.ARMED),
    Row(Event.MADE_SAFE, (*RUNNING, S.SAFE), S.SAFE),
    Row(Event.FAULTED, (*RUNNING, S.SAFE, S.FAULT), S.FAULT),
    Row(Event.LOCKED, (*RUNNING, *HELD), S.LOCKED),
    Row(Event.RESET, (S.SAFE, S.FAULT), S.IDLE),
    Row(Event.RESET_WITH_SESSION, (S.SAFE, S.FAULT), S.SESSION_OPEN),
    Row(Event.CLOSE_BEGUN, UNARMED, S.CLOSING),
    Row(Event.CLOSED, (S.CLOSING,), S.IDLE),
)

_TARGETS: Final = {(source, row.event): row.target for row in TABLE for source in row.sources}


def step(state: S, event: Event) -> S:
    """Return the state after `event`.

    Raises:
        LookupError: the table has no such row: a defect of the firmware.
    """
    target = _TARGETS.get((state, event))
    if target is None:
        raise LookupError(f"{event.value} cannot happen in state {state.name}")
    return target


def mermaid() -> str:
    """The table as a Mermaid state diagram; rows with many sources are drawn from one group."""
    groups = {CYCLE: "cycle", UNARMED: "unarmed"}
    lines = ["stateDiagram-v2", f"    [*] --> {S.OFF.name}"]
    for row in TABLE:
        sources = [groups[row.sources]] if row.sources in groups else [s.name for s in row.sources]
        if row.sources[: len(RUNNING)] == RUNNING:
            sources = ["running", *(s.name for s in row.sources[len(RUNNING) :])]
        lines += [f"    {source} --> {row.target.name}: {row.event.value}" for source in sources]
    for name, members in (("cycle", CYCLE), ("unarmed", UNARMED), ("running", RUNNING)):
        lines.append(f"    note right of {name}: any of {', '.join(s.name for s in members)}")
    return "\n".join(lines) + "\n"
