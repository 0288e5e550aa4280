"""The numbers of the interlocks, as refusals, failures, alarms and journal records carry them; 0 is none.

Law: a number is never reused. What each rule does is the device's to say: here are its number and its name alone.
"""

from typing import Final

NEEDLE_OUT: Final = 1
ANESTHESIA_NEEDED: Final = 2
ANESTHESIA_TIME: Final = 3
SUCTION: Final = 4
BLOCKED_LINE: Final = 5
CLOG: Final = 6
COUNT_MISMATCH: Final = 7
DENSITY: Final = 8
ZONE: Final = 9
DEPTH: Final = 10
CARTRIDGE: Final = 11
WEAR: Final = 12
TRIGGER: Final = 13
POWER: Final = 14
LINK: Final = 15
STALL: Final = 16
HEAT: Final = 17
CANISTER: Final = 18
FLUID: Final = 19
EMERGENCY_STOP: Final = 20
SESSION_GAP: Final = 21
LOG: Final = 22
SELF_TEST: Final = 23
