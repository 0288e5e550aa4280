"""The codes of the alarms, against the tables of docs/model.md, and as people read them."""

import re
from pathlib import Path
from typing import Final

import pytest

from protocols.language import alarm_codes, interlocks
from protocols.language.alarm_codes import alarm_label

PAGE: Final = Path(__file__).parents[4] / "docs" / "model.md"
CODES: Final = {name: value for name, value in vars(alarm_codes).items() if name.isupper()}


def test_the_page_names_every_code() -> None:
    named = {int(code) for code in re.findall(r"MC-(\d{4})", PAGE.read_text(encoding="utf-8"))}
    assert set(CODES.values()) == named and len(set(CODES.values())) == len(CODES)


def test_the_first_two_digits_are_the_interlocks_number() -> None:
    numbers = {value for name, value in vars(interlocks).items() if name.isupper()}
    assert {code // 100 for code in CODES.values()} <= numbers
    assert CODES["LINK_LOST"] // 100 == interlocks.LINK
    assert CODES["EMERGENCY_STOP"] // 100 == interlocks.EMERGENCY_STOP


@pytest.mark.parametrize(("code", "label"), [(101, "MC-0101"), (1501, "MC-1501"), (0, "MC-0000"), (65_535, "MC-65535")])
def test_a_code_has_four_digits_for_people_also_one_that_is_not_listed(code: int, label: str) -> None:
    assert alarm_label(code) == label
