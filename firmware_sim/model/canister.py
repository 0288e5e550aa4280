"""Canister: the tissue and fluid that the suction brings."""

import math

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.parameters import Parameters


class Canister:
    """Volume in the canister; it may be set, as by a memory that has it."""

    __slots__ = ("_core_mm2", "_inputs", "_parameters", "volume_ul")

    def __init__(self, parameters: Parameters, inputs: PlantInputs) -> None:
        self._parameters = parameters
        self._inputs = inputs
        self._core_mm2 = math.pi / 4 * parameters.core_diameter_mm**2
        self.volume_ul = 0.0

    @property
    def fill(self) -> float:
        """Share of the canister that is full: 0 to 1 and, with a jump put in, above."""
        return (self.volume_ul + self._inputs.canister_ul_added) / (self._parameters.canister_ml * 1000)

    def empty(self) -> None:
        """Fit an empty canister."""
        self.volume_ul = 0.0
        self._inputs.canister_ul_added = 0.0

    def take_cores(self, count: int, partial: int, depth_um: int) -> None:
        """Add so many cores of this depth, some of them partial, and the fluid that comes with each."""
        parameters = self._parameters
        tissue_ul = self._core_mm2 * depth_um / 1000
        whole = count - partial * (1 - parameters.partial_volume)
        self.volume_ul += tissue_ul * whole + parameters.fluid_ul_per_core * count
