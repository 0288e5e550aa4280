"""Power goes at any moment: whatever a host has heard is true afterwards, and no event has two meanings.

The host stores what it reads and loses nothing, the device's file is on a disk that loses all that was not synced or
any part of it. Judged from the wire alone.
"""

import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from devicectl.session.count import Fold
from firmware_sim import memory_file
from firmware_sim.device import Device
from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.parameters import Parameters
from protocols.language import messages as M
from protocols.language.alarm_codes import RETAINED_COMMAND
from protocols.language.enums import CloseReason, DeviceState, Phase, RecordKind
from protocols.language.message import Message
from protocols.language.messages import Heartbeat, Refused
from protocols.language.records import Cycle, decode_record
from protocols.language.units import SECOND, Micros
from protocols.link.happenings import Answered, Linked, Told
from protocols.link.host_end import HostEnd
from protocols.link.pace import Pace
from protocols.serial.wire import SerialWire
from tests.power import Disk, PowerCutError
from tests.unit.protocols.link.exchange_pair import hello

PARAMETERS: Final = {"anesthesia_wait_s": 0, "reposition_mean_s": 0.01}
OPEN: Final = M.SessionOpen(target_cores=300, coverage_bp=600, depth_um=3_000, zones_cm2=(40,))
LEAVES: Final = {
    "AnesthesiaStartDone": RecordKind.ANESTHESIA,
    "AnesthesiaConfirmDone": RecordKind.ANESTHESIA,
    "ParamSetDone": RecordKind.PARAMETER,
    "FaultResetDone": RecordKind.ACTION,
    "ArmDone": RecordKind.ACTION,
    "StopDone": RecordKind.ACTION,
    "Refused": RecordKind.REFUSAL,
}
"""What a command's end says of the journal: it has a record of it."""
RISING: Final[dict[type[Message], dict[str, str]]] = {
    M.Welcome: {
        "boot_count": "boot_count",
        "link_id": "link_id",
        "journal_tail": "tail",
        "journal_head": "head",
        "cycle_no": "cycle_no",
    },
    Heartbeat: {"journal_head": "head", "cycle_no": "cycle_no"},
    M.JournalPage: {"tail": "tail", "head": "head"},
    M.JournalAckDone: {"tail": "tail"},
    M.PunchDone: {"cycle_no": "cycle_no"},
    M.SuctionDone: {"cycle_no": "cycle_no"},
    M.AdvanceDone: {"cycle_no": "cycle_no"},
}
"""Fields that never go back, over all messages and lives of the device."""
NEW: Final = ("link_id", "boot_count")
"""Those that nothing shows twice."""
PHASES: Final[dict[type[Message], Phase]] = {
    M.PunchDone: Phase.PUNCH,
    M.SuctionDone: Phase.SUCTION,
    M.AdvanceDone: Phase.ADVANCE,
}


class Memory:
    """All that one host has heard of one device, over all lives of the device."""

    def __init__(self) -> None:
        self.records: dict[int, bytes] = {}
        self.session: M.SessionOpenDone | None = None
        self.shown: dict[str, Any] = {}
        self.promised: Counter[RecordKind] = Counter()
        self.phases: dict[int, Phase] = {}
        self.outcomes: dict[int, int] = {}

    def hear(self, message: Message) -> None:
        """Hold a message against all that was heard before."""
        for field, name in RISING.get(type(message), {}).items():
            self._rises(name, getattr(message, field))
        if isinstance(message, M.Welcome | Heartbeat):
            self._totals(message)
        elif isinstance(message, M.JournalPage):
            for at in range(0, len(message.records), 32):
                self._read(message.records[at : at + 32])
        elif isinstance(message, M.CountDone):
            self.outcomes[message.cycle_no] = message.outcomes
        elif isinstance(message, M.SessionOpenDone):
            self.session = message
        elif (phase := PHASES.get(type(message))) is not None:
            self.phases[self.shown["cycle_no"]] = phase
        if (kind := LEAVES.get(type(message).__name__)) is not None:
            self.promised[kind] += 1

    def _rises(self, name: str, value: Any) -> None:
        before = self.shown.get(name)
        assert before is None or value > before or (value == before and name not in NEW), (name, before, value)
        self.shown[name] = value

    def _totals(self, message: Any) -> None:
        session_no = self.session.session_no if isinstance(message, Heartbeat) and self.session else 0
        session_no = getattr(message, "session_no", session_no)
        if session_no:
            self._rises("totals", (session_no, message.cycles, message.punctures, message.cores_counted))

    def _read(self, raw: bytes) -> None:
        event_no = int.from_bytes(raw[:4], "little")
        assert self.records.setdefault(event_no, raw) == raw, f"event {event_no} has two meanings"

    def settle(self) -> None:
        """All has been read: what was promised is among it."""
        assert sorted(self.records) == list(range(1, len(self.records) + 1))
        kinds = Counter(raw[8] for raw in self.records.values())
        for kind, count in self.promised.items():
            assert kinds[kind] >= count, kind
        cycles = [record for record in map(decode_record, self.records.values()) if isinstance(record, Cycle)]
        ended = {record.cycle_no: record for record in cycles}
        assert len(ended) == len(cycles), "each cycle ends once"
        for cycle_no, phase in self.phases.items():
            assert ended[cycle_no].phase >= phase
        for cycle_no, outcomes in self.outcomes.items():
            assert ended[cycle_no].outcomes == outcomes

    def counts(self) -> dict[str, int]:
        assert self.session is not None
        fold = Fold(self.session.needles, self.session.first_cycle_no, first_event_no=1)
        for event_no in sorted(self.records):
            fold.add_raw(self.records[event_no])
        assert fold.problems == []
        return asdict(fold.counts)


class Life:
    """One life of the device, from power-on, and the host's link to it. What the host does is one method each."""

    def __init__(self, memory: Memory, nvm: Nvm, now: Micros) -> None:
        self.memory = memory
        self.now = now
        self.nvm = nvm
        self.device = Device(seed=7, now=now, parameters=Parameters(PARAMETERS), nvm=nvm)
        self.port = self.device.attach("line")
        self.exchange: HostEnd[bytes] = HostEnd(SerialWire())
        self.alarmed = False
        self.answer: Message | None = None
        self.exchange.hello(hello(), now)
        self._carry()
        self.exchange.pace = Pace.of_ms(100, 0)
        self.read()
        if memory.session is not None:
            self.prepare()

    # --- the wire --------------------------------------------------------------------------------------------

    def _carry(self) -> None:
        while (sent := self.exchange.take()) or (said := self.port.exchange.take()):
            for data in sent:
                self.device.receive(self.port, data, self.now)
            for data in said if not sent else ():
                for happening in self.exchange.receive(data, self.now):
                    if isinstance(happening, Linked):
                        self.memory.hear(happening.welcome)
                    elif isinstance(happening, Told | Answered):
                        self.memory.hear(happening.message)
                    if isinstance(happening, Answered) and happening.final:
                        self.answer = happening.message

    def pass_time(self) -> None:
        """Let what is next happen."""
        due = [at for at in (self.device.next_deadline(), self.exchange.next_deadline()) if at is not None]
        self.now = max(self.now, min(due))
        self.device.advance(self.now)
        self.exchange.advance(self.now)
        self._carry()

    def ask(self, command: Message) -> Message:
        self.answer = None
        self.exchange.submit(command, self.now)
        self._carry()
        while self.answer is None:
            self.pass_time()
        return self.answer

    # --- what the host does ----------------------------------------------------------------------------------

    def read(self) -> None:
        """The journal from what was acknowledged last to its end."""
        epoch, first = self.nvm.epoch, self.memory.shown["tail"]
        while True:
            page = self.ask(M.JournalRead(epoch=epoch, first=first, max_records=6))
            assert isinstance(page, M.JournalPage)
            first += len(page.records) // 32
            if first >= page.head:
                return

    def acknowledge(self) -> None:
        if self.memory.records:
            self.ask(M.JournalAck(epoch=self.nvm.epoch, upto=max(self.memory.records) + 1))

    def prepare(self) -> None:
        """Whatever is wanted before the next cycle."""
        if self.memory.session is None:
            self.ask(OPEN)
        for command in (
            M.FaultReset(),
            M.AnesthesiaStart(zone=0, age_s=0, method="cream"),
            M.AnesthesiaConfirm(zone=0, confirmed_by="me"),
            M.Arm(),
            M.Reposition(zone=0, cell=0),
        ):
            self.ask(command)

    def phase(self) -> None:
        """The next phase of the open cycle, or a cycle."""
        session, state = self.memory.session, self.device.board.state
        if session is None or state not in NEXT:
            self.prepare()
            return
        cycle_no = self.memory.shown.get("cycle_no", 0)
        if state is DeviceState.ARMED:
            self.ask(M.Punch(cycle_no=cycle_no + 1, depth_um=3_000, deadline_ms=0x7000_0000))
        else:
            self.ask(NEXT[state](cycle_no))

    def alarm(self) -> None:
        self.alarmed = not self.alarmed
        self.device.set_alarm(RETAINED_COMMAND, present=self.alarmed, now=self.now)
        self._carry()

    def refused(self) -> None:
        assert isinstance(self.ask(M.Punch(cycle_no=9_999, depth_um=3_000, deadline_ms=0)), Refused)

    def parameter(self) -> None:
        self.ask(M.ParamSet(name="trigger_required", value=0.0))

    def stop(self) -> None:
        self.ask(M.Stop())

    def wait(self) -> None:
        until = self.now + 6 * SECOND
        while self.now < until:
            self.pass_time()

    def close(self) -> Message:
        """Stop, read all, and close with the counts of what was read."""
        self.stop()
        self.read()
        session, counts = self.memory.session, self.memory.counts()
        assert session is not None
        close = M.SessionClose(session_no=session.session_no, reason=CloseReason.ABORTED, **counts)
        return self.ask(close)


NEXT: Final[dict[DeviceState, Any]] = {
    DeviceState.ARMED: None,
    DeviceState.PUNCHING: lambda cycle_no: M.Suction(cycle_no=cycle_no),
    DeviceState.SUCTIONING: lambda cycle_no: M.Advance(cycle_no=cycle_no, steps=1),
    DeviceState.ADVANCING: lambda cycle_no: M.Count(cycle_no=cycle_no),
}
ACTIONS: Final = ("phase", "phase", "phase", "read", "acknowledge", "alarm", "refused", "parameter", "stop", "wait")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    lives=st.lists(
        st.tuples(st.integers(0, 120), st.lists(st.sampled_from(ACTIONS), max_size=15)), min_size=1, max_size=4
    ),
    page_size=st.sampled_from([64, 512, 4096]),
    compact_size=st.sampled_from([3000, 1 << 20]),
    data=st.data(),
)
def test_what_a_host_was_told_is_there_after_a_loss_of_power(
    lives: list[tuple[int, list[str]]], page_size: int, compact_size: int, data: st.DataObject
) -> None:
    memory, now = Memory(), Micros(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "device.nvm"
        for calls, actions in lives:
            now = Micros(now + 60 * SECOND)
            disk = Disk(Path(folder), page_size=page_size)
            disk.cut_at = calls
            nvm = None
            try:
                with disk.spun():
                    nvm = memory_file.load(path, epoch=1, compact_size=compact_size)
                    life = Life(memory, nvm, now)
                    for action in actions:
                        getattr(life, action)()
            except PowerCutError:
                pass
            if nvm is not None:
                memory_file.close(nvm)
            disk.lose_power(lambda below: data.draw(st.integers(0, below - 1)) if below > 1 else 0)
        nvm = memory_file.load(path, epoch=1)
        life = Life(memory, nvm, Micros(now + 60 * SECOND))
        if memory.session is not None:
            assert isinstance(closed := life.close(), M.SessionCloseDone), closed
        life.read()
        memory.settle()
        memory_file.close(nvm)
