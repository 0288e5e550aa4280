"""The automatic operator: numbs, arms, cycles, moves on, purges, and does what a trained person would about a refusal.

Law: a number in a reply steers it and is never recorded. What it cannot mend it raises.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from devicectl.errors import CommandError, CommandFailedError, CommandRefusedError, LinkLostError, SessionError
from devicectl.session.anesthesia import AnesthesiaOperator
from devicectl.session.context import SessionContext
from devicectl.session.count import needle_names
from devicectl.session.entries import NoteKind
from devicectl.session.machine import CYCLE, Event, State
from devicectl.session.procedures import Procedure, Until, ask
from devicectl.session.recovery import Recovery, by_held_device
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.records import unpack_outcomes
from protocols.language.units import SECOND, Micros

MAX_UNREAD_CYCLES: Final = 64
"""The journal is read after so many cycles even if the hand does not move: far below the ring's 1,024 records."""
UNREAD_CYCLES_AT_A_MOVE: Final = 48
"""It is read earlier while the hand moves, if the next cell, of some 16 cycles, would bring it to the 64."""
PUNCH_DEADLINE_MS: Final = 3_000
"""A PUNCH that arrives later than its five tries take is not wanted any more."""
SUCTION_WAIT_US: Final = 30 * SECOND
SUCTION_POLL_US: Final = SECOND // 2
"""After a suction loss: how long the operator looks for the leak, and how often he tries."""
MAX_UNLOGGED: Final = 64
"""Entries that the log may be behind before no PUNCH is sent any more: about five minutes of a slow disk."""
MAX_PURGES: Final = 10
"""A purge works nine times in ten, and a session has some five clogs: ten failures in a row are a broken needle."""
MAX_REMEDIES: Final = 100
"""In a row, without a cycle between them: a wait for suction takes 60. A device that refuses on needs a person."""

_UNARMED, _PAUSED, _RECOVERING = State.ANESTHESIA_CONFIRMED, State.PAUSED, State.RECOVERING
_PUNCH_SENT, _SUCTION_SENT, _ADVANCE_SENT = Event.PUNCH_SENT, Event.SUCTION_SENT, Event.ADVANCE_SENT
_COUNT_SENT, _CYCLE_ENDED = Event.COUNT_SENT, Event.CYCLE_ENDED


@dataclass(frozen=True, slots=True)
class CycleResult:
    """One completed cycle as its COUNT answered it: for display, not for counting. The totals are the session's."""

    cycle_no: int
    cores_counted: int
    outcomes: tuple[int, ...]
    total_cores_counted: int
    total_punctures: int
    zone: int
    cell: int


@lru_cache(maxsize=1024)
def _outcomes(packed: int, needles: int) -> tuple[int, ...]:
    """One outcome a needle; a session has a few dozen different ones."""
    return tuple(unpack_outcomes(packed, needles))


class AutomaticOperator:
    """One session's operator: it knows where the hand is and which needles are flagged.

    How it works: `next_cycle` does the first thing that is between it and a punch, and looks again. A refusal is
    answered by its interlock's remedy, and another look. For example a used-up cell, and a clog in the next one:

        cycles left 0     -> REPOSITION zone 0 cell 1                       cycles left 16
        nothing           -> PUNCH, SUCTION, ADVANCE, COUNT                 COUNT flags needle 2; the cycle is returned
        needle flagged    -> PURGE                                          cleared
        nothing           -> PUNCH: refused, interlock SUCTION              remedy: wait half a second

    A lost link or a foreign stop comes back to this through `restore`: `Recovery.through`.
    """

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self.recovery = Recovery(context, self._lose_place)
        self._cycles_left = self._cells_used = self._flagged = self._remedies = 0
        self._anesthesia = AnesthesiaOperator(context)
        self._at: tuple[int, int] | None = None
        self._suction_since: Micros | None = None
        self._storage_freed_at: int | None = None

    def _lose_place(self) -> None:
        """The hand was taken off: the cell that was begun last is gone to again."""
        _, reader = self._context.session()
        self._cells_used = max(self._cells_used - 1, len(reader.fold.cells) - 1, 0)
        self._at, self._cycles_left = None, 0

    # --- anesthesia and arming -------------------------------------------------------------------------------

    def confirm_anesthesia(self, method: str, confirmed_by: str, age_s: int = 0) -> Procedure[None]:
        """Numb every zone, wait until the device lets each be confirmed, and confirm it."""
        self._anesthesia.begin(method, confirmed_by, age_s)
        yield from self.recovery.through(self._anesthesia.numb, self.restore)

    def adopt(self, method: str, confirmed_by: str, open_s: float | None) -> None:
        """Take over from another operator, in a session that was opened `open_s` seconds ago, where that is known."""
        self._anesthesia.adopt(method, confirmed_by, open_s)

    def _arm(self) -> Procedure[None]:
        # An armed device has a short lease: this host is at its pace before the device is armed.
        self._context.link.hurry(None)
        try:
            yield from ask(M.Arm())
        except CommandError:
            self._context.link.hurry(False)
            raise
        self._context.machine.happened(Event.ARMED)

    def disarm(self) -> Procedure[None]:
        """Stop the pump."""
        yield from ask(M.Disarm())
        self._context.machine.happened(Event.DISARMED)

    def pause(self) -> Procedure[None]:
        """Hold between two cycles, armed; no-op if the device is not armed. The next cycle resumes.

        After a link that is lost meanwhile, or a stop, the device is recovered, and holds unarmed.
        """
        yield from self.recovery.through(self._pause, self.restore)

    def _pause(self) -> Procedure[None]:
        if self._context.machine.now is State.ARMED:
            yield from ask(M.Pause())
            self._context.machine.happened(Event.PAUSED)
            self._context.note("action", "pause", "")

    def _resume(self) -> Procedure[None]:
        yield from ask(M.Resume())
        self._context.machine.happened(Event.RESUMED)
        self._context.note("action", "resume", "")

    # --- cycles ----------------------------------------------------------------------------------------------

    def next_cycle(self) -> Procedure[CycleResult | None]:
        """Do one more cycle, with all that it needs; None when the target is reached.

        Raises:
            SessionError: the plan's cells are used up, or the device needs a person.
            LinkError: the link was lost and could not be recovered.
            CommandRefusedError: an interlock that the automatic operator has no remedy for.
        """
        return (yield from self.recovery.through(self._cycle_or_remedy, self.restore))

    def _cycle_or_remedy(self) -> Procedure[CycleResult | None]:
        while self._context.counted < self._context.plan.target_cores:
            self._check_link()
            try:
                if self._context.machine.now is _UNARMED:
                    yield from self._arm()
                elif self._context.machine.now is _PAUSED:
                    yield from self._resume()
                elif self._flagged:
                    yield from self._purge()
                elif self._cycles_left == 0:
                    yield from self._reposition()
                else:
                    result = yield from self._cycle()
                    self.recovery.begin_row()
                    self._suction_since, self._remedies = None, 0
                    return result
            except (CommandRefusedError, CommandFailedError) as error:
                yield from self._remedy(error)
        return None

    def _cycle(self) -> Procedure[CycleResult]:
        if self._context.backlog > MAX_UNLOGGED:
            yield lambda: self._context.backlog <= MAX_UNLOGGED
            self._check_link()
        # The host names the cycle: should PUNCH be repeated, the device knows the number and punches once.
        cycle_no = self._context.last_cycle_no + 1
        happened = self._context.machine.happened
        deadline = self._context.link.device_uptime_ms() + PUNCH_DEADLINE_MS & 0xFFFF_FFFF
        happened(_PUNCH_SENT)
        # Unchecked: each value is in its range by construction, and a session sends thousands of these four.
        yield from ask(M.Punch.unchecked(cycle_no=cycle_no, depth_um=self._context.plan.depth_um, deadline_ms=deadline))
        self._context.last_cycle_no = cycle_no  # not before DONE: a refused PUNCH has used up no number
        happened(_SUCTION_SENT)
        yield from ask(M.Suction.unchecked(cycle_no=cycle_no))
        happened(_ADVANCE_SENT)
        yield from ask(M.Advance.unchecked(cycle_no=cycle_no, steps=1))
        happened(_COUNT_SENT)
        done = yield from ask(M.Count.unchecked(cycle_no=cycle_no))
        happened(_CYCLE_ENDED)
        # The answer steers what comes next; what is counted and logged is read from the journal.
        self._flagged, self._cycles_left = done.flagged, done.cycles_left
        self._context.counted = done.total_cores_counted
        self._context.unread_cycles += 1
        if self._context.unread_cycles >= MAX_UNREAD_CYCLES:
            self._context.read_aside()
        assert self._context.opened is not None and self._at is not None
        return CycleResult(
            cycle_no=cycle_no,
            cores_counted=done.cores_counted,
            outcomes=_outcomes(done.outcomes, self._context.opened.needles),
            total_cores_counted=done.total_cores_counted,
            total_punctures=done.total_punctures,
            zone=self._at[0],
            cell=self._at[1],
        )

    def _check_link(self) -> None:
        """A link that was lost while nothing was asked of the device has raised nothing: raise it now."""
        if self._context.machine.now is _RECOVERING:
            raise LinkLostError("the link was lost between two commands")

    def _reposition(self) -> Procedure[None]:
        """Go to the next cell that still takes a cycle; while the hand moves is a good time to read the journal."""
        if self._cells_used >= self._context.plan.cells:
            reached = f"{self._context.counted} of {self._context.plan.target_cores} cores"
            raise SessionError(f"all {self._context.plan.cells} cells of the plan are used at {reached}")
        zone, cell = self._locate(self._cells_used)
        self._context.machine.happened(Event.REPOSITION_SENT)
        if self._context.unread_cycles >= UNREAD_CYCLES_AT_A_MOVE:
            self._context.read_aside()
        try:
            done = yield from ask(M.Reposition(zone=zone, cell=cell))
        finally:
            self._end_motion()
        self._cells_used += 1
        self._at, self._cycles_left = (zone, cell), done.cycles_left

    def _locate(self, number: int) -> tuple[int, int]:
        """Zone and cell of the plan's cell `number`, counted through all zones."""
        for zone, area in enumerate(zone.area_cm2 for zone in self._context.plan.zones):
            if number < area:
                return zone, number
            number -= area
        raise AssertionError("number is below plan.cells")

    def _end_motion(self) -> None:
        """Note the end of a motion, however it ended; where the link was lost, the machine is recovering already."""
        if self._context.machine.now in (State.REPOSITIONING, State.PURGING):
            self._context.machine.happened(Event.MOTION_ENDED)

    def _purge(self) -> Procedure[None]:
        for attempt in range(1, MAX_PURGES + 1):
            self._context.machine.happened(Event.PURGE_SENT)
            try:
                done = yield from ask(M.Purge())
            finally:
                self._end_motion()
            found = f"{needle_names(done.cleared)} cleared, {needle_names(done.flagged)} still flagged"
            self._context.note("action", "purge", f"try {attempt}: {found}")
            self._flagged = done.flagged
            if not done.flagged:
                return
        raise SessionError(f"needles stay clogged after {MAX_PURGES} purges: {needle_names(self._flagged)}")

    # --- remedies --------------------------------------------------------------------------------------------

    def _remedy(self, error: CommandRefusedError | CommandFailedError) -> Procedure[None]:
        """Do what a trained operator would; raise what only a person can mend, and a device that is held."""
        if by_held_device(error):
            raise error
        kind: NoteKind = "refusal" if isinstance(error, CommandRefusedError) else "warning"
        self._context.note(kind, error.command.__class__.__name__.lower(), str(error))
        command = error.command
        # A cycle that began and failed has used up its number, and has punctured its cell; a refusal has done neither.
        if isinstance(error, CommandFailedError) and isinstance(command, (M.Punch, M.Suction, M.Advance, M.Count)):
            self._context.last_cycle_no = max(self._context.last_cycle_no, command.cycle_no)
            self._cycles_left -= 1
        # The device has ended the cycle by itself, and its journal says how.
        if self._context.machine.now in CYCLE:
            self._context.machine.happened(Event.CYCLE_ABORTED)
        self._remedies += 1
        if self._remedies > MAX_REMEDIES:
            raise error
        # The device's ring is full of what this host has not acknowledged yet: reading it makes room.
        if error.code is Code.E_STORAGE and self._storage_freed_at != self._context.last_cycle_no:
            assert self._context.reader is not None
            self._storage_freed_at = self._context.last_cycle_no  # a second time before the next cycle it is of no use
            yield from self._context.reader.read()
            return
        remedy = _REMEDIES.get(error.interlock)
        if remedy is None:
            raise error
        yield from remedy(self)

    def _await_suction(self) -> Procedure[None]:
        self._context.note("action", "suction_check", "looking for the leak")
        self._suction_since = self._context.link.now if self._suction_since is None else self._suction_since
        if self._context.link.now - self._suction_since > SUCTION_WAIT_US:
            raise SessionError(f"the vacuum did not come back within {SUCTION_WAIT_US // SECOND} s")
        yield Until(Micros(self._context.link.now + SUCTION_POLL_US))

    def _numb_again(self) -> Procedure[None]:
        """The anesthesia's time is over: disarm, numb, wait, confirm; arming follows by itself."""
        if self._context.machine.now is State.ARMED:
            yield from self.disarm()
        yield from self._anesthesia.numb_again()

    def _leave_cell(self) -> Procedure[None]:
        self._cycles_left = 0
        yield from ()

    # --- after a loss ----------------------------------------------------------------------------------------

    def restore(self) -> Procedure[None]:
        """Lead from RECOVERING back to the cycles: link, journal, alarms, anesthesia."""
        opened, reader = self._context.session()
        state = yield from self.recovery.relink()
        if reader.closed is not None:
            raise SessionError(f"session {opened.session_no} was closed on the device by another host")
        yield from self.recovery.leave_hold(state)
        self._anesthesia.recall()
        self._context.machine.happened(Event.RECOVERED)
        if not self._anesthesia.begun:
            return
        try:
            yield from self._anesthesia.numb()
        except CommandRefusedError as refused:
            if refused.interlock != I.ANESTHESIA_TIME or by_held_device(refused):
                raise
            yield from self._numb_again()  # its time went by while the link was gone


_REMEDIES: Final[Mapping[int, Callable[[AutomaticOperator], Procedure[None]]]] = {
    I.ANESTHESIA_TIME: AutomaticOperator._numb_again,
    I.SUCTION: AutomaticOperator._await_suction,
    I.CLOG: AutomaticOperator._purge,
    I.DENSITY: AutomaticOperator._leave_cell,
    I.ZONE: AutomaticOperator._leave_cell,
}
"""Interlock -> what a trained operator does about it. The others need a person."""
