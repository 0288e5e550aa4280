"""Manual operator: every act of a person at the controller, taken once and as it is asked for.

Law: nothing is mended here. A refusal is noted in the log and raised; what is to be reset, acknowledged or confirmed
again is for the person. Whatever happens, the host's state is one from which he can go on.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from devicectl.errors import CommandAbortedError, CommandFailedError, CommandRefusedError, SessionError
from devicectl.session.closing import Closing
from devicectl.session.context import HELD, SessionContext
from devicectl.session.entries import Finish
from devicectl.session.machine import ENDED, WITH_SESSION, Event, State
from devicectl.session.operators.anesthesia import AnesthesiaOperator, ZoneState
from devicectl.session.operators.obstacles import AT_ONCE, UNARMED, obstacle
from devicectl.session.procedures import Procedure, ask
from devicectl.session.recovery import UNACKNOWLEDGED, Recovery, by_held_device, for_each_alarm
from devicectl.session.steps import CycleResult, Steps
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, DeviceState
from protocols.language.message import Message

_AS_HERE: Final[Mapping[DeviceState, State]] = {
    DeviceState.SESSION_OPEN: State.SESSION_OPEN,
    DeviceState.ANESTHESIA_WAIT: State.ANESTHESIA_WAIT,
    DeviceState.ANESTHESIA_CONFIRMED: State.ANESTHESIA_CONFIRMED,
}
"""States in which a device with a session is free for this host."""

_T = TypeVar("_T")


class ManualOperator:
    """One session's operator where a person works: a procedure an act, which ends when the device has answered.

    Each raises SessionError, with nothing sent and nothing changed, where `why_not` has a sentence; CommandError where
    the device does not do it; LinkError where the link is lost, after which `relink` comes first. `under_way` is the
    act that has not ended yet, "" without one. Whoever runs this passes to `heard` what the device says of itself.
    """

    def __init__(
        self,
        context: SessionContext,
        steps: Steps,
        recovery: Recovery,
        anesthesia: AnesthesiaOperator,
        closing: Closing,
    ) -> None:
        self.under_way = ""
        self._context = context
        self._steps = steps
        self._recovery = recovery
        self._anesthesia = anesthesia
        self._closing = closing

    @property
    def place(self) -> tuple[int, int] | None:
        """Zone and cell that the hand is at, None where it is at none."""
        return self._steps.place.at

    @property
    def cycles_left(self) -> int:
        """Cycles that this cell still takes, by the device's last answer."""
        return self._steps.place.cycles_left

    @property
    def flagged(self) -> int:
        """Needles that are taken for clogged, as a mask, by the device's last answer."""
        return self._steps.flagged

    @property
    def zones(self) -> dict[int, ZoneState]:
        """The zones that were numbed."""
        return self._anesthesia.zones

    def why_not(self, act: str) -> str:
        """Say why an act of `obstacles.ACTS` cannot be passed on now; "" where it can."""
        state = self._context.machine.now
        if state in WITH_SESSION and act != "relink" and not self._context.link.exchange.linked:
            return "the link is lost: wait until it is back"
        if self.under_way and act not in AT_ONCE:
            return f"wait: {self.under_way.replace('_', ' ')} is under way"
        in_the_way = obstacle(act, state)
        if not in_the_way and act == "cycle" and self.place is None:
            return "the hand is at no cell: reposition first"
        return in_the_way

    def heard(self, message: Message) -> None:
        """Take in that the device says it holds: somebody else has stopped it, or it has stopped itself."""
        if self.under_way or not isinstance(message, (M.Heartbeat, M.TelemetryState)) or message.state not in HELD:
            return
        now = self._context.machine.now
        if now in WITH_SESSION and now is not State.RECOVERING:
            self._hold(f"the handpiece is in {message.state.name}")

    # --- anesthesia and arming -------------------------------------------------------------------------------

    def anesthesia_start(self, zone: int, age_s: int = 0) -> Procedure[None]:
        """Tell the device that a zone was numbed `age_s` seconds ago."""
        return self._act("anesthesia_start", lambda: self._anesthesia.start_by_hand(zone, age_s))

    def anesthesia_confirm(self, zone: int) -> Procedure[None]:
        """Confirm that a zone is numb."""
        return self._act("anesthesia_confirm", lambda: self._anesthesia.confirm_by_hand(zone))

    def arm(self) -> Procedure[None]:
        """Start the pump, and wait for the vacuum.

        Raises:
            SessionError: the device has armed on a confirmation that this host has not, too; it is disarmed again.
        """
        return self._act("arm", self._steps.arm)

    def disarm(self) -> Procedure[None]:
        """Stop the pump."""
        return self._act("disarm", self._steps.disarm)

    # --- cycles ----------------------------------------------------------------------------------------------

    def cycle(self) -> Procedure[CycleResult]:
        """Punch, suction, advance, count."""
        return self._act("cycle", self._steps.cycle)

    def reposition(self, zone: int, cell: int) -> Procedure[None]:
        """Go to a cell."""
        return self._act("reposition", lambda: self._steps.reposition(zone, cell))

    def reposition_next(self) -> Procedure[None]:
        """Go to the next cell of the plan that still takes a cycle.

        Raises:
            SessionError: there is none, too.
        """
        return self._act("reposition", self._steps.reposition_next)

    def purge(self) -> Procedure[None]:
        """Try once to blow the flagged needles free."""
        return self._act("purge", self._purge)

    def _purge(self) -> Procedure[None]:
        self._context.note("action", "purge", (yield from self._steps.purge()))

    def pause(self) -> Procedure[None]:
        """Hold between two cycles, armed."""
        return self._act("pause", self._steps.pause)

    def resume(self) -> Procedure[None]:
        """Go on after a pause."""
        return self._act("resume", self._steps.resume)

    # --- stopping, and the way back --------------------------------------------------------------------------

    def stop(self) -> Procedure[None]:
        """Stop the device at once; what was under way ends by that, with its own error."""
        self._check("stop")
        yield from self._noting(ask(M.Stop()))
        self._context.note("action", "stop", "")
        yield lambda: not self.under_way
        if self._context.machine.now not in ENDED:
            self._hold()

    def acknowledge(self, code: int = 0) -> Procedure[None]:
        """Acknowledge an alarm; with 0 all that are shown."""
        self._check("acknowledge")
        yield from self._noting(self._recovery.acknowledge(code) if code else for_each_alarm(self._acknowledge))

    def _acknowledge(self, alarm: M.AlarmListDone) -> Procedure[None]:
        if alarm.state in UNACKNOWLEDGED:
            yield from self._recovery.acknowledge(alarm.code)

    def reset(self) -> Procedure[None]:
        """Leave SAFE or FAULT. The hand is at no cell then, and no zone is confirmed any more."""
        return self._act("reset", self._reset)

    def _reset(self) -> Procedure[None]:
        try:
            state = (yield from ask(M.FaultReset())).state
        except CommandRefusedError as refused:
            if refused.code is not Code.E_STATE or refused.actual not in _AS_HERE:
                raise
            state = DeviceState(refused.actual)  # somebody else has reset it
        self._context.note("action", "fault_reset", f"to {state.name}")
        yield from self._recovery.catch_up()
        self._go_on(state)

    def relink(self) -> Procedure[None]:
        """Make the link again and read the journal to its head. A device that holds then is for the person to reset.

        Raises:
            SessionError: it no longer holds the session, too.
        """
        return self._act("relink", self._relink)

    def _relink(self) -> Procedure[None]:
        state = yield from self._recovery.link_again()
        _, reader = self._context.session()
        if reader.closed is None:
            self._go_on(state)

    def close(self, reason: CloseReason, wall_seconds: float = 0.0) -> Procedure[Finish]:
        """Disarm, read the journal to its end, close the session and reconcile it; a device that holds goes on holding.

        Raises:
            CommandRefusedError: the device's totals are others, too; the session stays open on both sides.
        """
        return self._act("close", lambda: self._close(reason, wall_seconds))

    def _close(self, reason: CloseReason, wall_seconds: float) -> Procedure[Finish]:
        before = self._context.machine.now
        try:
            return (yield from self._closing.close_once(reason, wall_seconds))
        except (CommandRefusedError, SessionError):
            _, reader = self._context.session()
            if self._context.machine.now is State.CLOSING:
                self._context.machine.happened(Event.CLOSE_REFUSED)
                if before is not State.RECOVERING and reader.closed is None:
                    self._be_in(before if before in UNARMED else State.ANESTHESIA_CONFIRMED)
            raise

    # --- inside ----------------------------------------------------------------------------------------------

    def _check(self, act: str) -> None:
        if why := self.why_not(act):
            raise SessionError(why)

    def _act(self, name: str, what: Callable[[], Procedure[_T]]) -> Procedure[_T]:
        """Take an act from its begin to its end."""
        self._check(name)
        self.under_way = name
        try:
            return (yield from self._noting(what()))
        finally:
            self.under_way = ""

    def _noting(self, what: Procedure[_T]) -> Procedure[_T]:
        """Run `what`, and note and take in what the device has not done."""
        try:
            return (yield from what)
        except (CommandRefusedError, CommandFailedError) as error:
            if by_held_device(error):
                self._hold()
            self._steps.turned_down(error)
            if error.code is Code.E_STORAGE:
                self._context.read_aside()  # what is read and acknowledged makes room for the next try
            raise
        except CommandAbortedError as aborted:
            self._hold(str(aborted))
            raise

    def _hold(self, why: str = "") -> None:
        """Take in that the device was made safe: nothing is confirmed any more."""
        if why:
            self._context.note("warning", "held", why)
        self._context.machine.happened(Event.STOPPED)
        self._anesthesia.forget_confirmations()

    def _go_on(self, state: DeviceState) -> None:
        """Leave RECOVERING for the state that the device is in; where it holds, or obeys another host, stay there."""
        if state in _AS_HERE:
            self._anesthesia.recall_confirmations()
            self._be_in(_AS_HERE[state])
        else:
            self._anesthesia.forget_confirmations()

    def _be_in(self, state: State) -> None:
        """Go from RECOVERING to one of the states before arming, by the table."""
        happened = self._context.machine.happened
        happened(Event.RECOVERED)
        if state is not State.SESSION_OPEN:
            happened(Event.ANESTHESIA_STARTED)
        if state is State.ANESTHESIA_CONFIRMED:
            happened(Event.ANESTHESIA_CONFIRMED)
