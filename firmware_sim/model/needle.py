"""Needle drive: the motor that moves the array, its encoder, and the sensor that sees the needles at home."""

from typing import Final

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.streams import WORDS, Streams
from protocols.language.units import MILLISECOND, Micros

_MIN_RETRACT_US: Final = 1_000
"""The motor's shortest move: a needle that is home already is home again after it."""


class NeedleDrive:
    """Position of the needles: from one depth at one time to another, in a straight line."""

    __slots__ = (
        "_encoder_error_um",
        "_from_at",
        "_from_um",
        "_inputs",
        "_parameters",
        "_streams",
        "_to_at",
        "_to_um",
        "stroke_um",
    )

    def __init__(self, parameters: Parameters, inputs: PlantInputs, streams: Streams) -> None:
        self._parameters = parameters
        self._inputs = inputs
        self._streams = streams
        self._from_um, self._from_at, self._to_um, self._to_at = 0, 0, 0, 0
        self.stroke_um = 0
        """Depth that the last stroke was for."""
        self._encoder_error_um = 0.0

    def extend(self, depth_um: int, now: Micros) -> Micros:
        """Start a stroke; return when the needles should be at `depth_um`, stalled or not."""
        inputs, tolerance = self._inputs, self._parameters.depth_tolerance_um
        duration = self._parameters.punch_ms * MILLISECOND
        start = self.depth_um(now)
        target = depth_um
        if inputs.stall or inputs.stalls_left > 0:
            inputs.stalls_left = max(0, inputs.stalls_left - 1)
            target = max(start, int(depth_um * inputs.stall_at))
        there_at = now + round(duration * inputs.motor_slow)
        self._from_um, self._from_at, self._to_um, self._to_at = start, now, target, there_at
        self.stroke_um = depth_um
        self._encoder_error_um = tolerance * (2 * self._streams.draw("encoder")[0] / WORDS - 1)
        return Micros(now + duration)

    @property
    def extending(self) -> bool:
        """True if the move that was started last ends away from home."""
        return self._to_um > 0

    @property
    def home_at(self) -> Micros | None:
        """Time since which the needles are home, or at which they will be; None while they are to stay out."""
        return Micros(self._to_at) if self._to_um == 0 else None

    def retract(self, now: Micros) -> Micros:
        """Bring the needles home from wherever they are, at once; return when they should be there."""
        start = self.depth_um(now)
        full = max(self.stroke_um, start, 1)
        duration = self._parameters.retract_ms * MILLISECOND * start // full
        if duration < _MIN_RETRACT_US:
            duration = _MIN_RETRACT_US
        target = start if self._inputs.retract_jammed else 0
        home_at = now + round(duration * self._inputs.motor_slow)
        self._from_um, self._from_at, self._to_um, self._to_at = start, now, target, home_at
        return Micros(now + duration)

    def pull_home(self, now: Micros) -> None:
        """Be home at once, as by the reserve, which moves even a jammed needle."""
        self._from_um = self._to_um = 0
        self._from_at = self._to_at = now

    def depth_um(self, now: Micros) -> int:
        """True depth of the needles."""
        if now >= self._to_at:
            return self._to_um
        # Rounded towards where it comes from: it has not arrived before its time.
        travel, elapsed, duration = self._to_um - self._from_um, now - self._from_at, self._to_at - self._from_at
        moved = travel * elapsed // duration if travel > 0 else -(-travel * elapsed // duration)
        return self._from_um + moved

    def encoder_um(self, now: Micros) -> int:
        """Depth as the encoder measures it; its error is drawn once a stroke and grows with the depth."""
        depth = self.depth_um(now)
        error = self._encoder_error_um * depth / self.stroke_um if depth else 0.0
        return max(0, depth + round(error) + self._inputs.depth_offset_um)

    def home(self, now: Micros) -> bool:
        """True if the needles are home."""
        return self._to_um == 0 and (now >= self._to_at or self._from_um == 0)

    def retracted(self, now: Micros) -> bool:
        """True if the retracted sensor sees the needles at home."""
        return not self._inputs.retract_sensor_stuck and self.home(now)
