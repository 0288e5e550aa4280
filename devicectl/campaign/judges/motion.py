"""Judge of motion.

No stroke without anesthesia, vacuum, a valid cartridge, room in the cell, and a PUNCH that is not too late; none more
often than tries are allowed; no advance with needles out; no way from one state to another but those of the table.
"""

import bisect
import sys
from collections.abc import Mapping
from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.readiness import unready
from devicectl.campaign.judges.reading import Found, Noted, Reading, Said, changes
from devicectl.campaign.judges.records import cycles
from devicectl.campaign.recording import Event

MIN_SUCTION_KPA: Final = -40
SENSOR_FAULTS: Final = ("pressure_offset", "pressure_drift", "pressure_noise", "pressure_frozen")
"""Kinds of fault by which the device cannot know the pressure of the line."""
MAX_PUNCTURES_PER_CM2: Final = 63
MAX_OVER_UM: Final = 500
MAX_TRIES: Final = 3
"""Strokes in one cycle: the one, and two more where the motor stalls."""
_UNARMED: Final = ("SESSION_OPEN", "ANESTHESIA_WAIT", "ANESTHESIA_CONFIRMED")
_HOLDS: Final = ("SAFE", "FAULT", "LOCKED")
_NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "OFF": ("SELF_TEST", "IDLE", *_HOLDS),
    "SELF_TEST": ("IDLE", *_HOLDS),
    "IDLE": ("SESSION_OPEN", *_HOLDS),
    "SESSION_OPEN": ("ANESTHESIA_WAIT", "IDLE", *_HOLDS),
    "ANESTHESIA_WAIT": ("ANESTHESIA_CONFIRMED", "IDLE", *_HOLDS),
    "ANESTHESIA_CONFIRMED": ("ANESTHESIA_WAIT", "ARMING", "ARMED", "IDLE", *_HOLDS),
    "ARMING": ("ARMED", "ANESTHESIA_CONFIRMED", *_HOLDS),
    "ARMED": ("PUNCHING", "REPOSITIONING", "PURGING", "PAUSED", "DISARMING", "ANESTHESIA_CONFIRMED", *_HOLDS),
    "PUNCHING": ("SUCTIONING", "ARMED", *_HOLDS),
    "SUCTIONING": ("ADVANCING", "ARMED", *_HOLDS),
    "ADVANCING": ("COUNTING", "ARMED", *_HOLDS),
    "COUNTING": ("ARMED", *_HOLDS),
    "REPOSITIONING": ("ARMED", *_HOLDS),
    "PURGING": ("ARMED", *_HOLDS),
    "PAUSED": ("ARMED", "DISARMING", "ANESTHESIA_CONFIRMED", *_HOLDS),
    "DISARMING": ("ANESTHESIA_CONFIRMED", *_HOLDS),
    "SAFE": ("IDLE", "SESSION_OPEN", *_HOLDS),
    "FAULT": ("IDLE", "SESSION_OPEN", *_HOLDS),
    "LOCKED": (),
}
"""State -> those that may be seen next; what lasts no time is left out."""


def judge(reading: Reading) -> Found:
    """Hold each stroke and each change of state against docs/model.md."""
    return judge_moves(reading) + judge_depths(reading)


def judge_moves(reading: Reading) -> Found:
    """The same for what no wire shows: strokes, states, needles and starts."""
    boots = [0, *(noted.at_us for noted in reading.of("boot"))]
    found = []
    for noted in reading.of("stroke"):
        sentences = _stroke(noted.event) + _suction(reading, noted) + _late(reading, boots, noted)
        found += [(noted.at_us, sentence) for sentence in sentences]
    for noted in reading.of("state"):
        if noted.event["state"] in ("ADVANCING", "REPOSITIONING") and noted.event["depth_um"] > 0:
            found.append((noted.at_us, f"{noted.event['state']} with needles at {noted.event['depth_um']} um"))
    for noted, (before, after) in zip(reading.of("state"), changes(reading), strict=True):
        if after != "OFF" and after not in _NEXT[before]:
            found.append((noted.at_us, f"the device went from {before} to {after}"))
    return found + unready(reading) + _tries(reading) + _starts(reading)


def judge_ledgers(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold each stroke against the row of its cycle, and against those before it in its cell."""
    made = _made(ledgers)
    found = []
    for noted in reading.of("stroke"):
        known = made.get(noted.event["cycle_no"])
        sentences = _rowless(reading, noted) if known is None else _density(noted.event, *known, ledgers.needles)
        found += [(noted.at_us, sentence) for sentence in sentences]
    return found


def _rowless(reading: Reading, noted: Noted) -> list[str]:
    """Judge a stroke without a row: only power that went before anything was shown of it may take its number back."""
    boot = next((boot.place for boot in reading.of("boot") if boot.place > noted.place), sys.maxsize)
    shown = [said for said in reading.device_sent if noted.place < said.place < boot and said.frame.name != "Aborted"]
    return [f"cycle {noted.event['cycle_no']} has no row"] if shown or boot == sys.maxsize else []


def _stroke(stroke: Event) -> list[str]:
    found = []
    if stroke["made"] is None or stroke["made"] + stroke["needles"] > MAX_PUNCTURES_PER_CM2:
        found.append(f"PUNCH in a cell of {stroke['made']}")
    if stroke["state"] != "ARMED":
        found.append(f"PUNCH in {stroke['state']}")
    if not stroke["cartridge_valid"]:
        found.append("PUNCH without a valid cartridge")
    if stroke["estop"]:
        found.append("PUNCH with the emergency stop open")
    return found


def _suction(reading: Reading, noted: Noted) -> list[str]:
    """Hold the stroke against the true pressure of the line; only a fault of its sensor lets the reading count."""
    spoiled = reading.under_way(SENSOR_FAULTS, noted.place, noted.place)
    kpa = noted.event["sensed_kpa" if spoiled else "line_kpa"]
    return [f"PUNCH at {kpa} kPa"] if kpa > MIN_SUCTION_KPA else []


def _late(reading: Reading, boots: list[int], noted: Noted) -> list[str]:
    """Hold the stroke against the deadline of the PUNCH that has just been heard, in device uptime."""
    heard = next((said for said in reversed(reading.device_heard[: _before(reading, noted)])), None)
    if heard is None or heard.frame.name != "Punch":
        return ["a stroke without a PUNCH"]
    if heard.frame.fields["cycle_no"] != noted.event["cycle_no"]:
        return [f"cycle {noted.event['cycle_no']} begun by the PUNCH of {heard.frame.fields['cycle_no']}"]
    uptime_ms = (noted.at_us - boots[bisect.bisect_right(boots, noted.at_us) - 1]) // 1000
    late_ms = uptime_ms - heard.frame.fields["deadline_ms"] & 0xFFFF_FFFF
    return [f"PUNCH {late_ms} ms after its deadline"] if 0 < late_ms < 0x8000_0000 else []


def _before(reading: Reading, noted: Noted) -> int:
    return bisect.bisect_left(reading.device_heard, noted.place, key=lambda said: said.place)


def _made(ledgers: Ledgers) -> dict[int, tuple[int, int]]:
    """Return, by the number of a cycle, its cell and the punctures that earlier rows have there."""
    cells: dict[int, int] = {}
    found = {}
    for cycle in cycles(ledgers.rows, ledgers.first_cycle_no):
        found[cycle.cycle_no] = (cycle.cell, cells.get(cycle.cell, 0))
        cells[cycle.cell] = cells.get(cycle.cell, 0) + cycle.punctures
    return found


def _density(stroke: Event, cell: int, before: int, needles: int) -> list[str]:
    """Hold what the device knows of the cell against the rows, and against the plan."""
    if cell != stroke["cell"]:
        return [f"cycle {stroke['cycle_no']} was in cell {stroke['cell']}, its row says {cell}"]
    if before != stroke["made"]:
        return [f"cell {cell} has {before} punctures by the rows, the device knows of {stroke['made']}"]
    if before + needles > stroke["planned"]:
        return [f"cycle {stroke['cycle_no']} in cell {cell}, where {before} of {stroke['planned']} are made"]
    return []


def _tries(reading: Reading) -> Found:
    """Count how often the needles have left home since a cycle began."""
    begun = [noted.place for noted in reading.of("stroke")]
    tries: dict[int, int] = {}
    found = []
    out = False
    for noted in reading.of("needles"):
        left, out = noted.event["home_at"] is None and not out, noted.event["home_at"] is None
        if left:
            cycle = bisect.bisect_left(begun, noted.place)
            tries[cycle] = tries.get(cycle, 0) + 1
            if not cycle or tries[cycle] > MAX_TRIES:
                found.append((noted.at_us, f"needles left home {tries[cycle]} times in one cycle"))
    return found


def _starts(reading: Reading) -> Found:
    """Find a start that does not hold though a session is open: docs/protocol.md has FAULT_RESET lead on."""
    found: Found = []
    begun = [said for said in reading.device_sent if said.frame.name == "SessionOpenDone"]
    closed = [said for said in reading.device_heard if said.frame.name == "SessionClose"]
    entries: list[Said | Noted] = [*begun, *closed, *reading.of("boot"), *reading.of("state")]
    opened, booted = False, False
    for entry in sorted(entries, key=lambda entry: entry.place):
        if isinstance(entry, Noted):
            if booted and opened and entry.event["event"] == "state" and entry.event["state"] == "IDLE":
                found.append((entry.at_us, "started into IDLE, and a session is open"))
            booted = entry.event["event"] == "boot"
        else:
            opened = entry.frame.name == "SessionOpenDone"  # a close that was heard may have been carried out
    return found


def judge_depths(reading: Reading) -> Found:
    """Find strokes that were said to be done and went deeper than is allowed: interlock 10 locks."""
    set_um = {
        said.frame.fields["cycle_no"]: said.frame.fields["depth_um"]
        for said in reading.device_heard
        if said.frame.name == "Punch"
    }
    return [
        (said.at_us, f"a stroke of {said.frame.fields['depth_um']} um, set to {deepest}, was gone on with")
        for said in reading.device_sent
        if said.frame.name == "PunchDone"
        and (deepest := set_um.get(said.frame.fields["cycle_no"])) is not None
        and said.frame.fields["depth_um"] > deepest + MAX_OVER_UM
    ]
