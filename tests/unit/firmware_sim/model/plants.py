"""Plants for the tests of the model, and moments at which to ask them."""

from typing import Final

from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import Plant
from protocols.language.units import SECOND, Micros

T0: Final = Micros(1_000_000)
LONG: Final = Micros(60 * SECOND)
SURE: Final = {
    "miss_p": 0,
    "partial_p": 0,
    "clog_hazard": 0,
    "sensor_false_negative_p": 0,
    "sensor_false_positive_p": 0,
    "evacuate_mid_kpa": 1,
    "evacuate_slope_kpa": 0.1,
}
"""Parameters with which each needle cuts a core that comes out and is counted."""


def plant(seed: int = 1, /, **overrides: float) -> Plant:
    return Plant(Parameters(overrides), seed)


def pumped(seed: int = 1, /, **overrides: float) -> Plant:
    """A plant whose pump has run for a second, in a session."""
    p = plant(seed, **overrides)
    p.start_pump(Micros(0))
    p.begin_session(T0)
    return p


def later(now: int, milliseconds: float) -> Micros:
    return Micros(now + round(milliseconds * 1000))


def cycle(p: Plant, now: Micros) -> tuple[Micros, int]:
    """One whole cycle; when it ended, and what the sensor saw."""
    p.begin_cycle()
    arrival = p.extend(3000, now)
    p.cut(arrival)
    home = p.needle.retract(later(arrival, 10))
    p.evacuate(later(home, 100))
    end = later(home, 180)
    seen = p.sense(end)
    p.end_cycle(True)
    return end, seen
