"""The session engine: what the host does from HELLO to the closed session, as procedures over one link.

`HostLink` below it moves messages, `SessionMachine` inside it holds where the session stands, and `entries` is what
it hands to the log. It decides what to send next; when and over what is the shell's.

Law: counts are a fold of the device's journal. A number in a reply steers the procedure and is never recorded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol, TypeVar

from devicectl.errors import (
    CommandAbortedError,
    CommandError,
    CommandFailedError,
    CommandRefusedError,
    LinkDeniedError,
    LinkError,
    LinkLostError,
    SessionError,
)
from devicectl.session.count import Counts, Fold, Reconciliation, reconcile
from devicectl.session.entries import Batch, Finish, Note, NoteKind, SessionStart, StoredSession
from devicectl.session.journal import JournalReader
from devicectl.session.link import HostLink
from devicectl.session.machine import ENDED, IS_ARMED, Event, SessionMachine, State
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure, Until
from protocols import messages as M
from protocols.enums import AlarmState, CloseReason, Code, DeviceState, Role
from protocols.message import Message
from protocols.records import unpack_outcomes
from protocols.units import SECOND, Micros

MOST_RECOVERIES: Final = 5
"""In a row, without a completed cycle between them: more is a device or a line that a person must look at."""
CYCLES_BETWEEN_READS: Final = 64
"""Cycles after which the journal is read even if the hand has not moved: far below the ring's 1,024 records."""
PUNCH_DEADLINE_MS: Final = 3_000
"""A PUNCH that arrives later than its five tries take is not wanted any more."""
SUCTION_WAIT_US: Final = 30 * SECOND
SUCTION_POLL_US: Final = SECOND // 2
"""After a suction loss: how long the operator looks for the leak, and how often he tries."""
MOST_UNLOGGED: Final = 64
"""Entries that the log may be behind before no PUNCH is sent any more: about five minutes of a slow disk."""
MOST_PURGES: Final = 5
"""A purge works nine times in ten: five failures in a row happen once in 100,000 clogs, or the needle is broken."""

COUNT_STOPPED: Final = 702
"""MC-0702: too many cores are missing. To acknowledge it is to say that somebody has looked into it."""
OLDEST_ANESTHESIA_S: Final = 86_400
"""The age that ANESTHESIA_START can carry; any device has long let it expire."""

HELD: Final = (DeviceState.SAFE, DeviceState.FAULT, DeviceState.LOCKED)
"""The device holds still until a FAULT_RESET; LOCKED it does for good, and its refusal says why."""

_T = TypeVar("_T")

Entry = SessionStart | Batch | Note | Finish | M.TruthGetDone


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


@dataclass(frozen=True, slots=True)
class Identity:
    """What the shell knows and the engine only passes on to the log."""

    device_url: str
    course: str | None
    session_date: date
    versions: Mapping[str, str]


class Observer(Protocol):
    """Whoever watches a session: a progress bar, a narrator, a test."""

    def changed(self, before: State, after: State, now: Micros) -> None:
        """The host's state changed."""

    def noted(self, note: Note) -> None:
        """Something was noted in the log."""


class Engine:
    """One host and at most one session. `counted` is the device's running total, for steering and display."""

    def __init__(
        self,
        *,
        host_id: int,
        role: Role = Role.CONTROLLER,
        draw_nonce: Callable[[], int],
        observer: Observer | None = None,
    ) -> None:
        self.link = HostLink(
            host_id=host_id, role=role, draw_nonce=draw_nonce, on_told=self._told, on_lost=self._link_lost
        )
        self.machine = SessionMachine(self._changed)
        self.entries: list[Entry] = []
        self.info: M.DeviceInfoDone | None = None
        self.opened: M.SessionOpenDone | None = None
        self.plan = Plan()
        self.reader: JournalReader | None = None
        self.counted = 0
        self.finish: Finish | None = None
        self.truth: M.TruthGetDone | None = None
        self.reconciliation: Reconciliation | None = None
        self._observer = observer
        self._emitted = 0
        self._logged = 0
        self._last_cycle_no = 0
        self._cycles_left = 0
        self._cells_used = 0
        self._at: tuple[int, int] | None = None
        self._flagged = 0
        self._unread_cycles = 0
        self._recoveries = 0
        self._numbed: dict[int, Micros] = {}
        self._confirmed_by = ""
        self._method = ""
        self._suction_since: Micros | None = None
        self._held_in: DeviceState | None = None

    # --- the log's side --------------------------------------------------------------------------------------

    def take_entries(self) -> list[Entry]:
        """What is to be logged, in order; the shell writes it and says `logged`."""
        entries = self.entries
        if entries:
            self.entries = []
        return entries

    def logged(self, count: int, now: Micros) -> None:
        """`count` more entries are durable."""
        self._logged += count
        self.link.now = now
        self.link.procedures.poll(now)

    def _emit(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._emitted += 1

    def _durable(self) -> Procedure[None]:
        """Wait until everything emitted so far is durable."""
        goal = self._emitted
        yield lambda: self._logged >= goal

    def note(self, kind: NoteKind, name: str, detail: str) -> None:
        """Note something that the device's journal does not say."""
        uptime = self.link.device_uptime_ms() if self.link.welcome is not None else None
        note = Note(kind, self.link.now, name, detail, uptime)
        if self.reader is not None:
            self._emit(note)
        if self._observer is not None:
            self._observer.noted(note)

    # --- what the link tells ---------------------------------------------------------------------------------

    def _changed(self, before: State, after: State) -> None:
        self.link.hurry(after in IS_ARMED)
        if self._observer is not None:
            self._observer.changed(before, after, self.link.now)

    def _told(self, message: Message) -> None:
        if isinstance(message, M.Alarm):
            self.note("alarm", f"MC-{message.code:04d}", f"{message.state.name}: {message.sentence}")
            self._read_aside()
        elif isinstance(message, M.Heartbeat) and message.state in HELD:
            self.link.hurry(False)  # the device holds still, and keeps the long lease

    def _link_lost(self, reason: str) -> None:
        if self.machine.now not in (State.DISCONNECTED, *ENDED):
            self.note("warning", "link_lost", reason)
            self.machine.happened(Event.LINK_LOST)

    # --- link and session ------------------------------------------------------------------------------------

    def connect(self) -> Procedure[M.DeviceInfoDone]:
        """Make the link and ask who is there.

        Raises:
            LinkError: no transport, no answer, or a device that refuses this host.
        """
        self.machine.happened(Event.HELLO_SENT)
        try:
            yield from self.link.make()
        except LinkError:
            if self.machine.now is State.CONNECTING:
                self.machine.happened(Event.LINK_DENIED)
            raise
        self.machine.happened(Event.LINK_MADE)
        self.info = yield M.DeviceInfo()
        assert self.info is not None
        return self.info

    @property
    def welcome(self) -> M.Welcome:
        """The last WELCOME; only after `connect`."""
        assert self.link.welcome is not None
        return self.link.welcome

    def open_session(self, plan: Plan, identity: Identity) -> Procedure[M.SessionOpenDone]:
        """Open a session on an idle device.

        Raises:
            PlanError: the plan does not fit its zones with this device's needles.
            CommandRefusedError: the device does not open it.
        """
        info = self.info
        assert info is not None
        plan.check_fits(info.needles)
        yield from self._leave_hold(self.welcome.state)
        head = yield from self._skip_journal()
        opened: M.SessionOpenDone = yield M.SessionOpen(
            target_cores=plan.target_cores,
            coverage_bp=plan.coverage_bp,
            depth_um=plan.depth_um,
            zones_cm2=tuple(zone.area_cm2 for zone in plan.zones),
        )
        self.machine.happened(Event.SESSION_OPENED)
        self.plan, self.opened = plan, opened
        self._last_cycle_no = opened.first_cycle_no - 1
        start = SessionStart(
            simulated=self.welcome.simulated,
            seed=info.seed if self.welcome.simulated else None,
            device=info.serial,
            device_model=info.model,
            session_no=opened.session_no,
            epoch=self.welcome.journal_epoch,
            first_event_no=head,
            first_cycle_no=opened.first_cycle_no,
            needles=opened.needles,
            plan=plan,
            course=identity.course,
            session_date=identity.session_date,
            versions={**identity.versions, "model": info.model_version},
            device_url=identity.device_url,
        )
        self._emit(start)
        self._begin_reading(Fold(opened.needles, opened.first_cycle_no, first_event_no=head))
        self.note("action", "session_open", f"{plan.target_cores} cores at {plan.coverage_percent:g} %")
        yield from self._durable()
        return opened

    def _begin_reading(self, fold: Fold) -> None:
        self.reader = JournalReader(epoch=self.welcome.journal_epoch, fold=fold, emit=self._emit, durable=self._durable)

    def _skip_journal(self) -> Procedure[int]:
        """What stands in the journal before a session is opened belongs to closed ones: its head, acknowledged."""
        epoch = self.welcome.journal_epoch
        page: M.JournalPage = yield M.JournalRead(epoch=epoch, first=self.welcome.journal_head, max_records=1)
        yield M.JournalAck(epoch=epoch, upto=page.head)
        return page.head

    def adopt(
        self, stored: StoredSession, records: list[bytes], age_s: float, *, restore: bool = True
    ) -> Procedure[None]:
        """Take over a session that the device holds open and the log knows, and recover it if it is to go on.

        `records` are those that the log holds; `age_s` is how long ago the last of them was stored.

        Raises:
            SessionError: the device holds no such session.
        """
        welcome = self.welcome
        if restore or welcome.session_no:
            self._check_held(welcome, stored.epoch, stored.session_no)
        self.machine.happened(Event.SESSION_FOUND)
        per_cell = stored.plan.cycles_per_cell(stored.needles)
        self.plan = stored.plan
        self.opened = M.SessionOpenDone(
            session_no=stored.session_no,
            first_cycle_no=stored.first_cycle_no,
            needles=stored.needles,
            cells=stored.plan.cells,
            cycles_per_cell=per_cell,
            punctures_per_cell=per_cell * stored.needles,
        )
        self._begin_reading(Fold(stored.needles, stored.first_cycle_no, first_event_no=stored.first_event_no))
        assert self.reader is not None
        for raw in records:
            self.reader.add(raw)
        self.counted = welcome.cores_counted
        operator = stored.plan.operator
        self._method, self._confirmed_by = operator.anesthesia_method, operator.confirmed_by
        for zone in stored.anesthesia:
            self._numbed[zone.zone] = Micros(self.link.now - round((zone.age_s + age_s) * SECOND))
        self.note("action", "session_resume", f"session {stored.session_no} from cycle {welcome.cycle_no}")
        if restore:
            yield from self._through_losses(_nothing)

    # --- anesthesia and arming -------------------------------------------------------------------------------

    def confirm_anesthesia(self, method: str, confirmed_by: str, age_s: int = 0) -> Procedure[None]:
        """Numb every zone, wait until the device lets each be confirmed, and confirm it."""
        self._method, self._confirmed_by = method, confirmed_by
        for zone in range(len(self.plan.zones)):
            self._numbed.setdefault(zone, Micros(self.link.now - age_s * SECOND))
        yield from self._through_losses(self._numb)

    def _numb(self) -> Procedure[None]:
        if self.machine.now is State.ANESTHESIA_CONFIRMED:
            return
        wait_s = 0
        for zone, numbed_at in self._numbed.items():
            age_s = min((self.link.now - numbed_at) // SECOND, OLDEST_ANESTHESIA_S)
            started: M.AnesthesiaStartDone = yield M.AnesthesiaStart(zone=zone, age_s=age_s, method=self._method)
            self.machine.happened(Event.ANESTHESIA_STARTED)
            wait_s = max(wait_s, started.wait_s)
        self.note("action", "anesthesia_start", f"{len(self._numbed)} zones, {self._method}; waiting {wait_s} s")
        yield Until(Micros(self.link.now + wait_s * SECOND))
        for zone in self._numbed:
            yield from self._confirm(zone)
        self.machine.happened(Event.ANESTHESIA_CONFIRMED)
        self.note("action", "anesthesia_confirm", f"{len(self._numbed)} zones, by {self._confirmed_by}")

    def _confirm(self, zone: int) -> Procedure[None]:
        while True:
            try:
                yield M.AnesthesiaConfirm(zone=zone, confirmed_by=self._confirmed_by)
            except CommandRefusedError as refused:
                if refused.interlock != 3 or refused.actual >= refused.expected:
                    raise
                # Both ends round to seconds, and the device's clock began later: wait out the difference.
                yield Until(Micros(self.link.now + max(1, refused.expected - refused.actual) * SECOND))
            else:
                return

    def _arm(self) -> Procedure[None]:
        self.link.hurry(True)
        try:
            yield M.Arm()
        except CommandError:
            self.link.hurry(False)
            raise
        self.machine.happened(Event.ARMED)

    def _disarm(self) -> Procedure[None]:
        yield M.Disarm()
        self.machine.happened(Event.DISARMED)

    def pause(self) -> Procedure[None]:
        """Hold between two cycles, armed. The next cycle that is asked for goes on."""
        if self.machine.now is State.ARMED:
            yield M.Pause()
            self.machine.happened(Event.PAUSED)
            self.note("action", "pause", "")

    def _resume(self) -> Procedure[None]:
        yield M.Resume()
        self.machine.happened(Event.RESUMED)
        self.note("action", "resume", "")

    # --- cycles ----------------------------------------------------------------------------------------------

    def next_cycle(self) -> Procedure[CycleResult | None]:
        """Do one more cycle, with all that it needs; None when the target is reached.

        Raises:
            SessionError: the plan's cells are used up, or the device needs a person.
            LinkError: the link was lost and could not be recovered.
            CommandRefusedError: an interlock that the automatic operator has no remedy for.
        """
        return (yield from self._through_losses(self._cycle_or_remedy))

    def _cycle_or_remedy(self) -> Procedure[CycleResult | None]:
        while self.counted < self.plan.target_cores:
            self._check_link()
            try:
                if self.machine.now is State.ANESTHESIA_CONFIRMED:
                    yield from self._arm()
                elif self.machine.now is State.PAUSED:
                    yield from self._resume()
                elif self._flagged:
                    yield from self._purge()
                elif self._cycles_left == 0 or self._at is None:
                    yield from self._reposition()
                else:
                    result = yield from self._cycle()
                    self._recoveries = 0
                    self._suction_since = None
                    return result
            except (CommandRefusedError, CommandFailedError) as error:
                yield from self._remedy(error)
        return None

    def _cycle(self) -> Procedure[CycleResult]:
        if self._emitted - self._logged > MOST_UNLOGGED:
            yield lambda: self._emitted - self._logged <= MOST_UNLOGGED
            self._check_link()
        cycle_no = self._last_cycle_no + 1
        happened = self.machine.happened
        deadline = self.link.device_uptime_ms() + PUNCH_DEADLINE_MS & 0xFFFF_FFFF
        happened(Event.PUNCH_SENT)
        yield M.Punch.unchecked(cycle_no=cycle_no, depth_um=self.plan.depth_um, deadline_ms=deadline)
        self._last_cycle_no = cycle_no
        happened(Event.SUCTION_SENT)
        yield M.Suction.unchecked(cycle_no=cycle_no)
        happened(Event.ADVANCE_SENT)
        yield M.Advance.unchecked(cycle_no=cycle_no, steps=1)
        happened(Event.COUNT_SENT)
        done: M.CountDone = yield M.Count.unchecked(cycle_no=cycle_no)
        happened(Event.CYCLE_ENDED)
        self._flagged = done.flagged
        self._cycles_left = done.cycles_left
        self.counted = done.total_cores_counted
        self._unread_cycles += 1
        if self._unread_cycles >= CYCLES_BETWEEN_READS:
            self._read_aside()
        assert self.opened is not None and self._at is not None
        return CycleResult(
            cycle_no=cycle_no,
            cores_counted=done.cores_counted,
            outcomes=tuple(unpack_outcomes(done.outcomes, self.opened.needles)),
            total_cores_counted=done.total_cores_counted,
            total_punctures=done.total_punctures,
            zone=self._at[0],
            cell=self._at[1],
        )

    def _check_link(self) -> None:
        """A link that was lost while nothing was asked of the device has raised nothing: raise it now."""
        if self.machine.now is State.RECOVERING:
            raise LinkLostError("the link was lost between two commands")

    def _read_aside(self) -> None:
        """Read the journal beside whatever else goes on."""
        if self.reader is not None and not self.reader.busy and self.link.exchange.linked:
            self._unread_cycles = 0
            self.link.procedures.start(self.reader.read(), self.link.now)

    def _reposition(self) -> Procedure[None]:
        """Go to the next cell that still takes a cycle; the journal is read while the hand moves."""
        if self._at is None or self._cycles_left == 0:
            if self._cells_used >= self.plan.cells:
                reached = f"{self.counted} of {self.plan.target_cores} cores"
                raise SessionError(f"all {self.plan.cells} cells of the plan are used at {reached}")
            zone, cell = self._locate(self._cells_used)
        self.machine.happened(Event.REPOSITION_SENT)
        self._read_aside()
        try:
            done: M.RepositionDone = yield M.Reposition(zone=zone, cell=cell)
        finally:
            if self.machine.now is State.REPOSITIONING and self.link.exchange.linked:
                self.machine.happened(Event.MOTION_ENDED)
        self._cells_used += 1
        self._at, self._cycles_left = (zone, cell), done.cycles_left

    def _locate(self, number: int) -> tuple[int, int]:
        """Zone and cell of the plan's cell `number`, counted through all zones."""
        for zone, area in enumerate(zone.area_cm2 for zone in self.plan.zones):
            if number < area:
                return zone, number
            number -= area
        raise AssertionError("number is below plan.cells")

    def _purge(self) -> Procedure[None]:
        for attempt in range(1, MOST_PURGES + 1):
            self.machine.happened(Event.PURGE_SENT)
            try:
                done: M.PurgeDone = yield M.Purge()
            finally:
                if self.machine.now is State.PURGING and self.link.exchange.linked:
                    self.machine.happened(Event.MOTION_ENDED)
            self.note("action", "purge", f"try {attempt}: cleared {done.cleared:#b}, flagged {done.flagged:#b}")
            self._flagged = done.flagged
            if not done.flagged:
                return
        raise SessionError(f"needles {self._flagged:#b} stay clogged after {MOST_PURGES} purges")

    # --- remedies --------------------------------------------------------------------------------------------

    def _remedy(self, error: CommandRefusedError | CommandFailedError) -> Procedure[None]:
        """Do what a trained operator would; raise what only a person can mend, and a device that is held."""
        if _by_held_device(error):
            raise error
        kind: NoteKind = "refusal" if isinstance(error, CommandRefusedError) else "warning"
        self.note(kind, error.command.__class__.__name__.lower(), str(error))
        command = error.command
        if isinstance(error, CommandFailedError) and isinstance(command, (M.Punch, M.Suction, M.Advance, M.Count)):
            self._last_cycle_no = max(self._last_cycle_no, command.cycle_no)
        if self.machine.now in (State.PUNCHING, State.SUCTIONING, State.ADVANCING, State.COUNTING):
            self.machine.happened(Event.CYCLE_ABORTED)
        if error.code is Code.E_STORAGE:
            assert self.reader is not None
            yield from self.reader.read()
            return
        remedy = _REMEDIES.get(error.interlock)
        if remedy is None:
            raise error
        yield from remedy(self)

    def _await_suction(self) -> Procedure[None]:
        self.note("action", "suction_check", "looking for the leak")
        self._suction_since = self.link.now if self._suction_since is None else self._suction_since
        if self.link.now - self._suction_since > SUCTION_WAIT_US:
            raise SessionError(f"the vacuum did not come back within {SUCTION_WAIT_US // SECOND} s")
        yield Until(Micros(self.link.now + SUCTION_POLL_US))

    def _numb_again(self) -> Procedure[None]:
        """The anesthesia's time is over: disarm, numb, wait, confirm; arming follows by itself."""
        if self.machine.now is State.ARMED:
            yield from self._disarm()
        self._numbed = dict.fromkeys(self._numbed, self.link.now)
        self.machine.happened(Event.ANESTHESIA_STARTED)
        yield from self._numb()

    def _leave_cell(self) -> Procedure[None]:
        self._cycles_left = 0
        yield from ()

    # --- losses and recovery ---------------------------------------------------------------------------------

    def _through_losses(
        self, what: Callable[[], Procedure[_T]], restore: Callable[[], Procedure[object]] | None = None
    ) -> Procedure[_T]:
        """Run `what`; after a lost link or a stop, recover by `restore` and run it again."""
        while True:
            try:
                if self.machine.now is State.RECOVERING:
                    yield from (self._restore if restore is None else restore)()
                return (yield from what())
            except LinkDeniedError:
                raise
            except (LinkError, CommandAbortedError, CommandRefusedError) as error:
                if isinstance(error, CommandRefusedError) and not _by_held_device(error):
                    raise
                self._begin_recovery(error)

    def _begin_recovery(self, error: LinkError | CommandAbortedError | CommandRefusedError) -> None:
        """Enter RECOVERING.

        Raises:
            LinkError, CommandError: `error`, when recovery was tried too often in a row.
        """
        if self.machine.now is not State.RECOVERING:
            self.machine.happened(Event.LINK_LOST if isinstance(error, LinkError) else Event.STOPPED)
        self._recoveries += 1
        if self._recoveries > MOST_RECOVERIES:
            raise error
        self.note("action", "recover", f"try {self._recoveries} of {MOST_RECOVERIES}: {error}")

    def _restore(self) -> Procedure[None]:
        """From RECOVERING back to where cycles go on: link, journal, alarms, anesthesia."""
        opened = self.opened
        assert opened is not None and self.reader is not None
        state = yield from self._relink()
        if self.reader.closed is not None:
            raise SessionError(f"session {opened.session_no} was closed on the device by another host")
        yield from self._leave_hold(state)
        self.machine.happened(Event.RECOVERED)
        if not self._numbed:
            return
        try:
            yield from self._numb()
        except CommandRefusedError as refused:
            if refused.interlock != 3 or _by_held_device(refused):
                raise
            yield from self._numb_again()  # its time went by while the link was gone

    def _relink(self) -> Procedure[DeviceState]:
        """Link, and the journal to its head; returns the state in which the device holds still."""
        opened, reader = self.opened, self.reader
        assert opened is not None and reader is not None
        if self.link.exchange.linked:
            # A motion was aborted. Whatever the device does now, STOP is harmless twice and says where it is.
            stopped: M.StopDone = yield M.Stop()
            state = stopped.state
            yield from reader.read()
        else:
            welcome = yield from self.link.make()
            state = welcome.state
            if welcome.journal_epoch == reader.epoch:
                yield from reader.read()
            if reader.closed is None:
                self._check_held(welcome, reader.epoch, opened.session_no)
        self._last_cycle_no = reader.fold.last_cycle_no or opened.first_cycle_no - 1
        self.counted = reader.fold.counts.cores_counted
        self._cells_used = max(self._cells_used - 1, len(reader.fold.cells) - 1, 0)
        self._at, self._cycles_left = None, 0
        self._held_in = state
        return state

    def _check_held(self, welcome: M.Welcome, epoch: int, session_no: int) -> None:
        """Hold what the device says it has against the session that this host knows.

        Raises:
            SessionError: its memory was erased, or it holds another session or none.
        """
        if welcome.journal_epoch != epoch:
            now = f"its journal is 0x{welcome.journal_epoch:08x}"
            there = f"session {session_no} stands in 0x{epoch:08x}"
            raise SessionError(f"the device's memory was erased: {now}, and {there}")
        if welcome.session_no != session_no:
            held = welcome.session_no or "none"
            raise SessionError(f"the device no longer holds session {session_no}: it names {held}")

    def _leave_hold(self, state: DeviceState) -> Procedure[None]:
        """Acknowledge what is shown and leave SAFE or FAULT, where the device is in one of them."""
        self._held_in = None
        if state in HELD:
            yield from self._acknowledge_alarms()
            yield M.FaultReset()
            self.note("action", "fault_reset", f"from {state.name}")

    def _acknowledge_alarms(self) -> Procedure[None]:
        index, count = 0, 1
        while index < count:
            alarm: M.AlarmListDone = yield M.AlarmList(index=index)
            index, count = index + 1, alarm.count
            if alarm.state in (AlarmState.ACTIVE, AlarmState.LATCHED) and alarm.code != COUNT_STOPPED:
                yield M.AlarmAck(code=alarm.code)
                self.note("action", "alarm_ack", f"MC-{alarm.code:04d}")

    # --- the end ---------------------------------------------------------------------------------------------

    def close(self, reason: CloseReason, wall_seconds: float | None) -> Procedure[Finish]:
        """Disarm, read the journal to its end, close the session with the fold of it, ask for the truth.

        It needs no way out of a hold: a device that an open emergency stop or a fault holds closes its session too.

        Raises:
            CommandRefusedError: the device's totals are others; the session stays open on both sides.
        """
        return (yield from self._through_losses(lambda: self._close(reason, wall_seconds), self._relink))

    def settle(self, wall_seconds: float | None) -> Procedure[Finish]:
        """Log the end of an adopted session that the device has closed, and whose end no host has logged.

        Raises:
            SessionError: the journal does not say how it ended.
        """
        opened, reader = self.opened, self.reader
        assert opened is not None and reader is not None
        yield from self._through_losses(reader.read, reader.read)
        closed = reader.closed
        if closed is None or closed.session_no != opened.session_no:
            raise SessionError(f"session {opened.session_no} is not open on the device, whose journal has no end of it")
        return (yield from self._through_losses(lambda: self._close(closed.reason, wall_seconds), self._relink))

    def stop(self) -> Procedure[None]:
        """STOP the device: retracted, vented, SAFE. Nothing where there is no link or no session."""
        if self.link.exchange.linked and self.opened is not None and self.machine.now not in ENDED:
            yield M.Stop()
            self.note("action", "stop", "")
            if self.machine.now is not State.RECOVERING:
                self.machine.happened(Event.STOPPED)

    def give_up(self) -> None:
        """The session cannot be gone on with or closed; it stays open on the device."""
        if self.machine.now not in ENDED:
            self.machine.happened(Event.FAILED)

    def abandon(self) -> Procedure[int]:
        """Close a session that nobody has the records of; returns its number."""
        session_no = self.welcome.session_no
        yield M.SessionClose(session_no=session_no, reason=CloseReason.ABANDONED, **dict.fromkeys(_COUNTED, 0))
        yield from self._leave_hold(self.welcome.state)
        return session_no

    def _close(self, reason: CloseReason, wall_seconds: float | None) -> Procedure[Finish]:
        opened, reader = self.opened, self.reader
        assert opened is not None and reader is not None
        if self.machine.now in (State.ARMED, State.PAUSED):
            yield from self._disarm()
        yield from reader.read()
        if self.machine.now is not State.CLOSING:
            self.machine.happened(Event.CLOSE_BEGUN)
        device = yield from self._close_on_device(reason)
        yield from reader.read()
        yield from self._release()
        if self.info is not None and self.info.has_truth:
            yield from self._ask_truth()
        self.reconciliation = reconcile(reader.fold, device)
        completed = reason is CloseReason.COMPLETED
        self.finish = Finish(
            state="completed" if completed else "aborted",
            reconciled=self.reconciliation.reconciled,
            session_seconds=reader.clock.seconds,
            wall_seconds=wall_seconds,
            device_totals=device,
            cells_begun=len(reader.fold.cells),
        )
        self.machine.happened(Event.SESSION_COMPLETED if completed else Event.SESSION_ABORTED)
        self._emit(self.finish)
        yield from self._durable()
        return self.finish

    def _close_on_device(self, reason: CloseReason) -> Procedure[Counts]:
        """SESSION_CLOSE, once; the device's totals."""
        opened, reader = self.opened, self.reader
        assert opened is not None and reader is not None
        counts, closed = reader.fold.counts, reader.closed
        if closed is None:
            fields = {name: getattr(counts, name) for name in _COUNTED}
            done: M.SessionCloseDone = yield M.SessionClose(session_no=opened.session_no, reason=reason, **fields)
            return Counts(**{name: getattr(done, name) for name in _COUNTED})
        if closed.reason is not reason:
            raise SessionError(f"session {closed.session_no} was closed by another host, as {closed.reason.name}")
        # Its DONE was lost with the link. The device has compared the three that are not in the record.
        return replace(counts, cycles=closed.cycles, punctures=closed.punctures, cores_counted=closed.cores_counted)

    def _release(self) -> Procedure[None]:
        """Leave the hold that a stop or a loss brought; a device that must go on holding is not argued with."""
        if self._held_in is None:
            return
        held_in, self._held_in = self._held_in, None
        try:
            yield from self._leave_hold(held_in)
        except CommandRefusedError as refused:
            self.note("refusal", "fault_reset", str(refused))

    def _ask_truth(self) -> Procedure[None]:
        try:
            self.truth = yield M.TruthGet()
        except CommandRefusedError as refused:
            self.note("refusal", "truth_get", str(refused))
            return
        assert self.truth is not None
        self._emit(self.truth)


_COUNTED: Final = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")

_REMEDIES: Final[Mapping[int, Callable[[Engine], Procedure[None]]]] = {
    3: Engine._numb_again,
    4: Engine._await_suction,
    6: Engine._purge,
    8: Engine._leave_cell,
    9: Engine._leave_cell,
}
"""Interlock -> what a trained operator does about it. The others need a person."""


def _nothing() -> Procedure[None]:
    yield from ()


def _by_held_device(refused: CommandError) -> bool:
    """The device was stopped by somebody else, between two commands of this host."""
    if not isinstance(refused, CommandRefusedError):
        return False
    return refused.code in (Code.E_STATE, Code.E_INTERLOCK) and refused.actual in HELD and refused.expected == 0
