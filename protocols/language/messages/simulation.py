"""Page 0F: what only a simulated device can answer. A real one refuses with E_UNSUPPORTED."""

from typing import Annotated

from protocols.language.enums import Kind, Lane
from protocols.language.fields import F64, S32, S120, U8, U16, U32, Flag, Range, Unit
from protocols.language.message import Command, Message


class TruthGet(Command["TruthGetDone"], id=0x0F01, lane=Lane.QUERY):
    """Ask for the ground truth of the last closed session.

    No payload.
    """


class TruthGetDone(Message, id=0x0F01, kind=Kind.REPLY):
    """The plant's own five counters of the session; kept apart from what was counted.

    0 u32 session_no | 4 u32 cycles_commanded | 8 u32 cycles_completed | 12 u32 punctures |
    16 u32 cores_evacuated | 20 u32 cores_counted | 24 u32 clogs
    """

    session_no: U32
    cycles_commanded: U32
    cycles_completed: U32
    punctures: U32
    cores_evacuated: U32
    cores_counted: U32
    clogs: U32


class FaultInject(Command["FaultInjectDone"], id=0x0F02, lane=Lane.QUERY, since=1):
    """Have a fault begin when a trigger holds: its kind, trigger and quantities are those of a scenario.

    An empty `when` is now; times and numbers in it count from now on. Bit n of `given` is set where `value_n` is for
    the kind's n-th quantity, from 0; one of words has the number of its word. Every other quantity is as usual.

    0 s32 fault | 32 s120 when | 152 u8 given | 153 f64 value_0 | 161 f64 value_1 | 169 f64 value_2 |
    177 f64 value_3 | 185 f64 value_4
    """

    fault: S32
    when: S120
    given: U8
    value_0: F64
    value_1: F64
    value_2: F64
    value_3: F64
    value_4: F64


class FaultInjectDone(Message, id=0x0F02, kind=Kind.REPLY, since=1):
    """The fault waits for its trigger, under this number.

    0 u16 fault_id
    """

    fault_id: U16


class FaultClear(Command["FaultClearDone"], id=0x0F03, lane=Lane.QUERY, since=1):
    """End a fault, whether it has begun or not; 0 ends all.

    0 u16 fault_id
    """

    fault_id: U16


class FaultClearDone(Message, id=0x0F03, kind=Kind.REPLY, since=1):
    """Faults that waited or were under way, and how many of those have never changed anything.

    0 u16 cleared | 2 u16 unfired
    """

    cleared: U16
    unfired: U16


class FaultGet(Command["FaultGetDone"], id=0x0F04, lane=Lane.QUERY, since=1):
    """Ask what has become of a fault.

    0 u16 fault_id
    """

    fault_id: U16


class FaultGetDone(Message, id=0x0F04, kind=Kind.REPLY, since=1):
    """A fault, and how often it has changed something; one that never has has not fired.

    0 u16 fault_id | 2 u32 effects | 6 bool began | 7 bool ended | 8 s32 fault
    """

    fault_id: U16
    effects: U32
    began: Flag
    ended: Flag
    fault: S32


class PowerCut(Command["PowerCutDone"], id=0x0F05, lane=Lane.QUERY, since=1):
    """Take the device's power away for a time, once this is answered.

    0 u32 for_ms
    """

    for_ms: Annotated[U32, Unit("ms"), Range(1, 86_400_000)]


class PowerCutDone(Message, id=0x0F05, kind=Kind.REPLY, since=1):
    """The power goes.

    0 u32 for_ms
    """

    for_ms: Annotated[U32, Unit("ms")]
