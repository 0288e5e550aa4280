"""Watch over a device: what no wire shows of it goes into the recording - state, needles, pump, and each stroke.

Law: it looks, and changes nothing.
"""

from typing import Final

from devicectl.campaign.recording import Recording
from firmware_sim.device import Device
from firmware_sim.memory.keys import KEYS
from firmware_sim.memory.session_steps import BeginCycle
from protocols.language.enums import DeviceState
from protocols.language.units import Micros

_BEGIN_CYCLE: Final = KEYS[BeginCycle]


class DeviceWatch:
    """Looks at one device, and records what has changed since it last looked."""

    def __init__(self, device: Device, recording: Recording) -> None:
        self._device = device
        self._recording = recording
        self._state = device.board.state
        self._home_at = device.plant.needle.home_at
        self._pump_on = device.plant.vacuum.pump_on

    def look(self, now: Micros) -> None:
        """Record the state, which is OFF without power, the needles and the pump, each where it is another one."""
        recording, board, plant = self._recording, self._device.board, self._device.plant
        powered = self._device.powered
        state = board.state if powered else DeviceState.OFF
        if state is not self._state:
            self._state = state
            depth_um = plant.needle.depth_um(now)
            recording.event("state", now, state=state.name, armed=powered and board.armed, depth_um=depth_um)
        if plant.needle.home_at != self._home_at:
            self._home_at = plant.needle.home_at
            recording.event("needles", now, home_at=self._home_at)
        if plant.vacuum.pump_on is not self._pump_on:
            self._pump_on = plant.vacuum.pump_on
            recording.event("pump", now, on=self._pump_on)

    def stored(self, key: str, now: Micros) -> None:
        """Record a stroke as its cycle begins in the memory: what the skin and the line were then."""
        if key != _BEGIN_CYCLE:
            return
        board, plant, nvm = self._device.board, self._device.plant, self._device.nvm
        session = nvm.session
        self._recording.event(
            "stroke",
            now,
            cycle_no=nvm.last_cycle_no + 1,
            zone=board.zone,
            cell=board.cell,
            line_kpa=plant.vacuum.pressure_kpa(now),
            sensed_kpa=plant.vacuum.sensed_kpa(now),
            needles=plant.needles,
            made=None if session is None else session.cell_punctures.get((board.zone, board.cell), 0),
            planned=0 if session is None else session.punctures_per_cell,
            state=board.state.name,
            cartridge_valid=self._cartridge_valid(),
            estop=plant.inputs.estop_open,
        )

    def _cartridge_valid(self) -> bool:
        """Tell if the cartridge is there, in date, sterile, and bound to no other session than this one."""
        nvm, plant = self._device.nvm, self._device.plant
        cartridge, session = plant.cartridge, nvm.session
        inputs = plant.inputs
        fit = cartridge.sterile and not (cartridge.expired or inputs.cartridge_missing or inputs.cartridge_used)
        if session is None or not fit or nvm.cartridge_session != session.session_no:
            return False
        return nvm.cartridges.get(plant.serial_read, session.session_no) == session.session_no
