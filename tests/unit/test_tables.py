"""Which columns a terminal has room for, and how wide the one is that may be cut short."""

import pytest

from devicectl.cli.sessions import COLUMNS, SPARE_COLUMNS
from devicectl.cli.tables import GAP, LEAST_WIDTH, fit

WIDTHS = {"id": 2, "name": 20, "size": 4, "color": 5}
WHOLE = 31 + 3 * GAP


@pytest.mark.parametrize(
    ("room", "chosen"),
    [
        (WHOLE + 100, WIDTHS),
        (WHOLE, WIDTHS),
        (WHOLE - 1, {**WIDTHS, "name": 19}),
        (WHOLE - 14, {**WIDTHS, "name": LEAST_WIDTH}),
        (WHOLE - 15, {"id": 2, "name": 12, "size": 4}),
        (WHOLE - 22, {"id": 2, "size": 4}),
        (0, {"id": 2, "size": 4}),
    ],
)
def test_a_column_is_cut_before_another_is_left_out(room: int, chosen: dict[str, int]) -> None:
    assert fit(WIDTHS, room, cut="name", spare=("color", "name")) == chosen


def test_a_short_column_is_not_widened() -> None:
    assert fit({"id": 2, "name": 4}, 7, cut="name", spare=()) == {"id": 2, "name": 4}


def test_sessions_list_names_columns_that_it_has() -> None:
    assert set(SPARE_COLUMNS) < set(COLUMNS)
