"""Tables: on a terminal as wide as it is, elsewhere with tabs between the cells, which `cut` and `awk` take.

Law: a text that came from a device or a person cannot steer the terminal.
"""

import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from protocols.text.escape import printable

GAP: Final = 2
"""Columns of a terminal between two cells."""
HANGING: Final = 4
"""Columns by which what did not fit on a line is set in."""
MIN_WIDTH: Final = 6
"""Width of a column that is cut short: its heading stays whole."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose cells are wrapped where they find no room."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _print_tabs(columns, cells)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_list(columns: Sequence[str], rows: Iterable[Sequence[str]], *, cut: str, spare: Sequence[str]) -> None:
    """A table of a line a row. Where it is too wide, the column `cut` is cut short and those of `spare` are left out.

    They go one after the other, the first one first. Where there is no terminal, each row is printed as it comes. A
    terminal gets no table of rich's, which takes half a millisecond a row.
    """
    cells: Iterable[list[str]] = ([printable(cell) for cell in row] for row in rows)
    if not sys.stdout.isatty():
        _print_tabs(columns, cells)
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    console, cells = Console(), list(cells)
    widths = {
        name: max(map(cell_len, (name, *column)))
        for name, column in zip(columns, zip(*cells, strict=True), strict=True)
    }
    chosen = fit(widths, console.width, cut=cut, spare=spare)
    ascii_only = console.options.ascii_only
    console.print(Text(_line(columns, columns, chosen, ascii_only), style="bold"), soft_wrap=True)
    print(("-" if ascii_only else "\u2500") * (sum(chosen.values()) + GAP * (len(chosen) - 1)))
    for row in cells:
        print(_line(columns, row, chosen, ascii_only))


def _line(columns: Sequence[str], row: Sequence[str], widths: dict[str, int], ascii_only: bool) -> str:
    """A row's cells in their columns; one that is too long ends in an ellipsis, where that can be written."""
    from rich.cells import cell_len, set_cell_size

    shown = []
    for name, cell in zip(columns, row, strict=True):
        width = widths.get(name)
        if width is None:
            continue
        if cell_len(cell) > width and not ascii_only:
            cell = set_cell_size(cell, width - 1) + "\u2026"
        shown.append(set_cell_size(cell, width))
    return (" " * GAP).join(shown).rstrip()


def fit(widths: dict[str, int], room: int, *, cut: str, spare: Sequence[str]) -> dict[str, int]:
    """The columns that a terminal of `room` columns has room for, in their order, and how wide each is to be."""
    left = dict(widths)
    for name in (None, *spare):
        left.pop(name or "", None)
        too_much = sum(left.values()) + GAP * (len(left) - 1) - room
        if too_much <= 0:
            break
        if cut in left and left[cut] - too_much >= MIN_WIDTH:
            return {**left, cut: left[cut] - too_much}
    return left


def fold(line: str) -> str:
    """Return a line as it is, or on a terminal broken between words, with what follows set in."""
    if not sys.stdout.isatty():
        return line
    import shutil
    import textwrap

    own = " " * (len(line) - len(line.lstrip()) + HANGING)
    return textwrap.fill(
        line, shutil.get_terminal_size().columns, subsequent_indent=own, break_on_hyphens=False, drop_whitespace=True
    )


def _print_tabs(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    for row in chain([columns], cells):
        print("\t".join(row))
