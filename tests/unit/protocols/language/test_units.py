"""Units of time: whole microseconds inside, milliseconds on the wire, seconds for people."""

import pytest

from protocols.language.units import MILLISECOND, SECOND, Micros, from_ms, to_seconds


def test_a_second_has_a_million() -> None:
    assert (MILLISECOND, SECOND) == (1_000, 1_000_000)


@pytest.mark.parametrize("milliseconds", [0, 1, 600, 2**32 - 1, 2**60])
def test_milliseconds_are_exact(milliseconds: int) -> None:
    assert from_ms(milliseconds) == milliseconds * 1_000


def test_a_million_additions_do_not_drift() -> None:
    assert sum([from_ms(1)] * 1_000_000) == 1_000 * SECOND


def test_seconds_are_for_people() -> None:
    assert to_seconds(Micros(1_500_000)) == 1.5
