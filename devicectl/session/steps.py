"""The steps of a session, one command or one cycle each, as any operator takes them; and the place of the hand.

Law: a step is taken once, and is true to the table. What to do about a refusal is for the operator. A number in a reply
steers the operator and is never recorded.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from devicectl.errors import (
    CommandError,
    CommandFailedError,
    CommandRefusedError,
    LinkLostError,
    SessionError,
)
from devicectl.session.context import SessionContext
from devicectl.session.count import needle_names
from devicectl.session.entries import NoteKind
from devicectl.session.machine import CYCLE, Event, State
from devicectl.session.place import Place
from devicectl.session.procedures import Procedure, ask
from protocols.language import messages as M
from protocols.language.records import unpack_outcomes

MAX_UNREAD_CYCLES: Final = 64
"""The journal is read after so many cycles even if the hand does not move: far below the ring's 1,024 records."""
UNREAD_CYCLES_AT_A_MOVE: Final = 48
"""It is read earlier while the hand moves, if the next cell, of some 16 cycles, would bring it to the 64."""
PUNCH_DEADLINE_MS: Final = 3_000
"""A PUNCH that arrives later than its five tries take is not wanted any more."""
MAX_UNLOGGED: Final = 64
"""Entries that the log may be behind before no PUNCH is sent any more: about five minutes of a slow disk."""

_RECOVERING: Final = State.RECOVERING
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


class Steps:
    """The steps of one session. `place` is where the hand is; `flagged` which needles are taken for clogged."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self.place = Place()
        self.flagged = 0

    def lose_place(self) -> None:
        """Take in that the hand was taken off."""
        _, reader = self._context.session()
        self.place.lose(reader.fold.cells)

    def arm(self) -> Procedure[None]:
        """Start the pump, and wait for the vacuum.

        Raises:
            SessionError: the device has armed on a confirmation that this host has not; it is disarmed again.
        """
        # An armed device has a short lease: this host is at its pace before the device is armed.
        self._context.link.hurry(None)
        try:
            yield from ask(M.Arm())
        except CommandError:
            self._context.link.hurry(False)
            raise
        if self._context.machine.now is not State.ANESTHESIA_CONFIRMED:
            yield from ask(M.Disarm())
            self._context.link.hurry(False)
            raise SessionError("the handpiece has armed, and is disarmed again: no confirmed anesthesia is known here")
        self._context.machine.happened(Event.ARMED)

    def disarm(self) -> Procedure[None]:
        """Stop the pump."""
        yield from ask(M.Disarm())
        self._context.machine.happened(Event.DISARMED)

    def pause(self) -> Procedure[None]:
        """Hold between two cycles, armed."""
        yield from ask(M.Pause())
        self._context.machine.happened(Event.PAUSED)
        self._context.note("action", "pause", "")

    def resume(self) -> Procedure[None]:
        """Go on after a pause."""
        yield from ask(M.Resume())
        self._context.machine.happened(Event.RESUMED)
        self._context.note("action", "resume", "")

    def cycle(self) -> Procedure[CycleResult]:
        """Punch, suction, advance, count; not before the log has caught up."""
        if self._context.backlog > MAX_UNLOGGED:
            yield lambda: self._context.backlog <= MAX_UNLOGGED
            self.check_link()
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
        return self._counted(cycle_no, done)

    def _counted(self, cycle_no: int, done: M.CountDone) -> CycleResult:
        # The answer steers what comes next; what is counted and logged is read from the journal.
        context, place = self._context, self.place
        self.flagged, place.cycles_left = done.flagged, done.cycles_left
        context.counted = done.total_cores_counted
        context.unread_cycles += 1
        if context.unread_cycles >= MAX_UNREAD_CYCLES:
            context.read_aside()
        assert context.opened is not None and place.at is not None
        return CycleResult(
            cycle_no=cycle_no,
            cores_counted=done.cores_counted,
            outcomes=_outcomes(done.outcomes, context.opened.needles),
            total_cores_counted=done.total_cores_counted,
            total_punctures=done.total_punctures,
            zone=place.at[0],
            cell=place.at[1],
        )

    def check_link(self) -> None:
        """Raise the loss of a link that was lost while nothing was asked of the device."""
        if self._context.machine.now is _RECOVERING:
            raise LinkLostError("the link was lost between two commands")

    def reposition_next(self) -> Procedure[None]:
        """Go to the next cell that still takes a cycle.

        Raises:
            SessionError: there is none.
        """
        plan = self._context.plan
        cell = self.place.next_cell(plan)
        if cell is None:
            reached = f"{self._context.counted} of {plan.target_cores} cores"
            raise SessionError(f"all {plan.cells} cells of the plan are used at {reached}")
        yield from self.reposition(*cell)

    def reposition(self, zone: int, cell: int) -> Procedure[None]:
        """Go to a cell; while the hand moves is a good time to read the journal."""
        self._context.machine.happened(Event.REPOSITION_SENT)
        if self._context.unread_cycles >= UNREAD_CYCLES_AT_A_MOVE:
            self._context.read_aside()
        try:
            done = yield from ask(M.Reposition(zone=zone, cell=cell))
        except CommandRefusedError:
            raise  # the hand has stayed
        except BaseException:  # it has left its cell, and nobody hears where it comes to; a cancelled task too
            self.lose_place()
            raise
        finally:
            self._end_motion()
        self.place.arrive(self._context.plan, zone, cell, done.cycles_left)

    def purge(self) -> Procedure[str]:
        """Try to blow the flagged needles free; return in words which were."""
        self._context.machine.happened(Event.PURGE_SENT)
        try:
            done = yield from ask(M.Purge())
        finally:
            self._end_motion()
        self.flagged = done.flagged
        return f"{needle_names(done.cleared)} cleared, {needle_names(done.flagged)} still flagged"

    def _end_motion(self) -> None:
        """Note the end of a motion, however it ended; where the link was lost, the machine is recovering already."""
        if self._context.machine.now in (State.REPOSITIONING, State.PURGING):
            self._context.machine.happened(Event.MOTION_ENDED)

    def turned_down(self, error: CommandRefusedError | CommandFailedError) -> None:
        """Note a refusal or a failure in the log. A cycle that was under way is over, and armed is what follows it."""
        context, command = self._context, error.command
        kind: NoteKind = "refusal" if isinstance(error, CommandRefusedError) else "warning"
        context.note(kind, command.__class__.__name__.lower(), str(error))
        if not isinstance(command, (M.Punch, M.Suction, M.Advance, M.Count)):
            return
        # A cycle that began and failed has used up its number, and has punctured its cell; a refusal has done neither.
        if isinstance(error, CommandFailedError):
            context.last_cycle_no = max(context.last_cycle_no, command.cycle_no)
            self.place.cycles_left -= 1
        # The device has ended the cycle by itself, and its journal says how.
        if context.machine.now in CYCLE:
            context.machine.happened(Event.CYCLE_ABORTED)
