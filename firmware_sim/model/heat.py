"""Heat: the temperature of the handle, which the pump warms."""

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.lag import FirstOrderLag
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.vacuum import Vacuum
from protocols.language.units import Micros


class Heat:
    """Temperature of the handle: the power of the pump through the thermal resistance to the room."""

    __slots__ = ("_inputs", "_lag", "_parameters", "_vacuum")

    def __init__(self, parameters: Parameters, inputs: PlantInputs, vacuum: Vacuum) -> None:
        self._parameters = parameters
        self._inputs = inputs
        self._vacuum = vacuum
        self._lag = FirstOrderLag(parameters.ambient_c, parameters.heat_tau_s)

    def temperature_c(self, now: Micros) -> float:
        """Temperature of the handle."""
        parameters = self._parameters
        steady = parameters.ambient_c
        if self._vacuum.pump_on:
            blocked = self._inputs.vent_blocked
            steady += parameters.heat_w * (parameters.heat_blocked_k_per_w if blocked else parameters.heat_k_per_w)
        return self._lag.towards(steady, now)
