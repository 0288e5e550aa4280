"""A timeline: a row for each thing, a bar for what lasted, a ring for a moment."""

from devicectl.station.debrief.drawings.timeline import Lane, Row, draw_timeline

SECOND = 1_000_000


def test_what_lasted_is_a_bar_and_a_moment_is_a_ring() -> None:
    row = Row("stop", [(SECOND, 3 * SECOND), (4 * SECOND, 4 * SECOND)], "high")
    drawn = draw_timeline([Lane("Done", [row])], 10 * SECOND)
    assert drawn.count('class="span high"') == 1 and drawn.count('class="moment high"') == 1


def test_a_lane_without_a_row_is_left_out() -> None:
    drawn = draw_timeline([Lane("Faults", []), Lane("Done", [Row("stop", [(0, 0)])])], SECOND)
    assert "Faults" not in drawn and ">Done<" in drawn


def test_the_briefest_bar_can_be_seen() -> None:
    drawn = draw_timeline([Lane("Done", [Row("held", [(0, 1)])])], 1_000 * SECOND)
    assert 'width="2.5"' in drawn


def test_a_long_name_is_shortened_to_its_room() -> None:
    drawn = draw_timeline([Lane("Done", [Row("a" * 200, [(0, 0)])])], SECOND)
    assert "a" * 23 not in drawn and "\N{HORIZONTAL ELLIPSIS}<" in drawn


def test_it_grows_with_its_rows() -> None:
    def height(rows: int) -> int:
        drawn = draw_timeline([Lane("Done", [Row(str(row), [(0, 0)]) for row in range(rows)])], SECOND)
        return int(drawn.partition("viewBox=")[2].split('"')[1].split()[-1])

    assert height(30) - height(10) == 20 * 17
