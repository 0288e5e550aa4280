"""Page 04: streams of measurements, for people and plots; never for counting."""

from typing import Annotated

from protocols.language.enums import DeviceState, Kind, Lane, Stream
from protocols.language.fields import I32, U8, U16, U32, EnumByte, Range, Unit
from protocols.language.message import Command, Message


class StreamSet(Command["StreamSetDone"], id=0x0401, lane=Lane.QUERY):
    """Ask for a stream every `interval_ms` on this link; 0 ends it.

    0 enum8 stream | 1 u16 interval_ms
    """

    stream: Annotated[Stream, EnumByte]
    interval_ms: Annotated[U16, Unit("ms"), Range(0, 60_000)]


class StreamSetDone(Message, id=0x0401, kind=Kind.REPLY):
    """The interval that was granted; never below 20 ms.

    0 enum8 stream | 1 u16 interval_ms
    """

    stream: Annotated[Stream, EnumByte]
    interval_ms: Annotated[U16, Unit("ms")]


class TelemetryState(Message, id=0x0402, kind=Kind.TELEMETRY):
    """The device as its sensors have it.

    `cell` is numbered through all zones of the plan; 65535 where the hand is at none.

    0 u32 uptime_ms | 4 enum8 state | 5 u16 depth_um | 7 i32 vacuum_pa | 11 u32 temperature_mk |
    15 u32 canister_ul | 19 u32 cartridge_cycles | 23 u16 cell | 25 u8 flagged
    """

    uptime_ms: Annotated[U32, Unit("ms")]
    state: Annotated[DeviceState, EnumByte]
    depth_um: Annotated[U16, Unit("um")]
    vacuum_pa: Annotated[I32, Unit("Pa")]
    temperature_mk: Annotated[U32, Unit("mK")]
    canister_ul: Annotated[U32, Unit("uL")]
    cartridge_cycles: U32
    cell: U16
    flagged: U8
