"""Interlock 4: the vacuum is watched while it is needed, and looked at again exactly when it can have changed sides.

Law: it judges by the pressure sensor. Nothing polls: the time of the next look is worked out from the curve.
"""

from typing import Final

from firmware_sim.board.board import Board
from firmware_sim.safety.reactions import abort_cycle
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language.enums import DeviceState
from protocols.language.units import SECOND, Micros

_CHANGING: Final = (DeviceState.ARMING, DeviceState.DISARMING)
"""States in which the vacuum is being made or let go."""


def look(board: Board, now: Micros) -> None:
    """Note what the vacuum is, react, and find out when to look again."""
    parameters = board.parameters
    board.suction_due = None
    if board.state in _CHANGING or not board.armed:
        return
    sensed = board.plant.vacuum.sensed_kpa(now)
    if sensed > parameters.vacuum_low_kpa:
        board.suction_good_since = None
        board.raise_alarm(A.SUCTION_LOST, now)
        if sensed > parameters.vacuum_stop_kpa:
            text = f"the vacuum fell to {sensed:.0f} kPa in a cycle: the needles were retracted"
            abort_cycle(board, I.SUCTION, text, A.SUCTION_LOST, now)
    elif board.alarms.present(A.SUCTION_LOST):
        good_since = board.suction_good_since
        if good_since is None:
            board.suction_good_since = good_since = now
        if now - good_since >= parameters.vacuum_stable_s * SECOND:
            board.suction_is_good(now)
    board.suction_due = _next_look(board, now)


def _next_look(board: Board, now: Micros) -> Micros | None:
    parameters = board.parameters
    looks = []
    if board.suction_good_since is not None:
        looks.append(Micros(board.suction_good_since + round(parameters.vacuum_stable_s * SECOND)))
    for threshold in (parameters.vacuum_low_kpa, parameters.vacuum_stop_kpa):
        crossing = board.plant.vacuum.when_sensed_crosses(threshold, now)
        if crossing is not None:
            looks.append(Micros(max(crossing, now) + 1))  # one microsecond on, so that it lies on the far side
    return min(looks) if looks else None
