"""The script of a lesson as it runs: items wait for their evidence, become due, fire or are skipped.

How it works: `{item: leak, after: 'act(trigger_press)', delay_s: 20}`

    waiting    nobody has pressed the trigger yet
    due        it has been pressed, 20 s from then on are running; the instructor sees the countdown
    fired      the fault is injected: at its time, or earlier by hand
    skipped    by hand, in place of that

Law: pure. It knows when, and is handed what injects a fault and what takes it away.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from devicectl.errors import DevicectlError
from devicectl.station.evidence import Evidence
from devicectl.station.lesson import Item
from firmware_sim.faults.fault import Fault
from protocols.language.units import Micros

Inject = Callable[[Fault], int]
"""Declares a fault now; returns the number by which it is taken away."""
Withdraw = Callable[[int], None]
"""Takes a fault away now."""


class ItemState(StrEnum):
    """State of a script's item."""

    WAITING = "waiting"
    DUE = "due"
    FIRED = "fired"
    SKIPPED = "skipped"


PENDING: Final = (ItemState.WAITING, ItemState.DUE)


class RailError(DevicectlError, ValueError):
    """An item cannot be fired or skipped; the text says why."""


class RailItem:
    """An item of the script, and what has become of it; `at_us` is the time of its state, when due that to come."""

    __slots__ = ("at_us", "fault_index", "item", "state")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.state = ItemState.WAITING
        self.at_us: Micros | None = None
        self.fault_index: int | None = None
        """Number of the fault that it has injected."""


class Rail:
    """The items of one lesson, in the order of its script."""

    def __init__(self, script: Sequence[Item], inject: Inject, withdraw: Withdraw) -> None:
        self.items: Final = tuple(RailItem(item) for item in script)
        self._by_name = {one.item.item: one for one in self.items}
        self._inject = inject
        self._withdraw = withdraw

    def saw(self, evidence: Evidence) -> bool:
        """Take what the trainee could see or has done; True if an item that waited for it becomes due."""
        found = False
        for one in self.items:
            if one.state is ItemState.WAITING and self._is_open(one) and one.item.after.matches(evidence):
                one.state, one.at_us = ItemState.DUE, Micros(evidence.at_us + one.item.delay_us)
                found = True
        return found

    def _is_open(self, one: RailItem) -> bool:
        """Return True unless it ends the fault of an item that has not fired."""
        return not one.item.ends or self._by_name[one.item.ends].state is ItemState.FIRED

    def next_deadline(self) -> Micros | None:
        """Return the time at which an item fires next; None where none is due."""
        return min(
            (one.at_us for one in self.items if one.state is ItemState.DUE and one.at_us is not None), default=None
        )

    def advance(self, now: Micros) -> None:
        """Fire what is due, the earliest first."""
        while (due := self.next_deadline()) is not None and due <= now:
            for one in self.items:
                if one.state is ItemState.DUE and one.at_us == due:
                    self._fire(one, now)

    def fire(self, name: str, now: Micros) -> None:
        """Fire an item by hand, before its time.

        Raises:
            RailError: there is no such item, it is over, or there is nothing yet that it could end.
        """
        one = self._pending(name)
        if not self._is_open(one):
            raise RailError(f"{name} ends the fault of {one.item.ends}, which has not fired: fire that first")
        self._fire(one, now)

    def skip(self, name: str, now: Micros) -> None:
        """Leave an item out.

        Raises:
            RailError: there is no such item, or it is over.
        """
        one = self._pending(name)
        one.state, one.at_us = ItemState.SKIPPED, now

    def _pending(self, name: str) -> RailItem:
        one = self._by_name.get(name)
        if one is None:
            raise RailError(f"there is no item {name}: must be one of {', '.join(self._by_name) or 'none'}")
        if one.state not in PENDING:
            raise RailError(f"{name} was {one.state.value} already")
        return one

    def _fire(self, one: RailItem, now: Micros) -> None:
        one.state, one.at_us = ItemState.FIRED, now
        if one.item.fault is not None:
            one.fault_index = self._inject(one.item.fault)
            return
        index = self._by_name[one.item.ends].fault_index
        if index is not None:
            self._withdraw(index)
