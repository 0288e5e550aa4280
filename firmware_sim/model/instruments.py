"""Instruments that go wrong with time: a sensor that drifts or is noisy, and a clock that runs fast or slow.

Law: an error is fixed by time and inputs, so asking does not change it. A sensor's is constant between two samples, so
that what waits for a reading needs to look once a sample. A clock never jumps and never goes back.
"""

from typing import Final

from firmware_sim.model.inputs import PlantInputs
from firmware_sim.model.streams import WORDS, Streams
from protocols.language.units import MILLISECOND, SECOND, Micros

SAMPLE_US: Final = 100 * MILLISECOND
"""A sensor that drifts or is noisy gives a new reading so often."""
_MINUTE_US: Final = 60 * SECOND


class SensorError:
    """Drift and noise of one sensor; `name` is that of its stream."""

    __slots__ = ("_asked_at", "_drift", "_name", "_since", "_streams")

    def __init__(self, name: str, streams: Streams) -> None:
        self._name = name
        self._streams = streams
        self._drift = 0.0
        self._since = self._asked_at = 0

    def at(self, drift_per_minute: float, noise: float, now: Micros) -> float:
        """Return the error at `now`. A drift other than the one before begins at 0, when it was asked last."""
        if drift_per_minute != self._drift:
            self._drift, self._since = drift_per_minute, self._asked_at
        self._asked_at = now
        if not (drift_per_minute or noise):
            return 0.0
        error = 0.0
        sample = now // SAMPLE_US
        if drift_per_minute:
            error = drift_per_minute * max(0, sample * SAMPLE_US - self._since) / _MINUTE_US
        if noise:
            error += noise * (2 * self._streams.word_at(self._name, sample) / WORDS - 1)
        return error


def next_sample(now: Micros) -> Micros:
    """Return when the error changes next."""
    return Micros((now // SAMPLE_US + 1) * SAMPLE_US)


class DeviceClock:
    """Time as the device counts it. Its motions, leases and waits keep true time."""

    __slots__ = ("_ahead_us", "_asked_at", "_inputs", "_ppm", "_since")

    def __init__(self, inputs: PlantInputs) -> None:
        self._inputs = inputs
        self._ppm = 0.0
        self._ahead_us = 0
        self._since = self._asked_at = 0

    def at(self, now: Micros) -> int:
        """Return microseconds by this clock at `now`. A new rate holds since it was asked last."""
        ppm = self._inputs.clock_drift_ppm
        if ppm != self._ppm:
            self._ahead_us += self._gained(self._asked_at)
            self._ppm, self._since = ppm, self._asked_at
        self._asked_at = now
        return now + self._ahead_us + (self._gained(now) if ppm else 0)

    def _gained(self, now: int) -> int:
        return int((now - self._since) * self._ppm / 1e6)
