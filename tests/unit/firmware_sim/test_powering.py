"""Powering on: whatever was given wrong is one error that names the option it was given by."""

import sys
from pathlib import Path

import pytest

from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.parameters import Parameters
from firmware_sim.powering import StartError, close_memory, open_memory, power_on, seed_for
from protocols.language.units import Micros
from tests.unit.firmware_sim.memories import Store


def of_seed(seed: int) -> Nvm:
    nvm = Nvm(epoch=1)
    nvm.keep_seed(seed)
    return nvm


def test_an_error_names_the_option_and_what_is_wrong_with_it() -> None:
    error = StartError("seed", "it is none")
    assert (error.option, error.reason, str(error)) == ("seed", "it is none", "seed: it is none")


def test_a_memory_that_is_not_there_yet_is_empty_and_its_file_locked_until_it_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "memory")
    nvm = open_memory(path)
    assert nvm.boot_count == 0
    with pytest.raises(StartError) as caught:
        open_memory(path)
    assert caught.value.option == "nvm"
    close_memory(nvm)
    close_memory(open_memory(path))


def test_a_file_that_is_no_memory_is_an_error_of_its_option(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    path.write_text("something else")
    with pytest.raises(StartError, match=f"^nvm: {path}: "):
        open_memory(str(path))


def test_a_system_that_locks_no_file_keeps_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "firmware_sim.memory_file", None)
    with pytest.raises(StartError, match="^nvm: this system cannot lock a file; leave it out$"):
        open_memory("memory")


def test_closing_a_memory_without_a_file_does_nothing() -> None:
    close_memory(None)
    close_memory(Nvm(epoch=1))


@pytest.mark.parametrize(("wanted", "nvm", "seed"), [(7, None, 7), (None, None, 3), (None, of_seed(9), 9)])
def test_the_seed_is_the_wanted_the_kept_or_a_drawn_one(wanted: int | None, nvm: Nvm | None, seed: int) -> None:
    assert seed_for(wanted, nvm, "a/file", lambda: 3) == seed


def test_another_seed_than_the_memorys_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(StartError) as caught:
        seed_for(7, of_seed(9), "a/file", lambda: 3)
    assert caught.value.option == "seed"
    assert caught.value.reason == "7 is not the seed 9 of the device in a/file; leave it out"


def test_a_device_is_powered_on_with_its_seed_parameters_and_memory() -> None:
    nvm = Nvm(epoch=5)
    device = power_on(9, Parameters({"needles": 4}), nvm, Micros(70))
    assert (device.seed, device.plant.needles, device.nvm, nvm.boot_count) == (9, 4, nvm, 1)
    assert device.board.uptime_ms(Micros(70)) == 0


def test_a_boot_that_cannot_be_kept_is_an_error_of_the_memory() -> None:
    store = Store()
    nvm = Nvm(store, epoch=5)
    store.broken = True
    with pytest.raises(StartError, match="^nvm: the memory: it is broken$"):
        power_on(9, Parameters(), nvm)
