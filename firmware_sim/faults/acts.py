"""Acts of a device's faults, and what a device shows to triggers.

Law: the device is changed as an instructor or the mains would change it, and in no other way.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Final

from firmware_sim.board.board import NO_CELL
from firmware_sim.device import Device
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault
from firmware_sim.faults.injector import Act, End, Firing, Injector
from firmware_sim.faults.kind import Target
from firmware_sim.faults.power import Power
from firmware_sim.model.inputs import PlantInputs
from protocols.language.enums import DeviceState, Phase
from protocols.language.units import Micros

UL_PER_ML: Final = 1000
_USUAL: Final[Mapping[str, object]] = {
    one.name: one.default_factory() if one.default_factory is not MISSING else one.default
    for one in fields(PlantInputs)
}
"""Input of the plant -> its value without a fault."""


_PHASES: Final = {phase: phase.name.lower() for phase in Phase}
_STATES: Final = {state: state.name.lower() for state in DeviceState}
"""Words of `trigger.NAMES`."""


class DeviceView:
    """View of a device for triggers."""

    def __init__(self, device: Device | None = None) -> None:
        """Show nothing until there is a device."""
        self.device = device

    def value(self, name: str, now: Micros) -> float | str | None:
        """Return the value of a name of `trigger.NAMES`."""
        return None if self.device is None else _VALUES[name](self.device, now)


def _cycle(device: Device, now: Micros) -> int:
    session = device.nvm.session
    return 0 if session is None else session.cycles + (device.nvm.register is not None)


def _phase(device: Device, now: Micros) -> str:
    register = device.nvm.register
    return _PHASES[Phase.NONE if register is None else register[1]]


_VALUES: Final[Mapping[str, Callable[[Device, Micros], float | str | None]]] = {
    "cycle": _cycle,
    "phase": _phase,
    "state": lambda device, now: _STATES[device.board.state],
    "zone": lambda device, now: device.board.zone,
    "cell": lambda device, now: None if device.board.cell == NO_CELL else device.board.cell,
    "cores_counted": lambda device, now: device.nvm.totals.cores_counted,
    "vacuum_kpa": lambda device, now: device.plant.vacuum.pressure_kpa(now),
    "temperature_c": lambda device, now: device.plant.heat.temperature_c(now),
    "depth_um": lambda device, now: device.plant.needle.depth_um(now),
    "uptime_s": lambda device, now: device.board.uptime_ms(now) / 1000,
}


def _input(fault: Fault, value: bool | float | str) -> bool | float:
    """Return the value of an input of the plant, which a fault has in the quantity of that name or as it is."""
    if not isinstance(value, str):
        return value
    quantity = fault.kind.quantity(value)
    number = fault.number(value)
    return number if quantity is not None and quantity.whole else float(number)


class DeviceFaults:
    """Acts of the catalogue's device rows. `changed(now)` has the device look at an input that was changed."""

    def __init__(self, device: Device, injector: Injector, *, power: Power, changed: Callable[[Micros], None]) -> None:
        self._device = device
        self._power = power
        self._changed = changed
        self._set: dict[str, list[tuple[Firing, object]]] = {}
        """Input of the plant -> the faults that hold it, the newest last, each with its value."""
        injector.acts.update(
            {kind.name: self._change for kind in CATALOGUE.values() if kind.target is Target.DEVICE and kind.inputs}
        )
        injector.acts.update(
            {
                "reboot": self._reboot,
                "brown_out": self._brown_out,
                "latch_unreadable": self._reboot_with({"latch_unreadable": True}),
                "self_test_fails": self._fail_self_test,
                "clog": self._clog,
                "canister_jump": self._jump,
            }
        )

    # --- inputs of the plant -------------------------------------------------------------------------------------

    def _change(self, firing: Firing, now: Micros) -> End:
        fault = firing.fault
        values = {name: _input(fault, value) for name, value in fault.kind.inputs.items()}
        for name, value in values.items():
            self._set.setdefault(name, []).append((firing, value))
        self._apply(values, now)

        def end(now: Micros) -> None:
            for name in values:
                self._set[name] = [held for held in self._set[name] if held[0] is not firing]
            self._apply(values, now)

        return end

    def _apply(self, names: Mapping[str, object], now: Micros) -> None:
        """Give each input the value of the newest fault that holds it, else its usual one."""
        inputs = self._device.plant.inputs
        self._device.plant.settle(now)
        for name in names:
            held = self._set.get(name)
            setattr(inputs, name, held[-1][1] if held else _USUAL[name])
        self._changed(now)

    def _clog(self, firing: Firing, now: Micros) -> None:
        self._device.plant.inputs.clog_now.add(int(firing.fault.number("needle")))

    def _jump(self, firing: Firing, now: Micros) -> None:
        self._device.plant.inputs.canister_ul_added += firing.fault.number("ml") * UL_PER_ML
        self._changed(now)

    # --- power ---------------------------------------------------------------------------------------------------

    def _reboot(self, firing: Firing, now: Micros) -> None:
        self._power.cycle(now)

    def _brown_out(self, firing: Firing, now: Micros) -> End:
        self._power.cut(firing, now)
        return lambda now: self._power.give(firing, now)

    def _reboot_with(self, values: Mapping[str, object]) -> Act:
        def act(firing: Firing, now: Micros) -> None:
            inputs = self._device.plant.inputs
            for name, value in values.items():
                setattr(inputs, name, value)
            self._reboot(firing, now)
            for name in values:
                setattr(inputs, name, _USUAL[name])

        return act

    def _fail_self_test(self, firing: Firing, now: Micros) -> End:
        self._reboot_with({"self_test_failure": "a fault was injected"})(firing, now)

        def end(now: Micros) -> None:
            self._reboot(firing, now)

        return end
