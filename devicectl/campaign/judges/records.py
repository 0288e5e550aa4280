"""Records of the journal as judges read them: 32 bytes each, by `struct` alone."""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

_CYCLE: Final = struct.Struct("<IIBBBBIIHHII")
_ALARM: Final = struct.Struct("<IIBHBBB")
_BOOT: Final = struct.Struct("<IIBIIB")
GAP, CYCLE, ALARM, BOOT = 0, 1, 4, 7  # kinds
KIND_AT: Final = 8
ENDINGS: Final = {1: "completed", 2: "aborted", 3: "ambiguous"}
NOT_PUNCTURED, COUNTED = 0, 1  # outcomes of a needle


class Cycle(NamedTuple):
    """A CYCLE record. `outcomes` has one a needle."""

    event_no: int
    uptime_ms: int
    ending: str
    phase: int
    cycle_no: int
    outcomes: tuple[int, ...]
    packed: int
    cell: int
    depth_um: int
    total_punctures: int
    total_cores_counted: int

    @property
    def punctures(self) -> int:
        """Needles that have opened the skin, or may have."""
        return sum(outcome != NOT_PUNCTURED for outcome in self.outcomes)

    @property
    def cores(self) -> int:
        """Needles of which the sensor has seen a core."""
        return self.outcomes.count(COUNTED)


class AlarmChange(NamedTuple):
    """An ALARM record."""

    event_no: int
    uptime_ms: int
    code: int
    interlock: int
    priority: int
    state: int


def event_no(raw: bytes) -> int:
    """Return a record's number."""
    return int.from_bytes(raw[:4], "little")


def cycles(rows: Sequence[bytes], first_cycle_no: int) -> list[Cycle]:
    """Return the cycles of a session, in their order."""
    found = []
    for raw in rows:
        if raw[KIND_AT] != CYCLE:
            continue
        number, uptime_ms, _, ending, phase, needles, cycle_no, packed, *rest = _CYCLE.unpack(raw)
        if cycle_no >= first_cycle_no:
            outcomes = tuple(packed >> 4 * needle & 0xF for needle in range(needles))
            name = ENDINGS.get(ending, f"ending {ending}")
            found.append(Cycle(number, uptime_ms, name, phase, cycle_no, outcomes, packed, *rest))
    return found


def alarm(raw: bytes) -> AlarmChange:
    """Read an ALARM record."""
    number, uptime_ms, _, code, interlock, priority, state = _ALARM.unpack_from(raw)
    return AlarmChange(number, uptime_ms, code, interlock, priority, state)


def open_cycle_of(raw: bytes) -> int:
    """Return the number of the cycle that the loss of power before a BOOT has ended; 0 where none was open."""
    number: int = _BOOT.unpack_from(raw)[4]
    return number


def boot_count(raw: bytes) -> int:
    """Return the number of the start that a BOOT tells of."""
    number: int = _BOOT.unpack_from(raw)[3]
    return number
