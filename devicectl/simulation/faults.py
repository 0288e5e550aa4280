"""Faults of a simulated device that are injected over a link: the message for one, and what they do in `sim://`.

Law: a fault is checked as one of a scenario is, by the same catalogue, before anything is sent.
"""

from typing import Final

from devicectl.simulation.world import World
from firmware_sim.faults.fault import declare
from firmware_sim.faults.injected import InjectedFaults
from firmware_sim.faults.injector import End, Firing
from firmware_sim.faults.wire import WireFaults
from protocols.language.messages import FaultInject
from protocols.language.units import Micros

NUMBERS: Final = 5
"""Values that a FAULT_INJECT has."""


def injection(name: str, when: str, **values: float | str) -> FaultInject:
    """Return the command that injects a fault; quantities that are not given are as usual.

    Raises:
        FaultError: there is no such kind or quantity, or a value is out of its range.
        TriggerError: `when` cannot be read.
    """
    fault = declare(name, when, **values)
    given, numbers = 0, [0.0] * NUMBERS
    for index, quantity in enumerate(fault.kind.quantities):
        if quantity.name in values:
            given |= 1 << index
            value = fault.values[quantity.name]
            numbers[index] = float(quantity.words.index(value) if isinstance(value, str) else value)
    return FaultInject(fault=name, when=when, given=given, **{f"value_{at}": one for at, one in enumerate(numbers)})


class WorldFaults(InjectedFaults):
    """Faults of a world's device, and of its wire: pieces, and the cable."""

    def __init__(self, world: World, now: Micros) -> None:
        super().__init__(world.device, now, in_file=world.device.nvm.store is not None)
        self._world = world
        self._cuts = 0
        """Faults that keep the cable pulled."""
        world.line = WireFaults(self.injector, world.line)
        self.injector.acts["disconnect"] = self._disconnect

    def _disconnect(self, firing: Firing, now: Micros) -> End:
        """Pull the cable, when nothing else is being done to either end, and plug it in again at the fault's end."""
        self._world.heap.at(now, self._cut)
        return lambda now: self._world.heap.at(now, self._mend)

    def _cut(self) -> None:
        self._cuts += 1
        if self._cuts == 1:
            self._world.cut()

    def _mend(self) -> None:
        self._cuts -= 1
        if not self._cuts:
            self._world.mend()
