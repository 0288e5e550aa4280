"""Commands of page 0F about faults: injected, looked at and cleared over the link, by an instructor or a test.

Law: a fault of the link is declared as one of a scenario is, by the same catalogue and checks.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from firmware_sim.board.refusals import refusal
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault, FaultError, declare
from firmware_sim.faults.injector import Firing, Injector
from firmware_sim.faults.kind import Kind, Quantity
from firmware_sim.faults.trigger import TriggerError
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.message import Message
from protocols.language.units import Micros

MAX_INJECTED: Final = 1_000
"""Faults of one run; each is kept, so that it can be asked for."""
NOW: Final = 'at("0 s")'


class Faults(Protocol):
    """Faults of a device."""

    @property
    def injector(self) -> Injector:
        """All that were declared, and what has become of them."""

    def add(self, fault: Fault, now: Micros) -> Firing:
        """Declare one more, or raise FaultError."""


def inject(faults: Faults, command: M.FaultInject, now: Micros) -> Message:
    """FAULT_INJECT."""
    try:
        fault = _fault(command)
    except (FaultError, TriggerError) as error:
        return refusal(Code.E_ARGUMENT, str(error))
    return _add(faults, fault, now) or M.FaultInjectDone(fault_id=len(faults.injector.firings))


def clear(faults: Faults, command: M.FaultClear, now: Micros) -> Message:
    """FAULT_CLEAR."""
    firings = faults.injector.firings
    if command.fault_id > len(firings):
        return _no_such_fault(command.fault_id, firings)
    meant = firings if command.fault_id == 0 else [firings[command.fault_id - 1]]
    cleared = [firing for firing in meant if faults.injector.withdraw(firing, now)]
    return M.FaultClearDone(cleared=len(cleared), unfired=sum(not firing.effects for firing in cleared))


def look(faults: Faults, command: M.FaultGet, now: Micros) -> Message:
    """FAULT_GET."""
    firings = faults.injector.firings
    if not 1 <= command.fault_id <= len(firings):
        return _no_such_fault(command.fault_id, firings)
    firing = firings[command.fault_id - 1]
    return M.FaultGetDone(
        fault_id=command.fault_id,
        effects=firing.effects,
        began=firing.began_at is not None,
        ended=firing.ended_at is not None,
        fault=firing.fault.kind.name,
    )


def cut_power(faults: Faults, command: M.PowerCut, now: Micros) -> Message:
    """POWER_CUT."""
    return _add(faults, declare("brown_out", for_ms=command.for_ms), now) or M.PowerCutDone(for_ms=command.for_ms)


COMMANDS: Final[dict[type[Message], Callable[[Faults, Any, Micros], Message]]] = {
    M.FaultInject: inject,
    M.FaultClear: clear,
    M.FaultGet: look,
    M.PowerCut: cut_power,
}
"""Command -> what carries it out."""


def _add(faults: Faults, fault: Fault, now: Micros) -> Message | None:
    """Declare a fault; return the refusal where that cannot be."""
    if len(faults.injector.firings) >= MAX_INJECTED:
        return refusal(Code.E_BUSY, f"{MAX_INJECTED} faults were injected; restart the device for more")
    try:
        faults.add(fault, now)
    except FaultError as error:
        return refusal(Code.E_UNSUPPORTED, error.reason)
    return None


def _fault(command: M.FaultInject) -> Fault:
    """Return the fault that a command declares, or raise FaultError or TriggerError."""
    when, kind = command.when or NOW, CATALOGUE.get(command.fault)
    if kind is None:
        return declare(command.fault, when)  # which says what is near
    if command.given >> len(kind.quantities):
        raise FaultError("given", f"a {kind.name} has {len(kind.quantities)} quantities")
    return declare(kind.name, when, **_values(kind, command))


def _values(kind: Kind, command: M.FaultInject) -> dict[str, float | str]:
    numbers = (command.value_0, command.value_1, command.value_2, command.value_3, command.value_4)
    given = [index for index in range(len(kind.quantities)) if command.given >> index & 1]
    return {kind.quantities[index].name: _value(kind.quantities[index], numbers[index]) for index in given}


def _value(quantity: Quantity, number: float) -> float | str:
    if quantity.words:
        if number not in range(len(quantity.words)):
            raise FaultError(quantity.name, f"must be the number of one of {', '.join(quantity.words)}, from 0")
        return quantity.words[int(number)]
    return int(number) if number == int(number) else number


def _no_such_fault(fault_id: int, firings: list[Firing]) -> Message:
    return refusal(Code.E_ARGUMENT, f"there is no fault {fault_id}; {len(firings)} were injected", actual=fault_id)
