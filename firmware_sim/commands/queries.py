"""Commands that only ask: identity, parameters, alarms, journal, truth. Each answers at once and moves nothing."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from firmware_sim.board.refusals import not_kept, refusal
from firmware_sim.commands.statements import identity
from firmware_sim.control import Control
from firmware_sim.errors import NvmFileError, ParameterError
from firmware_sim.memory.nvm import LAST_ROOM
from firmware_sim.ports import Port
from firmware_sim.safety.punch_checks import no_store
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, Code
from protocols.language.layouts import layout
from protocols.language.message import Message
from protocols.language.records import RECORD_SIZE
from protocols.language.units import Micros

RECORDS_PER_PAGE: Final = 6
"""Result of `records_per_page` for the largest payload."""
MIN_STREAM_MS: Final = 20
"""A 115,200 baud line carries about 240 telemetry frames a second; 50 leave room for the procedure."""


def records_per_page(max_payload_size: int) -> int:
    """Return the number of journal records that fit a payload beside the page's own head."""
    return (max_payload_size - layout(M.JournalPage).size) // RECORD_SIZE


def _echo(control: Control, port: Port, command: M.Echo, now: Micros) -> Message:
    data = command.data
    if len(data) > port.max_payload_size:
        text = f"{len(data)} B to echo: this host's HELLO allows payloads of {port.max_payload_size} B"
        return refusal(Code.E_RANGE, text, expected=port.max_payload_size, actual=len(data))
    return M.EchoDone.unchecked(data=data)


def _device_info(control: Control, port: Port, command: M.DeviceInfo, now: Micros) -> Message:
    return identity(control.board)


def _param_list(control: Control, port: Port, command: M.ParamList, now: Micros) -> Message:
    if command.index >= control.board.parameters.count:
        text = f"there are {control.board.parameters.count} parameters, from index 0; {command.index} is none"
        return refusal(Code.E_RANGE, text, expected=control.board.parameters.count, actual=command.index)
    return control.board.parameters.describe(command.index)


def _param_get(control: Control, port: Port, command: M.ParamGet, now: Micros) -> Message:
    try:
        return M.ParamGetDone(name=command.name, value=control.board.parameters.value_of(command.name))
    except ParameterError as error:
        return refusal(Code.E_ARGUMENT, str(error))


def _stream_set(control: Control, port: Port, command: M.StreamSet, now: Micros) -> Message:
    interval = max(MIN_STREAM_MS, command.interval_ms) if command.interval_ms else 0
    port.set_stream(interval, now)
    return M.StreamSetDone(stream=command.stream, interval_ms=interval)


def _journal_read(control: Control, port: Port, command: M.JournalRead, now: Micros) -> Message:
    nvm = control.board.nvm
    if command.epoch != nvm.epoch:
        text = f"journal epoch is 0x{nvm.epoch:08x}, not 0x{command.epoch:08x}: this memory was erased"
        return refusal(Code.E_ARGUMENT, text, expected=nvm.epoch, actual=command.epoch)
    first, records = nvm.read(command.first, min(command.max_records, records_per_page(port.max_payload_size)))
    return M.JournalPage(epoch=nvm.epoch, first=first, tail=nvm.tail, head=nvm.head, records=b"".join(records))


def _journal_ack(control: Control, port: Port, command: M.JournalAck, now: Micros) -> Message:
    if not control.may_have(port):
        return refusal(Code.E_AUTH, "only the controller's acknowledgement moves the journal's tail")
    nvm = control.board.nvm
    if command.epoch != nvm.epoch or command.upto > nvm.head:
        text = f"cannot acknowledge up to {command.upto}: the journal ends at {nvm.head} in epoch 0x{nvm.epoch:08x}"
        return refusal(Code.E_RANGE, text, expected=nvm.head, actual=command.upto)
    if (no := no_store(control.board, LAST_ROOM)) is not None:
        return no
    try:
        return M.JournalAckDone(tail=nvm.acknowledge(command.upto))
    except NvmFileError as error:
        return not_kept(error)


def _alarm_list(control: Control, port: Port, command: M.AlarmList, now: Micros) -> Message:
    listing = control.board.alarms.listing()
    if command.index >= len(listing):
        return M.AlarmListDone(
            count=len(listing),
            index=command.index,
            code=0,
            interlock=0,
            priority=AlarmPriority.NONE,
            state=AlarmState.INACTIVE,
            uptime_ms=0,
            sentence="",
        )
    entry = listing[command.index]
    return M.AlarmListDone(
        count=len(listing),
        index=command.index,
        code=entry.rule.code,
        interlock=entry.rule.interlock,
        priority=entry.rule.priority,
        state=entry.state,
        uptime_ms=entry.since_ms,
        sentence=entry.rule.sentence,
    )


def _truth_get(control: Control, port: Port, command: M.TruthGet, now: Micros) -> Message:
    closed = control.board.nvm.last_close
    if control.board.nvm.session is not None or closed is None:
        return refusal(Code.E_STATE, "the truth is told once a session is closed")
    if closed.session_no != control.board.truth_session_no:
        return refusal(Code.E_UNSUPPORTED, "the truth of this session was lost when the simulator was restarted")
    truth = control.board.plant.truth
    return M.TruthGetDone(
        session_no=closed.session_no,
        cycles_commanded=truth.cycles_commanded,
        cycles_completed=truth.cycles_completed,
        punctures=truth.punctures,
        cores_evacuated=truth.cores_evacuated,
        cores_counted=truth.cores_counted,
        clogs=truth.clogs,
    )


_Command = TypeVar("_Command", bound=Message)
_Query = Callable[[Control, Port, Any, Micros], Message]


def _row(
    command: type[_Command], query: Callable[[Control, Port, _Command, Micros], Message]
) -> tuple[type[Message], _Query]:
    """Pair a command with the function that answers it; the types of both are checked here, one row at a time."""
    return command, query


QUERIES: Final[dict[type[Message], _Query]] = dict(
    (
        _row(M.Echo, _echo),
        _row(M.DeviceInfo, _device_info),
        _row(M.ParamList, _param_list),
        _row(M.ParamGet, _param_get),
        _row(M.StreamSet, _stream_set),
        _row(M.JournalRead, _journal_read),
        _row(M.JournalAck, _journal_ack),
        _row(M.AlarmList, _alarm_list),
        _row(M.TruthGet, _truth_get),
    )
)
"""Command -> what answers it."""
