"""How much of a wait is left, and when a line is due that says so."""

import pytest

from devicectl.cli.countdown import Countdown, clock_face
from protocols.language.units import SECOND, Micros


def passed(duration_s: int, *, speed: float = 1.0, every_s: float = 0.5) -> list[int]:
    """The seconds that are told while a wait lasts."""
    wait = Countdown(duration_s * SECOND, began=Micros(0), speed=speed)
    ticks = range(0, round(duration_s / speed / every_s) + 4)
    told = [wait.passed(Micros(round(tick * every_s * SECOND))) for tick in ticks]
    return [left for left in told if left is not None]


@pytest.mark.parametrize(
    ("duration_s", "told"),
    [(300, [240, 180, 120, 60, 30, 10]), (90, [60, 30, 10]), (60, [30, 10]), (10, []), (1, []), (0, [])],
)
def test_full_minutes_and_the_last_half_are_told_once(duration_s: int, told: list[int]) -> None:
    assert passed(duration_s) == told


def test_what_a_tick_comes_late_for_is_told_as_what_is_left_then() -> None:
    assert passed(300, every_s=50) == [200, 150, 100, 50]
    assert passed(300, speed=100.0) == [200, 150, 100, 50]


def test_never_less_is_told_than_is_left() -> None:
    wait = Countdown(2 * SECOND, began=Micros(SECOND), speed=1.0)
    assert [wait.left_s(Micros(at)) for at in (SECOND, SECOND + 1, 2 * SECOND, 3 * SECOND, 9 * SECOND)] == [
        2,
        2,
        1,
        0,
        0,
    ]


def test_a_clock_face() -> None:
    assert [clock_face(seconds) for seconds in (0, 59, 60, 299, 86_400)] == ["0:00", "0:59", "1:00", "4:59", "1440:00"]
