"""State that the parts of a session share: the link, the machine, the journal's reader, and the entries for the log.

Law: it knows no procedure. `operator`, `recovery` and `closing` work on it, and `engine` puts them together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from devicectl.errors import HardwareError
from devicectl.session.count import Fold
from devicectl.session.entries import Batch, Finish, Note, NoteKind, SessionStart
from devicectl.session.journal import JournalReader
from devicectl.session.link import HostLink
from devicectl.session.machine import ARMED, ENDED, Event, SessionMachine, State
from devicectl.session.plan import Plan
from devicectl.session.procedures import Procedure
from protocols.language import messages as M
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import DeviceState, Role
from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.link.port import AnyWire

HELD: Final = (DeviceState.SAFE, DeviceState.FAULT, DeviceState.LOCKED)
"""The device holds still until a FAULT_RESET; LOCKED it does for good, and its refusal says why."""

Entry = SessionStart | Batch | Note | Finish | M.TruthGetDone


@dataclass(frozen=True, slots=True)
class Identity:
    """Facts that the shell knows and the engine only passes on to the log."""

    device_url: str
    course: str | None
    session_date: date
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session as the device opened it: its number there, and the needles that were fitted."""

    session_no: int
    first_cycle_no: int
    needles: int
    core_diameter_um: int


class Observer(Protocol):
    """A spectator of a session: a progress bar, a narrator, a test."""

    def changed(self, before: State, after: State, now: Micros) -> None:
        """The host's state changed."""

    def noted(self, note: Note) -> None:
        """Something was noted in the log."""


class _Guarded:
    """An observer that is not called again once it has failed.

    Its error ends the session; making the device safe must not run into it once more.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer: Observer | None = observer

    def changed(self, before: State, after: State, now: Micros) -> None:
        self._pass_on(lambda observer: observer.changed(before, after, now))

    def noted(self, note: Note) -> None:
        self._pass_on(lambda observer: observer.noted(note))

    def _pass_on(self, tell: Callable[[Observer], None]) -> None:
        if self._observer is not None:
            try:
                tell(self._observer)
            except BaseException:
                self._observer = None
                raise


class SessionContext:
    """One host and at most one session. `counted` is the device's running total, for steering and display.

    `last_cycle_no` is the cycle number used last; `unread_cycles` how many have ended since the journal was read;
    `waits_until` when the anesthesia can be confirmed, while that is waited for. `on_told(message)` hears, after this,
    what the device says that answers nothing.
    """

    def __init__(
        self,
        *,
        host_id: int,
        role: Role,
        draw_nonce: Callable[[], int],
        observer: Observer | None,
        wire: AnyWire,
        allow_hardware: bool,
    ) -> None:
        self.allow_hardware = allow_hardware
        self.link = HostLink(
            host_id=host_id, role=role, draw_nonce=draw_nonce, on_told=self._told, on_lost=self._link_lost, wire=wire
        )
        self.machine = SessionMachine(self._changed)
        self.entries: list[Entry] = []
        self.info: M.DeviceInfoDone | None = None
        self.opened: OpenedSession | None = None
        self.plan = Plan()
        self.reader: JournalReader | None = None
        self.counted = 0
        self.last_cycle_no = 0
        self.unread_cycles = 0
        self.waits_until: Micros | None = None
        self.finish: Finish | None = None
        self.truth: M.TruthGetDone | None = None
        self.on_told: Callable[[Message], None] | None = None
        self._observer = None if observer is None else _Guarded(observer)
        self._emitted = 0
        self._logged = 0
        self._log_lost = False

    @property
    def welcome(self) -> M.Welcome:
        """The last WELCOME; only after `connect`."""
        assert self.link.welcome is not None
        return self.link.welcome

    @property
    def simulated(self) -> bool:
        """True if WELCOME and identity both say that the device is simulated; only after `connect`."""
        return self.welcome.simulated and self.info is not None and self.info.simulated

    @property
    def core_diameter_um(self) -> int:
        """Core diameter recorded when the session was opened, else that of the device; only after `connect`."""
        if self.opened is not None:
            return self.opened.core_diameter_um
        assert self.info is not None
        return self.info.core_diameter_um

    def require_allowed(self) -> None:
        """Check that a session may be held on this device.

        Raises:
            HardwareError: it is not simulated, and `allow_hardware` was not given.
        """
        if not self.allow_hardware and not self.simulated:
            raise HardwareError("that nobody has named" if self.info is None else self.info.serial)

    def session(self) -> tuple[OpenedSession, JournalReader]:
        """Return the opened session and the reader of its journal; only with a session."""
        assert self.opened is not None and self.reader is not None
        return self.opened, self.reader

    # --- the log's side --------------------------------------------------------------------------------------

    def take_entries(self) -> list[Entry]:
        """Entries to log, in order; the shell writes them and calls `logged`."""
        entries = self.entries
        if entries:
            self.entries = []
        return entries

    def logged(self, count: int, now: Micros) -> None:
        """`count` more entries are durable."""
        if not self._log_lost:
            self._logged += count
        self.link.now = now
        self.link.procedures.poll(now)

    def lose_log(self) -> None:
        """Note that the log failed: nothing more becomes durable, so nothing more of the journal is acknowledged."""
        self._log_lost = True

    @property
    def backlog(self) -> int:
        """Entries that are not durable yet."""
        return self._emitted - self._logged

    def emit(self, entry: Entry) -> None:
        """Hand an entry to the log."""
        self.entries.append(entry)
        self._emitted += 1

    def durable(self) -> Procedure[None]:
        """Wait until everything emitted so far is durable."""
        goal = self._emitted
        yield lambda: self._logged >= goal

    def note(self, kind: NoteKind, name: str, detail: str) -> None:
        """Note something that the device's journal does not have."""
        uptime = self.link.device_uptime_ms() if self.link.welcome is not None else None
        begun = self.opened is not None and self.last_cycle_no >= self.opened.first_cycle_no
        note = Note(kind, self.link.now, name, detail, uptime, self.last_cycle_no if begun else None)
        if self.reader is not None:
            self.reader.note(note)
        if self._observer is not None:
            self._observer.noted(note)

    def begin_reading(self, fold: Fold) -> None:
        """Read the journal into `fold` from now on."""
        self.reader = JournalReader(epoch=self.welcome.journal_epoch, fold=fold, emit=self.emit, durable=self.durable)

    def read_aside(self) -> None:
        """Read the journal while the session continues; no-op if it is being read."""
        if self.reader is not None and not self.reader.busy and self.link.exchange.linked:
            self.unread_cycles = 0
            self.link.procedures.start(self.reader.read(), self.link.now)

    # --- what the link tells ---------------------------------------------------------------------------------

    def _changed(self, before: State, after: State) -> None:
        self.link.hurry(after in ARMED)
        if self._observer is not None:
            self._observer.changed(before, after, self.link.now)

    def _told(self, message: Message) -> None:
        if isinstance(message, M.Alarm):
            self.read_aside()
            self.note("alarm", alarm_label(message.code), f"{message.state.name}: {message.sentence}")
        elif isinstance(message, M.Heartbeat) and message.state in HELD:
            self.link.hurry(False)  # the device holds still, and keeps the long lease
        if self.on_told is not None:
            self.on_told(message)

    def _link_lost(self, reason: str) -> None:
        if self.machine.now not in (State.DISCONNECTED, *ENDED):
            self.note("warning", "link_lost", reason)
            self.machine.happened(Event.LINK_LOST)
