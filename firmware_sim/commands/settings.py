"""Commands that change a setting of the device and move nothing: a parameter, an alarm's signal.

Law: a value is set once its journal record is kept.
"""

from collections.abc import Callable
from typing import Any, Final

from firmware_sim.board.board import Board
from firmware_sim.board.refusals import not_kept, refusal
from firmware_sim.errors import NvmFileError, ParameterError
from firmware_sim.memory.nvm import LAST_ROOM, WORK_ROOM
from firmware_sim.model.constants import PARAMETERS
from firmware_sim.model.interlocks import ALARMS
from firmware_sim.safety import count_watch
from firmware_sim.safety.punch_checks import no_room, no_store
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import Code, ParamScope
from protocols.language.message import Message
from protocols.language.units import Micros


def set_parameter(board: Board, command: M.ParamSet, now: Micros) -> Message:
    """PARAM_SET."""
    parameters = board.parameters
    if (no := no_room(board) or no_store(board, WORK_ROOM)) is not None:
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
        uptime_ms, head = board.uptime_ms(now), board.nvm.head
        board.nvm.append(R.ParameterSet(event_no=head, uptime_ms=uptime_ms, index=index, value=command.value))
    except NvmFileError as lost:
        parameters.set(command.name, before)
        return not_kept(lost)
    return M.ParamSetDone(name=command.name, value=command.value)


def acknowledge_alarm(board: Board, command: M.AlarmAck, now: Micros) -> Message:
    """ALARM_ACK."""
    if command.code not in ALARMS:
        return refusal(Code.E_ARGUMENT, f"there is no alarm {alarm_label(command.code)}", actual=command.code)
    if (no := no_store(board, LAST_ROOM)) is not None:
        return no
    alarms = board.alarms
    if alarms.acknowledge(command.code):
        board.alarm_changed(command.code, now)
    if command.code == A.COUNT_STOPPED and alarms.present(command.code):
        # The controller has looked into a stopped count: it is taken up again by that.
        count_watch.begin_again(board)
        board.clear_alarm(A.COUNT_STOPPED, now)
        board.clear_alarm(A.COUNT_MISMATCH, now)
    if command.code == A.LINE_BLOCKED:
        board.clear_alarm(A.LINE_BLOCKED, now)  # somebody has looked: the next cycles show if it is free
    return M.AlarmAckDone(code=command.code, state=alarms.state(command.code))


SETTINGS: Final[dict[type[Message], Callable[[Board, Any, Micros], Message]]] = {
    M.ParamSet: set_parameter,
    M.AlarmAck: acknowledge_alarm,
}
"""Command -> what carries it out, in any state."""
