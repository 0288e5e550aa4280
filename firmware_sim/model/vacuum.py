"""Vacuum line: pump, vent, leak, and the pressure sensor. Pressures are in kPa against ambient, 0 or below."""

from typing import Final

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.instruments import SensorError, next_sample
from firmware_sim.model.lag import FirstOrderLag
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.streams import Streams
from protocols.language.units import Micros

VENTED_KPA: Final = 1.0
"""Below this suction the line counts as vented."""


class Vacuum:
    """Pressure of the line. The pump runs with the vent closed, or is off with the vent open."""

    __slots__ = ("_error", "_inputs", "_lag", "_parameters", "pump_on")

    def __init__(self, parameters: Parameters, inputs: PlantInputs, streams: Streams) -> None:
        self._parameters = parameters
        self._inputs = inputs
        self._lag = FirstOrderLag(0.0, parameters.vent_tau_s)
        self._error = SensorError("pressure noise", streams)
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
            leak_kpa_s = parameters.leak_kpa_s + self._inputs.leak_kpa_s
            steady_kpa = parameters.vacuum_set_kpa + leak_kpa_s * parameters.vacuum_tau_s
            if steady_kpa > 0.0:
                steady_kpa = 0.0  # a leak brings it to ambient at most
        return self._lag.towards(steady_kpa, now)

    def sensed_kpa(self, now: Micros) -> float:
        """Pressure as the sensor reads it."""
        frozen_kpa = self._inputs.frozen_kpa
        return frozen_kpa if frozen_kpa is not None else self.pressure_kpa(now) + self.error_kpa(now)

    def error_kpa(self, now: Micros) -> float:
        """Error of the pressure sensor that is not frozen."""
        inputs = self._inputs
        drifted = self._error.at(inputs.pressure_drift_kpa_min, inputs.pressure_noise_kpa, now)
        return inputs.pressure_offset_kpa + drifted

    def needles_kpa(self, now: Micros) -> float:
        """True pressure at the needles, which a blocked line keeps from them."""
        return 0.0 if self._inputs.line_blocked else self.pressure_kpa(now)

    def when_pressure_crosses(self, threshold_kpa: float, now: Micros) -> Micros | None:
        """Return when the true pressure will next reach the threshold under present inputs; None if never."""
        return self._lag.when_crosses(self.pressure_kpa(now), threshold_kpa, now)

    def when_sensed_crosses(self, threshold_kpa: float, now: Micros) -> Micros | None:
        """Return the same for what the sensor reads, or when to ask again where its error changes before that.

        A frozen sensor never gets anywhere.
        """
        inputs = self._inputs
        if inputs.frozen_kpa is not None:
            return None
        crossing = self.when_pressure_crosses(threshold_kpa - self.error_kpa(now), now)
        if not (inputs.pressure_drift_kpa_min or inputs.pressure_noise_kpa):
            return crossing
        sample = next_sample(now)
        return sample if crossing is None else min(crossing, sample)

    def rise_to(self, pressure_kpa: float, now: Micros) -> None:
        """Let in air at once, until this pressure; never above ambient."""
        self._lag.step_to(min(0.0, pressure_kpa), now)
