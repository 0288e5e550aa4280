"""Interlocks 5, 6 and 7 of docs/model.md: blocked lines and clogs are found; misses beyond them stop the count."""

import pytest

from firmware_sim.safety import count_watch
from protocols.language import alarm_codes as A
from tests.unit.firmware_sim.boards import Bench, armed

ALL = 0b111


def take(bench: Bench, seen: int, times: int = 1) -> None:
    """Take so many cycles' counts, in each of which the needles of `seen` brought a core."""
    for _ in range(times):
        count_watch.take(bench.board, seen, bench.now)


def alarms(bench: Bench) -> list[int]:
    return sorted(bench.board.alarms.active)


# --- 5: a line that brings nothing ----------------------------------------------------------------------------


def test_a_line_is_blocked_after_four_cycles_without_a_core() -> None:
    bench = armed()
    take(bench, 0, 3)
    assert alarms(bench) == []
    take(bench, 0)
    assert (bench.nvm.flagged, alarms(bench)) == (0, [A.LINE_BLOCKED])
    assert bench.board.strokes.missing == 0, "the line explains them"


def test_one_core_of_any_needle_ends_the_row() -> None:
    bench = armed()
    take(bench, 0, 3)
    take(bench, 0b001)
    take(bench, 0, 3)
    assert A.LINE_BLOCKED not in alarms(bench)


def test_a_needle_that_is_clogged_already_is_flagged_and_the_others_tell_of_the_line() -> None:
    bench = armed()
    take(bench, 0b110, 7)
    take(bench, 0, 3)
    assert (bench.nvm.flagged, alarms(bench)) == (0b001, [A.NEEDLE_CLOGGED])
    take(bench, 0)
    assert (bench.nvm.flagged, alarms(bench)) == (0b001, [A.LINE_BLOCKED, A.NEEDLE_CLOGGED])


@pytest.mark.parametrize(("needles", "flagged"), [(1, 0), (2, 0b01), (3, 0b101)])
def test_one_needle_that_is_left_is_taken_for_clogged(needles: int, flagged: int) -> None:
    bench = armed(needles=needles)
    bench.nvm.flagged = flagged
    take(bench, 0, 8)
    assert bench.nvm.flagged == (1 << needles) - 1
    assert A.LINE_BLOCKED not in alarms(bench)


def test_the_number_of_cycles_without_a_core_is_a_parameter() -> None:
    bench = armed(blocked_empties=2)
    take(bench, 0, 2)
    assert alarms(bench) == [A.LINE_BLOCKED]


# --- 6: a needle that brings nothing --------------------------------------------------------------------------


def test_a_needle_is_flagged_after_eight_empty_strokes_in_a_row() -> None:
    bench = armed()
    take(bench, 0b101, 7)
    assert (bench.nvm.flagged, alarms(bench)) == (0, [])
    take(bench, 0b101)
    assert (bench.nvm.flagged, alarms(bench)) == (0b010, [A.NEEDLE_CLOGGED])


def test_a_core_ends_the_row() -> None:
    bench = armed()
    take(bench, 0b101, 7)
    take(bench, ALL)
    take(bench, 0b101, 7)
    assert bench.nvm.flagged == 0


def test_a_second_needle_has_the_alarm_that_stops() -> None:
    bench = armed()
    take(bench, 0b101, 8)
    take(bench, 0b100, 8)
    assert (bench.nvm.flagged, alarms(bench)) == (0b011, [A.NEEDLE_CLOGGED, A.NEEDLES_CLOGGED])


def test_the_number_of_empty_strokes_is_a_parameter() -> None:
    bench = armed(clog_empties=2)
    take(bench, 0b110, 2)
    assert bench.nvm.flagged == 0b001


@pytest.mark.parametrize(("flagged", "raised"), [(0, []), (0b100, [A.NEEDLE_CLOGGED]), (0b101, [A.NEEDLES_CLOGGED])])
def test_the_needles_that_are_flagged_in_memory_are_told_of_after_a_boot(flagged: int, raised: list[int]) -> None:
    bench = Bench()
    bench.nvm.flagged = flagged
    assert alarms(Bench(nvm=bench.nvm)) == raised


# --- 7: what clogs do not explain -----------------------------------------------------------------------------


def miss(bench: Bench, count: int) -> None:
    """Let so many strokes miss, one in each second cycle of a needle, which is no clog."""
    for number in range(count):
        take(bench, ALL & ~(1 << number % 3))


@pytest.mark.parametrize(
    ("missing", "raised"),
    [(11, []), (12, [A.COUNT_MISMATCH]), (23, [A.COUNT_MISMATCH]), (24, [A.COUNT_MISMATCH, A.COUNT_STOPPED])],
)
def test_twelve_missing_strokes_warn_and_twenty_four_stop(missing: int, raised: list[int]) -> None:
    bench = armed()
    miss(bench, missing)
    assert alarms(bench) == raised


def test_the_warning_goes_when_the_misses_have_left_the_window_of_200_strokes() -> None:
    bench = armed()
    miss(bench, 12)
    take(bench, ALL, 54)  # with the 36 strokes above these are 198
    assert alarms(bench) == [A.COUNT_MISMATCH]
    take(bench, ALL)
    assert alarms(bench) == []


def test_a_stopped_count_stays_stopped_until_it_is_looked_into() -> None:
    bench = armed()
    miss(bench, 24)
    take(bench, ALL, 100)
    assert alarms(bench) == [A.COUNT_STOPPED]


def test_the_misses_of_a_clogged_needle_are_explained() -> None:
    bench = armed()
    miss(bench, 5)
    take(bench, 0b101, 8)
    assert bench.board.strokes.missing == 5 - 1, "one of the five was the first of its row"
    take(bench, 0b101, 100)
    assert alarms(bench) == [A.NEEDLE_CLOGGED], "a flagged needle is not watched"
    assert bench.board.strokes.missing == 0


def test_the_strokes_of_a_flagged_needle_push_none_out_of_the_window() -> None:
    bench = armed()
    bench.nvm.flagged = 0b001
    take(bench, 0b100)
    take(bench, 0b110, 99)
    assert bench.board.strokes.missing == 1, "200 strokes of two needles"
    take(bench, 0b110)
    assert bench.board.strokes.missing == 0


def test_watching_begins_again_with_an_empty_window() -> None:
    bench = armed()
    miss(bench, 11)
    count_watch.begin_again(bench.board)
    miss(bench, 11)
    assert (bench.board.strokes.missing, alarms(bench)) == (11, [])


def test_a_session_begins_with_no_needle_flagged() -> None:
    bench = armed()
    take(bench, 0b101, 8)
    miss(bench, 3)
    count_watch.begin_session(bench.board)
    assert (bench.nvm.flagged, bench.board.strokes.missing) == (0, 0)


# --- a purge --------------------------------------------------------------------------------------------------


def test_a_purge_frees_the_flagged_needles_alone_and_their_rows_begin_again() -> None:
    bench = armed(purge_p=1.0)
    take(bench, 0b001, 8)
    take(bench, 0b110, 3)
    assert bench.nvm.flagged == 0b110
    assert count_watch.purge(bench.board, bench.now) == 0b110
    assert (bench.nvm.flagged, alarms(bench)) == (0, [])
    assert bench.board.strokes.empty_in_row == [3, 0, 0]


def test_a_needle_that_a_purge_did_not_free_stays_flagged() -> None:
    bench = armed(purge_p=0.0)
    take(bench, 0b001, 8)
    bench.plant.clogged = 0b100  # needle 1 was flagged and is not clogged: it is free whatever the chance
    assert count_watch.purge(bench.board, bench.now) == 0b010
    assert (bench.nvm.flagged, alarms(bench)) == (0b100, [A.NEEDLE_CLOGGED])
    assert bench.board.strokes.empty_in_row == [0, 0, 8]


def test_of_two_needles_that_stay_clogged_the_alarm_that_stops_stays() -> None:
    bench = armed(purge_p=0.0)
    take(bench, 0b001, 8)
    bench.plant.clogged = 0b110
    count_watch.purge(bench.board, bench.now)
    assert alarms(bench) == [A.NEEDLE_CLOGGED, A.NEEDLES_CLOGGED]
