"""A map of the cells of each zone, with how far each was filled, and the same in words."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from devicectl.station.debrief.markup import Markup, element

_SIZE: Final = 30
_MAX_COLUMNS: Final = 20
_LEVELS: Final = 4
"""Shades below full; each cell has its number too, so that none of them says anything alone."""


class Cell(NamedTuple):
    """A cell that was begun: its punctures, the cores counted in it, and the most punctures that the plan allows.

    `cell` counts from 0; people count from 1.
    """

    cell: int
    punctures: int
    cores: int
    limit: int

    @property
    def percent(self) -> int:
        """Share of the plan that was done."""
        return round(100 * self.punctures / self.limit) if self.limit else 0


class ZoneMap(NamedTuple):
    """A zone with as many cells as it has square centimeters, and those that were begun."""

    name: str
    cells: int
    begun: Sequence[Cell]


def draw_cells(zone: ZoneMap) -> Markup:
    """Return the map of a zone."""
    columns = min(_MAX_COLUMNS, max(1, math.ceil(math.sqrt(2 * zone.cells))))
    rows = math.ceil(zone.cells / columns)
    begun = {one.cell: one for one in zone.begun}
    squares = [_draw_cell(index, begun.get(index), columns) for index in range(zone.cells)]
    return element(
        "svg",
        *squares,
        viewBox=f"0 0 {columns * _SIZE} {rows * _SIZE}",
        width=columns * _SIZE,
        height=rows * _SIZE,
        aria_hidden="true",
        class_="cells",
    )


def _draw_cell(index: int, cell: Cell | None, columns: int) -> Markup:
    x, y = index % columns * _SIZE, index // columns * _SIZE
    level = "none" if cell is None else str(min(_LEVELS, cell.percent * _LEVELS // 100))
    square = element("rect", x=x + 1, y=y + 1, width=_SIZE - 2, height=_SIZE - 2, class_=f"cell level-{level}")
    if cell is None:
        return square
    words = element("text", str(cell.punctures), x=x + _SIZE / 2, y=y + _SIZE / 2 + 4, class_=f"in-cell level-{level}")
    return element("g", square, words)


def say_cells(zone: ZoneMap) -> str:
    """Return the same in words."""
    if not zone.begun:
        return f"{zone.name}: none of its {zone.cells} cells was begun."
    full = [one for one in zone.begun if one.punctures >= one.limit > 0]
    most = max(zone.begun, key=lambda one: one.punctures)
    return (
        f"{zone.name}: of {zone.cells} cells {len(zone.begun)} were begun, {len(full)} are full. "
        f"Most punctures: {most.punctures} in cell {most.cell + 1}, {most.percent} % of the plan's {most.limit}."
    )
