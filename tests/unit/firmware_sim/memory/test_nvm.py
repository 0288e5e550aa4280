"""The memory itself: a step is stored and then applied, or neither, and one sync is for all before it."""

import pytest

from firmware_sim.errors import NvmError, NvmFileError, SeedError
from firmware_sim.memory.nvm import Nvm, choose_seed
from firmware_sim.memory.session_steps import BeginCycle, CloseSession, EndCycle, PowerOn, SetPhase
from protocols.language.enums import CloseReason, Code, Ending, NeedleOutcome, Phase
from protocols.language.records import Refusal, encode_record
from tests.unit.firmware_sim.memories import Store, memory


def refusal(nvm: Nvm, event_no: int) -> Refusal:
    return Refusal(event_no=event_no, uptime_ms=0, code=Code.E_STATE, interlock=0, message_id=0x0307, cycle_no=9)


# --- steps ----------------------------------------------------------------------------------------------------


def test_a_new_memory_begins_its_store_with_the_epoch() -> None:
    store = Store()
    Nvm(store, epoch=7)
    assert (store.kept, store.synced) == ([("epoch", [7])], [1])


def test_a_step_is_stored_under_its_key_and_applied() -> None:
    store = Store()
    nvm = memory(session=True, store=store)
    nvm.keep(BeginCycle(1, 0, 3, 3_000))
    assert store.kept[-1] == ("begin_cycle", [1, 0, 3, 3_000])
    assert nvm.register == (1, Phase.PUNCH)


def test_a_step_that_cannot_be_stored_is_not_applied() -> None:
    store = Store()
    nvm = Nvm(store, epoch=1)
    store.broken = True
    with pytest.raises(NvmFileError, match="it is broken"):
        nvm.keep(PowerOn(0))
    assert (nvm.boot_count, nvm.head, nvm.steps_kept, nvm.unsynced) == (0, 1, 0, False)


@pytest.mark.parametrize(
    "step",
    [
        BeginCycle(1, 0, 0, 3_000),
        CloseSession(CloseReason.COMPLETED, 0),
        SetPhase(Phase.SUCTION),
        EndCycle(Ending.COMPLETED, Phase.COUNT, (NeedleOutcome.COUNTED,), 0, 0, 3_000, 0),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_that_cannot_be_applied_is_not_stored(step: BeginCycle | CloseSession | SetPhase | EndCycle) -> None:
    store = Store()
    nvm = Nvm(store, epoch=1)
    with pytest.raises(NvmError, match="is open"):
        nvm.keep(step)
    assert (store.keys, nvm.steps_kept) == (["epoch"], 0)


def test_a_memory_that_gets_its_store_later_keeps_what_comes_from_then_on() -> None:
    nvm, store = Nvm(epoch=1), Store()
    nvm.keep(PowerOn(0))
    nvm.attach(store)
    nvm.keep(PowerOn(0))
    assert (store.keys, nvm.steps_kept) == (["boot"], 1)


# --- what the device asks of it -------------------------------------------------------------------------------


def test_a_memory_takes_the_seed_of_its_first_device_and_no_other() -> None:
    store = Store()
    nvm = Nvm(store, epoch=1)
    nvm.keep_seed(9)
    nvm.keep_seed(9)
    with pytest.raises(SeedError):
        nvm.keep_seed(7)
    assert (nvm.seed, store.keys) == (9, ["epoch", "put"])


def of_seed(seed: int | None) -> Nvm:
    nvm = Nvm(epoch=1)
    if seed is not None:
        nvm.keep_seed(seed)
    return nvm


@pytest.mark.parametrize(
    ("wanted", "nvm", "chosen"),
    [
        (None, None, 3),
        (7, None, 7),
        (None, of_seed(None), 3),
        (7, of_seed(None), 7),
        (None, of_seed(9), 9),
        (9, of_seed(9), 9),
    ],
)
def test_a_device_has_the_seed_that_is_wanted_or_kept_or_drawn(
    wanted: int | None, nvm: Nvm | None, chosen: int
) -> None:
    assert choose_seed(wanted, nvm, lambda: 3) == chosen


def test_another_seed_than_the_memorys_is_an_error() -> None:
    with pytest.raises(SeedError, match="the memory is of the device with seed 9, not 7"):
        choose_seed(7, of_seed(9), lambda: 3)


def test_a_link_id_is_never_0() -> None:
    nvm = Nvm(epoch=1)
    assert nvm.next_link_id() == 1
    nvm.link_count = 0xFFFE
    assert [nvm.next_link_id() for _ in range(3)] == [0xFFFF, 1, 2]


def test_a_record_is_written_with_the_number_that_the_head_was() -> None:
    nvm = Nvm(epoch=1)
    for number in (1, 2):
        nvm.append(refusal(nvm, number))
    assert nvm.read(1, 9)[1] == [encode_record(refusal(nvm, number)) for number in (1, 2)]


@pytest.mark.parametrize("number", [1, 3])
def test_a_record_with_another_number_is_refused(number: int) -> None:
    nvm = Nvm(epoch=1)
    nvm.append(refusal(nvm, 1))
    with pytest.raises(NvmError, match=f"record {number} does not follow 1"):
        nvm.append(refusal(nvm, number))
    assert nvm.head == 2


def test_acknowledging_what_was_acknowledged_is_no_step() -> None:
    store = Store()
    nvm = memory(session=True, store=store)
    assert [nvm.acknowledge(upto) for upto in (2, 2, 1)] == [2, 2, 2]
    assert store.keys.count("acknowledge") == 1


# --- store ----------------------------------------------------------------------------------------------------


def test_one_sync_is_for_all_steps_before_it() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    nvm.sync()
    assert store.synced == [1], "the epoch, and nothing since"
    for _ in range(3):
        nvm.keep(PowerOn(0))
        assert store.synced == [1] and nvm.unsynced
    nvm.sync()
    nvm.sync()
    assert store.synced == [1, 4]
    assert not nvm.unsynced


def test_a_step_that_is_not_shown_waits_for_any_later_sync() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    nvm.keep(PowerOn(0), shown=False)
    assert not nvm.unsynced
    nvm.sync()
    assert store.synced == [1, 2]


def test_a_step_that_is_shown_stays_unsynced_behind_one_that_is_not() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    nvm.keep(PowerOn(0))
    nvm.keep(PowerOn(0), shown=False)
    assert nvm.unsynced


def test_what_cannot_be_synced_stays_unsynced() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    nvm.keep(PowerOn(0))
    store.broken = True
    for _ in range(2):
        with pytest.raises(NvmFileError, match="it is broken"):
            nvm.sync()
        assert nvm.unsynced


def test_room_is_asked_of_the_store() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    nvm.reserve(4_096)
    assert store.reserved == [4_096]
    store.full = True
    with pytest.raises(NvmFileError, match="no space left"):
        nvm.reserve(1)


def test_a_memory_without_a_store_has_room_and_nothing_to_sync() -> None:
    nvm = Nvm(epoch=7)
    nvm.keep(PowerOn(0))
    nvm.sync()
    nvm.reserve(1 << 40)
    assert (nvm.unsynced, nvm.steps_kept) == (False, 0)
