"""The interlocks that are a limit on a reading: warn from one value on, allow no new cycle from another on.

Law: what is read, and where it warns and stops, is in the interlock's row; here is how all of them are held.
"""

from collections.abc import Callable
from typing import Final

from firmware_sim.board.board import Board
from firmware_sim.board.refusals import interlocked
from firmware_sim.model.interlock import Reading
from firmware_sim.model.interlocks import INTERLOCKS, LIMITS
from firmware_sim.model.plant import Plant
from protocols.language.messages import Refused
from protocols.language.units import Micros

READINGS: Final[dict[Reading, Callable[[Plant, Micros], int | float]]] = {
    "canister_fill": lambda plant, now: plant.canister.fill,
    "cartridge_cycles": lambda plant, now: plant.cartridge.cycles,
    "temperature_c": lambda plant, now: plant.heat.sensed_c(now),
}
"""Name of a reading -> how it is taken."""


def refuse_beyond(board: Board, number: int, now: Micros) -> Refused | None:
    """Set the two alarms of an interlock's limit by its reading, and refuse where that has come to `stop`."""
    limit, limits = LIMITS[number], board.parameters.limits
    value, stop = READINGS[limit.reading](board.plant, now), limits[limit.stop]
    warning, stopped = INTERLOCKS[number].alarms
    board.set_alarm(warning.code, value >= limits[limit.warn], now)
    board.set_alarm(stopped.code, value >= stop, now)
    if value < stop:
        return None
    text = limit.says.format(value=value, stop=stop)
    if isinstance(value, int) and isinstance(stop, int):
        return interlocked(number, text, expected=stop, actual=value)
    return interlocked(number, text)
