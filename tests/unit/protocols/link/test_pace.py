"""The pace of a link."""

import pytest

from protocols.language.units import Micros
from protocols.link.pace import IDLE_PACE, MIN_HEARTBEAT_US, Pace


def test_a_pace_is_made_of_welcomes_milliseconds() -> None:
    assert Pace.of_ms(200, 600) == Pace(Micros(200_000), Micros(600_000))


@pytest.mark.parametrize(("asked_us", "kept_us"), [(0, 50_000), (49_999, 50_000), (50_000, 50_000), (200_000, 200_000)])
def test_a_heartbeat_is_sent_at_most_twenty_times_a_second(asked_us: int, kept_us: int) -> None:
    """A peer that asks for one of 0 would have it sent without end."""
    assert MIN_HEARTBEAT_US == 50_000
    assert Pace(Micros(asked_us), Micros(600_000)).bounded() == Pace(Micros(kept_us), Micros(600_000))


def test_a_lease_of_0_stays_0() -> None:
    assert Pace.of_ms(0, 0).bounded().lease_us == 0


def test_before_welcome_three_heartbeats_fit_a_lease() -> None:
    assert Pace(Micros(5_000_000), Micros(15_000_000)) == IDLE_PACE
