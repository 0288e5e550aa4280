"""Page 0F: what only a simulated device can answer. A real one refuses with E_UNSUPPORTED."""

from protocols.language.enums import Kind, Lane
from protocols.language.fields import U32
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
