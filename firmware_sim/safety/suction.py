"""Interlock 4: the vacuum is watched while it stands, and looked at again exactly when it can have changed sides.

Law: it judges by the pressure sensor. Nothing polls: the time of the next look is worked out from the curve.
"""

from typing import TYPE_CHECKING

from firmware_sim.states import CYCLE
from protocols.language import alarm_codes as A
from protocols.language import interlocks as I
from protocols.language.enums import DeviceState
from protocols.language.units import SECOND, Micros

if TYPE_CHECKING:
    from firmware_sim.firmware import Firmware


class SuctionWatch:
    """The watch of one firmware. `due` is when it wants to look again, None for not before something happens."""

    def __init__(self, firmware: "Firmware") -> None:
        self.due: Micros | None = None
        self._firmware = firmware
        self._good_since: Micros | None = None

    def stop(self, now: Micros) -> None:
        """The line is being vented: low suction is no alarm any more."""
        self.due = None
        self._settle(now)

    def look(self, now: Micros) -> None:
        """Note what the vacuum is, react, and find out when to look again."""
        firmware, parameters = self._firmware, self._firmware.parameters
        self.due = None
        if firmware.state in (DeviceState.ARMING, DeviceState.DISARMING) or not firmware.armed:
            return
        sensed = firmware.plant.sensed_kpa(now)
        if sensed > parameters.vacuum_low_kpa:
            self._good_since = None
            firmware.raise_alarm(A.SUCTION_LOST, now)
            if sensed > parameters.vacuum_stop_kpa and firmware.state in CYCLE:
                text = f"the vacuum fell to {sensed:.0f} kPa in a cycle: the needles were retracted"
                firmware.abort_cycle(I.SUCTION, text, A.SUCTION_LOST, now)
        elif firmware.alarms.present(A.SUCTION_LOST):
            self._good_since = now if self._good_since is None else self._good_since
            if now - self._good_since >= parameters.vacuum_stable_s * SECOND:
                self._settle(now)
        self.due = self._next_look(now)

    def _settle(self, now: Micros) -> None:
        self._good_since = None
        self._firmware.clear_alarm(A.SUCTION_LOST, now)

    def _next_look(self, now: Micros) -> Micros | None:
        parameters = self._firmware.parameters
        looks = []
        if self._good_since is not None:
            looks.append(Micros(self._good_since + round(parameters.vacuum_stable_s * SECOND)))
        for threshold in (parameters.vacuum_low_kpa, parameters.vacuum_stop_kpa):
            crossing = self._firmware.plant.when_sensed_crosses(threshold, now)
            if crossing is not None:
                looks.append(Micros(max(crossing, now) + 1))  # one microsecond on, so that it lies on the far side
        return min(looks) if looks else None
