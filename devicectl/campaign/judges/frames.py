"""Messages of one piece of the wire, be it bytes or a publication, decoded by `cobs`, `struct` and `json`.

Law: it knows docs/protocol.md and no code of either end. What a fault has spoiled on its way is passed over.
"""

import json
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from cobs import cobs

from devicectl.campaign.recording import Event
from protocols.language.checksum import crc32c
from protocols.language.enums import AlarmState, Code, DeviceState, Ending, Phase, Role, WireEnum
from protocols.mqtt.wire import Publication

_HEADER: Final = struct.Struct("<BBHHHHBB")
_CRC_SIZE: Final = 4
RECORD_SIZE: Final = 32
RETRANSMIT, REPLAYED = 0x04, 0x08  # flags
COMMAND, REPLY, PROGRESS, ALARM, LINK = 0, 1, 2, 5, 7  # kinds
_FLAGS: Final = {"RETRANSMIT": RETRANSMIT, "REPLAYED": REPLAYED}

Fields = Event


class Frame(NamedTuple):
    """One message. `payload` is what was in it, to compare; `fields` are those that judges look into."""

    name: str
    command: bool
    flags: int
    seq: int
    link_id: int
    correlation_id: int
    payload: bytes | Fields
    fields: Fields

    @property
    def replayed(self) -> bool:
        """True for an answer that was given before."""
        return self.flags & REPLAYED != 0

    @property
    def retransmitted(self) -> bool:
        """True for a frame that was sent before."""
        return self.flags & RETRANSMIT != 0


class _Layout(NamedTuple):
    """First fields of a message's payload. With `records`, the rest of it is an array of them."""

    shape: struct.Struct
    names: tuple[str, ...]
    words: Mapping[str, Mapping[int, str]]
    """Field of an enumeration -> the word of each number that has one."""
    records: bool = False


def _layout(shape: str, names: str, *, records: bool = False, **enums: type[WireEnum]) -> _Layout:
    words = {name: {one.value: one.name for one in enum} for name, enum in enums.items()}
    return _Layout(struct.Struct("<" + shape), tuple(names.split()), words, records)


_NUMBER: Final = _layout("I", "cycle_no")
_LAYOUTS: Final[Mapping[str, _Layout]] = {
    "Welcome": _layout(
        "HBBQIIIHHHHIIIIIIIIB",
        "link_id minor role features schema_id nonce boot_count heartbeat_armed_ms lease_armed_ms heartbeat_idle_ms "
        "lease_idle_ms journal_epoch journal_tail journal_head session_no cycle_no cycles punctures cores_counted "
        "state",
        role=Role,
        state=DeviceState,
    ),
    "Hello": _layout("HBBQII", "majors minor role features schema_id host_id"),
    "Heartbeat": _layout(
        "BB?HIIIIIII",
        "state highest_alarm trigger_held running_correlation_id cycle_no cycles punctures cores_counted journal_head "
        "params_hash uptime_ms",
        state=DeviceState,
    ),
    "Nak": _layout("B", "code", code=Code),
    "Refused": _layout("BB", "code interlock", code=Code),
    "Aborted": _layout("BBB", "code ending phase", code=Code, ending=Ending, phase=Phase),
    "AnesthesiaStart": _layout("BI", "zone age_s"),
    "AnesthesiaConfirm": _layout("B", "zone"),
    "Reposition": _layout("BH", "zone cell"),
    "Punch": _layout("IHI", "cycle_no depth_um deadline_ms"),
    "PunchDone": _layout("IHB", "cycle_no depth_um punctured"),
    "Suction": _NUMBER,
    "Advance": _NUMBER,
    "Count": _NUMBER,
    "SuctionDone": _NUMBER,
    "AdvanceDone": _NUMBER,
    "CountDone": _layout(
        "IIBBBBII",
        "cycle_no outcomes cores_counted flagged cell_punctures cycles_left total_punctures total_cores_counted",
    ),
    "JournalPage": _layout("IIII", "epoch first tail head", records=True),
    "JournalAck": _layout("II", "epoch upto"),
    "Alarm": _layout("HBBBI", "code interlock priority state uptime_ms", state=AlarmState),
}
"""Message -> how to read what judges look into."""
_BOTH: Final = {
    0x0007: "Echo",
    0x0101: "DeviceInfo",
    0x0201: "ParamList",
    0x0202: "ParamGet",
    0x0203: "ParamSet",
    0x0301: "SessionOpen",
    0x0302: "AnesthesiaStart",
    0x0303: "AnesthesiaConfirm",
    0x0304: "Arm",
    0x0305: "Disarm",
    0x0306: "Reposition",
    0x0307: "Punch",
    0x0308: "Suction",
    0x0309: "Advance",
    0x030A: "Count",
    0x030B: "Purge",
    0x030C: "Pause",
    0x030D: "Resume",
    0x030E: "Stop",
    0x030F: "FaultReset",
    0x0310: "SessionClose",
    0x0401: "StreamSet",
    0x0503: "JournalAck",
    0x0602: "AlarmList",
    0x0603: "AlarmAck",
    0x0F01: "TruthGet",
    0x0F02: "FaultInject",
    0x0F03: "FaultClear",
    0x0F04: "FaultGet",
    0x0F05: "PowerCut",
}
"""Id of a command -> its name; its answer has "Done" behind it."""
_NAMES: Final[Mapping[tuple[int, int], str]] = {
    **{(COMMAND, number): name for number, name in _BOTH.items()},
    **{(REPLY, number): f"{name}Done" for number, name in _BOTH.items()},
    (COMMAND, 0x0502): "JournalRead",
    (REPLY, 0x0502): "JournalPage",
    (LINK, 0x0001): "Hello",
    (LINK, 0x0002): "Welcome",
    (LINK, 0x0003): "Heartbeat",
    (LINK, 0x0004): "HostHeartbeat",
    (LINK, 0x0005): "Bye",
    (LINK, 0x0006): "Nak",
    (REPLY, 0x0010): "Received",
    (PROGRESS, 0x0011): "Progress",
    (REPLY, 0x0012): "Refused",
    (REPLY, 0x0013): "Failed",
    (REPLY, 0x0014): "Aborted",
    (ALARM, 0x0601): "Alarm",
}
"""Kind and id -> name."""
COMMANDS: Final = frozenset((*_BOTH.values(), "JournalRead"))
QUERIES: Final = frozenset(
    (
        "Echo",
        "DeviceInfo",
        "ParamList",
        "ParamGet",
        "StreamSet",
        "JournalRead",
        "JournalAck",
        "AlarmList",
        "TruthGet",
        "FaultInject",
        "FaultClear",
        "FaultGet",
        "PowerCut",
    )
)
MOTIONS: Final = COMMANDS - QUERIES - {"Stop"}
"""Commands that change something, and are carried out at most once."""


def frames(piece: bytes | Publication) -> list[Frame]:
    """Decode a piece."""
    if not isinstance(piece, bytes):
        return [_publication(piece.body)]
    found = []
    for stuffed in piece.split(b"\0"):
        if stuffed and (frame := _frame(stuffed)) is not None:
            found.append(frame)
    return found


def _frame(stuffed: bytes) -> Frame | None:
    try:
        raw = cobs.decode(stuffed)
    except cobs.DecodeError:
        return None
    body = raw[:-_CRC_SIZE]
    if len(body) < _HEADER.size or crc32c(body) != int.from_bytes(raw[-_CRC_SIZE:], "little"):
        return None
    first, flags, message_id, seq, link_id, correlation_id, _, _ = _HEADER.unpack_from(body)
    kind, payload = first & 0xF, body[_HEADER.size :]
    name = _NAMES.get((kind, message_id), "")
    layout = _LAYOUTS.get(name)
    fields = {} if layout is None else _fields(layout, payload)
    return Frame(name, kind == COMMAND, flags, seq, link_id, correlation_id, payload, fields)


def _fields(layout: _Layout, payload: bytes) -> Fields:
    values = dict(zip(layout.names, layout.shape.unpack_from(payload), strict=True))
    for name, words in layout.words.items():
        values[name] = words.get(values[name], "UNKNOWN")
    if layout.records:
        rest = payload[layout.shape.size :]
        values["records"] = [rest[start : start + RECORD_SIZE] for start in range(0, len(rest), RECORD_SIZE)]
    return values


def _publication(data: bytes) -> Frame:
    body = json.loads(data)
    name, payload = body["message"], body.get("payload") or {}
    flags = sum(_FLAGS.get(flag, 0) for flag in body.get("flags", ()))
    ids = (body.get("seq", 0), body.get("link_id", 0), body.get("correlation_id", 0))
    return Frame(name, name in COMMANDS, flags, *ids, payload, payload)
