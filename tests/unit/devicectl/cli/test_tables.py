"""Which columns a terminal has room for, and how wide the one is that may be cut short."""

import re
import sys
from collections.abc import Iterator

import pytest

from devicectl.cli.sessions import COLUMNS, SPARE_COLUMNS
from devicectl.cli.tables import GAP, MIN_WIDTH, fit, fold, print_list
from tests.unit.devicectl.cli.terminal import Terminal

WIDTHS = {"id": 2, "name": 20, "size": 4, "color": 5}
WHOLE = 31 + 3 * GAP


@pytest.mark.parametrize(
    ("room", "chosen"),
    [
        (WHOLE + 100, WIDTHS),
        (WHOLE, WIDTHS),
        (WHOLE - 1, {**WIDTHS, "name": 19}),
        (WHOLE - 14, {**WIDTHS, "name": MIN_WIDTH}),
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


@pytest.mark.parametrize(
    ("encoding", "rule", "cut"),
    [("utf-8", "\u2500", "a lon\u2026"), ("ascii", "-", "a long")],
)
def test_what_is_cut_ends_as_the_encoding_lets_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, rule: str, cut: str
) -> None:
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "17")
    monkeypatch.setenv("TERM", "xterm")
    rows = (["1", "a long name", "spare", "x\x1b"], ["2", "short", "", ""])
    print_list(("id", "name", "gone", "y"), iter(rows), cut="name", spare=("gone",))
    head, line, first, second = terminal.lines()
    assert re.sub(r"\x1b\[[0-9;]*m", "", head).split() == ["id", "name", "y"]
    assert line == rule * 17
    assert first == f"1   {cut}  x\\x1b" and second == "2   short"


@pytest.mark.parametrize(
    ("line", "folded"),
    [
        ("short", "short"),
        ("a  bb cc-dd eeee", "a  bb cc-dd\n    eeee"),
        ("  a bb cc-dd eeee ff", "  a bb cc-dd\n      eeee\n      ff"),
        ("x" * 14, "x" * 12 + "\n    xx"),
        ("", ""),
    ],
)
def test_a_line_is_folded_between_words_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, line: str, folded: str
) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    assert fold(line) == line
    monkeypatch.setattr(sys, "stdout", Terminal("utf-8"))
    assert fold(line) == folded


def test_where_there_is_no_terminal_each_row_is_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[list[str]]:
        for number in range(3):
            yield [str(number), "a\tb"]
            assert capsys.readouterr().out.splitlines()[-1] == f"{number}\ta\\tb"

    print_list(("id", "name"), rows(), cut="name", spare=())
