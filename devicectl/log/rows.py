"""Journal records as rows, quickly: a session stores thousands of them between two punches.

Law: `record_row` never looks inside a record, so whatever a device wrote can be kept. `cycle_row` does, by one struct
made from the record's own layout: building the model first takes four times as long. The raw bytes stay the truth.
"""

import json
import struct
from functools import lru_cache
from typing import Final

from devicectl.session.count import MAX_NEEDLES, tally
from protocols.language.enums import Ending, NeedleOutcome, Phase, RecordKind
from protocols.language.layouts import layout
from protocols.language.records import KIND_OFFSET, RECORD_SIZE, Cycle

_HEAD: Final = struct.Struct("<IIB")
"""event_no, uptime_ms, kind: the same in every record."""

_CYCLE_KIND: Final = int(RecordKind.CYCLE)

_codes: Final = [wire.code for _, wire in layout(Cycle).fields]
_CYCLE: Final = struct.Struct("<" + "".join((*_codes[:2], "x", *_codes[2:])))
"""A cycle's fields in the model's order; the record's kind is between the second and the third."""

_ENDINGS: Final = tuple(Ending(value).name.lower() for value in range(256))
_PHASES: Final = tuple(Phase(value).name.lower() for value in range(256))
_OUTCOMES: Final = tuple(outcome.name.lower() for outcome in NeedleOutcome)

RecordRow = tuple[int, int, int, int, bytes]
CycleRow = tuple[int, int, int, int, int, str, str, int, int, str]


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
    """A row of `cycles`, in the order of its columns, from a record of 32 bytes; None when it is of another kind."""
    if raw[KIND_OFFSET] != _CYCLE_KIND:
        return None
    event_no, _, ending, phase, needles, cycle_no, outcomes, cell, depth_um, _, _ = _CYCLE.unpack_from(raw)
    punctures, cores_counted, text = _outcome_columns(outcomes, needles)
    return (key, event_no, cycle_no, cell, depth_um, _ENDINGS[ending], _PHASES[phase], punctures, cores_counted, text)


@lru_cache(maxsize=4096)
def _outcome_columns(outcomes: int, needles: int) -> tuple[int, int, str]:
    """Punctures and cores of one cycle, and its outcomes as a JSON list of names, needle 0 first."""
    needles = min(needles, MAX_NEEDLES)
    punctures, cores_counted, _ = tally(outcomes, needles)
    return punctures, cores_counted, json.dumps(outcome_names(outcomes, needles))


def outcome_names(outcomes: int, needles: int) -> list[str]:
    """Each needle's outcome by name; a value that this version does not know as `unknown 9`."""
    values = [outcomes >> 4 * needle & 0xF for needle in range(needles)]
    return [_OUTCOMES[value] if value < len(_OUTCOMES) else f"unknown {value}" for value in values]
