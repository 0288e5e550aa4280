"""One declared fault: its kind, when it begins, and the values of its quantities, all checked.

Law: a value. What it does is for the injector and the acts of its target.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from firmware_sim.errors import SimulatorError
from firmware_sim.faults.catalogue import CATALOGUE, nearest
from firmware_sim.faults.kind import FOREVER_MS, Kind, Quantity
from firmware_sim.faults.trigger import Trigger, parse_trigger
from protocols.text.values import shown_value


class FaultError(SimulatorError, ValueError):
    """A fault that cannot be declared: `key` is what is wrong in it, `reason` says what would be right.

    With `of_key` there is no such key; `nearest` is the word that looks most like the wrong one, "" if none does.
    """

    def __init__(self, key: str, reason: str, nearest: str = "", *, of_key: bool = False) -> None:
        self.key = key
        self.reason = reason
        self.nearest = nearest
        self.of_key = of_key
        super().__init__(f"{key}: {reason}")


class Fault(NamedTuple):
    """A fault of a run. `values` has each quantity of its kind."""

    kind: Kind
    when: Trigger
    text: str
    """Source of `when`."""
    values: Mapping[str, float | str]

    def number(self, name: str) -> float:
        """Return the value of a quantity that is a number."""
        value = self.values[name]
        assert not isinstance(value, str)
        return value

    def word(self, name: str) -> str:
        """Return the value of a quantity that is a word."""
        value = self.values[name]
        assert isinstance(value, str)
        return value

    @property
    def for_us(self) -> int:
        """Microseconds that it lasts, at least one; 0 where it does not end by itself."""
        for_ms = self.number("for_ms") if self.kind.lasts else FOREVER_MS
        return 0 if for_ms == FOREVER_MS else max(1, round(for_ms * 1_000))

    def as_json(self) -> dict[str, float | str]:
        """Return it as in a scenario; quantities that are as usual are left out."""
        unusual = {
            one.name: self.values[one.name] for one in self.kind.quantities if self.values[one.name] != one.usual
        }
        return {"fault": self.kind.name, "when": self.text, **unusual}


def declare(name: str, /, when: str = 'at("0 s")', **values: Any) -> Fault:
    """Return the fault of that kind and trigger; quantities that are not given are as usual.

    Raises:
        FaultError: there is no such kind or quantity, or a value is out of its range.
        TriggerError: `when` cannot be read.
    """
    kind = CATALOGUE.get(str(name))
    if kind is None:
        near = nearest(str(name))
        hint = f"; did you mean {near}?" if near else ""
        raise FaultError("fault", f"there is no fault {shown_value(name)}{hint}", near)
    for key in values:
        if kind.quantity(key) is None:
            names = [one.name for one in kind.quantities]
            near = nearest(key, [*names, "when"])
            has = ", ".join(names) or "nothing but when"
            hint = f"; did you mean {near}?" if near else ""
            raise FaultError(key, f"a {name} has {has}{hint}", near, of_key=True)
    checked = {one.name: _check(one, values.get(one.name, one.usual)) for one in kind.quantities}
    return Fault(kind, parse_trigger(when), when, checked)


def fault_of(data: Mapping[str, Any]) -> Fault:
    """Return the fault that `Fault.as_json` has made that data of.

    Raises:
        FaultError, TriggerError: it is no fault.
    """
    values = dict(data)
    return declare(values.pop("fault", ""), values.pop("when", 'at("0 s")'), **values)


def missing_needle(fault: Fault, needles: int) -> str:
    """Return why a device with so many needles cannot have a fault; "" where the fault names none, or one of them."""
    if fault.kind.quantity("needle") is None or fault.number("needle") < needles:
        return ""
    if needles == 1:
        return "must be 0: this device has 1 needle"
    return f"must be from 0 to {needles - 1}: this device has {needles} needles"


def _check(quantity: Quantity, value: object) -> float | str:
    if quantity.words:
        if not isinstance(value, str) or value not in quantity.words:
            raise FaultError(quantity.name, f"must be one of {', '.join(quantity.words)}, not {shown_value(value)}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not quantity.least <= value <= quantity.most:
        unit = f" {quantity.unit}" if quantity.unit else ""
        raise FaultError(quantity.name, f"must be a number from {quantity.range}{unit}, not {shown_value(value)}")
    if quantity.whole and value != int(value):
        raise FaultError(quantity.name, f"must be a whole number from {quantity.range}, not {shown_value(value)}")
    return int(value) if quantity.whole else value
