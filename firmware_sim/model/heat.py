"""Heat: the temperature of the handle, which the pump warms."""

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.instruments import SensorError
from firmware_sim.model.lag import FirstOrderLag
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.streams import Streams
from firmware_sim.model.vacuum import Vacuum
from protocols.language.units import Micros


class Heat:
    """Temperature of the handle: the power of the pump through the thermal resistance to the room."""

    __slots__ = ("_error", "_inputs", "_lag", "_parameters", "_vacuum")

    def __init__(self, parameters: Parameters, inputs: PlantInputs, vacuum: Vacuum, streams: Streams) -> None:
        self._parameters = parameters
        self._inputs = inputs
        self._vacuum = vacuum
        self._error = SensorError("temperature noise", streams)
        self._lag = FirstOrderLag(parameters.ambient_c, parameters.heat_tau_s)

    def temperature_c(self, now: Micros) -> float:
        """Temperature of the handle."""
        parameters, inputs = self._parameters, self._inputs
        watts = inputs.heat_added_w + (parameters.heat_w if self._vacuum.pump_on else 0.0)
        k_per_w = parameters.heat_blocked_k_per_w if inputs.vent_blocked else parameters.heat_k_per_w
        return self._lag.towards(parameters.ambient_c + watts * k_per_w, now)

    def error_k(self, now: Micros) -> float:
        """Error of the temperature sensor."""
        inputs = self._inputs
        return self._error.at(inputs.temperature_drift_k_min, inputs.temperature_noise_k, now)

    def sensed_c(self, now: Micros) -> float:
        """Temperature as the sensor reads it."""
        return self.temperature_c(now) + self.error_k(now)
