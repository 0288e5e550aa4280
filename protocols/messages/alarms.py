"""Page 06: alarms."""

from typing import Annotated

from protocols.enums import AlarmPriority, AlarmState, Kind, Lane
from protocols.fields import S120, U8, U16, U32, EnumByte, Unit
from protocols.message import Message


class Alarm(Message, id=0x0601, kind=Kind.ALARM):
    """One alarm changed its state. `code` 1203 is shown as MC-1203; `interlock` is the rule that raised it."""

    code: U16
    interlock: U8
    priority: Annotated[AlarmPriority, EnumByte]
    state: Annotated[AlarmState, EnumByte]
    uptime_ms: Annotated[U32, Unit("ms")]
    sentence: S120


class AlarmList(Message, id=0x0602, lane=Lane.QUERY):
    """Ask for the alarm at `index` of the list of alarms that are not inactive, from 0."""

    index: U8


class AlarmListDone(Message, id=0x0602, kind=Kind.REPLY):
    """One alarm; where `index` is not below `count` the other fields are zero."""

    count: U8
    index: U8
    code: U16
    interlock: U8
    priority: Annotated[AlarmPriority, EnumByte]
    state: Annotated[AlarmState, EnumByte]
    uptime_ms: Annotated[U32, Unit("ms")]
    sentence: S120


class AlarmAck(Message, id=0x0603, lane=Lane.MOTION):
    """The controller has seen the alarm `code`."""

    code: U16


class AlarmAckDone(Message, id=0x0603, kind=Kind.REPLY):
    """The alarm's state after it."""

    code: U16
    state: Annotated[AlarmState, EnumByte]
