"""The numbers of the interlocks, against the table of hazards in docs/model.md."""

import re
from pathlib import Path
from typing import Final

from protocols.language import interlocks

PAGE: Final = Path(__file__).parents[4] / "docs" / "model.md"

NUMBERS: Final = {
    "NEEDLE_OUT": 1, "ANESTHESIA_NEEDED": 2, "ANESTHESIA_TIME": 3, "SUCTION": 4, "BLOCKED_LINE": 5, "CLOG": 6,
    "COUNT_MISMATCH": 7, "DENSITY": 8, "ZONE": 9, "DEPTH": 10, "CARTRIDGE": 11, "WEAR": 12, "TRIGGER": 13, "POWER": 14,
    "LINK": 15, "STALL": 16, "HEAT": 17, "CANISTER": 18, "FLUID": 19, "EMERGENCY_STOP": 20, "SESSION_GAP": 21,
    "LOG": 22, "SELF_TEST": 23,
}  # fmt: skip


def test_each_number_means_what_it_always_meant() -> None:
    assert {name: value for name, value in vars(interlocks).items() if name.isupper()} == NUMBERS


def test_the_page_has_a_row_for_each() -> None:
    rows = re.findall(r"^\| (\d+) \| \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(map(int, rows)) == sorted(NUMBERS.values())
