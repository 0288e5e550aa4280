"""Journal records: 32 bytes each, one model a kind, built on the same wire types as messages.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9.. by kind, zero-padded to 32

Law: a record is written once and never changed; a CYCLE record is written when the cycle has ended, so every
cycle number has exactly one. Counts are a fold of these records and nothing else.
"""

from typing import Annotated, ClassVar, Final

from protocols.language.enums import (
    AlarmPriority,
    AlarmState,
    CloseReason,
    Code,
    Ending,
    NeedleOutcome,
    Phase,
    RecordKind,
)
from protocols.language.errors import MessageError
from protocols.language.fields import F64, U8, U16, U32, EnumByte, Unit
from protocols.language.layouts import LAYOUTS
from protocols.language.structs import Struct

RECORD_SIZE: Final = 32
"""Bytes. Six records make a page of 192, which fits the payload of 224 beside its own 16 bytes of head."""
KIND_OFFSET: Final = 8
"""Offset of a record's kind, also of one that is not known here."""


class Record(Struct):
    """Base of every journal record. `event_no` never goes back within an epoch; `uptime_ms` restarts at a boot."""

    KIND: ClassVar[RecordKind]

    event_no: U32
    uptime_ms: Annotated[U32, Unit("ms")]

    def __init_subclass__(cls, *, kind: RecordKind) -> None:
        """Enter the class in the registry of record kinds."""
        super().__init_subclass__()
        cls.KIND = kind
        RECORDS[kind] = cls


RECORDS: Final[dict[int, type[Record]]] = {}
"""Record kind -> model."""


class Gap(Record, kind=RecordKind.GAP):
    """Stands for `missing` records from `event_no` on that the ring no longer holds.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u32 missing
    """

    missing: U32


class Cycle(Record, kind=RecordKind.CYCLE):
    """Ending of one cycle: `phase` is the one it was in, `outcomes` a `NeedleOutcome` in each four bits.

    `cell` is numbered through all zones of the plan. The totals are the session's after this cycle.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 enum8 ending | 10 enum8 phase | 11 u8 needles |
    12 u32 cycle_no | 16 u32 outcomes | 20 u16 cell | 22 u16 depth_um | 24 u32 total_punctures |
    28 u32 total_cores_counted
    """

    ending: Annotated[Ending, EnumByte]
    phase: Annotated[Phase, EnumByte]
    needles: U8
    cycle_no: U32
    outcomes: U32
    cell: U16
    depth_um: Annotated[U16, Unit("um")]
    total_punctures: U32
    total_cores_counted: U32


class SessionOpened(Record, kind=RecordKind.SESSION_OPENED):
    """A session was opened; its first cycle will be `first_cycle_no`.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u32 session_no | 13 u32 target_cores |
    17 u32 first_cycle_no | 21 u16 coverage_bp | 23 u16 depth_um | 25 u16 cells | 27 u8 zones
    """

    session_no: U32
    target_cores: U32
    first_cycle_no: U32
    coverage_bp: Annotated[U16, Unit("0.01 %")]
    depth_um: Annotated[U16, Unit("um")]
    cells: U16
    zones: U8


class SessionClosed(Record, kind=RecordKind.SESSION_CLOSED):
    """A session was closed. The counts are the device's; both ends agree on them, unless `reason` is ABANDONED.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 enum8 reason | 10 u32 session_no | 14 u32 cycles |
    18 u32 punctures | 22 u32 cores_counted
    """

    reason: Annotated[CloseReason, EnumByte]
    session_no: U32
    cycles: U32
    punctures: U32
    cores_counted: U32


class AlarmChanged(Record, kind=RecordKind.ALARM):
    """An alarm changed its state.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u16 code | 11 u8 interlock | 12 enum8 priority |
    13 enum8 state
    """

    code: U16
    interlock: U8
    priority: Annotated[AlarmPriority, EnumByte]
    state: Annotated[AlarmState, EnumByte]


class Refusal(Record, kind=RecordKind.REFUSAL):
    """A command that would have changed something was refused.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 enum8 code | 10 u8 interlock | 11 u16 message_id |
    13 u32 cycle_no
    """

    code: Annotated[Code, EnumByte]
    interlock: U8
    message_id: U16
    cycle_no: U32


class ParameterSet(Record, kind=RecordKind.PARAMETER):
    """A parameter was set, named by its index in the parameter table.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u16 index | 11 f64 value
    """

    index: U16
    value: F64


class Boot(Record, kind=RecordKind.BOOT):
    """The device started. `open_cycle_no` is the cycle that the power loss ended, 0 if none was open.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u32 boot_count | 13 u32 open_cycle_no | 17 enum8 phase
    """

    boot_count: U32
    open_cycle_no: U32
    phase: Annotated[Phase, EnumByte]


class Anesthesia(Record, kind=RecordKind.ANESTHESIA):
    """A zone's anesthesia was noted (`confirmed` 0) or confirmed (1).

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u8 zone | 10 u8 confirmed | 11 u32 age_s
    """

    zone: U8
    confirmed: U8
    age_s: Annotated[U32, Unit("s")]


class Action(Record, kind=RecordKind.ACTION):
    """A host's command that is no cycle, such as ARM, PURGE or STOP: its message id, and where the hand was.

    `cell` is numbered through all zones of the plan; 65535 where the hand was at none. REPOSITION leaves no record.

    0 u32 event_no | 4 u32 uptime_ms | 8 u8 kind | 9 u16 message_id | 11 u8 zone | 12 u16 cell
    """

    message_id: U16
    zone: U8
    cell: U16


def event_no_of(raw: bytes) -> int:
    """A record's event number, also of one that is not known here."""
    return int.from_bytes(raw[:4], "little")


def split_records(raw: bytes) -> list[bytes]:
    """The records of a page, in order; of one that is cut off, the last is short."""
    return [raw[start : start + RECORD_SIZE] for start in range(0, len(raw), RECORD_SIZE)]


def whole_records(raw: bytes) -> list[bytes]:
    """The records of a page, in order, without one that is cut off: that is no record yet."""
    return split_records(raw[: len(raw) // RECORD_SIZE * RECORD_SIZE])


def pack_outcomes(outcomes: list[NeedleOutcome]) -> int:
    """One outcome a needle (at most 8), needle 0 first, into four bits each."""
    return sum(outcome << 4 * needle for needle, outcome in enumerate(outcomes))


def unpack_outcomes(packed: int, needles: int) -> list[NeedleOutcome]:
    """The inverse of `pack_outcomes`.

    Raises:
        ValueError: four bits hold no known outcome.
    """
    return [NeedleOutcome(packed >> 4 * needle & 0xF) for needle in range(needles)]


def encode_record(record: Record) -> bytes:
    """A journal record as its 32 bytes."""
    body = LAYOUTS[record.__class__].encode(record)
    head = body[:KIND_OFFSET]
    return (head + bytes((record.KIND,)) + body[KIND_OFFSET:]).ljust(RECORD_SIZE, b"\0")


def decode_record(raw: bytes) -> Record | None:
    """A journal record from its 32 bytes; None for a kind that this version does not know.

    Raises:
        MessageError: not 32 bytes, or a field outside its range.
    """
    if len(raw) != RECORD_SIZE:
        raise MessageError("Record", None, f"{len(raw)} B, needs {RECORD_SIZE} B")
    model = RECORDS.get(raw[KIND_OFFSET])
    if model is None:
        return None
    found = LAYOUTS[model]
    record = found.decode(raw[:KIND_OFFSET] + raw[KIND_OFFSET + 1 : found.size + 1])
    assert isinstance(record, model)
    return record
