"""Getting over a lost link or a stop, from the first HELLO to the close: link, journal, alarms, and back to work.

Law: nothing is counted here and nothing is punched; what was open when the link went has ended on the device, and its
journal says how.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from devicectl.errors import (
    CommandAbortedError,
    CommandError,
    CommandRefusedError,
    LinkDeniedError,
    LinkError,
    LinkForbiddenError,
    SessionError,
    UnendedError,
)
from devicectl.session.context import HELD, SessionContext
from devicectl.session.machine import ENDED, Event, State
from devicectl.session.procedures import Procedure, Until, ask
from protocols.language import interlocks as I
from protocols.language import messages as M
from protocols.language.alarm_codes import COUNT_STOPPED, LINE_BLOCKED, alarm_label
from protocols.language.enums import AlarmState, Code, DeviceState
from protocols.language.units import MILLISECOND, SECOND, Micros

MAX_RECOVERIES: Final = 5
"""In a row, without a completed cycle between them: more is a device or a line that a person must look at."""
NEEDLES_HOME_US: Final = SECOND // 5
"""After a stop the needles are on their way for 150 ms at most; a device that does not see them home then keeps
holding."""
POLL_US: Final = SECOND // 2
"""Time between two HELLOs that ask whether the host before is gone, or the self-test over: an armed device's lease is
hardly longer."""
SELF_TEST_US: Final = 10 * SECOND
"""A board boots for some five seconds; a self-test that takes longer is one that a person must look at."""
HOPELESS: Final = (LinkDeniedError, LinkForbiddenError, UnendedError)
"""Another link would be lost as this one was."""
_RECOVERING: Final = State.RECOVERING
UNACKNOWLEDGED: Final = (AlarmState.ACTIVE, AlarmState.LATCHED)
_TO_BE_LOOKED_INTO: Final = frozenset({COUNT_STOPPED, LINE_BLOCKED})
"""Alarms whose acknowledgement says that somebody has looked into their cause: for a person to give."""

_T = TypeVar("_T")


class Recovery:
    """The recoveries of one session. `place_lost` is called when the hand must be brought to a cell again."""

    def __init__(self, context: SessionContext, place_lost: Callable[[], None]) -> None:
        self._context = context
        self._place_lost = place_lost
        self._in_a_row = 0
        self._held_in: DeviceState | None = None

    def begin_row(self) -> None:
        """A cycle was completed, or the end of the session begins: the next loss is the first again."""
        self._in_a_row = 0

    def connect(self) -> Procedure[M.DeviceInfoDone]:
        """Make the link and ask who is there, where no session is open yet.

        Raises:
            LinkError: no transport, no answer, or a device that refuses this host.
            SessionError: the device is in no state in which it can be used.
        """
        happened = self._context.machine.happened
        happened(Event.HELLO_SENT)
        try:
            yield from self._make_link()
        except (LinkError, SessionError):
            if self._context.machine.now is State.CONNECTING:
                happened(Event.LINK_DENIED)
            raise
        happened(Event.LINK_MADE)
        info = yield from ask(M.DeviceInfo())
        self._context.info = info
        return info

    def _make_link(self) -> Procedure[M.Welcome]:
        """Make the link with a device that has ended its self-test.

        Raises:
            LinkError: as `HostLink.make`.
            SessionError: the self-test does not end, or the state is one that this version does not know.
        """
        link = self._context.link
        welcome = yield from link.make()
        limit = link.now + SELF_TEST_US
        while welcome.state is DeviceState.SELF_TEST and link.now < limit:
            yield Until(Micros(link.now + POLL_US))
            welcome = yield from link.make()
        if welcome.state is DeviceState.SELF_TEST:
            raise SessionError(
                f"the device has not ended its self-test in {SELF_TEST_US // SECOND} s: look at it first"
            )
        if welcome.state in (DeviceState.UNKNOWN, DeviceState.OFF):
            raise SessionError("the device is in a state that this version does not know: a newer one may know it")
        return welcome

    def before_session(self, what: Callable[[], Procedure[_T]]) -> Procedure[_T]:
        """Run `what`, which needs a link and no session; after a lost link, connect and run it again.

        A device that has never answered is not tried again: it is not there.
        """
        while True:
            try:
                if not self._context.link.exchange.linked:
                    if self._context.machine.now is not State.DISCONNECTED:
                        self._context.machine.happened(Event.LINK_LOST)
                    yield from self.connect()
                return (yield from what())
            except HOPELESS:
                raise
            except LinkError as error:
                if self._context.link.welcome is None or self._context.machine.now in ENDED:
                    raise
                self._count(error)

    def through(self, what: Callable[[], Procedure[_T]], restore: Callable[[], Procedure[object]]) -> Procedure[_T]:
        """Run `what`; after a lost link or a stop, recover by `restore` and run it again.

        Not where it would be lost as often as it is made: this host is kept out of it, or the device ends no command.
        """
        while True:
            try:
                if self._context.machine.now is _RECOVERING:
                    yield from restore()
                return (yield from what())
            except HOPELESS:
                raise
            except (LinkError, CommandAbortedError, CommandRefusedError) as error:
                if isinstance(error, CommandRefusedError) and not by_held_device(error):
                    raise
                self._begin_recovery(error)

    def _begin_recovery(self, error: LinkError | CommandAbortedError | CommandRefusedError) -> None:
        """Enter RECOVERING.

        Raises:
            LinkError, CommandError: `error`, when recovery was tried too often in a row.
        """
        self._context.machine.happened(Event.LINK_LOST if isinstance(error, LinkError) else Event.STOPPED)
        self._count(error)

    def _count(self, error: LinkError | CommandAbortedError | CommandRefusedError) -> None:
        self._in_a_row += 1
        if self._in_a_row > MAX_RECOVERIES:
            raise error
        self._context.note("action", "recover", f"try {self._in_a_row} of {MAX_RECOVERIES}: {error}")

    def relink(self) -> Procedure[DeviceState]:
        """Link, and the journal to its head; returns the state in which the device holds still."""
        if self._context.link.exchange.linked:
            # A motion was aborted. Whatever the device does now, STOP is harmless twice and says where it is.
            stopped = yield from ask(M.Stop())
            state = stopped.state
            yield from self.catch_up()
        else:
            state = yield from self.link_again()
        self._held_in = state
        return state

    def link_again(self) -> Procedure[DeviceState]:
        """Make a new link, and read the journal to its head; returns the state in which the device is.

        Raises:
            LinkError: as `HostLink.make`.
            SessionError: the device no longer holds the session, and no record says how it ended.
        """
        opened, reader = self._context.session()
        welcome = yield from self._make_link()
        if welcome.journal_epoch == reader.epoch:
            reader.compare_head(welcome.journal_head)
            yield from self.catch_up()
        if reader.closed is None:
            self.check_held(welcome, reader.epoch, opened.session_no)
        return welcome.state

    def catch_up(self) -> Procedure[None]:
        """Read the journal to its head, and go on from what it says: the hand was taken off."""
        opened, reader = self._context.session()
        yield from reader.read()
        self._context.last_cycle_no = reader.fold.last_cycle_no or opened.first_cycle_no - 1
        self._context.counted = reader.fold.counts.cores_counted
        self._place_lost()
        self._held_in = None

    def await_control(self) -> Procedure[None]:
        """Wait until no other host has control: one that was killed keeps it until its lease ends.

        One that is alive keeps it for longer. Then this returns too, and the device refuses this host's first command.
        """
        link, welcome = self._context.link, self._context.welcome
        limit = link.now + max(welcome.lease_idle_ms, welcome.lease_armed_ms) * MILLISECOND
        if welcome.controller_host_id and self._context.opened is not None:
            holder = f"host 0x{welcome.controller_host_id:08x}"
            self._context.note("action", "control_wait", f"{holder} has control; waiting for its lease to end")
        while welcome.controller_host_id and link.now < limit:
            yield Until(Micros(link.now + POLL_US))
            welcome = yield from link.make()

    def check_held(self, welcome: M.Welcome, epoch: int, session_no: int) -> None:
        """Hold what the device says it has against the session that this host knows.

        Raises:
            SessionError: its memory was erased, or it holds another session or none.
        """
        if welcome.journal_epoch != epoch:
            now = f"its journal is 0x{welcome.journal_epoch:08x}"
            there = f"session {session_no} is in 0x{epoch:08x}"
            raise SessionError(f"the device's memory was erased: {now}, and {there}")
        if welcome.session_no != session_no:
            held = welcome.session_no or "none"
            raise SessionError(f"the device no longer holds session {session_no}: it names {held}")

    def leave_hold(self, state: DeviceState) -> Procedure[None]:
        """Acknowledge what is shown and leave SAFE or FAULT, where the device is in one of them."""
        self._held_in = None
        if state in HELD:
            yield from for_each_alarm(self._acknowledge)
            try:
                yield from ask(M.FaultReset())
            except CommandRefusedError as refused:
                if refused.interlock != I.NEEDLE_OUT:
                    raise
                yield Until(Micros(self._context.link.now + NEEDLES_HOME_US))
                yield from ask(M.FaultReset())
            self._context.note("action", "fault_reset", f"from {state.name}")

    def _acknowledge(self, alarm: M.AlarmListDone) -> Procedure[None]:
        if alarm.state in UNACKNOWLEDGED and alarm.code not in _TO_BE_LOOKED_INTO:
            yield from self.acknowledge(alarm.code)

    def acknowledge(self, code: int) -> Procedure[None]:
        """Acknowledge an alarm, and note it."""
        yield from ask(M.AlarmAck(code=code))
        self._context.note("action", "alarm_ack", alarm_label(code))

    def release(self, state: DeviceState | None = None) -> Procedure[None]:
        """Leave the hold of a stop or a loss, or that of `state`; a device that must hold is not argued with."""
        held_in, self._held_in = self._held_in if state is None else state, None
        if held_in is None:
            return
        try:
            yield from self.leave_hold(held_in)
        except CommandRefusedError as refused:
            self._context.note("refusal", "fault_reset", str(refused))


def for_each_alarm(take: Callable[[M.AlarmListDone], Procedure[None]]) -> Procedure[None]:
    """Ask for one alarm of the device after another, and give each to `take` before the next is asked for."""
    index, count = 0, 1
    while index < count:
        alarm = yield from ask(M.AlarmList(index=index))
        index, count = index + 1, alarm.count
        yield from take(alarm)


def by_held_device(refused: CommandError) -> bool:
    """The device was stopped by somebody else, between two commands of this host."""
    if not isinstance(refused, CommandRefusedError) or isinstance(refused.command, M.SessionClose):
        return False  # a held device closes its session: what it refuses then are counts, which may be any numbers
    return refused.code in (Code.E_STATE, Code.E_INTERLOCK) and refused.actual in HELD and refused.expected == 0
