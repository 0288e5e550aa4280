"""Judge of alarms: each one that the journal says was raised has ended in it, or is still there at the end."""

import struct
from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Reading

ALARM, BOOT = 4, 7  # record kinds
_ALARM: Final = struct.Struct("<IIBHBBB")
ACTIVE: Final = 1
KIND_AT: Final = 8


def judge(reading: Reading, ledgers: Ledgers) -> list[tuple[int, str]]:
    """Hold the last state of each alarm in the rows against those that the device still shows."""
    last: dict[int, int] = {}
    for raw in ledgers.rows:
        if raw[KIND_AT] == BOOT:
            last.clear()  # what is not latched ends with the power
        elif raw[KIND_AT] == ALARM:
            _, _, _, code, _, _, state = _ALARM.unpack_from(raw)
            last[code] = state
    end_us = reading.said[-1].at_us if reading.said else 0
    return [
        (end_us, f"alarm MC-{code:04d} was raised, is gone, and the journal does not say so")
        for code, state in last.items()
        if state == ACTIVE and code not in ledgers.alarms
    ]
