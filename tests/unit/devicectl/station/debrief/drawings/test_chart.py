"""A chart: lines, limits and a legend; what it shows is said too."""

import re
from collections.abc import Sequence

from devicectl.station.debrief.drawings.chart import Chart, Limit, Series, draw_chart, say_chart

SECOND = 1_000_000


def chart(*series: tuple[str, Sequence[float | None]], limits: Sequence[Limit] = ()) -> Chart:
    made = [Series(name, [(at * SECOND, value) for at, value in enumerate(values)]) for name, values in series]
    return Chart("kPa", made, 4 * SECOND, limits)


def test_lines_differ_by_more_than_their_color() -> None:
    drawn = draw_chart(chart(("shown", [1, 2]), ("true", [2, 3])))
    assert 'class="line first"' in drawn and 'class="line second"' in drawn
    assert ">shown<" in drawn and ">true<" in drawn


def test_a_line_is_broken_where_its_value_is_not_known() -> None:
    drawn = draw_chart(chart(("shown", [1, 2, None, None, 3, 4])))
    assert len(re.findall("<polyline", drawn)) == 2


def test_it_is_passed_over_by_screen_readers_and_said_beside_it() -> None:
    shown = chart(("shown", [5, 9, 2, 6]), limits=[Limit("stop", 4.5)])
    assert 'aria-hidden="true"' in draw_chart(shown)
    said = "Shown: 5 kPa at 0:00.0, 6 kPa at 0:03.0; lowest 2 kPa at 0:02.0 and highest 9 kPa at 0:01.0."
    assert say_chart(shown) == f"{said} Stop: 4.5 kPa."


def test_what_never_changed_and_what_was_never_known_are_said_so() -> None:
    assert say_chart(chart(("shown", [5, 5]), ("true", [None]))) == "Shown: 5 kPa all the time. True: never known."


def test_all_that_is_drawn_is_within_the_drawing() -> None:
    drawn = draw_chart(chart(("shown", [-3, 500]), limits=[Limit("stop", 900)]))
    ends = [float(value) for value in re.findall(r'y[12]?="([-\d.]+)"', drawn)]
    assert min(ends) >= 0 and max(ends) <= 220


def test_one_without_a_value_is_drawn() -> None:
    assert "<svg" in draw_chart(chart(("shown", [])))
