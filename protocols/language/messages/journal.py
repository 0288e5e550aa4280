"""Page 05: the journal, read by page; and live events for what no reply says."""

from typing import Annotated

from protocols.language.enums import Kind, Lane
from protocols.language.fields import U8, U32, Range, TailBytes
from protocols.language.message import Command, Message


class Event(Message, id=0x0501, kind=Kind.EVENT):
    """One journal record as it is written, where no reply tells the host of it; `record` is 32 bytes.

    0 u8[] record
    """

    record: TailBytes


class JournalRead(Command["JournalPage"], id=0x0502, lane=Lane.QUERY):
    """Ask for up to `max_records` records from `first` on.

    0 u32 epoch | 4 u32 first | 8 u8 max_records
    """

    epoch: U32
    first: U32
    max_records: Annotated[U8, Range(1, 0xFF)]


class JournalPage(Message, id=0x0502, kind=Kind.REPLY):
    """Records in order from `first`; empty when there are none. `head` is the number the next record will have.

    A GAP record stands for records that the ring no longer has. `records` is a whole number of 32-byte records.

    0 u32 epoch | 4 u32 first | 8 u32 tail | 12 u32 head | 16 u8[] records
    """

    epoch: U32
    first: U32
    tail: U32
    head: U32
    records: TailBytes


class JournalAck(Command["JournalAckDone"], id=0x0503, lane=Lane.QUERY):
    """Records before `upto` are safe with the host: their slots may be used again. Only the controller's counts.

    0 u32 epoch | 4 u32 upto
    """

    epoch: U32
    upto: U32


class JournalAckDone(Message, id=0x0503, kind=Kind.REPLY):
    """The tail that now stands; it never moves back.

    0 u32 tail
    """

    tail: U32
