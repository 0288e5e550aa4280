"""Every enumeration that travels, one byte each.

Law: a value is never reused or renumbered. A value that this end does not know decodes to UNKNOWN (255), so
that a newer peer is not noise; a command that carries UNKNOWN is refused with E_ARGUMENT.

To name a member of an enumeration, CPython 3.11 calls a function. What runs for every frame or cycle therefore names
its members once, as constants of its module.
"""

from enum import IntEnum, StrEnum
from typing import Self


class WireEnum(IntEnum):
    """An enumeration with a member UNKNOWN that stands for every value not listed."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls["UNKNOWN"] if isinstance(value, int) and 0 <= value <= 255 else None


class Kind(IntEnum):
    """The low nibble of a frame's first byte. Not extensible without a new major version."""

    COMMAND = 0
    REPLY = 1
    PROGRESS = 2
    EVENT = 3
    TELEMETRY = 4
    ALARM = 5
    BULK = 6
    LINK = 7


class Lane(StrEnum):
    """Class of commands that are paced and protected alike; never on the wire.

    MOTION: one at a time, changes state, executed at most once. QUERY: up to four at a time, harmless when
    repeated. STOP: passes everything and is harmless twice. LINK: HELLO alone, which has a reply and is no command.
    """

    MOTION = "motion"
    QUERY = "query"
    STOP = "stop"
    LINK = "link"


class Code(WireEnum):
    """Reason why a command was not carried out."""

    OK = 0
    E_UNKNOWN_MESSAGE = 1
    E_SCHEMA = 2
    E_VERSION = 3
    E_LINK = 4
    E_STATE = 5
    E_INTERLOCK = 6
    E_BUSY = 7
    E_ARGUMENT = 8
    E_RANGE = 9
    E_EXPIRED = 10
    E_CYCLE_GAP = 11
    E_STORAGE = 12
    E_AUTH = 13
    E_UNSUPPORTED = 14
    E_INTERNAL = 15
    UNKNOWN = 255


class Role(WireEnum):
    """Part that a host asks to have on a link."""

    VIEWER = 0
    CONTROLLER = 1
    UNKNOWN = 255


class DeviceState(WireEnum):
    """The device's own state, as its firmware has it."""

    OFF = 0
    SELF_TEST = 1
    IDLE = 2
    SESSION_OPEN = 3
    ANESTHESIA_WAIT = 4
    ANESTHESIA_CONFIRMED = 5
    ARMED = 6
    PUNCHING = 7
    SUCTIONING = 8
    ADVANCING = 9
    COUNTING = 10
    REPOSITIONING = 11
    PURGING = 12
    PAUSED = 13
    CLOSING = 14
    SAFE = 15
    FAULT = 16
    LOCKED = 17
    ARMING = 18
    DISARMING = 19
    UNKNOWN = 255


class Phase(WireEnum):
    """The phase of a cycle that was under way, or the last one that was completed."""

    NONE = 0
    PUNCH = 1
    SUCTION = 2
    ADVANCE = 3
    COUNT = 4
    UNKNOWN = 255


class Ending(WireEnum):
    """Ending of a cycle. OPEN is never in the journal: every record of a cycle is of an ended one.

    AMBIGUOUS: power was lost and the stroke latch was unreadable, so whether the skin was punctured is not
    known; such a cycle counts as punctured for density and is listed apart.
    """

    OPEN = 0
    COMPLETED = 1
    ABORTED = 2
    AMBIGUOUS = 3
    UNKNOWN = 255


class NeedleOutcome(IntEnum):
    """Outcome of one needle in one cycle, four bits each in a cycle's record (needle 0 in the lowest four)."""

    NOT_PUNCTURED = 0
    COUNTED = 1
    EMPTY = 2
    UNCOUNTED = 3
    AMBIGUOUS = 4


class CloseReason(WireEnum):
    """Reason for which the host closes a session.

    COMPLETED: the host's word; the device compares counts, and not the target.
    ABANDONED: the host does not have the session's records and offers no fold; nothing is compared, and the
    session is never reconciled.
    """

    COMPLETED = 1
    ABORTED = 2
    ABANDONED = 3
    UNKNOWN = 255


class AlarmPriority(WireEnum):
    """Styled after IEC 60601-1-8; never claimed to conform to it."""

    NONE = 0
    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    UNKNOWN = 255


class AlarmState(WireEnum):
    """Condition and acknowledgement of one alarm. LATCHED: shown until FAULT_RESET, even if its cause is gone."""

    INACTIVE = 0
    ACTIVE = 1
    ACKNOWLEDGED = 2
    LATCHED = 3
    UNKNOWN = 255


class ByeReason(WireEnum):
    """Reason for which an end leaves a link."""

    CLOSING = 0
    REPLACED = 1
    LEASE_EXPIRED = 2
    REBOOT = 3
    UNKNOWN = 255


class ParamScope(WireEnum):
    """Right to change a parameter: nobody after the start, or a controlling host."""

    START_ONLY = 0
    HOST_SETTABLE = 1
    UNKNOWN = 255


class RecordKind(WireEnum):
    """The kinds of journal record."""

    GAP = 0
    CYCLE = 1
    SESSION_OPENED = 2
    SESSION_CLOSED = 3
    ALARM = 4
    REFUSAL = 5
    PARAMETER = 6
    BOOT = 7
    ANESTHESIA = 8
    ACTION = 9
    UNKNOWN = 255


class Stream(WireEnum):
    """Telemetry streams that a host can ask for."""

    STATE = 1
    UNKNOWN = 255
