"""A device's seed over its restarts: kept in its memory, the same serial, and chance that goes on."""

import random

import pytest

from firmware_sim.device import Device
from firmware_sim.errors import SeedError
from firmware_sim.memory.image import restore, snapshot
from firmware_sim.memory.nvm import Nvm


def hand_of(device: Device) -> list[int]:
    """The hand's next times, which are drawn from its plant's chance."""
    return [device.plant.reposition_us() for _ in range(8)]


def copy_of(nvm: Nvm) -> Nvm:
    return restore(snapshot(nvm))


def test_a_memory_is_of_one_seed() -> None:
    nvm = Nvm(epoch=1)
    first = Device(seed=9, nvm=nvm)
    assert nvm.seed == 9
    assert Device(seed=9, nvm=nvm).serial == first.serial
    boots = nvm.boot_count
    with pytest.raises(SeedError, match="the memory is of the device with seed 9, not 7") as caught:
        Device(seed=7, nvm=nvm)
    assert (caught.value.kept, caught.value.wanted) == (9, 7)
    assert (nvm.seed, nvm.boot_count) == (9, boots), "a refused device has not run"


def test_a_device_without_a_memory_draws_its_epoch_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And never 0."""
    epochs = [Device(seed=seed).nvm.epoch for seed in (9, 9, 7, 8)]
    assert epochs[0] == epochs[1] and len(set(epochs)) == 3
    monkeypatch.setattr(random.Random, "getrandbits", lambda self, bits: 0)
    assert Device(seed=9).nvm.epoch == 1


def test_chance_goes_on_after_a_restart_and_does_not_begin_again() -> None:
    nvm = Nvm(epoch=1)
    lives = [hand_of(Device(seed=9, nvm=nvm)) for _ in range(3)]
    assert len({tuple(life) for life in lives}) == 3
    assert hand_of(Device(seed=9)) == lives[0], "an empty memory begins as none does"


def test_the_same_memory_and_seed_repeat_everything() -> None:
    nvm = Nvm(epoch=1)
    Device(seed=9, nvm=nvm)
    assert hand_of(Device(seed=9, nvm=copy_of(nvm))) == hand_of(Device(seed=9, nvm=copy_of(nvm)))


def test_a_reboot_of_the_device_leaves_its_physics_alone() -> None:
    rebooted, other = Device(seed=9), Device(seed=9)
    assert hand_of(rebooted) == hand_of(other)
    rebooted.reboot(rebooted.board._booted_at)
    assert hand_of(rebooted) == hand_of(other)
