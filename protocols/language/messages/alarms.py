"""Page 06: alarms."""

from typing import Annotated

from protocols.language.enums import AlarmPriority, AlarmState, Kind, Lane
from protocols.language.fields import S120, U8, U16, U32, EnumByte, Unit
from protocols.language.message import Command, Message


class Alarm(Message, id=0x0601, kind=Kind.ALARM):
    """One alarm changed its state. `code` 1203 is shown as MC-1203; `interlock` is the rule that raised it.

    0 u16 code | 2 u8 interlock | 3 enum8 priority | 4 enum8 state | 5 u32 uptime_ms | 9 s120 sentence
    """

    code: U16
    interlock: U8
    priority: Annotated[AlarmPriority, EnumByte]
    state: Annotated[AlarmState, EnumByte]
    uptime_ms: Annotated[U32, Unit("ms")]
    sentence: S120


class AlarmList(Command["AlarmListDone"], id=0x0602, lane=Lane.QUERY):
    """Ask for the alarm at `index` of the list of alarms that are not inactive, from 0.

    0 u8 index
    """

    index: U8


class AlarmListDone(Message, id=0x0602, kind=Kind.REPLY):
    """One alarm; where `index` is not below `count` the other fields are zero.

    0 u8 count | 1 u8 index | 2 u16 code | 4 u8 interlock | 5 enum8 priority | 6 enum8 state | 7 u32 uptime_ms |
    11 s120 sentence
    """

    count: U8
    index: U8
    code: U16
    interlock: U8
    priority: Annotated[AlarmPriority, EnumByte]
    state: Annotated[AlarmState, EnumByte]
    uptime_ms: Annotated[U32, Unit("ms")]
    sentence: S120


class AlarmAck(Command["AlarmAckDone"], id=0x0603, lane=Lane.MOTION):
    """The controller has seen the alarm `code`.

    0 u16 code
    """

    code: U16


class AlarmAckDone(Message, id=0x0603, kind=Kind.REPLY):
    """The alarm's state after it.

    0 u16 code | 2 enum8 state
    """

    code: U16
    state: Annotated[AlarmState, EnumByte]
