"""The codes of the alarms, as alarms, failures and journal records carry them.

Law: a code is never reused. What raises an alarm, and what it says, is the device's: here are its code and its name
alone. The first two digits are the interlock's number.
"""

from typing import Final

NEEDLE_NOT_RETRACTED: Final = 101
ANESTHESIA_MISSING: Final = 201
ANESTHESIA_EXPIRED: Final = 301
SUCTION_LOST: Final = 401
LINE_BLOCKED: Final = 501
NEEDLE_CLOGGED: Final = 601
NEEDLES_CLOGGED: Final = 602
COUNT_MISMATCH: Final = 701
COUNT_STOPPED: Final = 702
DENSITY_NEAR: Final = 801
DENSITY_REACHED: Final = 802
DENSITY_LOCKED: Final = 803
TOO_DEEP: Final = 1001
CARTRIDGE_REFUSED: Final = 1101
CARTRIDGE_WORN: Final = 1201
CARTRIDGE_WORN_OUT: Final = 1202
TRIGGER_UNSTEADY: Final = 1301
TRIGGER_STUCK: Final = 1302
POWER_LOST_IN_STROKE: Final = 1401
LINK_LOST: Final = 1501
RETAINED_COMMAND: Final = 1502
MOTOR_STALLED: Final = 1601
HOT: Final = 1701
TOO_HOT: Final = 1702
CANISTER_NEARLY_FULL: Final = 1801
CANISTER_FULL: Final = 1802
FLUID_INSIDE: Final = 1901
EMERGENCY_STOP: Final = 2001
SELF_TEST_FAILED: Final = 2301


def alarm_label(code: int) -> str:
    """A code as people read it, such as MC-1501; also one that is not listed here."""
    return f"MC-{code:04d}"
