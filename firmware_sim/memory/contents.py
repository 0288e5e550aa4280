"""Contents of the non-volatile memory, without the steps that change them and without the store that keeps those.

Law: data and what can be read from them. Only steps (`steps.py`) change them.
"""

from dataclasses import dataclass, field, fields
from typing import Final

from firmware_sim.errors import NvmError
from firmware_sim.memory.journal import Journal
from firmware_sim.memory.session import SessionMemory, Totals
from protocols.language.enums import Phase
from protocols.language.messages.procedure import SessionCloseDone
from protocols.language.records import Cycle, decode_record

MAX_NUMBER: Final = 0xFFFF_FFFF
"""The greatest number on the wire. Some 13 years of ten events a second; a used number must never come again."""


@dataclass(slots=True, kw_only=True)
class Numbers:
    """Plain numbers. A new one is a line here: `Put` changes it, and it is in the image, the file and its replay."""

    epoch: int
    seed: int | None = None
    """Seed of the device whose memory this is; None until a device has run on it."""
    boot_count: int = 0
    link_count: int = 0
    birth_no: int = 0
    """Number of connections to a broker."""
    session_no: int = 0
    last_cycle_no: int = 0
    stroke_latch: bool | None = False
    """Latch of the hardware: True once the needles leave home, None where it cannot be read."""
    cartridge_serial: int = 0
    cartridge_session: int = 0
    cartridge_cycles: int = 0
    canister_ul: float = 0.0
    flagged: int = 0
    """Needles held to be clogged, one bit each."""


NUMBERS: Final = dict.fromkeys(number.name for number in fields(Numbers))
"""Names of the plain numbers, in their order."""


@dataclass(slots=True, kw_only=True)
class Contents(Numbers):
    """All of the memory: the numbers, and what is more than a number."""

    register: tuple[int, Phase] | None = None
    """Number and phase of the open cycle, None where no cycle is open."""
    aim: tuple[int, int, int] = (0, 0, 0)
    """Zone, cell and depth in um of the cycle begun last."""
    session: SessionMemory | None = None
    last_close: SessionCloseDone | None = None
    last_cycle: bytes = b""
    """Encoded record of the cycle that ended last, empty before the first; see `last_outcome`."""
    cartridges: dict[int, int] = field(default_factory=dict)
    """Serial -> the first session it was bound to."""
    latched: set[int] = field(default_factory=set)
    """Codes of the alarms that outlive a reboot."""
    journal: Journal = field(default_factory=Journal)

    @property
    def head(self) -> int:
        """Number that the next record will have."""
        return self.journal.head

    @property
    def tail(self) -> int:
        """Number of the first record that nobody acknowledged."""
        return self.journal.tail

    @property
    def free(self) -> int:
        """Slots free of unacknowledged records that have numbers left; below `JOURNAL_RESERVE` a PUNCH is refused."""
        return min(self.journal.free, self.numbers_left)

    @property
    def numbers_left(self) -> int:
        """Numbers left of the events, cycles, sessions or boots, whichever has the fewest: none of them ever wraps."""
        return MAX_NUMBER - max(self.journal.head, self.last_cycle_no, self.session_no, self.boot_count)

    def read(self, first: int, max_records: int) -> tuple[int, list[bytes]]:
        """Return the number read from and the encoded records from there on; see `Journal.read`."""
        return self.journal.read(first, max_records)

    @property
    def totals(self) -> Totals:
        """Totals of the open session, all 0 where none is open."""
        session = self.session
        if session is None:
            # Heartbeat and WELCOME show totals whether a session is open or not.
            return Totals()
        return Totals(session.session_no, session.cycles, session.punctures, session.cores_counted)

    @property
    def last_outcome(self) -> Cycle | None:
        """Record of the cycle that ended last; None before the first."""
        # Decoded when somebody asks, which is seldom: it is written with each cycle.
        outcome = decode_record(self.last_cycle) if self.last_cycle else None
        assert outcome is None or isinstance(outcome, Cycle)
        return outcome

    def require_session(self) -> SessionMemory:
        """Return the open session.

        Raises:
            NvmError: none is open.
        """
        if self.session is None:
            raise NvmError("no session is open")
        return self.session

    def require_cycle(self) -> tuple[int, Phase]:
        """Return number and phase of the open cycle.

        Raises:
            NvmError: none is open.
        """
        if self.register is None:
            raise NvmError("no cycle is open")
        return self.register

    def forbid_open_cycle(self) -> None:
        """Raise NvmError if a cycle is open."""
        if self.register is not None:
            raise NvmError(f"cycle {self.register[0]} is open")
