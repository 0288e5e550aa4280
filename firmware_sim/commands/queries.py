"""Commands that only ask: identity, parameters, alarms, journal, truth. Each answers at once and moves nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from firmware_sim.commands.statements import identity
from firmware_sim.errors import NvmFileError, ParameterError
from firmware_sim.memory.nvm import LAST_ROOM
from firmware_sim.refusals import not_kept, refusal
from firmware_sim.safety.punch_checks import no_store
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, Code
from protocols.language.layouts import layout
from protocols.language.message import Message
from protocols.language.records import RECORD_SIZE
from protocols.language.units import Micros

if TYPE_CHECKING:
    from firmware_sim.device import Device
    from firmware_sim.ports import Port

RECORDS_PER_PAGE: Final = 6
"""What `records_per_page` of the largest payload is."""
LEAST_STREAM_MS: Final = 20
"""A 115,200 baud line carries about 240 telemetry frames a second; 50 leave room for the procedure."""


def records_per_page(max_payload_size: int) -> int:
    """Journal records that fit a payload beside the page's own head."""
    return (max_payload_size - layout(M.JournalPage).size) // RECORD_SIZE


def _echo(device: "Device", port: "Port", command: M.Echo, now: Micros) -> Message:
    if len(command.data) > port.max_payload_size:
        text = f"{len(command.data)} B to echo: this host's HELLO allows payloads of {port.max_payload_size} B"
        return refusal(Code.E_RANGE, text, expected=port.max_payload_size, actual=len(command.data))
    return M.EchoDone.unchecked(data=command.data)


def _device_info(device: "Device", port: "Port", command: M.DeviceInfo, now: Micros) -> Message:
    return identity(device)


def _param_list(device: "Device", port: "Port", command: M.ParamList, now: Micros) -> Message:
    if command.index >= device.parameters.count:
        text = f"there are {device.parameters.count} parameters, from index 0; {command.index} is none"
        return refusal(Code.E_RANGE, text, expected=device.parameters.count, actual=command.index)
    return device.parameters.describe(command.index)


def _param_get(device: "Device", port: "Port", command: M.ParamGet, now: Micros) -> Message:
    try:
        return M.ParamGetDone(name=command.name, value=device.parameters.value_of(command.name))
    except ParameterError as error:
        return refusal(Code.E_ARGUMENT, str(error))


def _stream_set(device: "Device", port: "Port", command: M.StreamSet, now: Micros) -> Message:
    interval = max(LEAST_STREAM_MS, command.interval_ms) if command.interval_ms else 0
    port.set_stream(interval, now)
    return M.StreamSetDone(stream=command.stream, interval_ms=interval)


def _journal_read(device: "Device", port: "Port", command: M.JournalRead, now: Micros) -> Message:
    nvm = device.nvm
    if command.epoch != nvm.epoch:
        text = f"journal epoch is 0x{nvm.epoch:08x}, not 0x{command.epoch:08x}: this memory was erased"
        return refusal(Code.E_ARGUMENT, text, expected=nvm.epoch, actual=command.epoch)
    first, records = nvm.read(command.first, min(command.max_records, records_per_page(port.max_payload_size)))
    return M.JournalPage(epoch=nvm.epoch, first=first, tail=nvm.tail, head=nvm.head, records=b"".join(records))


def _journal_ack(device: "Device", port: "Port", command: M.JournalAck, now: Micros) -> Message:
    if not device.may_control(port):
        return refusal(Code.E_AUTH, "only the controller's acknowledgement moves the journal's tail")
    nvm = device.nvm
    if command.epoch != nvm.epoch or command.upto > nvm.head:
        text = f"cannot acknowledge up to {command.upto}: the journal ends at {nvm.head} in epoch 0x{nvm.epoch:08x}"
        return refusal(Code.E_RANGE, text, expected=nvm.head, actual=command.upto)
    if (no := no_store(device.firmware, LAST_ROOM)) is not None:
        return no
    try:
        return M.JournalAckDone(tail=nvm.acknowledge(command.upto))
    except NvmFileError as error:
        return not_kept(error)


def _alarm_list(device: "Device", port: "Port", command: M.AlarmList, now: Micros) -> Message:
    listing = device.firmware.alarms.listing()
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


def _truth_get(device: "Device", port: "Port", command: M.TruthGet, now: Micros) -> Message:
    closed = device.nvm.last_close
    if device.nvm.session is not None or closed is None:
        return refusal(Code.E_STATE, "the truth is told once a session is closed")
    if closed.session_no != device.firmware.truth_session_no:
        return refusal(Code.E_UNSUPPORTED, "the truth of this session was lost when the simulator was restarted")
    truth = device.plant.truth
    return M.TruthGetDone(
        session_no=closed.session_no,
        cycles_commanded=truth.cycles_commanded,
        cycles_completed=truth.cycles_completed,
        punctures=truth.punctures,
        cores_evacuated=truth.cores_evacuated,
        cores_counted=truth.cores_counted,
        clogs=truth.clogs,
    )


QUERIES: Final[dict[type[Message], Callable[["Device", "Port", Any, Micros], Message]]] = {
    M.Echo: _echo,
    M.DeviceInfo: _device_info,
    M.ParamList: _param_list,
    M.ParamGet: _param_get,
    M.StreamSet: _stream_set,
    M.JournalRead: _journal_read,
    M.JournalAck: _journal_ack,
    M.AlarmList: _alarm_list,
    M.TruthGet: _truth_get,
}
"""Command -> what answers it."""
