"""A memory whose writes go wrong: a step is there whole or not at all, and what was synced stays."""

import pytest

from firmware_sim.errors import NvmFileError
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.store import FaultyStore, PowerLostError
from firmware_sim.memory.keys import KEYS
from firmware_sim.memory.nvm import LAST_ROOM, Nvm
from firmware_sim.memory.steps import Put
from protocols.language.units import Micros
from tests.unit.firmware_sim.faults.runs import Run


class Memory:
    """A memory in a store under faults, with the epoch and the seed already synced."""

    def __init__(self, *faults: Fault, seed: int = 7) -> None:
        self.run = Run(*faults)
        self.store = FaultyStore(self.run.injector, seed)
        self.store.now = self.run.at(3)
        self.nvm = Nvm(epoch=5)
        self.nvm.keep_seed(7)
        self.store.take_over(self.nvm)

    def keep(self, boots: int) -> None:
        self.nvm.keep(Put("boot_count", boots))

    def after(self) -> int:
        """Boots that are left after power was lost."""
        return self.store.load().boot_count


def test_without_a_fault_all_is_kept() -> None:
    memory = Memory()
    memory.keep(5)
    assert (memory.store.size, memory.after()) == (2, 5)
    assert memory.store.load().store is memory.store


@pytest.mark.parametrize(("kept", "boots"), [(0, 1), (1, 2)])
def test_a_torn_step_is_there_whole_or_not_at_all(kept: int, boots: int) -> None:
    memory = Memory(declare("torn_write", "write(2)", kept=kept))
    memory.keep(1)
    with pytest.raises(PowerLostError):
        memory.keep(2)
    assert memory.nvm.boot_count == 1, "nobody has heard of it"
    assert memory.after() == boots
    assert memory.run.done[-2:] == ["3 fired torn_write", "3 ended torn_write"]


def test_a_lost_write_takes_what_was_not_synced_with_it() -> None:
    memory = Memory(declare("lost_write", "write(3)"))
    memory.keep(1)
    memory.store.sync()
    memory.keep(2)
    with pytest.raises(PowerLostError):
        memory.keep(3)
    assert memory.after() == 1


def test_a_short_write_fails_and_changes_nothing() -> None:
    memory = Memory(declare("short_write", "write(1)"))
    with pytest.raises(NvmFileError, match="the memory: a write ended early"):
        memory.keep(1)
    memory.keep(2)
    assert memory.nvm.boot_count == memory.after() == 2


def test_a_full_disk_refuses_what_is_begun_until_it_has_room() -> None:
    memory = Memory(declare("disk_full", "write(1)", for_ms=10))
    memory.nvm.reserve(LAST_ROOM)
    memory.keep(1)
    assert memory.run.injector.unfired, "nothing was refused yet"
    with pytest.raises(NvmFileError, match="the memory: the disk is full"):
        memory.nvm.reserve(LAST_ROOM)
    assert not memory.run.injector.unfired
    memory.run.injector.advance(Micros(10**9))
    memory.nvm.reserve(LAST_ROOM)


def test_two_faults_of_one_write_meet_two_writes() -> None:
    memory = Memory(declare("short_write", "write(1)"), declare("torn_write", "write(1)"))
    with pytest.raises(NvmFileError):
        memory.keep(1)
    with pytest.raises(PowerLostError):
        memory.keep(1)
    assert memory.run.injector.unfired == []
    memory.keep(1)


def test_a_disk_that_is_full_twice_is_full_until_the_later_end() -> None:
    memory = Memory(declare("disk_full", "write(1)", for_ms=10), declare("disk_full", "write(1)", for_ms=20))
    memory.keep(1)
    memory.run.injector.advance(memory.run.at(13))
    with pytest.raises(NvmFileError):
        memory.nvm.reserve(LAST_ROOM)
    memory.run.injector.advance(memory.run.at(23))
    memory.nvm.reserve(LAST_ROOM)


def test_a_fault_that_is_ended_meets_no_write() -> None:
    memory = Memory(declare("torn_write", 'at("1 ms")'))
    memory.run.injector.advance(memory.run.at(1))
    memory.run.injector.finish_all(memory.run.at(2))
    memory.keep(1)
    assert memory.after() == 1


def test_lost_power_leaves_as_many_of_the_first_steps_as_chance_has_it() -> None:
    found = set()
    for seed in range(30):
        memory = Memory(seed=seed)
        for boots in (1, 2, 3):
            memory.keep(boots)
        memory.store.lose()
        found.add(memory.after())
    assert found == {0, 1, 2, 3}


def test_what_was_loaded_is_synced() -> None:
    memory = Memory()
    memory.keep(1)
    nvm = memory.store.load()
    memory.store.lose()
    assert isinstance(nvm, Nvm) and memory.after() == 1


def test_a_listener_hears_of_each_step_that_was_kept() -> None:
    memory = Memory(declare("short_write", "write(2)"))
    heard: list[str] = []
    memory.store.heard = heard.append
    memory.keep(1)
    with pytest.raises(NvmFileError):
        memory.keep(2)
    assert heard == [KEYS[Put]]
