"""Any course of steps: the image, the steps and the file all give the memory that wrote them, wherever it is cut."""

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware_sim import memory_file
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.image import replay, restore, snapshot
from firmware_sim.memory.journal import JOURNAL_SLOTS
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory
from firmware_sim.memory.session_steps import BeginCycle, CloseSession, EndCycle, OpenSession, PowerOn, SetPhase
from firmware_sim.memory.steps import BindCartridge, ClearAlarm, CountBirth, LatchAlarm, Put
from firmware_sim.memory_file import load
from protocols.language.enums import AlarmPriority, AlarmState, CloseReason, Ending, NeedleOutcome, Phase
from protocols.language.records import AlarmChanged, Cycle, Gap, decode_record
from tests.unit.firmware_sim.memories import Store

PHASES = [Phase.SUCTION, Phase.ADVANCE, Phase.COUNT]
ENDED = [outcome for outcome in NeedleOutcome if outcome is not NeedleOutcome.AMBIGUOUS]
PUNCTURED = {NeedleOutcome.COUNTED, NeedleOutcome.EMPTY, NeedleOutcome.UNCOUNTED}
UPTIME = st.integers(0, 0xFFFF_FFFF)
U32 = st.integers(0, 0xFFFF_FFFF)


class NvmMachine(RuleBasedStateMachine):
    """Steps in any lawful order, beside a model that is a plain fold of what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Store()
        self.nvm = Nvm(self.steps, epoch=3)
        self.ends: dict[int, int] = {}  # cycle number -> how many endings
        self.punctures = self.cores = 0
        self.tail = 1

    @rule(uptime_ms=UPTIME)
    def boot(self, uptime_ms: int) -> None:
        register, latch = self.nvm.register, self.nvm.stroke_latch
        self.nvm.keep(PowerOn(uptime_ms))
        if register is not None:
            cycle_no, phase = register
            self.ends[cycle_no] = self.ends.get(cycle_no, 0) + 1
            self.punctures += 3 if phase is not Phase.PUNCH or latch is not False else 0  # None: may be, hence counted
        assert self.nvm.register is None

    @rule()
    def link(self) -> None:
        assert 0 < self.nvm.next_link_id() <= 0xFFFF
        self.nvm.keep(CountBirth())

    @precondition(lambda self: self.nvm.session is None)
    @rule(zones=st.lists(st.integers(1, 70), min_size=1, max_size=5), uptime_ms=UPTIME)
    def open_session(self, zones: list[int], uptime_ms: int) -> None:
        memory = SessionMemory(
            *(self.nvm.session_no + 1, self.nvm.last_cycle_no + 1, 300, 600, 3000, tuple(zones), sum(zones), 16, 48)
        )
        self.nvm.keep(OpenSession(memory.to_json(), uptime_ms))
        self.punctures = self.cores = 0

    @precondition(lambda self: self.nvm.session is not None and self.nvm.register is None)
    @rule(zone=st.integers(0, 4), cell=st.integers(0, 70))
    def begin_cycle(self, zone: int, cell: int) -> None:
        self.nvm.keep(BeginCycle(self.nvm.last_cycle_no + 1, zone, cell, 3000))

    @precondition(lambda self: self.nvm.register is not None)
    @rule(latch=st.sampled_from([True, None]), phase=st.sampled_from(PHASES), moves=st.booleans())
    def go_on(self, latch: bool | None, phase: Phase, moves: bool) -> None:
        self.nvm.keep(Put("stroke_latch", latch))
        if moves:
            self.nvm.keep(SetPhase(phase))

    @precondition(lambda self: self.nvm.register is not None)
    @rule(
        outcomes=st.lists(st.sampled_from(ENDED), min_size=3, max_size=3),
        ending=st.sampled_from([Ending.COMPLETED, Ending.ABORTED]),
        canister_ul=st.none() | st.floats(0, 1e6),
        uptime_ms=UPTIME,
    )
    def end_cycle(
        self, outcomes: list[NeedleOutcome], ending: Ending, canister_ul: float | None, uptime_ms: int
    ) -> None:
        assert self.nvm.register is not None
        cycle_no, phase = self.nvm.register
        zone, cell, depth_um = self.nvm.aim
        self.nvm.keep(
            EndCycle(
                *(ending, phase, outcomes),
                zone=zone,
                cell=cell,
                depth_um=depth_um,
                uptime_ms=uptime_ms,
                canister_ul=canister_ul,
            )
        )
        self.ends[cycle_no] = self.ends.get(cycle_no, 0) + 1
        self.punctures += sum(outcome in PUNCTURED for outcome in outcomes)
        self.cores += outcomes.count(NeedleOutcome.COUNTED)

    @precondition(lambda self: self.nvm.session is not None and self.nvm.register is None)
    @rule(reason=st.sampled_from([CloseReason.COMPLETED, CloseReason.ABORTED]), uptime_ms=UPTIME)
    def close_session(self, reason: CloseReason, uptime_ms: int) -> None:
        self.nvm.keep(CloseSession(reason, uptime_ms))
        assert self.nvm.last_close is not None and self.nvm.last_close.punctures == self.punctures

    @rule(serial=U32, session_no=U32, mask=st.integers(0, 255), code=st.integers(100, 2400), latch=st.booleans())
    def keep(self, serial: int, session_no: int, mask: int, code: int, latch: bool) -> None:
        self.nvm.keep(BindCartridge(serial, session_no))
        self.nvm.keep(Put("flagged", mask))
        self.nvm.keep(Put("canister_ul", mask / 7))
        self.nvm.keep(LatchAlarm(code) if latch else ClearAlarm(code))
        self.nvm.append(
            AlarmChanged(
                event_no=self.nvm.head,
                uptime_ms=1,
                code=code,
                interlock=code // 100,
                priority=AlarmPriority.HIGH,
                state=AlarmState.ACTIVE,
            )
        )

    @precondition(lambda self: self.nvm.seed is None)
    @rule(seed=st.integers(0, 2**63 - 1))
    def run_a_device(self, seed: int) -> None:
        self.nvm.keep_seed(seed)

    @rule(upto=U32 | st.integers(0, 60))
    def acknowledge(self, upto: int) -> None:
        self.tail = max(self.tail, min(upto, self.nvm.head))
        assert self.nvm.acknowledge(upto) == self.tail

    @precondition(lambda self: self.nvm.head < JOURNAL_SLOTS)
    @rule()
    def flood(self) -> None:
        for _ in range(JOURNAL_SLOTS):
            self.nvm.append(Gap(event_no=self.nvm.head, uptime_ms=0, missing=0))

    @invariant()
    def every_cycle_ended_once_or_is_open(self) -> None:
        assert all(count == 1 for count in self.ends.values())
        begun = set(range(1, self.nvm.last_cycle_no + 1))
        open_now = set() if self.nvm.register is None else {self.nvm.register[0]}
        assert begun == set(self.ends) | open_now and not set(self.ends) & open_now

    @invariant()
    def totals_are_the_fold(self) -> None:
        session = self.nvm.session
        if session is not None:
            assert (session.punctures, session.cores_counted) == (self.punctures, self.cores)
            assert session.completed + session.aborted + session.ambiguous == session.cycles
            assert session.punctures == sum(session.cell_punctures.values())

    @invariant()
    def journal_is_numbered_without_a_hole(self) -> None:
        last = None
        for first in (1, max(1, self.nvm.head - 30)):
            expected, page = self.nvm.read(first, 31)
            for record in map(decode_record, page):
                assert record is not None and record.event_no == expected
                expected += record.missing if isinstance(record, Gap) and record.missing else 1
                last = record if isinstance(record, Cycle) else last
        assert expected == self.nvm.head and first + 30 >= self.nvm.head
        assert last is None or last == self.nvm.last_outcome
        assert self.nvm.free == max(0, JOURNAL_SLOTS - (self.nvm.head - self.nvm.tail))

    def teardown(self) -> None:
        image = snapshot(self.nvm)
        assert snapshot(restore(json.loads(json.dumps(image)))) == image
        assert snapshot(replay(self.steps.kept)) == image


TestNvmMachine = NvmMachine.TestCase
TestNvmMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


class Mark(NamedTuple):
    """The file and the memory after one step: which file it was, where that step ends, and what was in the memory."""

    inode: int
    end: int
    image: dict[str, Any]


def close(nvm: Nvm) -> dict[str, Any]:
    memory_file.close(nvm)
    return snapshot(nvm)


def end_cycle(nvm: Nvm, cell: int, uptime_ms: int) -> None:
    outcomes = [NeedleOutcome.COUNTED] * 3
    nvm.keep(EndCycle(Ending.COMPLETED, Phase.COUNT, outcomes, zone=0, cell=cell, depth_um=3000, uptime_ms=uptime_ms))


def drive(nvm: Nvm, path: Path, course: list[int]) -> Iterator[Mark]:
    """A session of cycles, each ended or cut by a boot, and a mark after each step."""

    def mark(step: Callable[[], object]) -> Mark:
        step()
        nvm.sync()
        return Mark(path.stat().st_ino, len(path.read_bytes().removesuffix(memory_file._MARK)), snapshot(nvm))

    yield mark(lambda: None)
    yield mark(lambda: nvm.keep(PowerOn(0)))
    yield mark(lambda: nvm.keep(OpenSession(SessionMemory(1, 1, 300, 600, 3000, (70,), 70, 16, 48).to_json(), 1)))
    for number, kind in enumerate(course, 1):
        yield mark(partial(nvm.keep, BeginCycle(number, 0, kind, 3000)))
        yield mark(lambda: nvm.keep(Put("stroke_latch", True)))
        yield mark(lambda: nvm.keep(SetPhase(Phase.SUCTION)))
        yield mark(partial(nvm.keep, PowerOn(number)) if kind % 2 else partial(end_cycle, nvm, kind, number))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    course=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    compact_size=st.sampled_from([1800, 2500, 1 << 20]),
    data=st.data(),
)
def test_file_cut_anywhere_is_the_memory_after_its_last_whole_step(
    course: list[int], compact_size: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "device.nvm"
        nvm = load(path, epoch=1, compact_size=compact_size)
        marks = list(drive(nvm, path, course))
        final = close(nvm)
        raw = path.read_bytes()
        last_file = marks[-1].inode
        for cut in [*data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=5, max_size=20)), len(raw)]:
            path.write_bytes(raw[:cut])
            # Steps of this file that are whole, or else what the file began with: the step before it was made.
            whole = [mark for mark in marks if mark.inode != last_file or mark.end <= cut]
            try:
                found = close(load(path))
            except NvmFileError as error:
                assert cut < marks[0].end or "is damaged at byte 12;" in str(error)
                continue
            assert found == whole[-1].image if cut else found["boot_count"] == 0  # an empty file is a new memory
            if cut == len(raw):
                assert found == final
