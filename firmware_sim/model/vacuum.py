"""Vacuum line: pump, vent, leak, and the pressure sensor. Pressures are in kPa against ambient, 0 or below."""

from typing import Final

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.lag import FirstOrderLag
from firmware_sim.model.parameters import Parameters
from protocols.language.units import Micros

VENTED_KPA: Final = 1.0
"""Below this suction the line counts as vented."""


class Vacuum:
    """Pressure of the line. The pump runs with the vent closed, or stands still with the vent open."""

    __slots__ = ("_inputs", "_lag", "_parameters", "pump_on")

    def __init__(self, parameters: Parameters, inputs: PlantInputs) -> None:
        self._parameters = parameters
        self._inputs = inputs
        self._lag = FirstOrderLag(0.0, parameters.vent_tau_s)
        self.pump_on = False

    def switch_pump(self, on: bool, now: Micros) -> None:
        """Run the pump and close the vent, or stop it and open the vent. The pressure must be settled at `now`."""
        self._lag.settle(now)
        self.pump_on = on
        self._lag.tau_us = (self._parameters.vacuum_tau_s if on else self._parameters.vent_tau_s) * 1e6

    def pressure_kpa(self, now: Micros) -> float:
        """True pressure in the line."""
        steady_kpa = 0.0
        if self.pump_on and not self._inputs.pump_stalled:
            parameters = self._parameters
            steady_kpa = parameters.vacuum_set_kpa + parameters.leak_kpa_s * parameters.vacuum_tau_s
            if steady_kpa > 0.0:
                steady_kpa = 0.0  # a leak brings it to ambient at most
        return self._lag.towards(steady_kpa, now)

    def sensed_kpa(self, now: Micros) -> float:
        """Pressure as the sensor reads it."""
        inputs = self._inputs
        if inputs.frozen_kpa is not None:
            return inputs.frozen_kpa
        return self.pressure_kpa(now) + inputs.pressure_offset_kpa

    def when_pressure_crosses(self, threshold_kpa: float, now: Micros) -> Micros | None:
        """Return when the true pressure will next reach the threshold under present inputs; None if never."""
        return self._lag.when_crosses(self.pressure_kpa(now), threshold_kpa, now)

    def when_sensed_crosses(self, threshold_kpa: float, now: Micros) -> Micros | None:
        """Return the same for what the sensor reads; a frozen sensor never gets anywhere."""
        if self._inputs.frozen_kpa is not None:
            return None
        return self.when_pressure_crosses(threshold_kpa - self._inputs.pressure_offset_kpa, now)

    def rise_to(self, pressure_kpa: float, now: Micros) -> None:
        """Let in air at once, until this pressure; never above ambient."""
        self._lag.step_to(min(0.0, pressure_kpa), now)
