"""The three ledgers of a run at its end: the plant's truth, the device's journal and totals, the host's rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    """A session that was closed. `rows` are the records in the log, encoded as in docs/protocol.md.

    `journal` has what the device's memory still holds, by event number; `alarms` the state of each alarm that is not
    inactive.
    """

    truth: Mapping[str, int]
    totals: Mapping[str, int]
    rows: Sequence[bytes]
    epoch: int
    first_cycle_no: int
    needles: int
    reconciled: bool
    differences: tuple[str, ...] = ()
    alarms: Mapping[int, str] = field(default_factory=dict)
    journal: Mapping[int, bytes] = field(default_factory=dict)
