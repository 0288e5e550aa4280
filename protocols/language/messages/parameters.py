"""Page 02: the device's parameters, one descriptor an answer."""

from typing import Annotated

from protocols.language.enums import Kind, Lane, ParamScope
from protocols.language.fields import F64, S16, S32, U16, EnumByte
from protocols.language.message import Command, Message


class ParamList(Command["ParamListDone"], id=0x0201, lane=Lane.QUERY):
    """Ask for the parameter at `index`, from 0; the answer says how many there are.

    0 u16 index
    """

    index: U16


class ParamListDone(Message, id=0x0201, kind=Kind.REPLY):
    """One parameter: its value now, its default, its inclusive range, its unit and who may set it.

    0 u16 count | 2 u16 index | 4 s32 name | 36 s16 unit | 52 enum8 scope | 53 f64 value | 61 f64 default |
    69 f64 minimum | 77 f64 maximum
    """

    count: U16
    index: U16
    name: S32
    unit: S16
    scope: Annotated[ParamScope, EnumByte]
    value: F64
    default: F64
    minimum: F64
    maximum: F64


class ParamGet(Command["ParamGetDone"], id=0x0202, lane=Lane.QUERY):
    """Ask for one parameter's value by name.

    0 s32 name
    """

    name: S32


class ParamGetDone(Message, id=0x0202, kind=Kind.REPLY):
    """One parameter's value.

    0 s32 name | 32 f64 value
    """

    name: S32
    value: F64


class ParamSet(Command["ParamSetDone"], id=0x0203, lane=Lane.MOTION):
    """Set a host-settable parameter. Refused for a viewer, a start-only parameter and a value out of range.

    0 s32 name | 32 f64 value
    """

    name: S32
    value: F64


class ParamSetDone(Message, id=0x0203, kind=Kind.REPLY):
    """The value that now stands.

    0 s32 name | 32 f64 value
    """

    name: S32
    value: F64
