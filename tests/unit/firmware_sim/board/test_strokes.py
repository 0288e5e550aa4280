"""The window of strokes over which a count is watched: interlock 7 of docs/model.md."""

from firmware_sim.board.strokes import StrokeWindow

EMPTY, BROUGHT = True, False


def window(length: int, *strokes: tuple[int, bool]) -> StrokeWindow:
    """A window of two needles that has taken `strokes`: the needle, and True for one that brought nothing."""
    made = StrokeWindow(2, length)
    for needle, missed in strokes:
        made.add(needle, missed)
    return made


def test_a_new_window_misses_nothing() -> None:
    assert window(4).missing == 0
    assert window(4).empty_in_row == [0, 0], "one number for each needle"


def test_only_a_stroke_that_brought_nothing_is_missing() -> None:
    assert window(4, (0, EMPTY), (1, BROUGHT), (0, EMPTY)).missing == 2


def test_the_oldest_stroke_leaves_a_full_window() -> None:
    full = window(3, (0, EMPTY), (1, EMPTY), (0, BROUGHT))
    assert full.missing == 2
    full.add(1, BROUGHT)
    assert full.missing == 1, "the first stroke has left"
    full.add(1, EMPTY)
    assert full.missing == 1, "one left, one came"


def test_a_stroke_that_brought_a_core_takes_nothing_along_when_it_leaves() -> None:
    full = window(2, (0, BROUGHT), (0, EMPTY))
    full.add(0, BROUGHT)
    assert full.missing == 1


def test_the_run_of_a_clogged_needle_is_missing_no_more() -> None:
    made = window(9, (0, EMPTY), (1, EMPTY), (0, EMPTY), (1, EMPTY), (1, BROUGHT))
    made.empty_in_row[0] = 2
    made.explain(0)
    assert made.missing == 2, "those of the other needle"


def test_what_a_needle_missed_before_its_run_stays_missing() -> None:
    made = window(9, (0, EMPTY), (0, BROUGHT), (0, EMPTY), (0, EMPTY))
    made.empty_in_row[0] = 2
    made.explain(0)
    assert made.missing == 1


def test_an_explained_stroke_is_not_subtracted_a_second_time_when_it_leaves() -> None:
    made = window(2, (0, EMPTY), (0, EMPTY))
    made.empty_in_row[0] = 2
    made.explain(0)
    made.add(1, EMPTY)
    made.add(1, EMPTY)
    assert made.missing == 2


def test_a_run_longer_than_the_window_is_explained_as_far_as_it_is_there() -> None:
    made = window(2, (0, EMPTY), (0, EMPTY), (0, EMPTY))
    made.empty_in_row[0] = 3
    made.explain(0)
    assert made.missing == 0
