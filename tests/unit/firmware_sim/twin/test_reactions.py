"""Reaction times: medians and 95th percentiles of both devices, and which of them are too far apart."""

import pytest

from firmware_sim.twin.beginning import begin
from firmware_sim.twin.feed import Feed
from firmware_sim.twin.reactions import Limit, Reaction, Spread, reactions, spread, too_far
from tests.unit.firmware_sim.twin.recorded_line import QUICK, whole_session


def measured(**parameters: float) -> dict[tuple[str, str], Reaction]:
    conversation = whole_session(4).conversation()
    feed = Feed(conversation, begin(conversation, 7, {**QUICK, **parameters}))
    feed.run()
    return {(one.command, one.part): one for one in reactions(conversation, feed)}


def test_the_same_device_takes_the_same_time() -> None:
    found = measured()
    punch = found["Punch", "whole"]
    assert punch == Reaction("Punch", "whole", 4, Spread(80, 80), Spread(80, 80))
    assert found["Punch", "first"].found == Spread(0, 0)
    assert all(one.recorded == one.found for one in found.values())


@pytest.mark.parametrize("suction_ms", [40, 700])
def test_a_faster_and_a_slower_twin_are_measured_by_their_own_clocks(suction_ms: int) -> None:
    found = measured(suction_ms=suction_ms)
    assert found["Suction", "whole"].recorded == Spread(100, 100)
    assert found["Suction", "whole"].found == Spread(suction_ms, suction_ms)
    assert found["Advance", "whole"].found == Spread(60, 60)


def test_the_time_of_a_slow_line_is_taken_off_what_was_recorded() -> None:
    conversation = whole_session(4).conversation()
    feed = Feed(conversation, begin(conversation, 7, QUICK))
    feed.run()
    found = {(one.command, one.part): one for one in reactions(conversation, feed, baud=19_200)}
    suction, bytes_ = found["Suction", "whole"], (2 + 1 + 12 + 4 + 4) + (2 + 1 + 12 + 8 + 4)
    assert suction.recorded.median_ms == pytest.approx(100 - bytes_ * 10 / 19.2, abs=0.01)
    assert suction.found == Spread(100, 100)
    assert found["Hello", "whole"].recorded == Spread(0, 0)


@pytest.mark.parametrize(
    ("times_us", "median_ms", "p95_ms"),
    [([5_000], 5, 5), ([1_000, 4_000], 2.5, 4), ([n * 1_000 for n in range(100, 0, -1)], 50.5, 95)],
)
def test_median_and_95th_percentile(times_us: list[int], median_ms: float, p95_ms: float) -> None:
    assert spread(times_us) == Spread(median_ms, p95_ms)


@pytest.mark.parametrize(
    ("limit", "found_ms", "far"),
    [
        (Limit(20, 0), 120, False),
        (Limit(20, 0), 121, True),
        (Limit(20, 0), 79, True),
        (Limit(20, 50), 150, False),
        (Limit(20, 50), 151, True),
        (Limit(0, 0), 100, False),
    ],
)
def test_the_larger_of_time_and_share_counts(limit: Limit, found_ms: float, far: bool) -> None:
    assert limit.exceeded(100, found_ms) is far


def test_a_sentence_for_each_command_that_is_too_far_off_and_none_where_nobody_judges() -> None:
    slow = Reaction("Arm", "whole", 3, Spread(100, 100), Spread(300, 101))
    (text,) = too_far([slow], Limit(20, 0), {})
    assert text == "Arm, whole answer: median 100 ms in the recording, 300 ms in the twin"
    assert too_far([slow], Limit(20, 0), {"Arm": None}) == too_far([slow], Limit(20, 0), {"Arm": Limit(200, 0)}) == []
    assert len(too_far([slow], Limit(200, 0), {"Arm": Limit(0, 0)})) == 2
