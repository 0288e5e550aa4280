"""The automatic operator: numbs, arms, cycles, moves on, purges, and does what a trained person would about a refusal.

Law: it acts by the steps that a person has too. What it cannot mend it raises.
"""

from collections.abc import Callable, Mapping
from typing import Final

from devicectl.errors import CommandFailedError, CommandRefusedError, SessionError
from devicectl.session.context import SessionContext
from devicectl.session.count import needle_names
from devicectl.session.machine import Event, State
from devicectl.session.operators.anesthesia import AnesthesiaOperator
from devicectl.session.procedures import Procedure, Until
from devicectl.session.recovery import Recovery, by_held_device
from devicectl.session.steps import CycleResult, Steps
from protocols.language import interlocks as I
from protocols.language.enums import Code
from protocols.language.units import SECOND, Micros

SUCTION_WAIT_US: Final = 30 * SECOND
SUCTION_POLL_US: Final = SECOND // 2
"""After a suction loss: how long the operator looks for the leak, and how often he tries."""
MAX_PURGES: Final = 10
"""A purge works nine times in ten, and a session has some five clogs: ten failures in a row are a broken needle."""
MAX_REMEDIES: Final = 100
"""In a row, without a cycle between them: a wait for suction takes 60. A device that refuses on needs a person."""

_UNARMED, _PAUSED = State.ANESTHESIA_CONFIRMED, State.PAUSED


class AutomaticOperator:
    """One session's automatic operator.

    How it works: `next_cycle` does the first thing that is between it and a punch, and looks again. A refusal is
    answered by its interlock's remedy, and another look. For example a used-up cell, and a clog in the next one:

        cycles left 0     -> REPOSITION zone 0 cell 1                       cycles left 16
        nothing           -> PUNCH, SUCTION, ADVANCE, COUNT                 COUNT flags needle 2; the cycle is returned
        needle flagged    -> PURGE                                          cleared
        nothing           -> PUNCH: refused, interlock SUCTION              remedy: wait half a second

    A lost link or a foreign stop comes back to this through `restore`: `Recovery.through`.
    """

    def __init__(
        self, context: SessionContext, steps: Steps, recovery: Recovery, anesthesia: AnesthesiaOperator
    ) -> None:
        self._context = context
        self._steps = steps
        self._recovery = recovery
        self._anesthesia = anesthesia
        self._remedies = 0
        self._suction_since: Micros | None = None
        self._storage_freed_at: int | None = None

    # --- anesthesia and arming -------------------------------------------------------------------------------

    def confirm_anesthesia(self, method: str, confirmed_by: str, age_s: int = 0) -> Procedure[None]:
        """Numb every zone, wait until the device lets each be confirmed, and confirm it.

        It is how this operator takes over from a person, too: what the person has left out is done, and where all is
        confirmed nothing is.
        """
        self._anesthesia.begin(method, confirmed_by, age_s)
        yield from self._recovery.through(self._numb, self.restore)

    def _numb(self) -> Procedure[None]:
        if self._context.machine.now in (State.ARMED, State.PAUSED):
            if self._anesthesia.complete:
                return
            yield from self._steps.disarm()
        yield from self._anesthesia.numb()

    def pause(self) -> Procedure[None]:
        """Hold between two cycles, armed; no-op if the device is not armed. The next cycle resumes.

        After a link that is lost meanwhile, or a stop, the device is recovered, and holds unarmed.
        """
        yield from self._recovery.through(self._pause, self.restore)

    def _pause(self) -> Procedure[None]:
        if self._context.machine.now is State.ARMED:
            yield from self._steps.pause()

    # --- cycles ----------------------------------------------------------------------------------------------

    def next_cycle(self) -> Procedure[CycleResult | None]:
        """Do one more cycle, with all that it needs; None when the target is reached.

        Raises:
            SessionError: the plan's cells are used up, or the device needs a person.
            LinkError: the link was lost and could not be recovered.
            CommandRefusedError: an interlock that the automatic operator has no remedy for.
        """
        return (yield from self._recovery.through(self._cycle_or_remedy, self.restore))

    def _cycle_or_remedy(self) -> Procedure[CycleResult | None]:
        steps, context = self._steps, self._context
        while context.counted < context.plan.target_cores:
            steps.check_link()
            try:
                if context.machine.now is _UNARMED:
                    yield from steps.arm()
                elif context.machine.now is _PAUSED:
                    yield from steps.resume()
                elif steps.flagged:
                    yield from self._purge()
                elif steps.place.cycles_left == 0:
                    yield from steps.reposition_next()
                else:
                    result = yield from steps.cycle()
                    self._recovery.begin_row()
                    self._suction_since, self._remedies = None, 0
                    return result
            except (CommandRefusedError, CommandFailedError) as error:
                yield from self._remedy(error)
        return None

    def _purge(self) -> Procedure[None]:
        for attempt in range(1, MAX_PURGES + 1):
            found = yield from self._steps.purge()
            self._context.note("action", "purge", f"try {attempt}: {found}")
            if not self._steps.flagged:
                return
        raise SessionError(f"needles stay clogged after {MAX_PURGES} purges: {needle_names(self._steps.flagged)}")

    # --- remedies --------------------------------------------------------------------------------------------

    def _remedy(self, error: CommandRefusedError | CommandFailedError) -> Procedure[None]:
        """Do what a trained operator would; raise what only a person can mend, and a device that is held."""
        if by_held_device(error):
            raise error
        self._steps.turned_down(error)
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
            yield from self._steps.disarm()
        yield from self._anesthesia.numb_again()

    def _leave_cell(self) -> Procedure[None]:
        self._steps.place.cycles_left = 0
        yield from ()

    # --- after a loss ----------------------------------------------------------------------------------------

    def restore(self) -> Procedure[None]:
        """Lead from RECOVERING back to the cycles: link, journal, alarms, anesthesia."""
        opened, reader = self._context.session()
        state = yield from self._recovery.relink()
        if reader.closed is not None:
            raise SessionError(f"session {opened.session_no} was closed on the device by another host")
        yield from self._recovery.leave_hold(state)
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
