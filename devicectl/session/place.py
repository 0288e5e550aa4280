"""The hand's place: the cell that it is at, what the cell still takes, and which one is next.

Law: zones, cells and their order are the plan's. How many cycles a cell takes the device says, and nobody else.
"""

from collections.abc import Set as AbstractSet
from itertools import chain

from devicectl.session.plan import Plan


class Place:
    """The place in one session. `at` is zone and cell, None where the hand is at no cell.

    `cycles_left` is how many cycles the cell takes by the device's last answer.
    """

    def __init__(self) -> None:
        self.at: tuple[int, int] | None = None
        self.cycles_left = 0
        self._number = -1
        """Number of the cell that the hand was at last, counted through all zones of the plan; below 0 before any."""
        self._next = 0
        self._used: set[int] = set()
        """Numbers of the cells that take no cycle any more."""

    def next_cell(self, plan: Plan) -> tuple[int, int] | None:
        """Return the first cell after the present one that still takes a cycle; after the last one comes the first.

        None where all cells are used up.
        """
        used = self._used if self.at is None or self.cycles_left > 0 else self._used | {self._number}
        begin = min(self._next, plan.cells)
        numbers = chain(range(begin, plan.cells), range(begin))
        number = next((number for number in numbers if number not in used), None)
        return None if number is None else _locate(plan, number)

    def arrive(self, plan: Plan, zone: int, cell: int, cycles_left: int) -> None:
        """Take in that the hand is at a cell, which takes so many cycles."""
        if self.at is not None and self.cycles_left <= 0:
            self._used.add(self._number)
        self.at, self.cycles_left = (zone, cell), cycles_left
        self._number = sum(zone.area_cm2 for zone in plan.zones[:zone]) + cell
        self._next = self._number + 1
        if cycles_left > 0:
            self._used.discard(self._number)

    def lose(self, begun: AbstractSet[int]) -> None:
        """Take in that the hand was taken off: the cell that it was at is gone to again.

        A host that has been nowhere yet goes on from the cells that were `begun` before it: with the last of them.
        """
        if self.at is not None:
            self._next = self._number
        elif self._number < 0 and begun:
            self._next = max(begun)
            self._used = {number for number in begun if number < self._next}
        self.at, self.cycles_left = None, 0


def _locate(plan: Plan, number: int) -> tuple[int, int]:
    """Return zone and cell of the plan's cell `number`, counted through all zones."""
    for zone, area in enumerate(zone.area_cm2 for zone in plan.zones):
        if number < area:
            return zone, number
        number -= area
    raise AssertionError("number is below plan.cells")
