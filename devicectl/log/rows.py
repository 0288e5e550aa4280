"""Journal records as rows, quickly: a session stores thousands of them between two punches.

Law: `record_row` never looks inside a record, so whatever a device wrote can be kept; only `cycle_row` does, and it
passes over what it cannot read. The raw bytes stay the truth.
"""

import json
import struct
from functools import lru_cache
from typing import Any, Final

from devicectl.session.count import MAX_NEEDLES, tally
from protocols.enums import NeedleOutcome, RecordKind
from protocols.errors import MessageError
from protocols.records import RECORD_SIZE
from protocols.wire import decode_record

_HEAD: Final = struct.Struct("<IIB")
"""event_no, uptime_ms, kind: the same in every record."""

RecordRow = tuple[int, int, int, int, bytes]
CycleRow = tuple[int, int, int, int, int, str, str, int, int, str]


def event_no_of(raw: bytes) -> int:
    """The event number of a record."""
    return int.from_bytes(raw[:4], "little")


def record_row(key: int, raw: bytes) -> RecordRow:
    """A row of `records`, in the order of its columns.

    Raises:
        ValueError: `raw` is not 32 bytes.
    """
    if len(raw) != RECORD_SIZE:
        raise ValueError(f"a record of {len(raw)} bytes, must be {RECORD_SIZE}")
    event_no, uptime_ms, kind = _HEAD.unpack_from(raw)
    return key, event_no, kind, uptime_ms, raw


def cycle_row(key: int, raw: bytes) -> CycleRow | None:
    """A row of `cycles`, in the order of its columns; None for a record that is no readable cycle."""
    if raw[8] != RecordKind.CYCLE:
        return None
    try:
        cycle: Any = decode_record(raw)
    except MessageError:
        return None
    needles = min(cycle.needles, MAX_NEEDLES)
    punctures, cores_counted, _ = tally(cycle.outcomes, needles)
    return (
        key,
        cycle.event_no,
        cycle.cycle_no,
        cycle.cell,
        cycle.depth_um,
        cycle.ending.name.lower(),
        cycle.phase.name.lower(),
        punctures,
        cores_counted,
        outcomes_json(cycle.outcomes, needles),
    )


@lru_cache(maxsize=4096)
def outcomes_json(outcomes: int, needles: int) -> str:
    """A cycle's packed outcomes as a JSON list of names, needle 0 first."""
    return json.dumps(outcome_names(outcomes, needles))


def outcome_names(outcomes: int, needles: int) -> list[str]:
    """Each needle's outcome by name; a value that this version does not know as `unknown 9`."""
    names = {outcome.value: outcome.name.lower() for outcome in NeedleOutcome}
    values = [outcomes >> 4 * needle & 0xF for needle in range(needles)]
    return [names.get(value, f"unknown {value}") for value in values]
