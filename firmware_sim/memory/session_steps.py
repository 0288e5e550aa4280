"""Steps of a session and of its cycles, and the boot, which ends a cycle that was left open.

Order of a cycle: BeginCycle and the stroke latch before the needles move, SetPhase before each later motion, EndCycle
once. If power goes between, PowerOn ends the cycle: in its first phase the latch tells if the skin was punctured, later
there is no doubt.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import Contents
from firmware_sim.memory.session import SessionMemory
from protocols.language import records as R
from protocols.language.enums import CloseReason, Ending, NeedleOutcome, Phase, RecordKind
from protocols.language.messages.procedure import SessionCloseDone

_CYCLE: Final = struct.Struct("<IIBBBBIIHHII")
"""A CYCLE record as `encode_record` makes it, without building the model: one a cycle, on the hot path."""
assert _CYCLE.size == R.RECORD_SIZE

_COMPLETED: Final = Ending.COMPLETED
_PUNCH: Final = Phase.PUNCH
_CYCLE_ENDED: Final = RecordKind.CYCLE
_COUNTED: Final = NeedleOutcome.COUNTED
_NOT_PUNCTURED: Final = NeedleOutcome.NOT_PUNCTURED


class OpenSession(NamedTuple):
    """Open a session with its plan; its totals must be zero."""

    session: Mapping[str, object]
    """See `SessionMemory.to_json`."""
    uptime_ms: int

    def check(self, contents: Contents) -> None:
        """Raise NvmError if a session is open."""
        self._record(contents)

    def apply(self, contents: Contents) -> None:
        """Begin the session and its record."""
        record = self._record(contents)  # first, since it raises where a session is open
        contents.session = SessionMemory.from_json(self.session)
        contents.session_no = contents.session.session_no
        contents.journal.append(record)

    def _record(self, contents: Contents) -> bytes:
        if contents.session is not None:
            raise NvmError(f"session {contents.session.session_no} is open")
        session = SessionMemory.from_json(self.session)
        record = R.SessionOpened(
            event_no=contents.head,
            uptime_ms=self.uptime_ms,
            session_no=session.session_no,
            target_cores=session.target_cores,
            first_cycle_no=session.first_cycle_no,
            coverage_bp=session.coverage_bp,
            depth_um=session.depth_um,
            cells=session.cells,
            zones=len(session.zones_cm2),
        )
        return R.encode_record(record)


class CloseSession(NamedTuple):
    """Close the open session and remember its totals as `last_close`."""

    reason: int
    uptime_ms: int

    def check(self, contents: Contents) -> None:
        """Raise NvmError if no session is open, or a cycle is."""
        contents.require_session()
        contents.forbid_open_cycle()

    def apply(self, contents: Contents) -> None:
        """End the session, with its record."""
        self.check(contents)  # what is loaded again is applied without having been checked
        session = contents.require_session()
        record = R.SessionClosed(
            event_no=contents.head,
            uptime_ms=self.uptime_ms,
            reason=CloseReason(self.reason),
            session_no=session.session_no,
            cycles=session.cycles,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        )
        # The session is gone after this; its close is answered from here, and TRUTH_GET asks which session it was.
        contents.last_close = SessionCloseDone(
            session_no=session.session_no,
            cycles=session.cycles,
            completed=session.completed,
            aborted=session.aborted,
            ambiguous=session.ambiguous,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        )
        contents.session = None
        contents.journal.append(R.encode_record(record))


class BeginCycle(NamedTuple):
    """Use up a cycle number: set the register, and where the needles will go, before they move.

    If power is lost, `PowerOn` can tell from here alone which cell the punctures are in.
    """

    cycle_no: int
    zone: int
    cell: int
    depth_um: int

    def check(self, contents: Contents) -> None:
        """Raise NvmError if no session is open, a cycle is, or the number is not the next."""
        contents.require_session()
        contents.forbid_open_cycle()
        if self.cycle_no != contents.last_cycle_no + 1:
            raise NvmError(f"cycle {self.cycle_no} does not follow {contents.last_cycle_no}")

    def apply(self, contents: Contents) -> None:
        """Open the cycle in its first phase."""
        self.check(contents)
        contents.last_cycle_no = self.cycle_no
        contents.register = (self.cycle_no, _PUNCH)
        contents.aim = (self.zone, self.cell, self.depth_um)
        contents.stroke_latch = False  # what an earlier boot could not read says nothing of this stroke


class SetPhase(NamedTuple):
    """Let the open cycle go on to its next motion."""

    phase: Phase

    def check(self, contents: Contents) -> None:
        """Raise NvmError if no cycle is open."""
        contents.require_cycle()

    def apply(self, contents: Contents) -> None:
        """Change the register."""
        cycle_no, _ = contents.require_cycle()
        contents.register = (cycle_no, self.phase)


class EndCycle(NamedTuple):
    """End the open cycle: record, totals, density, register and latch.

    `outcomes` has one a needle, needle 0 first; `depth_um` is as measured. A `canister_ul` is noted with it.
    """

    ending: int
    phase: int
    outcomes: Sequence[int]
    zone: int
    cell: int
    depth_um: int
    uptime_ms: int
    canister_ul: float | None = None

    def check(self, contents: Contents) -> None:
        """Raise NvmError if no cycle is open, struct.error if a number does not fit the record."""
        self._record(contents)

    def apply(self, contents: Contents) -> None:
        """End the cycle."""
        session, raw, punctures, cores = self._record(contents)
        session.cycles += 1
        if self.ending == _COMPLETED:
            session.completed += 1
        elif self.ending == Ending.AMBIGUOUS:
            session.ambiguous += 1
        else:
            session.aborted += 1
        more = punctures - session.punctures
        session.punctures, session.cores_counted = punctures, cores
        if more:
            # Needles that stayed on the skin neither fill the cell nor wear.
            place = (self.zone, self.cell)
            session.cell_punctures[place] = session.cell_punctures.get(place, 0) + more
            contents.cartridge_cycles += 1
        # The plant's own volume is lost with the process; the next one begins with this.
        if self.canister_ul is not None:
            contents.canister_ul = self.canister_ul
        contents.journal.append(raw)
        contents.last_cycle = raw
        contents.register = None
        contents.stroke_latch = False

    def _record(self, contents: Contents) -> tuple[SessionMemory, bytes, int, int]:
        """Return the session, the CYCLE record, and the session's punctures and cores with those of this cycle."""
        session, (cycle_no, _) = contents.require_session(), contents.require_cycle()
        packed = 0
        for needle, outcome in enumerate(self.outcomes):
            packed |= outcome << 4 * needle
        needles = len(self.outcomes)
        # A needle of which nobody knows counts as punctured: skin is never understated.
        punctures = session.punctures + needles - self.outcomes.count(_NOT_PUNCTURED)
        cores = session.cores_counted + self.outcomes.count(_COUNTED)
        # Raises where a number does not fit, before anything has changed.
        raw = _CYCLE.pack(
            *(contents.head, self.uptime_ms, _CYCLE_ENDED, self.ending, self.phase, needles, cycle_no, packed),
            *(self.cell, self.depth_um, punctures, cores),
        )
        return session, raw, punctures, cores


class PowerOn(NamedTuple):
    """Count a start. A cycle that was open is ended first, as far as register and latch tell how."""

    uptime_ms: int

    def check(self, contents: Contents) -> None:
        """Can always be applied."""

    def apply(self, contents: Contents) -> None:
        """End an open cycle, then count the boot, with its record."""
        open_cycle_no, phase = contents.register if contents.register is not None else (0, Phase.NONE)
        if contents.register is not None:
            zone, cell, depth_um = contents.aim
            ending, outcome = _resolve(phase, contents.stroke_latch)
            outcomes = [outcome] * contents.require_session().needles
            # In one step with the boot: power may be lost again, and the cycle ends once.
            EndCycle(ending, phase, outcomes, zone, cell, depth_um, self.uptime_ms).apply(contents)
        contents.boot_count += 1
        record = R.Boot(
            event_no=contents.head,
            uptime_ms=self.uptime_ms,
            boot_count=contents.boot_count,
            open_cycle_no=open_cycle_no,
            phase=phase,
        )
        contents.journal.append(R.encode_record(record))


def _resolve(phase: Phase, latch: bool | None) -> tuple[Ending, NeedleOutcome]:
    """Return how a cycle that was left open ended, and what each needle did in it."""
    # From suction on the needles had been out and home again, whatever the latch says.
    if phase is not Phase.PUNCH or latch:
        return Ending.ABORTED, NeedleOutcome.UNCOUNTED
    if latch is None:
        return Ending.AMBIGUOUS, NeedleOutcome.AMBIGUOUS
    return Ending.ABORTED, NeedleOutcome.NOT_PUNCTURED
