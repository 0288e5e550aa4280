"""Tables: on a terminal as wide as it is, elsewhere with tabs between the cells, which `cut` and `awk` take.

Law: a text that came from a device or a person cannot steer the terminal.
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

from protocols.text import printable

GAP: Final = 2
"""Columns of a terminal between two cells."""
LEAST_WIDTH: Final = 6
"""Of a column that may be cut short: its heading stays whole."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose cells are wrapped where they find no room."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _print_tabs(columns, cells)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table: Any = Table(*columns)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_list(columns: Sequence[str], rows: Sequence[Sequence[str]], *, cut: str, spare: Sequence[str]) -> None:
    """A table of a line a row. Where it is too wide, the column `cut` is cut short and those of `spare` are left out.

    They go one after the other, the first one first.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _print_tabs(columns, cells)
        return
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    widths = {
        name: max(map(cell_len, (name, *column)))
        for name, column in zip(columns, zip(*cells, strict=True), strict=True)
    }
    chosen = fit(widths, console.width, cut=cut, spare=spare)
    table: Any = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    overflow = "crop" if console.options.ascii_only else "ellipsis"  # rich draws its boxes by the encoding, not this
    for name, width in chosen.items():
        table.add_column(name, width=width, no_wrap=True, overflow=overflow)
    for row in cells:
        table.add_row(*(Text(cell) for name, cell in zip(columns, row, strict=True) if name in chosen))
    console.print(table)


def fit(widths: dict[str, int], room: int, *, cut: str, spare: Sequence[str]) -> dict[str, int]:
    """The columns that a terminal of `room` columns has room for, in their order, and how wide each is to be."""
    left = dict(widths)
    for name in (None, *spare):
        left.pop(name or "", None)
        too_much = sum(left.values()) + GAP * (len(left) - 1) - room
        if too_much <= 0:
            break
        if cut in left and left[cut] - too_much >= LEAST_WIDTH:
            return {**left, cut: left[cut] - too_much}
    return left


def _print_tabs(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    for row in [columns, *cells]:
        print("\t".join(row))
