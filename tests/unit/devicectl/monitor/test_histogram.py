from hypothesis import given
from hypothesis import strategies as st

from devicectl.monitor.histogram import Histogram


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_quantile_is_told_to_one_part_in_64(durations: list[int], share: float) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    exact = sorted(durations)[max(0, -int(-share * len(durations) // 1) - 1)]
    assert exact * 63 / 64 <= histogram.quantile(share) <= exact
    assert (histogram.count, histogram.greatest) == (len(durations), max(durations))


def test_nothing_has_no_duration() -> None:
    assert (Histogram().quantile(0.5), Histogram().greatest) == (0, 0)
