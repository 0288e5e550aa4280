"""The non-volatile memory's steps, its journal, and its image as data."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from firmware_sim.errors import NvmError, NvmFileError
from firmware_sim.memory.image import replay, restore, snapshot
from firmware_sim.memory.journal import JOURNAL_SLOTS, Journal
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session import SessionMemory, Totals
from firmware_sim.memory.session_steps import BeginCycle, CloseSession, EndCycle, OpenSession, PowerOn, SetPhase
from firmware_sim.memory.steps import CARTRIDGES_REMEMBERED, BindCartridge, ClearAlarm, CountBirth, LatchAlarm, Put
from protocols.language.enums import CloseReason, Code, Ending, NeedleOutcome, Phase
from protocols.language.messages.procedure import SessionCloseDone
from protocols.language.records import (
    RECORD_SIZE,
    Boot,
    Cycle,
    Gap,
    Record,
    Refusal,
    SessionClosed,
    SessionOpened,
    decode_record,
    encode_record,
)

COUNTED, EMPTY = NeedleOutcome.COUNTED, NeedleOutcome.EMPTY


class Steps:
    """A store in memory that has been through JSON; `syncs` are the lengths at which it was synced."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Any]] = []
        self.syncs: list[int] = []

    def append(self, key: str, value: Any) -> None:
        self.kept.append((key, json.loads(json.dumps(value))))

    def sync(self) -> None:
        self.syncs.append(len(self.kept))

    def reserve(self, size: int) -> None:
        pass


def session_memory(session_no: int = 1, first_cycle_no: int = 1) -> SessionMemory:
    return SessionMemory(
        session_no=session_no,
        first_cycle_no=first_cycle_no,
        target_cores=300,
        coverage_bp=600,
        depth_um=3000,
        zones_cm2=(70, 30),
        cells=100,
        cycles_per_cell=16,
        punctures_per_cell=48,
    )


def opened(store: Steps | None = None) -> Nvm:
    nvm = Nvm(store, epoch=7)
    nvm.keep(PowerOn(5))
    nvm.keep(OpenSession(session_memory().to_json(), 10))
    return nvm


def finish(nvm: Nvm, *outcomes: NeedleOutcome, ending: Ending = Ending.COMPLETED) -> None:
    nvm.keep(EndCycle(ending, Phase.COUNT, outcomes, zone=1, cell=4, depth_um=3012, uptime_ms=400))


def run_cycle(nvm: Nvm, *outcomes: NeedleOutcome) -> None:
    nvm.keep(BeginCycle(nvm.last_cycle_no + 1, 1, 4, 3000))
    nvm.keep(Put("stroke_latch", True))
    for phase in (Phase.SUCTION, Phase.ADVANCE, Phase.COUNT):
        nvm.keep(SetPhase(phase))
    finish(nvm, *(outcomes or (COUNTED, COUNTED, EMPTY)))


def records(nvm: Nvm, first: int = 1, max_records: int = 255) -> list[Record | None]:
    return [decode_record(raw) for raw in nvm.read(first, max_records)[1]]


def refused(nvm: Nvm, uptime_ms: int) -> Refusal:
    return Refusal(
        event_no=nvm.head, uptime_ms=uptime_ms, code=Code.E_STATE, interlock=0, message_id=0x0307, cycle_no=9
    )


def reborn(nvm: Nvm) -> Nvm:
    """The same memory by way of its image as JSON text."""
    return restore(json.loads(json.dumps(snapshot(nvm))))


# -- counters ----------------------------------------------------------------------------------------------------------


def test_memory_starts_empty() -> None:
    nvm = Nvm(epoch=9)
    assert (nvm.epoch, nvm.boot_count, nvm.session_no, nvm.last_cycle_no) == (9, 0, 0, 0)
    assert nvm.register is None and nvm.session is None and nvm.last_close is None and nvm.last_outcome is None
    assert (nvm.head, nvm.tail, nvm.free) == (1, 1, JOURNAL_SLOTS)
    assert nvm.read(0, 10) == (1, [])
    assert nvm.totals == Totals()


def test_boot_is_counted_and_journaled() -> None:
    nvm = Nvm(epoch=1)
    nvm.keep(PowerOn(3))
    nvm.keep(PowerOn(4))
    first, second = records(nvm)
    assert first == Boot(event_no=1, uptime_ms=3, boot_count=1, open_cycle_no=0, phase=Phase.NONE)
    assert second == Boot(event_no=2, uptime_ms=4, boot_count=2, open_cycle_no=0, phase=Phase.NONE)
    assert nvm.boot_count == 2


def test_link_id_is_never_zero() -> None:
    nvm = Nvm(epoch=1)
    assert nvm.next_link_id() == 1
    nvm.link_count = 0xFFFE
    assert [nvm.next_link_id() for _ in range(3)] == [0xFFFF, 1, 2]
    assert nvm.link_count == 0x1_0002


def test_birth_is_counted() -> None:
    nvm = Nvm(epoch=1)
    nvm.keep(CountBirth())
    nvm.keep(CountBirth())
    assert nvm.birth_no == 2


# -- session and cycle -------------------------------------------------------------------------------------------------


def test_session_opens_and_closes_with_its_totals() -> None:
    nvm = opened()
    assert nvm.session_no == 1 and nvm.session is not None and nvm.session.needles == 3
    run_cycle(nvm)
    nvm.keep(BeginCycle(2, 0, 0, 3000))
    finish(nvm, *[NeedleOutcome.UNCOUNTED] * 3, ending=Ending.ABORTED)
    nvm.keep(CloseSession(CloseReason.ABORTED, 900))
    assert nvm.session is None
    assert nvm.last_close == SessionCloseDone(
        session_no=1, cycles=2, completed=1, aborted=1, ambiguous=0, punctures=6, cores_counted=2
    )
    _, opening, *_, closed = records(nvm)
    assert isinstance(closed, SessionClosed)
    assert closed.model_dump() == {
        "event_no": 5,
        "uptime_ms": 900,
        "reason": CloseReason.ABORTED,
        "session_no": 1,
        "cycles": 2,
        "punctures": 6,
        "cores_counted": 2,
    }
    assert isinstance(opening, SessionOpened) and (opening.cells, opening.zones, opening.depth_um) == (100, 2, 3000)


def test_cycle_is_one_record_and_every_total_with_it() -> None:
    nvm = opened()
    nvm.keep(BeginCycle(1, 1, 4, 3000))
    assert nvm.register == (1, Phase.PUNCH) and nvm.last_cycle_no == 1
    nvm.keep(Put("stroke_latch", True))
    nvm.keep(SetPhase(Phase.COUNT))
    assert nvm.register == (1, Phase.COUNT)
    nvm.keep(
        EndCycle(
            Ending.COMPLETED,
            Phase.COUNT,
            (COUNTED, EMPTY, COUNTED),
            zone=1,
            cell=4,
            depth_um=3012,
            uptime_ms=400,
            canister_ul=3.75,
        )
    )
    assert nvm.register is None and nvm.stroke_latch is False and nvm.canister_ul == 3.75
    assert nvm.last_outcome == Cycle(
        event_no=3,
        uptime_ms=400,
        ending=Ending.COMPLETED,
        phase=Phase.COUNT,
        needles=3,
        cycle_no=1,
        outcomes=0x121,
        cell=4,
        depth_um=3012,
        total_punctures=3,
        total_cores_counted=2,
    )
    assert nvm.read(3, 1) == (3, [encode_record(nvm.last_outcome)])
    session = nvm.session
    assert session is not None
    assert (session.cycles, session.completed, session.punctures, session.cores_counted) == (1, 1, 3, 2)
    assert session.cell_punctures == {(1, 4): 3} and nvm.cartridge_cycles == 1


def test_untouched_skin_is_no_puncture_and_no_wear() -> None:
    nvm = opened()
    nvm.keep(BeginCycle(1, 0, 0, 3000))
    finish(nvm, *[NeedleOutcome.NOT_PUNCTURED] * 3, ending=Ending.ABORTED)
    assert nvm.session is not None
    assert (nvm.session.aborted, nvm.session.punctures, nvm.session.cell_punctures) == (1, 0, {})
    assert nvm.cartridge_cycles == 0


def test_memory_refuses_what_is_out_of_order_and_stays_as_it_was() -> None:
    store = Steps()
    nvm = Nvm(store, epoch=1)
    for step in (BeginCycle(1, 0, 0, 3000), CloseSession(CloseReason.COMPLETED, 0), SetPhase(Phase.SUCTION)):
        with pytest.raises(NvmError):
            nvm.keep(step)
    with pytest.raises(NvmError, match="no session is open"):
        finish(nvm, COUNTED)
    nvm.keep(OpenSession(session_memory().to_json(), 0))
    with pytest.raises(NvmError, match="session 1 is open"):
        nvm.keep(OpenSession(session_memory(2).to_json(), 0))
    with pytest.raises(NvmError, match="cycle 2 does not follow 0"):
        nvm.keep(BeginCycle(2, 0, 0, 3000))
    with pytest.raises(NvmError, match="no cycle is open"):
        finish(nvm, COUNTED)
    nvm.keep(BeginCycle(1, 0, 0, 3000))
    for step in (BeginCycle(2, 0, 0, 3000), CloseSession(CloseReason.COMPLETED, 0)):
        with pytest.raises(NvmError, match="cycle 1 is open"):
            nvm.keep(step)
    assert [key for key, _ in store.kept] == ["epoch", "open_session", "begin_cycle"]


def test_acknowledging_what_was_acknowledged_is_no_step() -> None:
    store = Steps()
    nvm = opened(store)
    assert (nvm.acknowledge(2), nvm.acknowledge(2), nvm.acknowledge(1)) == (2, 2, 2)
    assert [key for key, _ in store.kept].count("acknowledge") == 1


# -- power loss --------------------------------------------------------------------------------------------------------

RESOLVED = [
    # phase, latch: ending, outcome, punctures in the totals, punctures for density
    (Phase.PUNCH, False, Ending.ABORTED, NeedleOutcome.NOT_PUNCTURED, 0, 0),
    (Phase.PUNCH, True, Ending.ABORTED, NeedleOutcome.UNCOUNTED, 3, 3),
    (Phase.PUNCH, None, Ending.AMBIGUOUS, NeedleOutcome.AMBIGUOUS, 3, 3),
    (Phase.SUCTION, True, Ending.ABORTED, NeedleOutcome.UNCOUNTED, 3, 3),
    (Phase.SUCTION, None, Ending.ABORTED, NeedleOutcome.UNCOUNTED, 3, 3),
    (Phase.ADVANCE, None, Ending.ABORTED, NeedleOutcome.UNCOUNTED, 3, 3),
    (Phase.COUNT, True, Ending.ABORTED, NeedleOutcome.UNCOUNTED, 3, 3),
]


@pytest.mark.parametrize(("phase", "latch", "ending", "outcome", "total", "dense"), RESOLVED)
def test_boot_ends_the_open_cycle(
    phase: Phase, latch: bool | None, ending: Ending, outcome: NeedleOutcome, total: int, dense: int
) -> None:
    nvm = opened()
    nvm.keep(BeginCycle(1, 1, 30, 2500))
    if phase is not Phase.PUNCH:
        nvm.keep(SetPhase(phase))
    nvm.keep(Put("stroke_latch", latch))
    nvm.keep(PowerOn(2))
    boot = records(nvm)[-1]
    assert isinstance(boot, Boot)
    assert (boot.open_cycle_no, boot.phase, boot.boot_count) == (1, phase, 2)
    cycle = nvm.last_outcome
    assert cycle is not None and records(nvm)[-2:] == [cycle, boot]
    assert (cycle.cycle_no, cycle.ending, cycle.phase, cycle.cell, cycle.depth_um) == (1, ending, phase, 30, 2500)
    assert cycle.outcomes == sum(outcome << 4 * needle for needle in range(3))
    assert (cycle.total_punctures, cycle.total_cores_counted) == (total, 0)
    session = nvm.session
    assert session is not None and session.punctures == total
    assert session.cell_punctures == ({(1, 30): dense} if dense else {})
    assert (session.cycles, session.aborted + session.ambiguous) == (1, 1)
    assert session.ambiguous == (ending is Ending.AMBIGUOUS)
    assert nvm.cartridge_cycles == (1 if dense else 0)
    assert nvm.register is None and nvm.stroke_latch is False
    with pytest.raises(NvmError, match="cycle 1 does not follow 1"):
        nvm.keep(BeginCycle(1, 0, 0, 3000))  # the number is used up


def test_latch_that_could_not_be_read_is_not_taken_into_the_next_cycle() -> None:
    nvm = opened()
    nvm.keep(Put("stroke_latch", None))  # unreadable at a boot with no cycle open
    nvm.keep(PowerOn(1))
    nvm.keep(BeginCycle(1, 0, 0, 3000))
    nvm.keep(PowerOn(2))
    assert nvm.last_outcome is not None and nvm.last_outcome.ending is Ending.ABORTED
    assert nvm.last_outcome.outcomes == 0


# -- consumables and alarms --------------------------------------------------------------------------------------------


def test_cartridge_is_bound_and_remembered() -> None:
    nvm = opened()
    nvm.keep(BindCartridge(100, 1))
    run_cycle(nvm)
    nvm.keep(BindCartridge(100, 1))  # armed again: it keeps its cycles
    assert (nvm.cartridge_serial, nvm.cartridge_session, nvm.cartridge_cycles) == (100, 1, 1)
    nvm.keep(BindCartridge(200, 2, cycles=40))
    assert (nvm.cartridge_serial, nvm.cartridge_session, nvm.cartridge_cycles) == (200, 2, 40)
    nvm.keep(BindCartridge(100, 3))
    assert nvm.cartridges == {100: 1, 200: 2}  # the first session stands
    for serial in range(1000, 1000 + CARTRIDGES_REMEMBERED):
        nvm.keep(BindCartridge(serial, 4))
    assert len(nvm.cartridges) == CARTRIDGES_REMEMBERED and 100 not in nvm.cartridges


def test_alarms_flags_and_canister_are_kept() -> None:
    nvm = Nvm(epoch=1)
    nvm.keep(LatchAlarm(1501))
    nvm.keep(LatchAlarm(101))
    nvm.keep(ClearAlarm(101))
    nvm.keep(ClearAlarm(999))
    nvm.keep(Put("flagged", 0b10))
    nvm.keep(Put("canister_ul", 12.5))
    assert (nvm.latched, nvm.flagged, nvm.canister_ul) == ({1501}, 0b10, 12.5)


# -- journal -----------------------------------------------------------------------------------------------------------


def test_records_are_numbered_and_read_by_page() -> None:
    nvm = Nvm(epoch=1)
    for number in range(1, 11):
        nvm.append(refused(nvm, number))
    first, page = nvm.read(4, 3)
    assert first == 4 and all(len(raw) == RECORD_SIZE for raw in page)
    assert [record.event_no for record in records(nvm, 4, 3) if record] == [4, 5, 6]
    assert nvm.read(11, 5) == (11, [])
    assert nvm.read(99, 5) == (99, [])
    assert nvm.read(0, 1) == nvm.read(1, 1)


@pytest.mark.parametrize("number", [1, 3])
def test_record_with_another_number_than_the_next_is_refused(number: int) -> None:
    nvm = Nvm(epoch=1)
    nvm.append(refused(nvm, 0))
    record = refused(nvm, 0).model_copy(update={"event_no": number})
    with pytest.raises(NvmError, match=f"record {number} does not follow 1"):
        nvm.append(record)
    assert nvm.head == 2


def test_tail_never_goes_back_nor_beyond_the_head() -> None:
    nvm = Nvm(epoch=1)
    for _ in range(5):
        nvm.keep(PowerOn(0))
    assert nvm.acknowledge(4) == 4 == nvm.tail
    assert nvm.acknowledge(2) == 4
    assert nvm.free == JOURNAL_SLOTS - 2
    assert nvm.acknowledge(1000) == 6 == nvm.head
    assert nvm.free == JOURNAL_SLOTS


def test_what_the_ring_has_lost_is_a_gap() -> None:
    nvm = Nvm(epoch=1)
    for _ in range(JOURNAL_SLOTS + 10):
        nvm.keep(PowerOn(0))
    assert nvm.free == 0
    first, page = nvm.read(3, 4)
    gap, *rest = (decode_record(raw) for raw in page)
    assert first == 3 and gap == Gap(event_no=3, uptime_ms=0, missing=8)
    assert [record.event_no for record in rest if record] == [11, 12, 13]
    assert [type(record) for record in records(nvm, 3, 1)] == [Gap]
    assert [record.event_no for record in records(nvm, 11, 1) if record] == [11]
    assert len(nvm.read(11, 5000)[1]) == JOURNAL_SLOTS


def test_journal_survives_its_image_after_it_has_wrapped() -> None:
    journal = Journal()
    for number in range(1, JOURNAL_SLOTS + 100):
        journal.append(number.to_bytes(4, "big") * 8)
    journal.acknowledge(500)
    copy = Journal()
    copy.restore(*journal.snapshot())
    assert (copy.head, copy.tail, copy.free) == (journal.head, journal.tail, journal.free)
    assert copy.read(1, 2000) == journal.read(1, 2000)


# -- image and steps --------------------------------------------------------------------------------


def every_step(nvm: Nvm) -> Iterator[str]:
    """Every step there is; yields after each."""
    nvm.keep(PowerOn(1))
    yield "boot"
    nvm.next_link_id()
    nvm.keep(CountBirth())
    nvm.keep_seed(7)
    nvm.keep(OpenSession(session_memory().to_json(), 2))
    yield "open"
    nvm.keep(BindCartridge(55, 1))
    nvm.keep(BeginCycle(1, 1, 4, 3000))
    yield "begin"
    nvm.keep(Put("stroke_latch", True))
    nvm.keep(SetPhase(Phase.SUCTION))
    yield "phase"
    finish(nvm, COUNTED, EMPTY, COUNTED)
    yield "end"
    nvm.keep(Put("canister_ul", 4.5))
    nvm.keep(Put("flagged", 0b100))
    nvm.keep(LatchAlarm(1401))
    nvm.keep(LatchAlarm(1501))
    nvm.keep(ClearAlarm(1401))
    nvm.append(refused(nvm, 9))
    nvm.acknowledge(3)
    nvm.keep(BeginCycle(2, 0, 1, 3000))
    nvm.keep(Put("stroke_latch", None))
    nvm.keep(PowerOn(3))
    yield "resolved"
    nvm.keep(CloseSession(CloseReason.COMPLETED, 4))
    yield "closed"


def test_image_and_steps_give_the_same_memory() -> None:
    store = Steps()
    nvm = Nvm(store, epoch=7)
    for _ in every_step(nvm):
        assert snapshot(reborn(nvm)) == snapshot(nvm)
        assert snapshot(replay(store.kept)) == snapshot(nvm)
    assert replay(store.kept).last_close == nvm.last_close
    assert {key for key, _ in store.kept} >= {"epoch", "boot", "append", "end_cycle", "close_session"}


def test_replay_goes_on_from_an_image() -> None:
    store = Steps()
    nvm = Nvm(store, epoch=7)
    steps = every_step(nvm)
    next(steps), next(steps)
    image, done = snapshot(nvm), len(store.kept)
    list(steps)
    assert snapshot(replay([("snapshot", image), *store.kept[done:]])) == snapshot(nvm)


def test_one_sync_is_for_all_steps_before_it() -> None:
    store = Steps()
    nvm = Nvm(store, epoch=7)
    nvm.sync()
    assert store.syncs == [1], "the epoch, and nothing since"
    for _ in every_step(nvm):
        assert store.syncs == [1] and nvm.unsynced
    nvm.sync()
    nvm.sync()
    assert store.syncs == [1, len(store.kept)] and not nvm.unsynced


def test_a_step_that_is_not_shown_waits_for_any_later_sync() -> None:
    store = Steps()
    nvm = Nvm(store, epoch=7)
    nvm.keep(PowerOn(0), shown=False)
    assert not nvm.unsynced
    nvm.sync()
    assert store.syncs == [1, 2]
    nvm.keep(PowerOn(0))
    nvm.keep(PowerOn(0), shown=False)
    assert nvm.unsynced, "the one before is shown"
    nvm.sync()
    assert store.syncs == [1, 2, 4] and not nvm.unsynced


def test_what_cannot_be_synced_stays_unsynced() -> None:
    class Broken(Steps):
        def sync(self) -> None:
            if len(self.kept) > 1:
                raise NvmFileError("the file", "could not be synced")

    nvm = Nvm(Broken(), epoch=7)
    nvm.keep(PowerOn(0))
    for _ in range(2):
        with pytest.raises(NvmFileError, match="could not be synced"):
            nvm.sync()


def test_memory_without_a_store_has_nothing_to_sync() -> None:
    nvm = Nvm(epoch=7)
    nvm.keep(PowerOn(0))
    nvm.sync()
    nvm.reserve(1 << 40)
    assert not nvm.unsynced and nvm.steps_kept == 0


def test_step_is_kept_before_it_is_carried_out() -> None:
    class Full(Steps):
        def append(self, key: str, value: Any) -> None:
            if key != "epoch":
                raise OSError("no space")

    nvm = Nvm(Full(), epoch=1)
    with pytest.raises(OSError, match="no space"):
        nvm.keep(PowerOn(0))
    assert (nvm.boot_count, nvm.head) == (0, 1)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([], "there is no first step"),
        ([("boot", [0])], "step 0 .boot. cannot be repeated: it is neither an epoch nor a snapshot"),
        (
            [("epoch", [1]), ("dance", [])],
            "step 1 .dance. cannot be repeated: this version does not know it: a newer one wrote it",
        ),
        ([("epoch", [1]), ("put", ["mood", 2])], "step 1 .put. cannot be repeated: the memory has no number 'mood'"),
        ([("epoch", [1]), ("put", ["journal", 2])], "the memory has no number 'journal'"),
        ([("snapshot", {"epoch": 1, "mood": 2})], "it has mood, which this version does not know: a newer one"),
        ([("epoch", [1]), ("boot", [])], "step 1 .boot. cannot be repeated"),
        ([("epoch", [1]), ("set_phase", [2])], "no cycle is open"),
        ([("snapshot", {"epoch": 1})], "step 0 .snapshot. cannot be repeated"),
        ([("epoch", [1]), ("append", ["zz"])], "step 1 .append. cannot be repeated"),
    ],
)
def test_steps_that_make_no_sense_are_an_error(steps: list[tuple[str, Any]], says: str) -> None:
    with pytest.raises(NvmError, match=says):
        replay(steps)
