"""Page 00: making and keeping a link, and the answers that every command shares."""

from typing import Annotated

from protocols.language.enums import AlarmPriority, ByeReason, Code, DeviceState, Ending, Kind, Lane, Phase, Role
from protocols.language.fields import (
    MAX_PAYLOAD_SIZE,
    MIN_MAX_PAYLOAD_SIZE,
    S16,
    S120,
    U8,
    U16,
    U32,
    U64,
    EnumByte,
    Flag,
    Range,
    TailBytes,
    Unit,
)
from protocols.language.message import Command, Message


class Hello(Message, id=0x0001, kind=Kind.LINK, lane=Lane.LINK):
    """The host asks for a link. Sent with link id 0; answered by WELCOME, or by NAK.

    NAK is E_VERSION, E_SCHEMA or E_ARGUMENT for what HELLO says, E_STORAGE where the device's memory is full, E_BUSY
    where a device behind a broker has hosts enough. No payload that the device sends on the link is longer than
    `max_payload_size`.

    0 u16 majors | 2 u8 minor | 3 enum8 role | 4 u64 features | 12 u32 schema_id | 16 u32 host_id |
    20 u8 max_payload_size | 21 u32 nonce
    """

    majors: U16
    minor: U8
    role: Annotated[Role, EnumByte]
    features: U64
    schema_id: U32
    host_id: U32
    max_payload_size: Annotated[U8, Unit("B"), Range(MIN_MAX_PAYLOAD_SIZE, MAX_PAYLOAD_SIZE)]
    nonce: U32


class Welcome(Message, id=0x0002, kind=Kind.LINK):
    """The device grants a link and says where it stands.

    0 u16 link_id | 2 u8 minor | 3 enum8 role | 4 u64 features | 12 u32 schema_id | 16 u32 nonce |
    20 u32 boot_count | 24 u16 heartbeat_armed_ms | 26 u16 lease_armed_ms | 28 u16 heartbeat_idle_ms |
    30 u16 lease_idle_ms | 32 u32 journal_epoch | 36 u32 journal_tail | 40 u32 journal_head | 44 u32 session_no |
    48 u32 cycle_no | 52 u32 cycles | 56 u32 punctures | 60 u32 cores_counted | 64 enum8 state |
    65 bool simulated | 66 u32 uptime_ms | 70 u32 controller_host_id | 74 s16 model_version
    """

    link_id: U16
    minor: U8
    role: Annotated[Role, EnumByte]
    features: U64
    schema_id: U32
    nonce: U32
    boot_count: U32
    heartbeat_armed_ms: Annotated[U16, Unit("ms")]
    lease_armed_ms: Annotated[U16, Unit("ms")]
    heartbeat_idle_ms: Annotated[U16, Unit("ms")]
    lease_idle_ms: Annotated[U16, Unit("ms")]
    journal_epoch: U32
    journal_tail: U32
    journal_head: U32
    session_no: U32
    cycle_no: U32
    cycles: U32
    punctures: U32
    cores_counted: U32
    state: Annotated[DeviceState, EnumByte]
    simulated: Flag
    uptime_ms: Annotated[U32, Unit("ms")]
    controller_host_id: U32
    model_version: S16


class Heartbeat(Message, id=0x0003, kind=Kind.LINK):
    """The device has been silent for heartbeat_ms; this is its snapshot. 0 in `running_correlation_id`: nothing runs.

    0 enum8 state | 1 enum8 highest_alarm | 2 bool trigger_held | 3 u16 running_correlation_id | 5 u32 cycle_no |
    9 u32 cycles | 13 u32 punctures | 17 u32 cores_counted | 21 u32 journal_head | 25 u32 params_hash |
    29 u32 uptime_ms
    """

    state: Annotated[DeviceState, EnumByte]
    highest_alarm: Annotated[AlarmPriority, EnumByte]
    trigger_held: Flag
    running_correlation_id: U16
    cycle_no: U32
    cycles: U32
    punctures: U32
    cores_counted: U32
    journal_head: U32
    params_hash: U32
    uptime_ms: Annotated[U32, Unit("ms")]


class HostHeartbeat(Message, id=0x0004, kind=Kind.LINK):
    """The host has been silent for heartbeat_ms. Renews the lease of its own link, as any valid frame there does.

    No payload.
    """


class Bye(Message, id=0x0005, kind=Kind.LINK):
    """An end leaves the link. From a controlling host it has the reaction of a lost link, at once.

    0 enum8 reason
    """

    reason: Annotated[ByeReason, EnumByte]


class Nak(Message, id=0x0006, kind=Kind.LINK):
    """A frame with a good CRC could not be taken. `seq` is that frame's; at most ten a second are sent.

    `expected` and `actual` are the two values that disagree, where there are two (schema ids, link ids, majors).

    0 enum8 code | 1 u16 seq | 3 u32 expected | 7 u32 actual | 11 s120 sentence
    """

    code: Annotated[Code, EnumByte]
    seq: U16
    expected: U32
    actual: U32
    sentence: S120


class Echo(Command["EchoDone"], id=0x0007, lane=Lane.QUERY):
    """Ask for the same bytes back.

    0 u8[] data
    """

    data: TailBytes


class EchoDone(Message, id=0x0007, kind=Kind.REPLY):
    """The bytes of the ECHO.

    0 u8[] data
    """

    data: TailBytes


class Received(Message, id=0x0010, kind=Kind.REPLY):
    """A motion was accepted and has begun; DONE is expected after `expected_ms`.

    0 u32 expected_ms
    """

    expected_ms: Annotated[U32, Unit("ms")]


class Progress(Message, id=0x0011, kind=Kind.PROGRESS):
    """A motion is still under way; sent once a second while it lasts.

    0 enum8 state | 1 u32 elapsed_ms | 5 u32 expected_ms
    """

    state: Annotated[DeviceState, EnumByte]
    elapsed_ms: Annotated[U32, Unit("ms")]
    expected_ms: Annotated[U32, Unit("ms")]


class Refused(Message, id=0x0012, kind=Kind.REPLY):
    """A lawful no: nothing was begun. `interlock` is its number in the table of interlocks, 0 where none spoke.

    `expected` and `actual` are the two values that disagree, where there are two; for E_BUSY `actual` is the
    host id of the holder.

    0 enum8 code | 1 u8 interlock | 2 u32 expected | 6 u32 actual | 10 s120 sentence
    """

    code: Annotated[Code, EnumByte]
    interlock: U8
    expected: U32
    actual: U32
    sentence: S120


class Failed(Message, id=0x0013, kind=Kind.REPLY):
    """A motion was begun and the device could not finish it.

    0 enum8 code | 1 u8 interlock | 2 u16 alarm_code | 4 s120 sentence
    """

    code: Annotated[Code, EnumByte]
    interlock: U8
    alarm_code: U16
    sentence: S120


class Aborted(Message, id=0x0014, kind=Kind.REPLY):
    """A motion was begun and was stopped from outside: by STOP, a lost link, the emergency stop or a reboot.

    0 enum8 code | 1 enum8 ending | 2 enum8 phase | 3 s120 sentence
    """

    code: Annotated[Code, EnumByte]
    ending: Annotated[Ending, EnumByte]
    phase: Annotated[Phase, EnumByte]
    sentence: S120
