"""A device that answers what the test tells it to, and the host's engine that asks it. Link and time are real, in one
process and without a wire; what a careful device would never say is said here as well.

    desk = Desk()
    desk.will(M.Arm, refusal(I.SUCTION), LOST)      the next two answers to ARM; after them the usual one again
    desk.run(desk.engine.next_cycle())              virtual time passes as far as the procedure waits
    assert desk.names() == [...]                    what was asked, in order
"""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

from devicectl.session.context import Entry, Identity
from devicectl.session.engine import Engine
from devicectl.session.entries import Note
from devicectl.session.machine import State
from devicectl.session.plan import Plan, make_plan
from devicectl.session.procedures import Procedure, Task
from devicectl.session.steps import CycleResult
from firmware_sim.memory.journal import Journal
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, AlarmState, ByeReason, Code, DeviceState, NeedleOutcome, Phase
from protocols.language.enums import Ending as CycleEnding
from protocols.language.message import Message
from protocols.language.records import Record, encode_record, pack_outcomes
from protocols.language.units import SECOND, Micros
from protocols.link.happenings import Commanded, DeviceHappening, Greeted
from tests.integration.log.log_builders import a_cycle
from tests.unit.protocols.language.altered import altered
from tests.unit.protocols.link.exchange_pair import Device, make_device, welcome

T = TypeVar("T")
C = TypeVar("C", bound=Message)
Answer = Message | str | Callable[[Any], Message | str]
"""A message or `LOST`, or what makes one of the command."""

NUMB: Final = ["AnesthesiaStart", "AnesthesiaStart", "AnesthesiaConfirm", "AnesthesiaConfirm"]
"""Commands of the anesthesia in a plan of two zones."""

LOST: Final = "the link is lost before the answer"
EPOCH: Final = 9
IDENTITY: Final = Identity("sim://", "course 3", date(2024, 3, 1), {"product": "0"})
HOUR: Final = Micros(3_600 * SECOND)

INFO: Final = M.DeviceInfoDone(
    model="handpiece", serial="SIM-0007", firmware_version="1", model_version="4", simulated=True, has_truth=True,
    seed=7, needles=3, core_diameter_um=400, cartridge_serial=1, cartridge_life_cycles=9_999,
)  # fmt: skip


def a_plan(**changes: Any) -> Plan:
    """Two zones of two cells and one, for six cores: three cycles that count two each."""
    zones = [{"name": "left", "area_cm2": 2}, {"name": "right", "area_cm2": 1}]
    return make_plan({"target_cores": 6, "zones": zones, **changes})


def refusal(interlock: int = 0, code: Code = Code.E_INTERLOCK, expected: int = 0, actual: int = 0) -> M.Refused:
    """A refusal, by an interlock where one is given."""
    return M.Refused(code=code, interlock=interlock, expected=expected, actual=actual, sentence="not now")


def held(state: DeviceState = DeviceState.SAFE) -> M.Refused:
    """A refusal of a device that somebody else has stopped."""
    return refusal(code=Code.E_STATE, actual=state)


def aborted() -> M.Aborted:
    """The answer of a motion that was stopped from outside."""
    return M.Aborted(code=Code.E_LINK, ending=CycleEnding.ABORTED, phase=Phase.PUNCH, sentence="stopped")


def failed(interlock: int = 0) -> M.Failed:
    """The answer of a motion that the device could not finish."""
    return M.Failed(code=Code.E_INTERLOCK, interlock=interlock, alarm_code=1601, sentence="stalled")


def counted(**changes: Any) -> Callable[[M.Count], Message]:
    """The usual answer to COUNT, changed; its record is not written."""
    return lambda command: _count_done(command.cycle_no, **changes)


def alarms(*shown: tuple[int, AlarmState]) -> list[M.AlarmListDone]:
    """The answers to ALARM_LIST of a device with these codes and states."""
    rest: dict[str, Any] = {"interlock": 0, "priority": AlarmPriority.LOW, "uptime_ms": 0, "sentence": "why"}
    return [
        M.AlarmListDone(count=len(shown), index=index, code=code, state=state, **rest)
        for index, (code, state) in enumerate(shown)
    ]


def _count_done(cycle_no: int, **changes: Any) -> M.CountDone:
    values: dict[str, Any] = {
        "cycle_no": cycle_no,
        "outcomes": pack_outcomes([NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.COUNTED]),
        "cores_counted": 2,
        "flagged": 0,
        "cell_punctures": 3,
        "cycles_left": 15,
        "total_punctures": 3 * cycle_no,
        "total_cores_counted": 2 * cycle_no,
    }
    return M.CountDone(**(values | changes))


class Desk:
    """One engine and the device that it talks to.

    `shown` is what the next WELCOME says; `deaf` makes the device answer no HELLO; `parting` is the command whose next
    answer has a BYE behind it in the same bytes; `writes` is False for a log whose entries do not become durable.
    """

    def __init__(self, *, connected: bool = True, **options: Any) -> None:
        self.engine = Engine(host_id=5, draw_nonce=lambda: 77, observer=self, **options)
        self.end: Device = make_device()
        self.now = Micros(1_000_000)
        self.asked: list[Message] = []
        self.notes: list[Note] = []
        self.states: list[State] = []
        self.entries: list[Entry] = []
        self.journal = Journal()
        self.shown: dict[str, Any] = {"heartbeat_idle_ms": 60_000, "heartbeat_armed_ms": 60_000, "lease_idle_ms": 0}
        self.deaf = False
        self.parting: type[Message] | tuple[()] = ()
        self.writes = True
        self.hellos = 0
        self._unwritten = 0
        self._script: dict[type[Message], deque[Answer]] = defaultdict(deque)
        if connected:
            self.engine.link.connected(self.now)

    # --- the observer of the engine

    def changed(self, before: State, after: State, now: Micros) -> None:
        self.states.append(after)

    def noted(self, note: Note) -> None:
        self.notes.append(note)

    # --- for tests

    def will(self, command: type[Message], *answers: Answer) -> None:
        """Answer the next commands of this class so; the usual answers follow."""
        self._script[command].extend(answers)

    def write(self, *records: Record) -> None:
        """Write records to the device's journal, as its next ones."""
        for record in records:
            self.journal.append(encode_record(altered(record, event_no=self.journal.head)))

    def start(self, procedure: Procedure[T]) -> Task[T]:
        """Run a procedure to the first wait for time, or for what the test has yet to do."""
        task = self.engine.link.start(procedure, self.now)
        self.carry()
        return task

    def run(self, procedure: Procedure[T]) -> T:
        """Run a procedure to its end, in virtual time, and return what it returns."""
        return self.end_of(self.start(procedure))

    def cycle(self) -> CycleResult:
        """Do one more cycle, with all that it needs."""
        result = self.run(self.engine.next_cycle())
        assert result is not None
        return result

    def asked_for(self, command: type[C]) -> list[C]:
        """Return the commands of one class that were asked."""
        return [message for message in self.asked if isinstance(message, command)]

    def end_of(self, task: Task[T]) -> T:
        """Let time pass to the end of a task, and return what it returned."""
        limit = Micros(self.now + HOUR)
        while not task.done:
            due = self.engine.link.next_deadline()
            assert due is not None and due < limit, "the procedure waits for what never comes"
            self.pass_to(due)
        return task.outcome()

    def pass_to(self, time: int) -> None:
        """Let time pass."""
        self.now = Micros(max(self.now, time))
        self.engine.link.advance(self.now)
        self.carry()

    def opened(self, plan: Plan | None = None) -> "Desk":
        """Connect and open a session; what was asked for it is forgotten."""
        self.run(self.engine.connect())
        self.run(self.engine.open_session(a_plan() if plan is None else plan, IDENTITY))
        self.forget()
        return self

    def numbed(self, plan: Plan | None = None) -> "Desk":
        """Connect, open a session and confirm the anesthesia; what was asked for it is forgotten."""
        self.opened(plan)
        self.run(self.engine.confirm_anesthesia("cream", "trainer"))
        self.forget()
        return self

    def forget(self) -> None:
        """Begin to list again what is asked, noted and changed."""
        self.asked, self.notes, self.states, self.hellos = [], [], [], 0

    def names(self) -> list[str]:
        """The commands that were asked, in order."""
        return [message.__class__.__name__ for message in self.asked]

    def noted_as(self, name: str) -> list[str]:
        """The details of the notes of this name."""
        return [note.detail for note in self.notes if note.name == name]

    # --- the wire

    def cut(self, *, final: bool = False) -> None:
        """The transport goes away."""
        self.end.drop()
        self.end.take()
        self.engine.link.disconnected("the cable was pulled", self.now, final=final)

    def mend(self) -> None:
        """The transport is back."""
        self.engine.link.connected(self.now)
        self.carry()

    def tell(self, message: Message) -> None:
        """Say something that the host has not asked for."""
        self.end.tell(message, self.now)
        self.carry()

    def carry(self) -> None:
        """Carry what both ends say until neither has more."""
        exchange = self.engine.link.exchange
        self._log()
        while exchange.outbox or self.end.outbox or self.engine.entries:
            for data in exchange.take():
                for happening in self.end.receive(data, self.now):
                    self._take(happening)
            if data := b"".join(self.end.take()):
                self.engine.link.receive(data, self.now)
            self._log()

    def _log(self) -> None:
        entries = self.engine.take_entries()
        self.entries += entries
        self._unwritten += len(entries)
        if self.writes and self._unwritten:
            count, self._unwritten = self._unwritten, 0
            self.engine.logged(count, self.now)

    # --- the device

    def _take(self, happening: DeviceHappening) -> None:
        if isinstance(happening, Greeted):
            self.hellos += 1
            if not self.deaf:
                head = {"journal_epoch": EPOCH, "journal_tail": self.journal.tail, "journal_head": self.journal.head}
                granted = welcome(**(head | self.shown | {"nonce": happening.hello.nonce}))
                self.end.welcome(granted, happening, self.now)
        elif isinstance(happening, Commanded):
            self.asked.append(happening.command)
            self._answer(happening)

    def _answer(self, commanded: Commanded) -> None:
        message = commanded.command
        script = self._script[message.__class__]
        answer = script.popleft() if script else self.usual
        made = answer(message) if callable(answer) else answer
        if isinstance(made, str):
            self.cut()
            self.engine.link.connected(self.now)
            return
        if isinstance(made, M.SessionOpenDone):
            self.shown["session_no"] = made.session_no
        elif isinstance(made, M.SessionCloseDone):
            self.shown["session_no"] = 0
        self.end.reply(commanded.correlation_id, made, self.now)
        if isinstance(message, self.parting):
            self.parting = ()
            self.end.bye(ByeReason.CLOSING, self.now)

    def usual(self, command: Any) -> Message:
        """What a device without a fault answers."""
        match command:
            case M.JournalRead():
                first, records = self.journal.read(command.first, command.max_records)
                ends = {"tail": self.journal.tail, "head": self.journal.head}
                return M.JournalPage(epoch=EPOCH, first=first, records=b"".join(records), **ends)
            case M.JournalAck():
                return M.JournalAckDone(tail=self.journal.acknowledge(command.upto))
            case M.FaultReset():
                state = DeviceState.SESSION_OPEN if self.shown.get("session_no") else DeviceState.IDLE
                return M.FaultResetDone(state=state, alarms=0)
            case M.Count():
                self.write(a_cycle(0, command.cycle_no, cell=0))
                return _count_done(command.cycle_no)
            case _:
                usual = _USUAL[command.__class__]
                return usual if isinstance(usual, Message) else usual(command)


_CLOSED: Final = ("session_no", "cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")

_USUAL: Final[dict[type[Message], Message | Callable[[Any], Message]]] = {
    M.Punch: lambda asked: M.PunchDone(
        cycle_no=asked.cycle_no, depth_um=asked.depth_um, punctured=7, vacuum_pa=-60_000
    ),
    M.Suction: lambda asked: M.SuctionDone(cycle_no=asked.cycle_no, vacuum_pa=-60_000),
    M.Advance: lambda asked: M.AdvanceDone(cycle_no=asked.cycle_no),
    M.Reposition: lambda asked: M.RepositionDone(zone=asked.zone, cell=asked.cell, cell_punctures=0, cycles_left=16),
    M.AlarmAck: lambda asked: M.AlarmAckDone(code=asked.code, state=AlarmState.ACKNOWLEDGED),
    M.ParamGet: lambda asked: M.ParamGetDone(name=asked.name, value=600.0),
    M.SessionClose: lambda asked: M.SessionCloseDone(**{name: getattr(asked, name) for name in _CLOSED}),
    M.Echo: lambda asked: M.EchoDone(data=asked.data),
    M.DeviceInfo: INFO,
    M.SessionOpen: M.SessionOpenDone(
        session_no=1, first_cycle_no=1, needles=3, cells=3, cycles_per_cell=16, punctures_per_cell=48
    ),
    M.AnesthesiaStart: M.AnesthesiaStartDone(wait_s=0),
    M.AnesthesiaConfirm: M.AnesthesiaConfirmDone(valid_s=3_600),
    M.Arm: M.ArmDone(vacuum_pa=-60_000),
    M.Disarm: M.DisarmDone(state=DeviceState.IDLE),
    M.Purge: M.PurgeDone(cleared=1, flagged=0),
    M.Pause: M.PauseDone(),
    M.Resume: M.ResumeDone(),
    M.Stop: M.StopDone(state=DeviceState.SAFE),
    M.AlarmList: M.AlarmListDone(
        count=0, index=0, code=0, interlock=0, priority=AlarmPriority.NONE, state=AlarmState.INACTIVE, uptime_ms=0,
        sentence="",
    ),
    M.TruthGet: M.TruthGetDone(
        session_no=1, cycles_commanded=0, cycles_completed=0, punctures=0, cores_evacuated=0, cores_counted=0, clogs=0
    ),
}  # fmt: skip
