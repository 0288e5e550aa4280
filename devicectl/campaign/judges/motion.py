"""Judge of motion.

No stroke without anesthesia, vacuum, room in the cell and a link; no advance with needles out; no more is done than was
begun.
"""

from typing import Final

from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import Event

MIN_SUCTION_KPA: Final = -40
MAX_PUNCTURES_PER_CM2: Final = 63


def judge(reading: Reading, ledgers: Ledgers) -> list[tuple[int, str]]:
    """Hold each stroke and each change of state against docs/model.md."""
    found = [(at_us, sentence) for at_us, stroke in reading.of("stroke") for sentence in _stroke(stroke)]
    for at_us, state in reading.of("state"):
        if state["state"] == "ADVANCING" and state["depth_um"] > 0:
            found.append((at_us, f"ADVANCE with needles at {state['depth_um']} um"))
    truth = ledgers.truth
    if truth["cores_evacuated"] > truth["punctures"]:
        found.append((_end_us(reading), f"more cores than punctures: {dict(truth)}"))
    if truth["punctures"] > ledgers.needles * truth["cycles_commanded"]:
        found.append((_end_us(reading), f"more punctures than needles in all cycles: {dict(truth)}"))
    return found


def _stroke(stroke: Event) -> list[str]:
    found = []
    numbed_us = stroke["numbed_us"]
    if numbed_us is None or numbed_us >= stroke["valid_us"]:
        found.append("PUNCH without anesthesia")
    if stroke["sensed_kpa"] > MIN_SUCTION_KPA:
        found.append(f"PUNCH at {stroke['sensed_kpa']} kPa")
    if stroke["made"] is None or stroke["made"] + stroke["needles"] > MAX_PUNCTURES_PER_CM2:
        found.append(f"PUNCH in a cell of {stroke['made']}")
    if stroke["state"] != "ARMED":
        found.append(f"PUNCH in {stroke['state']}")
    if not stroke["linked"]:
        found.append("PUNCH without a link")
    return found


def _end_us(reading: Reading) -> int:
    return reading.said[-1].at_us if reading.said else 0
