"""The non-volatile memory: counters, the open-cycle register, the session, the cartridge's binding, the journal.

Law: each method is one atomic step. A step is checked, then stored as *one* store record (its name and arguments),
then carried out; loading carries the same steps out again, so what was loaded cannot differ from what wrote it.
A step is synced before it returns if a motion follows from it or nothing can be done without it; the others are synced
together, by `sync`, before anybody can learn of them.

Order of a cycle: `begin_cycle` and `set_latch(True)` before the needle moves, `set_phase` before each later motion,
`end_cycle` once. If power goes between, `boot` ends the cycle: in its first phase the stroke latch tells whether the
skin was punctured, later there is no doubt.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from firmware_sim.errors import NvmError, SeedError
from firmware_sim.memory.journal import Journal
from firmware_sim.memory.session import SessionMemory, Totals
from protocols.language.enums import CloseReason, Ending, NeedleOutcome, Phase, RecordKind
from protocols.language.messages.procedure import SessionCloseDone
from protocols.language.records import (
    RECORD_SIZE,
    Boot,
    Cycle,
    Record,
    SessionClosed,
    SessionOpened,
    decode_record,
    encode_record,
)

_SYNCED_LATER: Final = frozenset(("set_phase", "set_canister", "set_flagged", "append", "acknowledge"))
"""Steps that nothing in the device relies on: one sync for all of them, once it has come to what others will hear."""

_Record = TypeVar("_Record", bound=Record)

_CYCLE: Final = struct.Struct("<IIBBBBIIHHII")
"""A CYCLE record as `encode_record` makes it, without building the model: one a cycle, on the hot path."""
assert _CYCLE.size == RECORD_SIZE

WORK_ROOM: Final = 16 * 1024
"""Bytes of a store that must be free when something new is begun. A cycle with all its alarms keeps about one KiB."""
LAST_ROOM: Final = 4 * 1024
"""The same where something is ended: with a store that is full a session can still be read, closed and left."""
assert LAST_ROOM < WORK_ROOM

CARTRIDGES_REMEMBERED: Final = 64
"""Serials bound to a session, the newest. A cartridge older than that is past its expiry (assumption)."""


class NvmStore(Protocol):
    """Where steps are kept. `append` keeps one whole or not at all; `sync` returns when all are on the medium."""

    def append(self, key: str, value: Any) -> None:
        """Keep one step; `value` is made of what JSON has."""

    def sync(self) -> None:
        """Wait until everything appended would survive a loss of power."""

    def reserve(self, size: int) -> None:
        """Have room for steps of `size` bytes in all; raises the store's own error where there is none."""


def choose_seed(wanted: int | None, nvm: "Nvm | None", draw: Callable[[], int]) -> int:
    """The seed of a device on this memory: the one that is wanted, else the memory's, else one that is drawn.

    Raises:
        SeedError: another one is wanted than the memory's.
    """
    kept = None if nvm is None else nvm.seed
    if kept is None:
        return draw() if wanted is None else wanted
    if wanted not in (None, kept):
        raise SeedError(kept, wanted)
    return kept


class Nvm:
    """The attributes are for reading; only the methods change them. All survive a reboot."""

    def __init__(self, store: NvmStore | None = None, *, epoch: int) -> None:
        self.store: NvmStore | None = None
        self.steps_kept = 0
        """Of this process; for whoever wants to know whether a step was kept meanwhile."""
        self.unsynced = False
        """Steps are kept that a loss of power may still take away."""
        self.epoch = epoch
        self.seed: int | None = None
        """Of the device whose memory this is; None until a device has run on it."""
        self.boot_count = 0
        self.link_count = 0
        self.birth_no = 0
        self.session_no = 0
        self.last_cycle_no = 0
        self.register: tuple[int, Phase] | None = None
        self.aim: tuple[int, int, int] = (0, 0, 0)
        """Zone, cell and depth in um of the cycle begun last."""
        self.stroke_latch: bool | None = False
        self.session: SessionMemory | None = None
        self.last_close: SessionCloseDone | None = None
        self.last_cycle = b""
        """The encoded record of the cycle that ended last, empty before the first; see `last_outcome`."""
        self.cartridge_serial = 0
        self.cartridge_session = 0
        self.cartridge_cycles = 0
        self.cartridges: dict[int, int] = {}
        """Serial -> the first session it was bound to."""
        self.canister_ul = 0.0
        self.latched: set[int] = set()
        self.flagged = 0
        """Needles held to be clogged, one bit each."""
        self.journal = Journal()
        if store is not None:
            store.append("epoch", [epoch])
            store.sync()
            self.store = store

    def attach(self, store: NvmStore) -> None:
        """From now on keep each step in `store`, which holds what led here."""
        self.store = store

    def keep_seed(self, seed: int) -> None:
        """A device with this seed runs on this memory. Its serial comes of the seed, so it is the same for good.

        Raises:
            SeedError: another one did.
        """
        if self.seed is None:
            self._keep("keep_seed", seed)
            self.seed = seed
        elif seed != self.seed:
            raise SeedError(self.seed, seed)

    # -- power and links ---------------------------------------------------------------------------------------

    def boot(self, uptime_ms: int) -> Boot:
        """Count a start. A cycle that was open is ended first, as far as register and latch tell how."""
        self._keep("boot", uptime_ms)
        store, self.store = self.store, None  # the cycle's end is part of this one step
        open_cycle_no, phase = self.register if self.register is not None else (0, Phase.NONE)
        if self.register is not None:
            zone, cell, depth_um = self.aim
            ending, outcome = self._resolve(phase)
            outcomes = [outcome] * self._session().needles
            self.end_cycle(ending, phase, outcomes, zone=zone, cell=cell, depth_um=depth_um, uptime_ms=uptime_ms)
        self.boot_count += 1
        boot = self.append(Boot, uptime_ms, boot_count=self.boot_count, open_cycle_no=open_cycle_no, phase=phase)
        self.store = store
        return boot

    def _resolve(self, phase: Phase) -> tuple[Ending, NeedleOutcome]:
        """How the open cycle ended, and what every needle did in it."""
        # From suction on the needle had been out and home again, whatever the latch says.
        if phase is not Phase.PUNCH or self.stroke_latch:
            return Ending.ABORTED, NeedleOutcome.UNCOUNTED
        if self.stroke_latch is None:
            return Ending.AMBIGUOUS, NeedleOutcome.AMBIGUOUS
        return Ending.ABORTED, NeedleOutcome.NOT_PUNCTURED

    def next_link_id(self) -> int:
        """Count a link; its id is the counter's low 16 bits, never 0, since 0 on the wire means "no link yet"."""
        self._keep("next_link_id")
        self.link_count += 1
        if self.link_count & 0xFFFF == 0:
            self.link_count += 1
        return self.link_count & 0xFFFF

    def next_birth_no(self) -> int:
        """Count a connection to a broker."""
        self._keep("next_birth_no")
        self.birth_no += 1
        return self.birth_no

    # -- session -------------------------------------------------------------------------------------------------

    def open_session(self, memory: SessionMemory, uptime_ms: int) -> SessionOpened:
        """Open a session with its plan; its totals must be zero.

        Raises:
            NvmError: one is open.
        """
        if self.session is not None:
            raise NvmError(f"session {self.session.session_no} is open")
        record = SessionOpened(
            event_no=self.head,
            uptime_ms=uptime_ms,
            session_no=memory.session_no,
            target_cores=memory.target_cores,
            first_cycle_no=memory.first_cycle_no,
            coverage_bp=memory.coverage_bp,
            depth_um=memory.depth_um,
            cells=memory.cells,
            zones=len(memory.zones_cm2),
        )
        self._keep("open_session", memory.to_json(), uptime_ms)
        self.session_no = memory.session_no
        self.session = memory
        self.journal.append(encode_record(record))
        return record

    def close_session(self, reason: CloseReason, uptime_ms: int) -> SessionClosed:
        """Close the open session and remember its totals as `last_close`.

        Raises:
            NvmError: none is open, or a cycle is.
        """
        session = self._session()
        self._forbid_open_cycle()
        self._keep("close_session", reason, uptime_ms)
        record = SessionClosed(
            event_no=self.head,
            uptime_ms=uptime_ms,
            reason=reason,
            session_no=session.session_no,
            cycles=session.cycles,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        )
        self.last_close = SessionCloseDone(
            session_no=session.session_no,
            cycles=session.cycles,
            completed=session.completed,
            aborted=session.aborted,
            ambiguous=session.ambiguous,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        )
        self.session = None
        self.journal.append(encode_record(record))
        return record

    @property
    def totals(self) -> Totals:
        """What the open session has come to."""
        session = self.session
        if session is None:
            return Totals()
        return Totals(session.session_no, session.cycles, session.punctures, session.cores_counted)

    def _session(self) -> SessionMemory:
        if self.session is None:
            raise NvmError("no session is open")
        return self.session

    # -- cycle -----------------------------------------------------------------------------------------------------

    def begin_cycle(self, cycle_no: int, zone: int, cell: int, depth_um: int) -> None:
        """Use up a cycle number: the register is set, and where the needle will go, before it moves.

        If power is lost, `boot` can tell from here alone which cell the punctures are in.

        Raises:
            NvmError: no session, a cycle open, or a number that is not the next.
        """
        self._session()
        self._forbid_open_cycle()
        if cycle_no != self.last_cycle_no + 1:
            raise NvmError(f"cycle {cycle_no} does not follow {self.last_cycle_no}")
        self._keep("begin_cycle", cycle_no, zone, cell, depth_um)
        self.last_cycle_no = cycle_no
        self.register = (cycle_no, Phase.PUNCH)
        self.aim = (zone, cell, depth_um)
        self.stroke_latch = False

    def set_phase(self, phase: Phase) -> None:
        """The open cycle goes on to its next motion.

        Raises:
            NvmError: no cycle is open.
        """
        register = self.register
        if register is None:
            raise NvmError("no cycle is open")
        self._keep("set_phase", phase)
        self.register = (register[0], phase)

    def set_latch(self, latch: bool | None) -> None:
        """The stroke latch as the hardware has it: True once the needle leaves home, None if it cannot be read."""
        self._keep("set_latch", latch)
        self.stroke_latch = latch

    def end_cycle(
        self,
        ending: Ending,
        phase: Phase,
        outcomes: Sequence[NeedleOutcome],
        *,
        zone: int,
        cell: int,
        depth_um: int,
        uptime_ms: int,
        canister_ul: float | None = None,
    ) -> None:
        """End the open cycle: record, totals, density, register and latch in one step.

        `outcomes` has one a needle, needle 0 first; `depth_um` is as measured. A `canister_ul` is noted with it.

        Raises:
            NvmError: no cycle is open.
        """
        packed = 0
        for needle, outcome in enumerate(outcomes):
            packed |= outcome << 4 * needle
        session, cycle_no, needles = self._session(), self._open_cycle_no(), len(outcomes)
        may_be_punctured = needles - outcomes.count(NeedleOutcome.NOT_PUNCTURED)
        punctures = session.punctures + may_be_punctured
        cores = session.cores_counted + outcomes.count(NeedleOutcome.COUNTED)
        head = self.journal.head
        raw = _CYCLE.pack(
            *(head, uptime_ms, RecordKind.CYCLE, ending, phase, needles, cycle_no, packed, cell, depth_um),
            *(punctures, cores),
        )
        self._keep("end_cycle", ending, phase, outcomes, zone, cell, depth_um, uptime_ms, canister_ul)
        session.cycles += 1
        if ending is Ending.COMPLETED:
            session.completed += 1
        elif ending is Ending.AMBIGUOUS:
            session.ambiguous += 1
        else:
            session.aborted += 1
        session.punctures, session.cores_counted = punctures, cores
        if may_be_punctured:
            place = (zone, cell)
            session.cell_punctures[place] = session.cell_punctures.get(place, 0) + may_be_punctured
            self.cartridge_cycles += 1
        if canister_ul is not None:
            self.canister_ul = canister_ul
        self.journal.append(raw)
        self.last_cycle = raw
        self.register = None
        self.stroke_latch = False

    @property
    def last_outcome(self) -> Cycle | None:
        """The record of the cycle that ended last; None before the first."""
        outcome = decode_record(self.last_cycle) if self.last_cycle else None
        assert outcome is None or isinstance(outcome, Cycle)
        return outcome

    def _open_cycle_no(self) -> int:
        if self.register is None:
            raise NvmError("no cycle is open")
        return self.register[0]

    def _forbid_open_cycle(self) -> None:
        if self.register is not None:
            raise NvmError(f"cycle {self.register[0]} is open")

    # -- consumables and alarms --------------------------------------------------------------------------------------

    def bind_cartridge(self, serial: int, session_no: int, cycles: int = 0) -> None:
        """A cartridge belongs to a session from now on. One that was in before keeps its cycles."""
        self._keep("bind_cartridge", serial, session_no, cycles)
        if serial != self.cartridge_serial:
            self.cartridge_cycles = cycles
        self.cartridge_serial, self.cartridge_session = serial, session_no
        self.cartridges.setdefault(serial, session_no)
        if len(self.cartridges) > CARTRIDGES_REMEMBERED:
            del self.cartridges[next(iter(self.cartridges))]

    def set_canister(self, canister_ul: float) -> None:
        """What is in the canister."""
        self._keep("set_canister", canister_ul)
        self.canister_ul = canister_ul

    def set_flagged(self, mask: int) -> None:
        """The needles held to be clogged, one bit each."""
        self._keep("set_flagged", mask)
        self.flagged = mask

    def latch_alarm(self, code: int) -> None:
        """A latched alarm was raised: it outlives a reboot."""
        self._keep("latch_alarm", code)
        self.latched.add(code)

    def clear_alarm(self, code: int) -> None:
        """A latched alarm was reset."""
        self._keep("clear_alarm", code)
        self.latched.discard(code)

    # -- journal -------------------------------------------------------------------------------------------------------

    @property
    def head(self) -> int:
        """The number that the next record will have."""
        return self.journal.head

    @property
    def tail(self) -> int:
        """The number of the first record that nobody acknowledged."""
        return self.journal.tail

    @property
    def free(self) -> int:
        """Slots free of unacknowledged records; below `JOURNAL_RESERVE` a PUNCH is refused."""
        return self.journal.free

    def append(self, record_class: type[_Record], uptime_ms: int, **fields: Any) -> _Record:
        """Write any other record; its number is assigned here."""
        record = record_class(event_no=self.head, uptime_ms=uptime_ms, **fields)
        raw = encode_record(record)
        if self.store is not None:
            self._keep("append", raw.hex())
        self.journal.append(raw)
        return record

    def read(self, first: int, max_records: int) -> tuple[int, list[bytes]]:
        """The number read from and the encoded records from there on; see `Journal.read`."""
        return self.journal.read(first, max_records)

    def acknowledge(self, upto: int) -> int:
        """Records before `upto` are safe with the host; the tail that now stands."""
        if upto > self.tail:
            self._keep("acknowledge", upto)
        return self.journal.acknowledge(upto)

    # -- store -----------------------------------------------------------------------------------------------

    def _keep(self, key: str, *arguments: Any) -> None:
        """Store a step before it is carried out."""
        if self.store is not None:
            self.store.append(key, list(arguments))
            self.steps_kept += 1  # also where it cannot be synced: nobody knows whether it will be there
            self.unsynced = True
            if key not in _SYNCED_LATER:
                self.sync()

    def sync(self) -> None:
        """Return when no loss of power can take away a step; whoever shows the memory to anybody asks for this first.

        Raises:
            NvmFileError: they are not all on the medium, and must not be shown.
        """
        if self.unsynced:
            assert self.store is not None
            self.store.sync()
            self.unsynced = False

    def reserve(self, size: int) -> None:
        """Have room in the store for what is about to be kept.

        Raises:
            NvmFileError: there is none; nothing has changed.
        """
        if self.store is not None:
            self.store.reserve(size)
