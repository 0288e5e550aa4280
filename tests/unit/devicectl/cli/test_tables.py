"""Which columns a terminal has room for, and how wide the one is that may be cut short."""

import io
import re
import sys
from collections.abc import Iterator

import pytest

from devicectl.cli.sessions import COLUMNS, SPARE_COLUMNS
from devicectl.cli.tables import GAP, MIN_WIDTH, fit, print_list

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


class Terminal(io.TextIOWrapper):
    """A terminal of an encoding, that keeps what is written to it."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding).splitlines()


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


def test_where_there_is_no_terminal_each_row_is_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[list[str]]:
        for number in range(3):
            yield [str(number), "a\tb"]
            assert capsys.readouterr().out.splitlines()[-1] == f"{number}\ta\\tb"

    print_list(("id", "name"), rows(), cut="name", spare=())
