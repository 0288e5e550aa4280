"""Faults that a trainer brings into a lesson, in plain words; all others of the catalogue are for engineers.

Law: words alone. What a fault does is in the catalogue.
"""

from collections.abc import Mapping
from typing import Final

FOR_TRAINERS: Final[Mapping[str, str]] = {
    "leak": "air comes into the suction line",
    "line_blocked": "the suction line is blocked",
    "pump_stalled": "the pump does not run",
    "clog": "a needle is clogged",
    "wear": "the needles are worn",
    "cartridge_used": "the cartridge is used",
    "cartridge_missing": "the cartridge is not there",
    "pressure_frozen": "the pressure sensor is frozen",
    "cores_missed": "the sensor misses cores",
    "cores_invented": "the sensor counts cores that are not there",
    "canister_jump": "the canister fills at once",
    "overheat": "the handle gets hot",
    "emergency_stop": "somebody presses the emergency stop",
    "disconnect": "the link is lost",
}
"""Kind -> what it is, in the order of docs/faults.md."""
