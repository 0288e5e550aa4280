"""Commands that change what the device is set to and not what it does: a parameter, an alarm's signal.

Law: a value is set once its journal record is kept.
"""

from typing import TYPE_CHECKING

from firmware_sim.errors import NvmFileError, ParameterError
from firmware_sim.memory.nvm import LAST_ROOM, WORK_ROOM
from firmware_sim.model.constants import PARAMETERS
from firmware_sim.refusals import not_kept, refusal
from firmware_sim.safety.alarms import ALARMS
from firmware_sim.safety.punch_checks import no_room, no_store
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import Code, ParamScope
from protocols.language.message import Message
from protocols.language.units import Micros

if TYPE_CHECKING:
    from firmware_sim.device import Device


def set_parameter(device: "Device", command: M.ParamSet, now: Micros) -> Message:
    """PARAM_SET."""
    parameters, firmware = device.parameters, device.firmware
    if (no := no_room(firmware) or no_store(firmware, WORK_ROOM)) is not None:
        return no
    try:
        index = parameters.index_of(command.name)
        if PARAMETERS[index].scope is not ParamScope.HOST_SETTABLE:
            return refusal(Code.E_AUTH, f"{command.name} is set at the start of the device, not by a host")
        before = parameters.value_of(command.name)
        parameters.set(command.name, command.value)
    except ParameterError as error:
        return refusal(Code.E_RANGE, str(error))
    try:
        uptime_ms, head = firmware.uptime_ms(now), firmware.nvm.head
        firmware.nvm.append(R.ParameterSet(event_no=head, uptime_ms=uptime_ms, index=index, value=command.value))
    except NvmFileError as error:
        parameters.set(command.name, before)
        return not_kept(error)
    return M.ParamSetDone(name=command.name, value=command.value)


def acknowledge_alarm(device: "Device", command: M.AlarmAck, now: Micros) -> Message:
    """ALARM_ACK."""
    firmware = device.firmware
    if command.code not in ALARMS:
        return refusal(Code.E_ARGUMENT, f"there is no alarm {alarm_label(command.code)}", actual=command.code)
    if (no := no_store(firmware, LAST_ROOM)) is not None:
        return no
    firmware.acknowledge(command.code, now)
    return M.AlarmAckDone(code=command.code, state=firmware.alarms.state(command.code))
