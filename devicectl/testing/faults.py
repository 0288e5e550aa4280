"""Faults that a test injects into its device, over the test's own link: the same with every URL."""

from pathlib import Path
from typing import TypeVar

import pytest

from devicectl import Handpiece
from devicectl.campaign.scenario_file import read_scenario
from devicectl.session.procedures import Procedure, ask
from devicectl.simulation.faults import injection
from protocols.language.messages import FaultClear, FaultGet

_T = TypeVar("_T")
NOW = 'at("0 s")'


class Faults:
    """Faults of one test's device. One that has changed nothing at the end of the test fails it."""

    def __init__(self, handpiece: Handpiece) -> None:
        self._handpiece = handpiece
        self._told: dict[int, str] = {}
        """Number of each that was injected, and its sentence."""

    async def declare(self, path: Path | None) -> None:
        """Inject the faults of a scenario, if there is one.

        Raises:
            ScenarioFileError: it cannot be taken.
        """
        if path is None:
            return
        scenario = read_scenario(path)
        if scenario.cartridge_cycles or scenario.canister_ml:
            pytest.fail(f"{path}: start: has consumables, which no link can set; handpiece_url can", pytrace=False)
        for fault in scenario.faults:
            await self.inject(fault.kind.name, fault.text, **fault.values)

    async def inject(self, fault: str, when: str = NOW, **values: float | str) -> int:
        """Have a fault begin when a trigger holds, and return its number: kind, trigger and quantities of a scenario.

        Times and numbers of the trigger count from now on.

        Raises:
            ValueError: there is no such fault, one of its quantities cannot be, or the trigger cannot be read.
            CommandRefusedError: this device cannot have such a fault.
        """
        done = await self._perform(ask(injection(fault, when, **values)))
        self._told[done.fault_id] = f"{fault} when {when}"
        return done.fault_id

    async def clear(self) -> None:
        """End all faults, whether they have begun or not."""
        await self._perform(ask(FaultClear(fault_id=0)))

    async def effects(self, number: int) -> int:
        """Return how often a fault has changed something."""
        return (await self._perform(ask(FaultGet(fault_id=number)))).effects

    async def fired(self) -> list[int]:
        """Return the numbers of those that have changed something."""
        return [number for number in self._told if await self.effects(number)]

    async def check(self) -> None:
        """Fail the test if one of them has changed nothing. To be called when the test and its session have ended."""
        if not self._told:
            return
        await self._perform(self._linked())
        fired = await self.fired()
        unfired = [f"{number} never fired: {told}" for number, told in self._told.items() if number not in fired]
        if unfired:
            pytest.fail(f"fault {'; fault '.join(unfired)}", pytrace=False)

    def _linked(self) -> Procedure[None]:
        link = self._handpiece.driver.engine.link
        if not link.exchange.linked:
            yield from link.make()

    async def _perform(self, procedure: Procedure[_T]) -> _T:
        return await self._handpiece.driver.perform(procedure)
